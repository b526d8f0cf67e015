/** Whether something listens on an IPv4 address, from the kernel's table: connecting would make a daemon serve, and log, a connection. */

import { readFileSync } from 'node:fs';

export function listens(address: string, port: number): boolean {
  const hex = address
    .split('.')
    .reverse()
    .map((part) => Number(part).toString(16).padStart(2, '0'))
    .join('')
    .toUpperCase();
  const local = `${hex}:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .some((line) => {
      const [, here, , state] = line.trim().split(/\s+/);
      return here === local && state === '0A';
    });
}
