/**
 * csx_intent: what processes are about to change on the disk, or have changed and not recorded yet. One row for each time it was told,
 * with all of its intents in one text, so that a group of hundreds of files costs one row in and one out.
 *
 *   [[file, checktxt | null, digest | null, signature | null, 0 | 1], ...]     JSON; one char for each byte of a name
 */

import type { CheckText } from '../../model/checktxt.js';
import { decodeUrl } from '../../model/encoding.js';
import type { Digest, SignatureDigest } from '../../model/entry.js';
import { isCanonical } from '../../model/names.js';
import type { FileName, PeerName } from '../../model/names.js';
import type { Intent, IntentBatch, Write } from '../../model/store.js';
import type { Connection } from './connection.js';
import { fateOf, identify } from './process.js';
import type { ProcessIdentity } from './process.js';
import { bytesIn, bytesOf, encodedParam, numberOf, textOf } from './text.js';

let self: ProcessIdentity | undefined;

export function putIntents(connection: Connection, { batch, peer, intents }: Extract<Write, { kind: 'intend' }>): void {
  self ??= identify(process.pid);
  connection
    .statement(
      `INSERT INTO csx_intent (batch, pid, start, boot, namespace, peername, intents) VALUES (?, ?, ?, ?, ?, CAST(? AS TEXT), ?)`,
    )
    .run(
      batch,
      BigInt(self.pid),
      self.start ?? null,
      self.boot ?? null,
      self.namespace ?? null,
      encodedParam(peer),
      JSON.stringify(
        intents.map(({ file, checktxt, digest, signature, actions }) => [
          file,
          checktxt ?? null,
          digest ?? null,
          signature ?? null,
          actions ? 1 : 0,
        ]),
      ),
    );
}

export function deleteIntents(connection: Connection, batch: string): void {
  connection.statement('DELETE FROM csx_intent WHERE batch = ?').run(batch);
}

/** One for each row, oldest first. A text that csx cannot have written holds no intents. */
export function readIntents(connection: Connection): IntentBatch[] {
  if (!connection.has('csx_intent')) return [];
  const select = connection.statement(
    `SELECT batch, pid, start, boot, namespace, ${bytesIn('peername')}, intents FROM csx_intent ORDER BY number`,
  );
  const alive = new Map<string, boolean>();
  return (select.raw().all() as unknown[][]).map(([batch, pid, start, boot, namespace, peer, text]) => {
    const owner = {
      pid: numberOf(pid) ?? 0,
      start: textOf(start),
      boot: textOf(boot),
      namespace: textOf(namespace),
    };
    const key = JSON.stringify(owner);
    // One that cannot be seen, in another container say, counts as dead: recording what a living one has done does no harm.
    const lives = alive.get(key) ?? (owner.pid > 0 && fateOf(owner) === 'alive');
    alive.set(key, lives);
    return {
      batch: textOf(batch) ?? '',
      peer: decodeUrl(bytesOf(peer) ?? '') as PeerName,
      intents: intentsIn(textOf(text) ?? ''),
      alive: lives,
    };
  });
}

function intentsIn(text: string): Intent[] {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    return [];
  }
  if (!Array.isArray(list)) return [];
  return list.flatMap((each: unknown): Intent[] => {
    if (!Array.isArray(each)) return [];
    const [file, checktxt, digest, signature, actions] = each as readonly unknown[];
    if (typeof file !== 'string' || !isCanonical(file)) return [];
    return [
      {
        file: file as FileName,
        checktxt: textOf(checktxt) as CheckText | undefined,
        digest: textOf(digest) as Digest | undefined,
        signature: textOf(signature) as SignatureDigest | undefined,
        actions: actions === 1,
      },
    ];
  });
}
