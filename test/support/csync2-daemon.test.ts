import { connect } from 'node:net';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { startCsync2 } from './csync2-daemon.js';

const KEY = 'a'.repeat(64);

test('the fixture starts a csync2 daemon, serves another csync2, and stops', async () => {
  const tree = mkdtempSync(path.join(tmpdir(), 'csx-tree-'));
  const config = `nossl * *; prefix d { on 127.22.0.1: ${tree}/a; on 127.22.0.2: ${tree}/b; }
    group g { host 127.22.0.1 127.22.0.2; key k; include %d%; }`;
  const server = await startCsync2({ address: '127.22.0.2', config, keys: { k: KEY }, verbose: 3 });
  const client = await startCsync2({ address: '127.22.0.1', config, keys: { k: KEY }, listen: false });
  try {
    mkdirSync(path.join(tree, 'a'));
    mkdirSync(path.join(tree, 'b'));
    writeFileSync(path.join(tree, 'a', 'file'), 'twenty-six bytes of content');
    expect(await client.run(['-cr', `${tree}/a`])).toMatchObject({ status: 0 });
    expect(await client.run(['-u'])).toMatchObject({ status: 0 });
    expect(server.log()).toContain('SIG');
    expect((await server.run(['-L'])).stdout).toMatch(
      /^v1:mtime=\d+:mode=\d+:uid=\d+:gid=\d+:type=reg:size=27\t%d%\/file\n/m,
    );
  } finally {
    await client.stop();
    await server.stop();
    rmSync(tree, { recursive: true, force: true });
  }
  await expect(
    new Promise((resolve, reject) =>
      connect(30865, '127.22.0.2', () => {
        resolve('connected');
      }).once('error', reject),
    ),
  ).rejects.toThrow('ECONNREFUSED');
});
