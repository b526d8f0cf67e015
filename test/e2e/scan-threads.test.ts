/** A scan of many files by several threads records what one thread records: first, unchanged, and after changes of every kind. */

import fs from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startCluster } from '../support/cluster.js';
import type { Cluster } from '../support/cluster.js';
import type { CsxResult } from '../support/csx.js';

/** More than a scan does before it calls for help. */
const FILES = 30_000;
const PER_DIRECTORY = 400;

let cluster: Cluster;
let tree: string;

beforeAll(async () => {
  cluster = await startCluster({ block: '127.36.41', peers: 1 });
  tree = cluster.trees[0] ?? '';
  for (const cores of [1, 3]) {
    fs.writeFileSync(
      path.join(cluster.root, `cores-${cores}.mjs`),
      `import os from 'node:os';
       import { syncBuiltinESMExports } from 'node:module';
       os.availableParallelism = () => ${cores};
       syncBuiltinESMExports();`,
    );
  }
  for (let index = 0; index < FILES; index++) {
    if (index % PER_DIRECTORY === 0) fs.mkdirSync(directory(index));
    fs.writeFileSync(fileAt(index), '');
  }
}, 120_000);

afterAll(async () => {
  await cluster.stop();
});

function directory(index: number): string {
  return path.join(tree, `directory ${String(Math.floor(index / PER_DIRECTORY))}`);
}

function fileAt(index: number): string {
  return path.join(directory(index), `file-${index}`);
}

/** Scans as on a machine with so many processors; Node tells of the threads that it starts. */
async function scan(cores: number, ...args: string[]): Promise<CsxResult & { readonly threads: boolean }> {
  const env = { NODE_OPTIONS: `--import ${path.join(cluster.root, `cores-${cores}.mjs`)}`, NODE_DEBUG: 'worker' };
  const result = await cluster.csxWith({ env }, 'scan', '--json', ...args);
  expect(result.status, result.stderr).toBe(0);
  return { ...result, threads: result.stderr.includes('create new worker') };
}

/** Every row that a scan writes, but for the moment of a mark. */
function rows(): Record<string, unknown[]> {
  const database = new Database(cluster.database, { readonly: true });
  try {
    const all = (sql: string): unknown[] => database.prepare(sql).raw().all();
    return {
      file: all('SELECT filename, checktxt FROM file ORDER BY filename'),
      beside: all('SELECT filename, checktxt, stamp, target, digest FROM csx_file ORDER BY filename'),
      dirty: all('SELECT filename, forced, myname, peername FROM dirty ORDER BY filename, peername'),
    };
  } finally {
    database.close();
  }
}

/** csync2 deletes rows and leaves csx's beside them, here at the end of the tree, which a thread scans. */
function forgotten(): void {
  const database = new Database(cluster.database);
  try {
    const put = database.prepare("INSERT INTO csx_file (filename, checktxt) VALUES (?, 'v1')");
    put.run(`%25t%25/directory%20${String(Math.floor(FILES / PER_DIRECTORY) - 1)}/file-00`);
    put.run('%25t%25/directory%2099/file-00');
  } finally {
    database.close();
  }
}

it('records the same', async () => {
  const alone = await scan(1, '--init');
  const first = rows();
  expect(first['file']).toHaveLength(FILES + FILES / PER_DIRECTORY + 1);
  fs.rmSync(cluster.database);
  const helped = await scan(3, '--init');
  expect([alone.threads, helped.threads]).toEqual([false, true]);
  expect(helped.stdout).toBe(alone.stdout);
  expect(rows()).toEqual(first);

  const unchanged = await scan(3);
  expect(unchanged.threads).toBe(true);
  expect(JSON.parse(unchanged.stdout)).toMatchObject({ new: 0, changed: 0, removed: 0 });
  expect(rows()).toEqual(first);

  for (let index = 0; index < FILES; index += 1000) {
    fs.writeFileSync(fileAt(index), 'changed');
    fs.rmSync(fileAt(index + 1));
    fs.chmodSync(fileAt(index + 2), 0o600);
    fs.rmSync(fileAt(index + 3));
    fs.symlinkSync('elsewhere', fileAt(index + 3));
    fs.writeFileSync(`${fileAt(index)} new`, '');
  }
  fs.rmSync(directory(PER_DIRECTORY), { recursive: true });
  forgotten();
  const kept = `${cluster.database}.kept`;
  fs.copyFileSync(cluster.database, kept);
  const one = await scan(1);
  const after = rows();
  expect(JSON.stringify(after['beside'])).not.toContain('file-00');
  expect(JSON.parse(one.stdout)).toMatchObject({ new: 30, changed: 90 });
  expect(after['dirty']?.length).toBeGreaterThan(PER_DIRECTORY);
  fs.copyFileSync(kept, cluster.database);
  const many = await scan(3);
  expect([one.threads, many.threads]).toEqual([false, true]);
  expect(many.stdout).toBe(one.stdout);
  expect(rows()).toEqual(after);
});
