/**
 * What systemd hands over (sd_listen_fds(3)): descriptors from 3 on, told by LISTEN_PID and LISTEN_FDS. With Accept=yes it is one
 * connection, told by REMOTE_ADDR (systemd.exec(5)); otherwise listening sockets.
 */

import { CsxError } from '../../model/errors.js';

export type Activation =
  | { readonly kind: 'listeners'; readonly descriptors: readonly number[] }
  | { readonly kind: 'connection'; readonly descriptor: number };

const FIRST = 3;
const MOST = 64;

/** Undefined: systemd handed over nothing. `pid`: of this process; what is meant for another is not ours. */
export function activation(
  environment: Readonly<Record<string, string | undefined>>,
  pid: number,
): Activation | undefined {
  const { LISTEN_FDS: text, LISTEN_PID: meant, REMOTE_ADDR: remote } = environment;
  if (text === undefined || meant !== String(pid)) return undefined;
  const count = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > MOST) {
    throw new CsxError('USAGE', `LISTEN_FDS is '${text}': csx needs the number of sockets systemd hands over.`, {
      hint: 'Look at the socket unit: it must be named in Sockets= of the service, or have the same name.',
    });
  }
  if (remote !== undefined) return { kind: 'connection', descriptor: FIRST };
  return { kind: 'listeners', descriptors: Array.from({ length: count }, (_, index) => FIRST + index) };
}
