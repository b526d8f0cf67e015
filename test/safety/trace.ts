/** Reads what strace wrote (-f -y): calls with the paths they are about, in the order in which they ended, interrupted lines joined. */

import { readFileSync } from 'node:fs';
import path from 'node:path';

export interface Call {
  readonly name: string;
  /** The file: of the descriptor, or of the first path. */
  readonly path: string | undefined;
  /** Of a rename. */
  readonly to: string | undefined;
  /** The descriptor is a socket. */
  readonly socket: boolean;
  readonly text: string;
  /** Line numbers. */
  readonly began: number;
  readonly ended: number;
}

export const SYNCS: ReadonlySet<string> = new Set(['fsync', 'fdatasync']);

export function isWal(call: Call): boolean {
  return call.path?.endsWith('-wal') === true;
}

/** The daemon says something to its client. */
export function isAnswer(call: Call): boolean {
  return call.socket && /^(?:write|writev|sendto|sendmsg)$/.test(call.name) && call.text.includes('OK (');
}

/** The calls that succeeded. */
export function callsOf(file: string): Call[] {
  const calls: Call[] = [];
  const unfinished = new Map<string, { readonly text: string; readonly began: number }>();
  const descriptors = new Map<string, string>();
  for (const [line, text] of readFileSync(file, 'latin1').split('\n').entries()) {
    const [, pid = '', rest = ''] = /^(\d+)\s+(.*)$/.exec(text) ?? [];
    if (rest.endsWith('<unfinished ...>')) {
      unfinished.set(pid, { text: rest.slice(0, -'<unfinished ...>'.length), began: line });
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    const start = resumed === null ? undefined : unfinished.get(pid);
    const whole = resumed === null ? rest : `${start?.text ?? ''}${resumed[1] ?? ''}`;
    const call = callOf(whole, start?.began ?? line, line, descriptors);
    if (call !== undefined) calls.push(call);
  }
  return calls;
}

function callOf(text: string, began: number, ended: number, descriptors: Map<string, string>): Call | undefined {
  const [, name = '', args = '', result = ''] = /^(\w+)\((.*)\)\s+=\s+(-?\d+)/.exec(text) ?? [];
  if (name === '' || result.startsWith('-')) return undefined;
  const opened = /=\s+(\d+)<([^>]*)>/.exec(text);
  if (name === 'openat' && opened !== null) descriptors.set(opened[1] ?? '', opened[2] ?? '');
  const [, kind = ''] = /^\d+<([^>]*)/.exec(args) ?? [];
  const named = [...args.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, each = '']) => resolve(each, descriptors));
  const byName =
    /^(?:rename|unlink|rmdir|mkdir|symlink|link|chmod|chown|lchown|fchmodat|fchownat|utimensat|mknod)/.test(name);
  return {
    name,
    path: byName && named.length > 0 ? named[0] : kind === '' ? undefined : kind,
    to: name.startsWith('rename') ? named[1] : undefined,
    socket: /^(?:socket|TCP|UNIX)/.test(kind),
    text,
    began,
    ended,
  };
}

/** `/proc/self/fd/N/name` as the path it means. */
function resolve(named: string, descriptors: ReadonlyMap<string, string>): string {
  const [, descriptor, rest = ''] = /^\/proc\/self\/fd\/(\d+)(?:\/(.*))?$/.exec(named) ?? [];
  const base = descriptor === undefined ? undefined : descriptors.get(descriptor);
  return base === undefined ? named : rest === '' ? base : path.join(base, rest);
}
