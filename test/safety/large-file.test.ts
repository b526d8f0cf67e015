/**
 * Load, promise 14: one large file over TLS between csx and the real csync2, either way, new and then changed in a few places; memory
 * does not grow with it. The long run takes 8 GB, past what 32 bits count (mostly holes: what goes over the wire are bytes either way).
 */

import fs from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import { LONG, staged, startHosts, stopHosts, times } from './hosts.js';
import type { Host } from './hosts.js';
import { watchMemory } from './memory.js';
import type { Memory } from './memory.js';

const MEBIBYTE = 1024 * 1024;
const SIZE = times(32 * MEBIBYTE, 8 * 1024 * MEBIBYTE);
const DEADLINE = LONG ? 1_800_000 : 60_000;

let hosts: Host[] | undefined;

afterEach(async () => {
  await stopHosts(hosts);
  hosts = undefined;
});

/** Marks that differ from each other all over the file, and one at its end, past a size that is no multiple of anything. */
function write(file: string): void {
  const descriptor = fs.openSync(file, 'wx');
  for (let at = 0; at < SIZE; at += 16 * MEBIBYTE) fs.writeSync(descriptor, mark(at), 0, undefined, at);
  fs.writeSync(descriptor, 'the end', SIZE + 12_345);
  fs.closeSync(descriptor);
}

function mark(at: number): Buffer {
  return Buffer.from(`what stands at ${String(at)}; `.repeat(20_000));
}

/** Something else at the beginning, past three quarters (past 32 bits in the long run), and at the end. */
function change(file: string): void {
  const descriptor = fs.openSync(file, 'r+');
  for (const at of [100, Math.floor(SIZE * 0.75) + 1001, SIZE + 12_352]) {
    fs.writeSync(descriptor, `changed at ${String(at)}`, at);
  }
  fs.closeSync(descriptor);
}

function same(one: string, other: string): boolean {
  const [left, right] = [fs.openSync(one, 'r'), fs.openSync(other, 'r')];
  const [here, there] = [Buffer.alloc(8 * MEBIBYTE), Buffer.alloc(8 * MEBIBYTE)];
  try {
    for (;;) {
      const length = fs.readSync(left, here);
      if (fs.readSync(right, there) !== length || !here.equals(there)) return false;
      if (length === 0) return true;
    }
  } finally {
    for (const descriptor of [left, right]) fs.closeSync(descriptor);
  }
}

it.each([
  ['csx', 'csync2', '127.34.60'],
  ['csync2', 'csx', '127.34.61'],
] as const)(
  `${String(Math.floor(SIZE / MEBIBYTE))} MiB over TLS, %s to %s: new, then changed`,
  async (from, to, block) => {
    hosts = await startHosts({ block, kinds: [from, to], silent: [0], tls: true });
    const [sender, receiver] = hosts as [Host, Host];
    const csx = from === 'csx' ? sender : receiver;
    const [source, target] = [`${sender.tree}/large`, `${receiver.tree}/large`];
    const peaks: number[] = [];
    for (const step of [write, change]) {
      step(source);
      const daemon = watchMemory(receiver.pid);
      let command: Memory | undefined;
      const begun = performance.now();
      const applied = await sender.apply({
        deadline: DEADLINE,
        started: (child) => {
          command = watchMemory(child.pid);
        },
      });
      const seconds = (performance.now() - begun) / 1000;
      const [here, there] = [command?.stop() ?? 0, daemon.stop()];
      const peak = csx === sender ? here : there;
      peaks.push(peak);
      expect(applied.status, applied.stdout + applied.stderr + receiver.log.slice(-2000)).toBe(0);
      expect(same(source, target), `${step.name}: the same on both`).toBe(true);
      if (LONG) console.log(`${from} to ${to}, ${step.name}: ${seconds.toFixed(0)} s, csx ${String(peak >> 10)} MiB`);
    }
    expect(Math.min(...peaks)).toBeGreaterThan(0);
    // The runtime, its buffers, and for each 2,048 bytes of the file its sums and their place in the table.
    expect(Math.max(...peaks)).toBeLessThan(600 * 1024 + (SIZE / 2048 / 1024) * 128);
    expect(staged(csx.tree)).toEqual([]);
  },
  2 * DEADLINE + 60_000,
);
