/**
 * Promise 10, against a local user who swaps a directory for a link all the time: every operation that writes, many times each, never
 * touches what the link leads to. (test/safety/daemon-confinement.test.ts does the same to every command of the daemon.)
 *
 * Promise 4: a file that changes here or there between plan and apply, and during apply, is never replaced and never sent torn.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { backUp } from '../../src/engine/files/backup.js';
import { commit, makeDirectory, remove } from '../../src/engine/files/commit.js';
import { within } from '../../src/engine/files/confined.js';
import { openSource } from '../../src/engine/files/source.js';
import { dress, stageFile, stageLink, stageSpecial } from '../../src/engine/files/stage.js';
import type { Bytes, DiskPath } from '../../src/model/names.js';
import { put } from '../support/cluster.js';
import { LONG, startHosts, stopHosts, times } from './hosts.js';
import type { Host } from './hosts.js';

const SWAPPER = fileURLToPath(new URL('swapper.mjs', import.meta.url));
const SECRET = 'nobody may read or write this';
const TRIES = times(150, 1000);

let base = '';

beforeEach(() => {
  base = fs.mkdtempSync(path.join(fs.realpathSync(tmpdir()), 'csx-races-'));
  for (const directory of ['tree/d/sub', 'outside/sub', 'backups'])
    fs.mkdirSync(`${base}/${directory}`, { recursive: true });
});

afterEach(() => {
  fs.rmSync(base, { recursive: true, force: true });
});

function target(name: string): DiskPath {
  return `${base}/tree/d/sub/${name}` as DiskPath;
}

/** What must not change; access times aside. */
function outside(): string {
  const directory = fs.statSync(`${base}/outside/sub`);
  const lines = fs.readdirSync(`${base}/outside/sub`).map((name) => {
    const stats = fs.lstatSync(`${base}/outside/sub/${name}`);
    return [name, stats.mode, stats.uid, stats.gid, stats.ino, stats.mtimeMs, stats.ctimeMs, stats.size].join(' ');
  });
  return [`${String(directory.mode)} ${String(directory.mtimeMs)} ${String(directory.ctimeMs)}`, ...lines].join('\n');
}

/** Every writing operation of engine/files; `index` is another one for each try. */
const OPERATIONS: readonly (readonly [string, (index: number) => unknown])[] = [
  [
    'staging and renaming a file',
    async (index) => {
      const file = stageFile(target(`new-${String(index)}`));
      file.write(Buffer.from('content'));
      file.dress({ mode: 0o644, uid: 1, gid: 1, mtime: 5 });
      const [outcome] = await commit([file]);
      if (outcome?.error !== undefined) throw outcome.error as Error;
    },
  ],
  [
    'replacing a file',
    async () => {
      const file = stageFile(target('victim'));
      file.write(Buffer.from('content'));
      const [outcome] = await commit([file]);
      if (outcome?.error !== undefined) throw outcome.error as Error;
    },
  ],
  [
    'a link',
    async (index) => {
      await commit([stageLink(target(`link-${String(index)}`), 'anywhere' as Bytes)]);
    },
  ],
  [
    'a FIFO',
    async (index) => {
      if (index % 10 === 0) await commit([stageSpecial(target(`fifo-${String(index)}`), 'fifo', 0)]);
    },
  ],
  ['mkdir', (index) => makeDirectory(target(`directory-${String(index)}`), 0o700)],
  ["mkdir in a file's place", () => makeDirectory(target('victim'), 0o700)],
  ['unlink', () => remove(target('victim'))],
  ['rmdir', () => remove(target('directory'))],
  [
    'chmod',
    () => {
      within(target('victim'), (directory, name) => {
        dress(directory, name, { mode: 0o777 });
      });
    },
  ],
  [
    'chown',
    () => {
      within(target('victim'), (directory, name) => {
        dress(directory, name, { uid: 7, gid: 7 });
      });
    },
  ],
  [
    'times',
    () => {
      within(target('victim'), (directory, name) => {
        dress(directory, name, { mtime: 7 });
      });
    },
  ],
  ['a backup', () => backUp(target('victim'), { directory: `${base}/backups` as DiskPath, generations: 2 })],
];

