import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeConfig } from '../../src/config/describe.js';
import { loadConfig } from '../../src/config/load.js';
import { Selection } from '../../src/config/selection.js';
import type { FileName } from '../../src/model/names.js';

const FIXTURES = path.join(import.meta.dirname, '../../fixtures/configurations');
const KEY = 'fixture.key_0123456789abcdefghijklmnopqrstuvwxyz\n';

interface Held {
  readonly groups: readonly string[];
  readonly peers: readonly string[];
  /** The peers csync2 -m marks it for where they are others: it lets compare patterns count too. */
  readonly marked_for?: readonly string[];
}

interface Expected {
  readonly host: string;
  /** As describeConfig tells it, less hash, files and places. */
  readonly config: unknown;
  readonly holds: Readonly<Record<string, Held>>;
}

let root: string;

beforeAll(() => {
  root = mkdtempSync(path.join(os.tmpdir(), 'csx-fixtures-'));
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

/** Copies a fixture to where it can be read: /etc/csync2 becomes a directory of its own, with a key for every key statement. */
function install(name: string): string {
  const directory = path.join(root, name);
  cpSync(path.join(FIXTURES, name), directory, { recursive: true });
  for (const entry of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    if (!entry.endsWith('.cfg')) continue;
    const file = path.join(directory, entry);
    const text = readFileSync(file, 'latin1').replaceAll(/\/etc\/csync2\/(?=k|c[so])/g, `${directory}/`);
    writeFileSync(file, text, 'latin1');
    for (const match of text.matchAll(/\bkey (?:"([^"]*)"|([^\s";]+));/g)) {
      writeFileSync(match[1] ?? match[2]!, KEY, { mode: 0o600 });
    }
  }
  mkdirSync(path.join(directory, 'db'));
  return directory;
}

describe.each(readdirSync(FIXTURES))('configuration %s', (name) => {
  const expected = JSON.parse(readFileSync(path.join(FIXTURES, name, 'expected.json'), 'utf8')) as Expected;
  let systemDirectory: string;
  beforeAll(() => {
    systemDirectory = install(name);
  });

  it('is one csync2 accepts for that host', () => {
    const run = spawnSync('csync2', ['-N', expected.host, '-D', path.join(systemDirectory, 'db'), '-M'], {
      env: { ...process.env, CSYNC2_SYSTEM_DIR: systemDirectory },
      encoding: 'latin1',
    });
    expect(run.stderr).toBe('');
    expect(run.status).toBe(2);
  });

  it('resolves to what it must', async () => {
    const config = await loadConfig({ systemDirectory, host: expected.host });
    const text = JSON.stringify(describeConfig(config), (key, value: unknown) =>
      ['config_hash', 'files', 'declared'].includes(key) ? undefined : value,
    );
    expect(text).not.toContain(KEY.trim());
    expect(JSON.parse(text.replaceAll(systemDirectory, '/etc/csync2'))).toEqual(expected.config);
  });

  // csync2 -m marks a name for every peer of its groups, whether there is such a file or not.
  it('is what csync2 makes of it: it marks each of those files for the same peers', async () => {
    const selection = new Selection(await loadConfig({ systemDirectory, host: expected.host }));
    const ask = (...args: readonly string[]): string => {
      const place = ['-N', expected.host, '-D', path.join(systemDirectory, 'db')];
      const env = { ...process.env, CSYNC2_SYSTEM_DIR: systemDirectory };
      return spawnSync('csync2', [...place, ...args], { env, encoding: 'latin1' }).stdout;
    };
    for (const file of Object.keys(expected.holds)) ask('-m', selection.toDisk(file as FileName));
    const marked = ask('-M')
      .split('\n')
      .map((line) => line.split('\t'));
    const told = Object.keys(expected.holds).map((file) => [
      file,
      marked.flatMap(([, , peer = '', name]) => (name === file ? [peer] : [])).toSorted(),
    ]);
    const wanted = Object.entries(expected.holds).map(([file, { peers, marked_for = peers }]) => [
      file,
      marked_for.toSorted(),
    ]);
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(wanted));
  });

  it('holds the files it must', async () => {
    const selection = new Selection(await loadConfig({ systemDirectory, host: expected.host }));
    const found = Object.keys(expected.holds).map((file) => [
      file,
      {
        groups: selection.groupsOf(file as FileName).map((group) => group.name),
        peers: selection
          .peersOf(file as FileName)
          .map(({ peer }) => peer)
          .toSorted(),
      },
    ]);
    const wanted = Object.entries(expected.holds).map(([file, { groups, peers }]) => [
      file,
      { groups, peers: peers.toSorted() },
    ]);
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(wanted));
  });
});
