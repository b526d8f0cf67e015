/** Load: twenty sessions at once, ten thousand dirty files, and a file that grows while it is sent. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import { literalDelta, RawClient } from '../engine/daemon/raw-client.js';
import { put } from '../support/cluster.js';
import { readTree } from '../support/tree.js';
import { KEY, LONG, staged, startHosts, stopHosts, times } from './hosts.js';
import type { Host } from './hosts.js';
import { watchMemory } from './memory.js';
import type { Memory } from './memory.js';

let hosts: Host[] | undefined;

afterEach(async () => {
  await stopHosts(hosts);
  hosts = undefined;
});

async function pair(block: string): Promise<[Host, Host]> {
  hosts = await startHosts({ block, kinds: ['csx', 'csx'], silent: [0] });
  return hosts as [Host, Host];
}

it('promise 9: twenty sessions at once, on files of their own and on one they share', async () => {
  const [sender, receiver] = await pair('127.34.36');
  const files = times(5, 200);
  const session = async (number: number): Promise<number> => {
    const client = await RawClient.introduced(receiver.address, sender.address);
    let refused = 0;
    for (let index = 0; index < files; index += 1) {
      for (const name of [`s${String(number)}-${String(index)}`, 'shared']) {
        const file = `%25t%25/${name}`;
        const answer = await client.patch(`PATCH ${KEY} ${file}`, literalDelta(`${name} by ${String(number)}`));
        for (const rest of [`SETOWN ${KEY} ${file} 0 0`, `SETMOD ${KEY} ${file} 33188`, `SETIME ${KEY} ${file} 1000`]) {
          const last = await client.say(rest);
          if (name === 'shared' && !last.startsWith('OK')) refused += 1;
          else expect(last, `${answer}${last}`).toMatch(/^OK/);
        }
      }
    }
    await client.say('BYE');
    client.close();
    return refused;
  };
  await Promise.all(Array.from({ length: 20 }, (_, number) => session(number)));
  for (let number = 0; number < 20; number += 1) {
    for (let index = 0; index < files; index += 1) {
      const name = `s${String(number)}-${String(index)}`;
      expect(fs.readFileSync(`${receiver.tree}/${name}`, 'utf8')).toBe(`${name} by ${String(number)}`);
    }
  }
  expect(fs.readFileSync(`${receiver.tree}/shared`, 'utf8')).toMatch(/^shared by \d+$/);
  expect(staged(receiver.tree)).toEqual([]);
});

const MANY = times(3000, 10_000);

it(
  `promise 14: ${String(MANY)} dirty files, with memory that does not grow with them`,
  async () => {
    const [sender, receiver] = await pair('127.34.37');
    for (let index = 0; index < MANY; index += 1) {
      put(`${sender.tree}/d${String(index % 100)}/file-${String(index)}`, `content ${String(index)}`);
    }
    let memory: Memory | undefined;
    const applied = await sender.apply({
      started: (child) => {
        memory = watchMemory(child.pid);
      },
    });
    const peak = memory?.stop() ?? 0;
    expect(applied.status, applied.stdout.slice(-2000) + applied.stderr).toBe(0);
    expect(readTree(receiver.tree)).toEqual(readTree(sender.tree));
    expect(peak).toBeGreaterThan(0);
    expect(peak).toBeLessThan(600 * 1024);
    expect((await sender.run(['plan', '--detailed-exitcode'])).status).toBe(0);
  },
  LONG ? 600_000 : 120_000,
);

it(
  'promise 4: a file that grows while it is sent arrives as it was at some moment, and in the end as it is',
  async () => {
    const [sender, receiver] = await pair('127.34.38');
    const file = `${sender.tree}/grows`;
    fs.writeFileSync(file, Buffer.alloc(times(30, 500) * 1024 * 1024, 'x'));
    const writer = spawn(
      process.execPath,
      [
        '-e',
        `const fs = require('node:fs'); const fd = fs.openSync(process.argv[1], 'a'); let n = 0;
         (function again() { n += 1; fs.writeSync(fd, 'line ' + n + '\\n'); setTimeout(again, 3); })();`,
        file,
      ],
      { stdio: 'inherit' },
    );
    const closed = once(writer, 'close');
    try {
      for (let round = 0; round < 3; round += 1) {
        const applied = await sender.apply();
        expect([0, 4], applied.stdout + applied.stderr).toContain(applied.status);
        if (!fs.existsSync(`${receiver.tree}/grows`)) continue;
        const arrived = fs.readFileSync(`${receiver.tree}/grows`);
        expect(fs.readFileSync(file).subarray(0, arrived.length).equals(arrived)).toBe(true);
      }
    } finally {
      writer.kill('SIGKILL');
      await closed;
    }
    const last = await sender.apply();
    expect(last.status, last.stdout + last.stderr).toBe(0);
    expect(fs.readFileSync(`${receiver.tree}/grows`).equals(fs.readFileSync(file))).toBe(true);
    expect(staged(receiver.tree)).toEqual([]);
  },
  LONG ? 600_000 : 90_000,
);