describe('promise 10: a link swapped in for a parent directory', () => {
  it.each(OPERATIONS)(
    `leads nowhere: %s, ${String(TRIES)} times`,
    async (_, operation) => {
      for (const name of ['victim', 'directory']) {
        if (name === 'directory') fs.mkdirSync(`${base}/outside/sub/${name}`);
        else fs.writeFileSync(`${base}/outside/sub/${name}`, SECRET);
      }
      const before = outside();
      const swapper = spawn(process.execPath, [SWAPPER, `${base}/tree/d`, `${base}/outside`], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const closed = once(swapper, 'close');
      let done = 0;
      try {
        await once(swapper.stdout, 'data');
        for (let index = 0; index < TRIES; index += 1) {
          try {
            if (!fs.existsSync(`${base}/tree/d/sub/victim`)) within(target('victim'), plant);
            await operation(index);
            done += 1;
          } catch {
            // The directory was a link, or was not there: refused, which is right.
          }
        }
      } finally {
        swapper.kill('SIGKILL');
        await closed;
      }
      expect(outside()).toBe(before);
      const kept = fs.readdirSync(`${base}/backups`, { recursive: true, encoding: 'utf8' });
      for (const name of kept) {
        const file = `${base}/backups/${name}`;
        if (fs.lstatSync(file).isFile()) expect(fs.readFileSync(file, 'utf8')).not.toBe(SECRET);
      }
      expect(done, 'some tries met the directory itself').toBeGreaterThan(0);
    },
    LONG ? 300_000 : 60_000,
  );

  it(`reads nothing from where it leads, ${String(TRIES * 5)} times`, async () => {
    fs.writeFileSync(`${base}/outside/sub/victim`, SECRET);
    fs.writeFileSync(target('victim'), 'inside');
    const swapper = spawn(process.execPath, [SWAPPER, `${base}/tree/d`, `${base}/outside`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const closed = once(swapper, 'close');
    const read = new Set<string>();
    try {
      await once(swapper.stdout, 'data');
      for (let index = 0; index < TRIES * 5; index += 1) {
        try {
          const source = openSource(target('victim'));
          read.add(source.content?.toString() ?? '');
          source.close();
        } catch {
          // Refused.
        }
      }
    } finally {
      swapper.kill('SIGKILL');
      await closed;
    }
    expect([...read]).toEqual(['inside']);
  });
});

/** Puts the victim and the directory back that an operation has removed. */
function plant(directory: Parameters<Parameters<typeof within>[1]>[0], name: string): void {
  if (directory.lstat(name)?.isDirectory() === true) directory.rmdir(name);
  if (directory.lstat(name) === undefined)
    fs.closeSync(directory.open(name, fs.constants.O_CREAT | fs.constants.O_WRONLY));
  if (directory.lstat('directory') === undefined) directory.mkdir('directory', 0o755);
}

describe('promise 4: files edited meanwhile', () => {
  let hosts: Host[] | undefined;

  afterEach(async () => {
    await stopHosts(hosts);
    hosts = undefined;
  });

  it('between plan and apply, here or there: skipped and told, both versions stay', async () => {
    hosts = await startHosts({ block: '127.34.30', kinds: ['csx', 'csx'], silent: [0] });
    const [sender, receiver] = hosts as [Host, Host];
    const names = ['here', 'there', 'gone-here', 'gone-there', 'made-there', 'delete', 'still'];
    for (const name of names) if (name !== 'made-there') put(`${sender.tree}/${name}`, 'old');
    expect(await sender.apply()).toMatchObject({ status: 0 });
    for (const name of names) if (name !== 'delete') put(`${sender.tree}/${name}`, 'planned');
    fs.unlinkSync(`${sender.tree}/delete`);
    const plan = `${sender.directory}/plan`;
    expect(await sender.run(['plan', '--out', plan])).toMatchObject({ status: 0 });
    put(`${sender.tree}/here`, 'edited here');
    fs.unlinkSync(`${sender.tree}/gone-here`);
    put(`${receiver.tree}/there`, 'edited there');
    put(`${receiver.tree}/made-there`, 'made there');
    put(`${receiver.tree}/delete`, 'edited there');
    fs.unlinkSync(`${receiver.tree}/gone-there`);
    const applied = await sender.run(['apply', plan]);
    expect(applied.status, applied.stdout + applied.stderr).toBe(4);
    const content = (name: string): string | undefined =>
      fs.existsSync(`${receiver.tree}/${name}`) ? fs.readFileSync(`${receiver.tree}/${name}`, 'utf8') : undefined;
    expect(Object.fromEntries(names.map((name) => [name, content(name)]))).toEqual({
      here: 'old',
      there: 'edited there',
      'gone-here': 'old',
      'gone-there': undefined,
      'made-there': 'made there',
      delete: 'edited there',
      still: 'planned',
    });
    for (const name of names.slice(0, 6)) expect(applied.stdout).toContain(`%t%/${name} `);
  });

  it(
    'a file that is written to all the time is sent whole or not at all',
    async () => {
      hosts = await startHosts({ block: '127.34.31', kinds: ['csx', 'csx'], silent: [0] });
      const [sender, receiver] = hosts as [Host, Host];
      // Each write makes all of the file one letter; larger than what is read at once, so that it is sent in pieces.
      const size = 12 * 1024 * 1024;
      const file = `${sender.tree}/busy`;
      fs.writeFileSync(file, Buffer.alloc(size, 'a'));
      put(`${sender.tree}/other`, 'first');
      expect(await sender.apply()).toMatchObject({ status: 0 });
      const writer = spawn(
        process.execPath,
        [
          '-e',
          `const fs = require('node:fs'); const fd = fs.openSync(process.argv[1], 'r+'); let n = 0;
           (function again() { n += 1; fs.writeSync(fd, Buffer.alloc(${String(size)}, 97 + n % 26), 0, ${String(size)}, 0); setTimeout(again, 15); })();`,
          file,
        ],
        { stdio: 'inherit' },
      );
      const closed = once(writer, 'close');
      const seen: string[] = [];
      try {
        for (let round = 0; round < times(4, 40); round += 1) {
          put(`${sender.tree}/other`, `round ${String(round)}`);
          const applied = await sender.apply();
          expect([0, 4], applied.stdout + applied.stderr).toContain(applied.status);
          const content = fs.readFileSync(`${receiver.tree}/busy`);
          seen.push(String.fromCharCode(content[0] ?? 0));
          expect(content.equals(Buffer.alloc(size, content[0]))).toBe(true);
          expect(fs.readFileSync(`${receiver.tree}/other`, 'utf8')).toBe(`round ${String(round)}`);
        }
      } finally {
        writer.kill('SIGKILL');
        await closed;
      }
      const last = await sender.apply();
      expect(last.status, last.stdout + last.stderr).toBe(0);
      expect(fs.readFileSync(`${receiver.tree}/busy`).equals(fs.readFileSync(file))).toBe(true);
    },
    LONG ? 600_000 : 90_000,
  );
});
