/**
 * Promises 1 and 3, at the receiver, by its system calls in their order: content is written and dressed before it is synced, synced
 * before it is renamed, renamed before its directory is synced, and only then is the client told.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { literalDelta, RawClient } from '../engine/daemon/raw-client.js';

const KEY = 'a'.repeat(64);
const SERVER = '127.25.21.1';
const CLIENT = '127.25.21.2';
/** On a disk: in memory there is nothing to sync. */
const PLACE = fileURLToPath(new URL('../../build', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

it('a file is written, dressed, synced, renamed, its directory synced, recorded, and then answered for', async () => {
  fs.mkdirSync(PLACE, { recursive: true });
  const base = fs.mkdtempSync(path.join(PLACE, 'csx-durable-'));
  const trace = `${base}/trace`;
  fs.mkdirSync(`${base}/t`);
  fs.mkdirSync(`${base}/db`);
  fs.writeFileSync(`${base}/k`, `${KEY}\n`, { mode: 0o600 });
  fs.writeFileSync(`${base}/csync2.cfg`, `nossl * *; group g { host ${SERVER} ${CLIENT}; key k; include ${base}/t; }`);
  const arch = process.arch === 'arm64' ? 'arm64' : 'x64';
  const calls = 'fsync,fdatasync,rename,renameat,renameat2,pwrite64,write,writev,sendto,fchown,fchmod,utimensat';
  const child = spawn(
    'strace',
    [
      ...['-f', '-y', '-qq', '-s', '40', '-o', trace, '-e', `trace=${calls}`],
      `${ROOT}/node_modules/node-linux-${arch}/bin/node`,
      `${ROOT}/bin/csx.js`,
      ...['daemon', '--system-dir', base, '-N', SERVER, '-D', `${base}/db`],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  try {
    let stderr = '';
    while (!stderr.includes('Listening on')) {
      const [chunk] = (await once(child.stderr, 'data')) as [Buffer];
      stderr += chunk.toString();
    }
    const client = await RawClient.introduced(SERVER, CLIENT);
    const file = `${base}/t/file`;
    await client.patch(`PATCH ${KEY} ${file}`, literalDelta('the new content'));
    await client.say(`SETOWN ${KEY} ${file} 0 0`);
    await client.say(`SETMOD ${KEY} ${file} 33188`);
    client.write(`SETIME ${KEY} ${file} 1000\n`);
    expect(await client.until((text) => text.endsWith('\n'))).toBe('OK (cmd_finished).\n');
    client.close();
  } finally {
    // strace itself takes no signals while its program runs.
    const traced = Number(/^\d+/.exec(fs.readFileSync(trace, 'utf8'))?.[0]);
    const ended = once(child, 'exit');
    process.kill(traced, 'SIGTERM');
    await ended;
  }
  const lines = fs.readFileSync(trace, 'utf8').split('\n');
  fs.rmSync(base, { recursive: true, force: true });

  const stage = String.raw`<[^>]*/t/\.csx-stage-[^>]*>`;
  const at = (pattern: RegExp, from = 0): number => {
    const index = lines.findIndex((line, position) => position >= from && pattern.test(line));
    expect(index, `${String(pattern)} after line ${String(from)} of\n${lines.join('\n')}`).toBeGreaterThanOrEqual(0);
    return index;
  };
  /** Where a call that began at a line has come back: there, or where strace resumes it. */
  const end = (index: number): number => {
    const line = lines[index] ?? '';
    if (!line.includes('<unfinished')) return index;
    const [pid, name] = [line.split(' ')[0] ?? '', /^\d+ +(\w+)/.exec(line)?.[1] ?? ''];
    return at(new RegExp(`^${pid} +<\\.\\.\\. ${name} resumed>`), index);
  };
  const written = at(new RegExp(`write\\(\\d+${stage}, "the new content"`));
  const owned = at(new RegExp(`fchown\\(\\d+${stage}`), written);
  const moded = at(new RegExp(`fchmod\\(\\d+${stage}, 0?644`), owned);
  const timed = at(new RegExp(`utimensat\\(\\d+${stage}`), moded);
  const synced = end(at(new RegExp(`fsync\\(\\d+${stage}`), timed));
  const renamed = at(/rename\w*\(.*\.csx-stage-.*\/file"/, synced);
  const directory = end(at(/fsync\(\d+<[^>]*\/t>/, renamed));
  const recorded = end(at(/(fsync|fdatasync)\(\d+<[^>]*\.db3/, directory));
  const answers = lines.flatMap((line, index) => (/<(?:socket|TCP).*"OK \(cmd_finished\)/.test(line) ? [index] : []));
  expect(answers.at(-1)).toBeGreaterThan(recorded);
  // CONFIG, HELLO, PATCH, SETOWN, SETMOD were answered before; nothing was in place then.
  expect(answers.filter((index) => index > renamed)).toHaveLength(1);
});
