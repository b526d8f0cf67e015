/** Which command lines csync2 understands: every pair of options, decided by csync2 itself. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseOptions } from '../../src/dropin/options.js';

const HOST = '127.31.26.1';
/** Letters that do not listen, and numbers of arguments. */
const WORDS: readonly (readonly string[])[] = [
  ...Array.from('hcuofmxHLMSTRirdBAIXUFtlvkZ', (letter) => [`-${letter}`]),
  ['-TT'],
  ['-cu'],
  ['-ii', '-i', '-i'],
  ['/nosuch'],
  ['/nosuch', '/b'],
  ['/a', '/b', '/c'],
  ['/a', '/b', '/c', '/d'],
  ['--'],
  ['--help'],
  ['-'],
];

describe('command lines', () => {
  let root: string;

  beforeAll(() => {
    root = mkdtempSync(path.join(tmpdir(), 'csx-options-'));
    mkdirSync(path.join(root, 'db'));
    writeFileSync(path.join(root, 'k'), `${'k'.repeat(64)}\n`, { mode: 0o600 });
    writeFileSync(
      path.join(root, 'csync2.cfg'),
      `nossl * *; group g { host ${HOST} 127.31.26.2; key k; include ${root}/t; }`,
    );
  });
  afterAll(() => {
    rmSync(root, { recursive: true });
  });

  /** Whether csync2 answers with its help. */
  function isHelp(args: readonly string[]): boolean {
    const ran = spawnSync('/usr/sbin/csync2', args, {
      env: { ...process.env, CSYNC2_SYSTEM_DIR: root },
      input: '',
      encoding: 'latin1',
      timeout: 10_000,
    });
    if (ran.error !== undefined) throw ran.error;
    return ran.stdout.includes('Usage: ');
  }

  it('are understood or not as by csync2', () => {
    const common = ['-N', HOST, '-D', path.join(root, 'db'), '-p', '31999'];
    for (const [index, first] of WORDS.entries()) {
      for (const second of [[], ...WORDS.slice(index)]) {
        const args = [...first, ...common, ...second];
        const own = parseOptions(args);
        // A listener would not end.
        if (own.kind === 'run' && (own.options.mode === 'listen' || own.options.mode === 'listen-once')) continue;
        expect(own.kind === 'usage', args.join(' ')).toBe(isHelp(args));
      }
    }
  }, 60_000);

  it('take values joined, apart, and the last one', () => {
    const parsed = parseOptions(['-p1', '-p', '2', 'file', '-crvvGa,b', '-P', 'x', '-D/d', '--', '-v']);
    expect(parsed).toMatchObject({
      kind: 'run',
      options: {
        mode: 'check',
        port: '2',
        groups: ['a', 'b'],
        peers: ['x'],
        database: '/d',
        verbose: 2,
        recursive: true,
        arguments: ['file', '-v'],
      },
    });
  });

  it('make a key only alone', () => {
    expect(parseOptions(['-k', 'file'])).toEqual({ kind: 'key', file: 'file' });
    for (const args of [['-k'], ['-kfile'], ['-k', 'file', '-v'], ['-v', '-k', 'file']])
      expect(parseOptions(args).kind, args.join(' ')).toBe('usage');
  });
});
