/** Who listens on the port of this host: from the kernel's tables, so that nobody is connected to. Source: proc(5). */

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { canonicalAddress } from '../../engine/net/address.js';
import { caution, good, wrong } from '../../model/finding.js';
import type { Finding } from '../../model/finding.js';

export interface Listener {
  /** `0.0.0.0` and `::` stand for all. */
  readonly address: string;
  /** Undefined where this process may not see whose it is. */
  readonly pid: number | undefined;
  readonly program: 'csync2' | 'csx' | 'super-server' | 'other' | 'unknown';
  /** For messages. */
  readonly command: string;
}

const EVERYWHERE = ['0.0.0.0', '::'];
const LISTEN = '0A';

/** The sockets that listen on a TCP port. */
export function listenersOn(port: number): readonly Listener[] {
  const sockets = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) => listening(table, port));
  if (sockets.length === 0) return [];
  const owners = ownersOf(new Set(sockets.map((socket) => socket.inode)));
  return sockets.map(({ address, inode }) => {
    const pid = owners.get(inode);
    return { address, pid, ...programOf(pid) };
  });
}

/** The listeners that peers of this host reach. `own`: the addresses of its names; those on others belong to somebody else. */
export function relevant(listeners: readonly Listener[], own: readonly string[]): readonly Listener[] {
  return listeners.filter(({ address }) => EVERYWHERE.includes(address) || own.includes(address));
}

export function judgePort(here: readonly Listener[], port: number): readonly Finding[] {
  const [first] = here;
  if (first === undefined) {
    return [
      caution(
        'port',
        `Nothing listens on port ${port} of this host, so peers cannot send to it.`,
        'Start csx daemon (or csync2 -ii), by hand or by systemd.',
      ),
    ];
  }
  const strangers = here.filter(({ program }) => program === 'other');
  if (strangers.length > 0) {
    return strangers.map((stranger) =>
      wrong(
        'port',
        `${nameOf(stranger)} listens on port ${port} of ${stranger.address}, and is neither csync2 nor csx.`,
        'End it, or give csx and all its peers another port with -p.',
      ),
    );
  }
  const pids = new Set(here.map(({ pid, command }) => pid ?? command));
  if (pids.size > 1) {
    return [
      caution(
        'port',
        `Several daemons listen on port ${port}: ${here.map((each) => `${nameOf(each)} on ${each.address}`).join(', ')}.`,
        'Keep one of them: which one answers depends on the address a peer calls.',
      ),
    ];
  }
  return [good('port', `${nameOf(first)} listens on port ${port}.`)];
}

function nameOf({ command, pid }: Listener): string {
  return pid === undefined ? command : `${command} (pid ${pid})`;
}

function listening(table: string, port: number): readonly { readonly address: string; readonly inode: string }[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  return read(table)
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const columns = line.trim().split(/\s+/);
      const [address = '', hexPort] = (columns[1] ?? '').split(':');
      if (columns[3] !== LISTEN || hexPort !== wanted) return [];
      return [{ address: addressOf(address), inode: columns[9] ?? '' }];
    });
}

/** The kernel writes addresses as 32-bit words in the machine's byte order, which is little-endian wherever csx runs. */
function addressOf(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => (word.match(/../g) ?? []).reverse());
  if (bytes.length === 4) return bytes.map((byte) => String(parseInt(byte, 16))).join('.');
  const groups = Array.from({ length: 8 }, (_, index) => `${bytes[index * 2] ?? ''}${bytes[index * 2 + 1] ?? ''}`);
  return canonicalAddress(groups.join(':')).address;
}

/** The process that holds each socket; of several (csync2's children keep it open) the oldest. */
function ownersOf(inodes: ReadonlySet<string>): ReadonlyMap<string, number> {
  const owners = new Map<string, number>();
  const pids = list('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
  for (const pid of pids) {
    for (const descriptor of list(`/proc/${pid}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(link(`/proc/${pid}/fd/${descriptor}`))?.[1];
      if (inode !== undefined && inodes.has(inode) && !owners.has(inode)) owners.set(inode, pid);
    }
    if (owners.size === inodes.size) break;
  }
  return owners;
}

const SUPER_SERVERS = [
  'systemd',
  'inetd',
  'xinetd',
  'openbsd-inetd',
  'inetutils-inetd',
  'tcpserver',
  'tcpsvd',
  'socat',
];

function programOf(pid: number | undefined): Pick<Listener, 'program' | 'command'> {
  if (pid === undefined) return { program: 'unknown', command: 'A process of another user' };
  const name = read(`/proc/${pid}/comm`).trim();
  const words = read(`/proc/${pid}/cmdline`).split('\0');
  if (name === 'csync2') return { program: 'csync2', command: 'csync2' };
  // Node.js, options of its own, and the script.
  const script = /(?:^|\/)(csx|csync2)(?:\.c?js)?$/.exec(
    words.slice(1).find((word) => !word.startsWith('-')) ?? '',
  )?.[1];
  if (script !== undefined) return { program: 'csx', command: script === 'csx' ? 'csx' : 'csx, as csync2' };
  if (SUPER_SERVERS.includes(name)) return { program: 'super-server', command: name };
  return { program: 'other', command: name === '' ? 'An unknown process' : name };
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

function list(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function link(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}
