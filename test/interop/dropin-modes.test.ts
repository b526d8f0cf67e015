/** The drop-in's lists, messages, statuses, keys, and its ways to serve. */

import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, openSync, closeSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { compareTwins, PROGRAMS, Twin } from '../dropin/twins.js';
import type { Program } from '../dropin/twins.js';

const ONE = { block: '127.31.28', hosts: 2, listen: [] };
const CLIENTS = [
  { client: 'csync2', daemon: 'csync2' },
  { client: 'csx', daemon: 'csync2' },
] as const;

describe('lists and words', () => {
  it('are the same for groups, patterns, compare mode and rows that went out of the configuration', async () => {
    const config = ({ names, root }: { names: readonly string[]; root: string }, more: string): string => `
      nossl * *;
      group first { host ${names.join(' ')}; key k; include ${root}/a; ${more} }
      group second { host ${names.join(' ')} 127.31.28.9; key k; include ${root}/b*; exclude *.bak; compare ${root}/c; }`;
    await compareTwins(
      { ...ONE, config: (twin) => config(twin, '') },
      async (twin) => {
        for (const name of ['a/file', 'a/other', 'b1', 'b2.bak', 'b3/deep/er', 'c/compared'])
          twin.put(0, `../../${name}`, name);
        await twin.run(0, '-L');
        await twin.run(0, '-crv', '/');
        await twin.run(0, '-L');
        await twin.run(0, '-M');
        await twin.run(0, '-M', '-G', 'second');
        await twin.run(0, '-L', '-G', 'first');
        await twin.run(0, '-L', '-G', 'nosuch');
        await twin.run(0, '-or', '/');
        await twin.run(0, '-o', `${twin.root}/c/compared`, `${twin.root}/a`);
        await twin.run(0, '-or', '-P', '127.31.28.9', '/');
        await twin.run(0, '-R', '-G', 'first');
        twin.configure(0, config(twin, 'exclude other;'));
        await twin.run(0, '-L');
        await twin.run(0, '-M');
        await twin.run(0, '-Rv');
        await twin.run(0, '-L');
        await twin.run(0, '-C', 'Upper', '-L');
        await twin.run(0, '-C', 'nosuch', '-L');
        await twin.run(0, '-D', '/no/such/directory', '-L');
        await twin.run(0, '-D', 'nosuch://x', '-L');
        twin.put(0, '../etc/csync2.lock', '');
        await twin.run(0, '-L');
        await twin.run(0, '-Z');
        twin.remove(0, '../etc/csync2.lock');
      },
      CLIENTS,
    );
  });

  it('come in csync2’s words at its levels', async () => {
    const words: string[][] = [];
    await compareTwins(
      ONE,
      async (twin) => {
        const said: string[] = [];
        words.push(said);
        twin.put(0, 'a', 'a');
        twin.put(0, 'b', 'b');
        for (const args of [['-cv', 'a'], ['-cv', 'nosuch/file', '/outside'], ['-mv', 'a'], ['-u'], ['-Mv'], ['-Hv']]) {
          const { stderr } = await twin.run(0, ...args);
          said.push(...stderr.replaceAll(twin.root, 'ROOT').split('\n'));
        }
      },
      CLIENTS,
    );
    expect(words[1]).toEqual(words[0]);
  });

  it('carry time stamps with -t and -s', async () => {
    const twin = await Twin.start(ONE, { client: 'csx', daemon: 'csx' }, 31_865);
    try {
      const file = path.join(twin.root, 'stamps');
      const stamp = String.raw`TIMESTAMP: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+ \(GMT[+-]\d{4}\)`;
      const { stderr } = await twin.quiet(0, '-Mvt', '-s', file);
      const lines = String.raw`\[\d\d:\d\d:\d\d\]`;
      expect(stderr).toMatch(
        new RegExp(
          `^${stamp}\n${lines} Connection closed.\n${lines} Finished with 0 errors.\n${stamp}\nTOTALTIME: 0:00:0\\d\n$`,
        ),
      );
      expect(readFileSync(file, 'utf8')).toMatch(
        new RegExp(`^<\\d+> ${stamp}\n<\\d+> ${stamp}\n<\\d+> TOTALTIME: 0:00:0\\d\n$`),
      );
    } finally {
      await twin.stop();
    }
  });

  it('write the directories of files to the descriptor of -W', async () => {
    const found: string[][] = [];
    for (const client of ['csync2', 'csx'] as const) {
      const twin = await Twin.start(ONE, { client, daemon: client }, 31_865);
      try {
        twin.put(0, 'top', '');
        twin.put(0, 'sub/dir/file', '');
        mkdirSync(path.join(twin.trees[0] ?? '', 'empty'));
        const list = path.join(twin.root, 'list');
        const descriptor = openSync(list, 'w');
        const ran = spawnSync(PROGRAMS[client], ['-W', '3', '-cr', '/', ...twin.common(0)], {
          env: twin.environment(0),
          stdio: ['ignore', 'ignore', 'ignore', descriptor],
        });
        closeSync(descriptor);
        expect(ran.status).toBe(0);
        found.push(readFileSync(list, 'latin1').split('\0').sort());
        expect((await twin.quiet(0, '-W', '99', '-cr', '/')).status).toBe(1);
      } finally {
        await twin.stop();
      }
    }
    expect(found[1]).toEqual(found[0]);
  });
});

