/** Load: twenty sessions at once and twenty clients for a while, ten thousand dirty files, and a file that grows while it is sent. */

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

/** How long twenty clients send, in milliseconds. */
const WHILE = times(4000, 60_000);

it(
  'twenty clients for a minute, while csx looks at the database: no error, no lost update, no locked database',
  async () => {
    const [sender, receiver] = await pair('127.34.39');
    const end = Date.now() + WHILE;
    const acknowledged = new Map<string, string>();
    const client = async (number: number): Promise<void> => {
      for (let round = 0; Date.now() < end; round += 1) {
        const connection = await RawClient.introduced(receiver.address, sender.address);
        for (let index = 0; index < 10 && Date.now() < end; index += 1) {
          const name = index === 0 ? 'shared' : `c${String(number)}-${String(index)}`;
          const content = `${name} by ${String(number)}, ${String(round)}\n`;
          const file = `${KEY} %25t%25/${name}`;
          const answers = [await connection.patch(`PATCH ${file}`, literalDelta(content))];
          for (const rest of [`SETOWN ${file} 0 0`, `SETMOD ${file} 33188`, `SETIME ${file} ${String(1000 + round)}`])
            answers.push(await connection.say(rest));
          const last = answers.at(-1) ?? '';
          // Somebody else may have replaced the shared file while this one was on its way: then it is said, and nothing is lost.
          if (name === 'shared' && !last.startsWith('OK')) {
            expect(last).toBe('File is also marked dirty here!\n');
            await connection.say(`FLUSH ${file}`);
            continue;
          }
          expect(last, answers.join('')).toBe('OK (cmd_finished).\n');
          if (name !== 'shared') acknowledged.set(name, content);
        }
        expect(await connection.say('BYE')).toContain('cu_later');
        connection.close();
      }
    };
    const looking = async (): Promise<void> => {
      while (Date.now() < end) {
        for (const args of [
          ['status', '--json'],
          ['db', 'list', 'files'],
        ]) {
          const looked = await receiver.run(args);
          expect(looked.status, looked.stderr).toBe(0);
        }
      }
    };
    await Promise.all([...Array.from({ length: 20 }, (_, number) => client(number)), looking()]);
    expect(acknowledged.size).toBeGreaterThan(0);
    for (const [name, content] of acknowledged) {
      expect(fs.readFileSync(`${receiver.tree}/${name}`, 'utf8'), name).toBe(content);
    }
    const wrong = receiver.log.split('\n').filter((line) => / error |locked/i.test(line));
    expect(wrong.filter((line) => !line.includes('%t%/shared: File is also marked dirty here!'))).toEqual([]);
    expect(staged(receiver.tree)).toEqual([]);
  },
  WHILE + 120_000,
);

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
