/**
 * FIFOs and devices, which Node cannot make: by the programs mkfifo and mknod, in a directory handed over as descriptor 3,
 * under a reserved name (ASCII, no shell, no option can be read from it). The caller renames it into place.
 */

import { spawnSync } from 'node:child_process';
import type { Directory } from './confined.js';

export type SpecialType = 'fifo' | 'character-device' | 'block-device';

const MILLISECONDS = 10_000;

/** Makes a FIFO or device, mode 0600. `device`: st_rdev. Throws an error with the system's errno in `code`. */
export function makeSpecial(directory: Directory, name: string, type: SpecialType, device: number): void {
  const path = `/proc/self/fd/3/${name}`;
  const command = type === 'fifo' ? 'mkfifo' : 'mknod';
  const number = type === 'fifo' ? [] : [type === 'block-device' ? 'b' : 'c', ...majorMinor(device)];
  const run = spawnSync(command, ['-m', '0600', '--', path, ...number], {
    stdio: ['ignore', 'ignore', 'pipe', directory.descriptor],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
    timeout: MILLISECONDS,
  });
  if (run.error !== undefined) throw run.error;
  if (run.status === 0) return;
  const text = run.stderr.toString('latin1').trim();
  throw Object.assign(new Error(`${command} failed: ${text}`), { code: errnoIn(text) });
}

/** The two numbers of a device as glibc packs them into st_rdev. */
function majorMinor(device: number): [string, string] {
  const packed = BigInt(device);
  const major = ((packed >> 8n) & 0xfffn) | ((packed >> 32n) & 0xfffff000n);
  const minor = (packed & 0xffn) | ((packed >> 12n) & 0xffffff00n);
  return [String(major), String(minor)];
}

const ERRNOS: Readonly<Record<string, string>> = {
  'Operation not permitted': 'EPERM',
  'Permission denied': 'EACCES',
  'No space left on device': 'ENOSPC',
  'Disk quota exceeded': 'EDQUOT',
  'Read-only file system': 'EROFS',
  'File exists': 'EEXIST',
};

/** The programs print strerror's text last. */
function errnoIn(text: string): string {
  return ERRNOS[text.slice(text.lastIndexOf(': ') + 2)] ?? 'EIO';
}