describe('-k', () => {
  it('makes a key and never overwrites one', () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'csx-key-'));
    try {
      for (const program of Object.values(PROGRAMS)) {
        const file = path.join(directory, path.basename(path.dirname(program)));
        const make = (): number | null => spawnSync(program, ['-k', file]).status;
        expect(make()).toBe(0);
        expect(readFileSync(file, 'latin1')).toMatch(/^[A-Za-z0-9._]{64}\n$/);
        expect(statSync(file).mode & 0o777).toBe(0o600);
        const before = readFileSync(file);
        expect(make()).toBe(1);
        expect(readFileSync(file).equals(before)).toBe(true);
        expect(spawnSync(program, ['-k', '/no/such/directory/key']).status).toBe(1);
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

/** As inetd does: each connection is the stdin and stdout of a process of its own. */
function inetd(twin: Twin, host: number, program: Program): Promise<Server> {
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    const child = spawn(PROGRAMS[program], ['-i', ...twin.common(host)], {
      env: twin.environment(host),
      stdio: [socket, socket, 'ignore'],
    });
    child.once('spawn', () => socket.destroy());
  });
  return new Promise((resolve) => {
    server.listen(twin.port, twin.names[host], () => {
      resolve(server);
    });
  });
}

describe('serving', () => {
  const combinations: [Program, Program][] = [
    ['csync2', 'csx'],
    ['csx', 'csync2'],
    ['csx', 'csx'],
  ];

  it.each(combinations)('from inetd: %s sends to %s -i', async (client, daemon) => {
    const twin = await Twin.start(ONE, { client, daemon }, 31_865);
    const server = await inetd(twin, 1, daemon);
    try {
      twin.put(0, 'file', 'content');
      expect(await twin.quiet(0, '-x')).toMatchObject({ status: 0 });
      expect(readFileSync(path.join(twin.trees[1] ?? '', 'file'), 'utf8')).toBe('content');
      expect(await twin.quiet(0, '-T')).toMatchObject({ status: 2 });
    } finally {
      server.close();
      await twin.stop();
    }
  });

  it.each(combinations)('one connection: %s sends to %s -iii', async (client, daemon) => {
    const twin = await Twin.start(ONE, { client, daemon }, 31_865);
    try {
      const { ended } = await twin.listen(1, '-iii');
      twin.put(0, 'file', 'content');
      expect(await twin.quiet(0, '-x')).toMatchObject({ status: 0 });
      expect(readFileSync(path.join(twin.trees[1] ?? '', 'file'), 'utf8')).toBe('content');
      expect(await ended).toBe(0);
    } finally {
      await twin.stop();
    }
  });

  it('has -l hand messages to syslog', () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'csx-logger-'));
    try {
      const said = path.join(directory, 'said');
      writeFileSync(path.join(directory, 'logger'), `#!/bin/sh\ncat >${said}\n`, { mode: 0o755 });
      writeFileSync(path.join(directory, 'k'), `${'k'.repeat(64)}\n`, { mode: 0o600 });
      writeFileSync(path.join(directory, 'csync2.cfg'), 'group g { host h1 h2; key k; include /nosuch; }');
      const ran = spawnSync(PROGRAMS.csx, ['-lMv', '-N', 'h1', '-D', directory], {
        env: { ...process.env, PATH: `${directory}:${process.env['PATH'] ?? ''}`, CSYNC2_SYSTEM_DIR: directory },
        encoding: 'utf8',
      });
      expect(ran).toMatchObject({ status: 2, stdout: '', stderr: '' });
      // csync2's facility, local0, and its priorities: info, warning.
      expect(readFileSync(said, 'utf8')).toBe('<134>Connection closed.\n<132>Finished with 0 errors.\n');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
