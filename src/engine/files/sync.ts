/** fsync(2), on a thread where it waits for a disk and at once where there is none. */

import fs from 'node:fs';
import { promisify } from 'node:util';

const syncOnThread: (descriptor: number) => Promise<void> = promisify(fs.fsync);

/** fsync(2) of an open file or directory. `device`: its st_dev, where that is known. */
export async function syncDescriptor(descriptor: number, device?: bigint): Promise<void> {
  const dev = device ?? fs.fstatSync(descriptor, { bigint: true }).dev;
  // In memory there is nothing to wait for: a thread would cost more than the call.
  if (isInMemory(dev, descriptor)) fs.fsyncSync(descriptor);
  else await syncOnThread(descriptor);
}

const TMPFS = 0x01021994;
const RAMFS = 0x858458f6;
/** What is known of file systems, by st_dev. Should a number come to mean another one, the call is made all the same. */
const inMemory = new Map<bigint, boolean>();
const REMEMBERED = 256;

function isInMemory(device: bigint, descriptor: number): boolean {
  let known = inMemory.get(device);
  if (known === undefined) {
    const { type } = fs.statfsSync(`/proc/self/fd/${String(descriptor)}`);
    known = type === TMPFS || type === RAMFS;
    if (inMemory.size >= REMEMBERED) inMemory.clear();
    inMemory.set(device, known);
  }
  return known;
}
