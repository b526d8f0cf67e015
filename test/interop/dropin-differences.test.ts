/** Where the drop-in deliberately differs from csync2 (docs/differences.md): each case shows what csync2 does and what csx does instead. */

import { readdirSync, readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { compareTwins, Twin } from '../dropin/twins.js';
import type { Program, TwinOptions } from '../dropin/twins.js';

const TWO: TwinOptions = { block: '127.31.30', hosts: 2 };
const running: Twin[] = [];

/** The same host, run by csync2 or by csx; its peer is a csync2. */
async function start(client: Program, options: TwinOptions = TWO): Promise<Twin> {
  const twin = await Twin.start(options, { client, daemon: 'csync2' }, 31_865 + running.length);
  running.push(twin);
  return twin;
}

afterEach(async () => {
  for (const twin of running.splice(0)) await twin.stop();
});

describe('deliberate differences', () => {
  it('a slave offers its changes, and its master puts them right: no difference', async () => {
    const roles = ({ names, trees }: { names: readonly string[]; trees: readonly string[] }): string => `
      nossl * *; prefix t { ${names.map((name, index) => `on ${name}: ${trees[index] ?? ''};`).join(' ')} }
      group g { host ${names[0] ?? ''} (${names[1] ?? ''}); key k; include %t%; }`;
    await compareTwins({ block: '127.31.31', hosts: 2, config: roles, listen: [0, 1] }, async (twin) => {
      twin.put(0, 'file', 'master');
      await twin.run(0, '-x');
      twin.put(1, 'file', 'slave', 1_700_000_100);
      await twin.run(1, '-x');
      await twin.run(1, '-M');
      await twin.run(0, '-M');
      await twin.run(0, '-u');
      await twin.run(1, '-M');
    });
  });

  it('a dry run changes nothing, and shows what lies in directories the peer has not', async () => {
    for (const client of ['csync2', 'csx'] as const) {
      const twin = await start(client);
      twin.put(0, 'equal', 'equal', 1_700_000_000);
      twin.put(1, 'equal', 'equal', 1_600_000_000);
      twin.put(0, 'new/file', 'new');
      await twin.quiet(0, '-cr', '/');
      const { stdout, status } = await twin.quiet(0, '-ud');
      const rows = (await twin.quiet(0, '-M')).stdout;
      expect(status).toBe(client === 'csync2' ? 1 : 0);
      expect(stdout.includes('%t%/new/file')).toBe(client === 'csx');
      // csync2 has settled the row, and set the time on the peer.
      expect(rows.includes('%t%/equal')).toBe(client === 'csx');
    }
  });

  it('-u FILE finds files below a prefix', async () => {
    for (const client of ['csync2', 'csx'] as const) {
      const twin = await start(client);
      twin.put(0, 'one', '1');
      twin.put(0, 'two', '2');
      await twin.quiet(0, '-cr', '/');
      expect((await twin.quiet(0, '-u', 'one')).status).toBe(0);
      const marked = (await twin.quiet(0, '-M')).stdout;
      expect(marked.includes('%t%/one')).toBe(client === 'csync2');
      expect(marked).toContain('%t%/two');
    }
  });

  it('a tree that vanished as a whole is not taken for a deletion, unless it is small or somebody says so', async () => {
    for (const client of ['csync2', 'csx'] as const) {
      const twin = await start(client);
      for (let index = 0; index < 12; index++) twin.put(0, `file${index}`, 'x');
      await twin.quiet(0, '-x');
      for (let index = 0; index < 12; index++) twin.remove(0, `file${index}`);
      const { status, stderr } = await twin.quiet(0, '-x');
      expect(status).toBe(client === 'csync2' ? 0 : 1);
      const there = path.join(twin.trees[1] ?? '', 'file1');
      if (client === 'csync2') {
        expect(() => readFileSync(there)).toThrow('ENOENT');
        continue;
      }
      expect(stderr).toContain('12 files are known there');
      expect(readFileSync(there, 'utf8')).toBe('x');
      process.env['CSX_ALLOW_VANISHED'] = '1';
      try {
        expect((await twin.quiet(0, '-x')).status).toBe(0);
      } finally {
        delete process.env['CSX_ALLOW_VANISHED'];
      }
      expect(() => readFileSync(there)).toThrow('ENOENT');
    }
  });

  it('a removal below what is no directory at the peer any more is settled', async () => {
    for (const client of ['csync2', 'csx'] as const) {
      const twin = await start(client);
      twin.put(0, 'd/file', 'x');
      await twin.quiet(0, '-x');
      const there = path.join(twin.trees[1] ?? '', 'd');
      rmSync(there, { recursive: true });
      writeFileSync(there, 'a file now');
      twin.remove(0, 'd/file');
      for (let round = 0; round < 2; round += 1) await twin.quiet(0, '-x');
      expect((await twin.quiet(0, '-M')).stdout.includes('%t%/d/file')).toBe(client === 'csync2');
      expect(readFileSync(there, 'utf8')).toBe('a file now');
    }
  });

  it('-TT follows no links', async () => {
    for (const client of ['csync2', 'csx'] as const) {
      const twin = await start(client);
      const secret = path.join(twin.root, 'secret');
      writeFileSync(secret, 'a secret elsewhere\n');
      symlinkSync(secret, path.join(twin.trees[0] ?? '', 'link'));
      await twin.quiet(0, '-cr', '/');
      const { stdout } = await twin.quiet(0, '-TT', 'link');
      expect(stdout.includes('a secret elsewhere')).toBe(client === 'csync2');
    }
  });

  it('notices a link below a prefix that was pointed elsewhere, and a change within the same second', async () => {
    for (const client of ['csync2', 'csx'] as const) {
      const twin = await start(client);
      const link = path.join(twin.trees[0] ?? '', 'link');
      symlinkSync('one', link);
      twin.put(0, 'file', 'aaaa');
      await twin.quiet(0, '-x');
      unlinkSync(link);
      symlinkSync('two', link);
      twin.put(0, 'file', 'bbbb');
      await twin.quiet(0, '-cr', '/');
      const found = (await twin.quiet(0, '-M')).stdout;
      expect(found.includes('%t%/link')).toBe(client === 'csx');
      expect(found.includes('%t%/file')).toBe(client === 'csx');
    }
  });

  it('a forced row stays forced when the file changes again', async () => {
    for (const client of ['csync2', 'csx'] as const) {
      const twin = await start(client);
      twin.put(0, 'file', 'one');
      await twin.quiet(0, '-cr', '/');
      await twin.quiet(0, '-f', 'file');
      twin.put(0, 'file', 'two', 1_700_000_100);
      await twin.quiet(0, '-cr', '/');
      expect((await twin.quiet(0, '-M')).stdout).toMatch(
        client === 'csx' ? /^force.*%t%\/file$/m : /^chary.*%t%\/file$/m,
      );
    }
  });

  it('-u records what it sends, so that the next check does not mark it once more', async () => {
    for (const client of ['csync2', 'csx'] as const) {
      const twin = await start(client);
      twin.put(0, 'file', 'one');
      await twin.quiet(0, '-cr', '/');
      twin.put(0, 'file', 'changed since', 1_700_000_100);
      expect((await twin.quiet(0, '-u')).status).toBe(0);
      expect(readFileSync(path.join(twin.trees[1] ?? '', 'file'), 'utf8')).toBe('changed since');
      expect((await twin.quiet(0, '-M')).status).toBe(2);
      await twin.quiet(0, '-cr', '/');
      expect((await twin.quiet(0, '-M')).status).toBe(client === 'csync2' ? 0 : 2);
    }
  });

  it('a command that fails is an error, and no file name is shell syntax', async () => {
    const acting = ({
      names,
      trees,
      root,
    }: {
      names: readonly string[];
      trees: readonly string[];
      root: string;
    }): string => `
      nossl * *; prefix t { ${names.map((name, index) => `on ${name}: ${trees[index] ?? ''};`).join(' ')} }
      group g { host ${names.join(' ')}; key k; include %t%;
        action { pattern %t%/*; exec "echo %% >${root}/said; false"; do-local-only; } }`;
    for (const client of ['csync2', 'csx'] as const) {
      const twin = await start(client, { ...TWO, config: acting });
      const hostile = `x;touch\${IFS}pwned`;
      twin.put(0, hostile, '');
      expect((await twin.quiet(0, '-cr', '/')).status).toBe(client === 'csync2' ? 0 : 1);
      if (client === 'csx') expect(readFileSync(path.join(twin.root, 'said'), 'utf8')).toBe(`%t%/${hostile}\n`);
    }
  });

  it('a conflict that csx foresees is not tried: the peer notices its own change at its own check', async () => {
    for (const client of ['csync2', 'csx'] as const) {
      const twin = await start(client);
      twin.put(0, 'file', 'agreed');
      await twin.quiet(0, '-x');
      twin.put(0, 'file', 'mine', 1_700_000_100);
      twin.put(1, 'file', 'theirs', 1_700_000_200);
      expect((await twin.quiet(0, '-x')).status).toBe(1);
      expect(readFileSync(path.join(twin.trees[1] ?? '', 'file'), 'utf8')).toBe('theirs');
      expect((await twin.quiet(1, '-M')).status).toBe(client === 'csync2' ? 0 : 2);
      await twin.quiet(1, '-cr', '/');
      expect((await twin.quiet(1, '-M')).stdout).toContain('%t%/file');
    }
  });

  it('lists neither make a database nor run commands', async () => {
    for (const client of ['csync2', 'csx'] as const) {
      const twin = await start(client, { ...TWO, listen: [] });
      expect((await twin.quiet(0, '-M')).status).toBe(2);
      const file = path.join(twin.root, twin.names[0] ?? '', 'db', `${twin.names[0] ?? ''}.db3`);
      const made = (): boolean => {
        try {
          readFileSync(file);
          return true;
        } catch {
          return false;
        }
      };
      expect(made()).toBe(client === 'csync2');
    }
  });

  it("-o of a prefix's own directory lists it once", async () => {
    for (const client of ['csync2', 'csx'] as const) {
      const twin = await start(client, { ...TWO, listen: [] });
      twin.put(0, 'file', 'x');
      const once = '%t%\n%t%/file\n';
      expect((await twin.quiet(0, '-or', '.')).stdout).toBe(client === 'csync2' ? once + once : once);
      expect((await twin.quiet(0, '-or', '..')).stdout).toBe(once);
    }
  });

  it('keeps as many backups as backup-generations says', async () => {
    for (const daemon of ['csync2', 'csx'] as const) {
      const twin = await Twin.start(
        {
          ...TWO,
          config: ({ names, trees, root }) => `
            nossl * *; prefix t { ${names.map((name, index) => `on ${name}: ${trees[index] ?? ''};`).join(' ')} }
            group g { host ${names.join(' ')}; key k; include %t%; backup-directory ${root}/backups; backup-generations 3; }`,
        },
        { client: 'csync2', daemon },
        31_865,
      );
      running.push(twin);
      for (let version = 1; version <= 6; version++) {
        twin.put(0, 'file', `version ${version}`, 1_700_000_000 + version);
        expect((await twin.quiet(0, '-x')).status).toBe(0);
      }
      const directory = path.join(twin.root, 'backups', twin.trees[1] ?? '');
      const kept = readdirSync(directory).map((name) => readFileSync(path.join(directory, name), 'utf8'));
      expect(kept.sort()).toEqual(
        daemon === 'csync2' ? ['version 4', 'version 5'] : ['version 3', 'version 4', 'version 5'],
      );
      await twin.stop();
    }
  });
});
