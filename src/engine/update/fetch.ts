/**
 * Gets a peer's version of one file: what it is (SIG, GETTM) over the session, its content (TYPE) over a connection of its own, which
 * the daemon closes at the content's end. TYPE tells no length and nothing of an absent file; so the content counts only when its
 * signature is the one SIG told, and what SIG tells afterwards is the same as before.
 */

import { createHash } from 'node:crypto';
import { parseCheckText } from '../../model/checktxt.js';
import type { Digest } from '../../model/entry.js';
import { CsxError } from '../../model/errors.js';
import type { FileName, PeerName } from '../../model/names.js';
import { display } from '../../model/names.js';
import type { SideState } from '../../model/plan.js';
import { stateThere } from '../../planner/differences.js';
import { SignatureDigester } from '../delta/signature-digester.js';
import { signatureDigest } from '../delta/signature.js';
import type { Connection } from '../net/connection.js';
import type { ContentDigests } from './content.js';
import type { Dialer } from './dial.js';

/** A file as the peer is asked for it. */
export interface Wanted {
  readonly peer: PeerName;
  readonly me: PeerName;
  readonly file: FileName;
  /** The text of the pre-shared key. */
  readonly key: string;
}

/** What the peer has now; undefined: nothing. Throws CsxError PEER_REFUSED or PEER_PROTOCOL, or what the connection fails with. */
export async function askPeer(connection: Connection, wanted: Wanted): Promise<SideState | undefined> {
  const target = { key: wanted.key, file: wanted.file };
  const [answer, time] = await Promise.all([connection.request('SIG', target), connection.request('GETTM', target)]);
  switch (answer.kind) {
    case 'present': {
      const timed = parseCheckText(answer.checktxt)?.mtime !== undefined && time.kind === 'decimal';
      const signature = answer.signature?.length ? signatureDigest(answer.signature) : undefined;
      const state = stateThere(answer.checktxt, timed ? time.value : undefined, signature);
      if (state === undefined) throw failed(wanted, 'PEER_PROTOCOL', 'it sent a check text that is none');
      return state;
    }
    case 'path-not-found':
    case 'not-found':
      return undefined;
    case 'error':
      if (answer.refusal.kind === 'parent-missing' || answer.refusal.errno === 'ENOTDIR') return undefined;
      throw failed(wanted, 'PEER_REFUSED', display(answer.text));
    default:
      throw failed(wanted, 'PEER_PROTOCOL', `it answered SIG with ${answer.kind}`);
  }
}

/**
 * Fetches a regular file's content.
 * @param expected its state as SIG told it
 * @param write takes the content piece by piece; nothing of it may be used before this has resolved
 * @throws CsxError CHANGED_MEANWHILE when what came is not what SIG told of
 */
export async function fetchContent(
  dialer: Dialer,
  wanted: Wanted,
  expected: SideState,
  write: (chunk: Buffer) => void,
): Promise<ContentDigests> {
  const { connection } = await dialer.dial(wanted.peer, wanted.me);
  const hash = createHash('sha256');
  const signature = new SignatureDigester();
  const size = expected.entry.size ?? 0;
  let length = 0;
  try {
    for await (const chunks of connection.type({ key: wanted.key, file: wanted.file })) {
      for (const chunk of chunks) {
        length += chunk.length;
        // A file that grows, or a peer that never ends, must not fill the disk.
        if (length > size) throw moved(wanted);
        hash.update(chunk);
        signature.update(chunk);
        write(chunk);
      }
    }
  } finally {
    connection.destroy();
  }
  const digests = {
    digest: hash.digest('hex') as Digest,
    signature: signature.finish(),
  };
  if (length !== size || (expected.signature !== undefined && digests.signature !== expected.signature)) {
    throw moved(wanted);
  }
  return digests;
}

function moved(wanted: Wanted): CsxError {
  return new CsxError(
    'CHANGED_MEANWHILE',
    `${display(wanted.file)} was not taken from ${display(wanted.peer)}: it was changed there meanwhile.`,
    { hint: 'Nothing was changed here. Plan again to see what is there now.', data: { path: display(wanted.file) } },
  );
}

function failed(wanted: Wanted, code: 'PEER_REFUSED' | 'PEER_PROTOCOL', why: string): CsxError {
  return new CsxError(code, `${display(wanted.file)} could not be asked for on ${display(wanted.peer)}: ${why}.`, {
    hint: `Both hosts need the same group, key and host list; the log of ${display(wanted.peer)} says more.`,
    data: { path: display(wanted.file), peer: wanted.peer },
  });
}
