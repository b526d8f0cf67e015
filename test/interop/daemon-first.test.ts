import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { startCsx } from '../engine/daemon/csx-daemon.js';
import { startCsync2 } from '../support/csync2-daemon.js';

const KEY = 'a'.repeat(64);

test("csync2's client sends to a csx daemon, and both databases agree afterwards", async () => {
  const tree = mkdtempSync(path.join(tmpdir(), 'csx-tree-'));
  const config = `nossl * *; prefix d { on 127.25.1.1: ${tree}/a; on 127.25.1.2: ${tree}/b; }
    group g { host 127.25.1.1 127.25.1.2; key k; include %d%; }`;
  const server = await startCsx({ address: '127.25.1.2', config, keys: { k: KEY } });
  const client = await startCsync2({ address: '127.25.1.1', config, keys: { k: KEY }, listen: false });
  try {
    for (const name of ['a', 'b']) mkdirSync(path.join(tree, name));
    writeFileSync(path.join(tree, 'a', 'file'), 'content');
    expect(await client.run(['-xr', '/'])).toMatchObject({ status: 0 });
    expect(readFileSync(path.join(tree, 'b', 'file'), 'utf8')).toBe('content');
    expect(await client.run(['-T'])).toMatchObject({ status: 2, stdout: '' });
  } finally {
    await client.stop();
    await server.stop();
    rmSync(tree, { recursive: true, force: true });
  }
});
