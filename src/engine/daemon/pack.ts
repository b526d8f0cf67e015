/**
 * PACK: many new files and directories in one command, as one group: what holds for each file of a PATCH holds for each entry, but is
 * asked of all of them at once. Permission, the check against the database, the content's digest; then contents, renames,
 * directories, database, and only then the answer.
 *
 * Only the plain case is carried out here, a name nobody knows of where nothing stands. Everything else (a file that is there, a row or
 * a mark, another session at work on it, a slave) is answered with `File exists`, and left to the commands that can tell it all.
 */

import { hash, randomUUID } from 'node:crypto';
import { formatCheckText } from '../../model/checktxt.js';
import type { SignatureDigest } from '../../model/entry.js';
import { CsxError, errnoOf } from '../../model/errors.js';
import type { DiskPath, FileName } from '../../model/names.js';
import { display } from '../../model/names.js';
import type { LocalState } from '../../model/scan.js';
import type { Intent } from '../../model/store.js';
import { signatureDigest, signatureOfWhole } from '../delta/signature.js';
import type { Attributes } from '../files/stage.js';
import { REFUSED } from '../wire/answers.js';
import type { PackedEntry, PackRefusal } from '../wire/pack.js';
import { strerror } from '../wire/strerror.js';
import { answerText } from './answer-text.js';
import { authoriser } from './authorise.js';
import { damaged } from './damaged.js';
import type { PackOrder } from './packing.js';
import { recordChange } from './record.js';
import type { Client, Served, Services } from './served.js';

/** Who sent it, and to whom. */
export interface PackContext {
  readonly served: Served;
  readonly services: Services;
  readonly client: Client;
}

/** An entry on its way; `error` is why it was not made. */
interface Packed {
  readonly entry: PackedEntry;
  readonly disk: DiskPath | undefined;
  error: unknown;
  /** What stands there now. */
  made: LocalState | undefined;
  signature: SignatureDigest | undefined;
}

/** What a PACK brought. */
export interface ReceivedPack {
  readonly key: string;
  readonly entries: readonly PackedEntry[];
  /** What the contents are views of. It is handed over to the thread that makes them. */
  readonly body: ArrayBuffer;
}

/** Makes what can be made, durably. Rejects never: the refusals say what was not. */
export async function receivePack(
  { entries, key, body }: ReceivedPack,
  context: PackContext,
  order: PackOrder,
): Promise<readonly PackRefusal[]> {
  const { locks } = context.served;
  const locked: FileName[] = [];
  try {
    const packed = await admit(entries, key, context, (file) => {
      if (!locks.tryAcquire(file)) return false;
      locked.push(file);
      return true;
    });
    if (packed.every(({ error }) => error !== undefined)) return report(packed, context);
    const batch = randomUUID();
    await attempt(packed, () => intend(packed, batch, context));
    await order.mayMake;
    const making = make(packed, body, context);
    order.making();
    const known = await attempt(packed, () => making);
    await order.mayRecord;
    if (known) await attempt(packed, () => record(packed, batch, context));
    // Nobody knows what stands: it is settled as the work of a dead process.
    else context.served.journal.unrecorded(batch);
    return report(packed, context);
  } finally {
    for (const file of locked) locks.release(file);
  }
}

/** A step that all the entries take together; false: it failed, and they with it. */
async function attempt(packed: readonly Packed[], step: () => Promise<void>): Promise<boolean> {
  try {
    await step();
    return true;
  } catch (error) {
    for (const each of packed) each.error ??= error;
    return false;
  }
}

/** Columns P and D of the protocol table, and whether the contents are the ones that were sent. */
async function admit(
  entries: readonly PackedEntry[],
  key: string,
  { served, client }: PackContext,
  lock: (file: FileName) => boolean,
): Promise<readonly Packed[]> {
  const authorise = authoriser(served.selection, client.name, key);
  const packed = entries.map((entry): Packed => {
    const verdict = authorise(entry.file);
    const disk = verdict.kind === 'allowed' ? verdict.disk : undefined;
    const admitted = verdict.kind === 'allowed' && lock(entry.file);
    const error = verdict.kind === 'denied' ? denied() : admitted ? undefined : exists();
    return { entry, disk, error, made: undefined, signature: undefined };
  });
  const known = await served.store.known(entries.map(({ file }) => file));
  for (const each of packed) {
    const { kind, file, content, digest } = each.entry;
    if (known.has(file)) each.error ??= exists();
    if (kind === 'directory' || each.error !== undefined) continue;
    if (hash('sha256', content, 'hex') === digest) each.signature = signatureDigest(signatureOfWhole(content));
    else each.error = damaged(file);
  }
  return packed;
}

/** Tells the journal: what is made and not recorded, because csx dies in between, is known as csx's own work. */
async function intend(packed: readonly Packed[], batch: string, { served, client }: PackContext): Promise<void> {
  const intents = packed.flatMap(({ entry, error, signature }): Intent[] => {
    if (error !== undefined) return [];
    const { kind, file, mtime, digest, content } = entry;
    const claim = kind === 'file' ? { type: kind, mtime, size: content.length } : { type: kind };
    return [{ file, checktxt: formatCheckText({ ...NO_CLAIM, ...claim }), digest, signature, actions: true }];
  });
  await served.store.write([{ kind: 'intend', batch, peer: client.name, intents }]);
}

/** Owner and mode may not be set yet. */
const NO_CLAIM = {
  mode: undefined,
  uid: undefined,
  gid: undefined,
  mtime: undefined,
  size: undefined,
  target: undefined,
  device: undefined,
};

/** Begins to make all that are admitted before it returns. Rejects when nobody knows what was made. */
async function make(packed: readonly Packed[], body: ArrayBuffer, { served, services }: PackContext): Promise<void> {
  const { ignore, temporaryDirectory } = served.config;
  const admitted = packed.flatMap((each) => {
    const { entry, disk, error } = each;
    if (error !== undefined || disk === undefined) return [];
    const attributes: Attributes = {
      uid: ignore.uid ? undefined : entry.uid,
      gid: ignore.gid ? undefined : entry.gid,
      mode: ignore.mod ? undefined : entry.mode,
      mtime: entry.mtime,
    };
    return [{ each, newcomer: { kind: entry.kind, file: entry.file, disk, attributes, content: entry.content } }];
  });
  const newcomers = admitted.map(({ newcomer }) => newcomer);
  const made = await services.maker.make({ newcomers, temporaryDirectory, ignore }, body);
  for (const [index, { state, error }] of made.entries()) {
    const each = admitted[index]?.each;
    if (each === undefined) continue;
    each.made = state;
    each.error = error;
  }
}

/** Columns R and A, in one transaction. */
async function record(packed: readonly Packed[], batch: string, context: PackContext): Promise<void> {
  const { served, services, client } = context;
  const at = services.now();
  const recorded = packed.flatMap(({ entry: { file, digest }, made, signature }) => {
    if (made === undefined) return [];
    return [recordChange(served, { file, peer: client.name, state: made, digest, signature, actions: true, at })];
  });
  try {
    await served.store.write([...recorded.flatMap(({ writes }) => writes), { kind: 'fulfil', batch }]);
  } catch (error) {
    served.journal.unrecorded(batch);
    throw error;
  }
  served.actions.scheduled(recorded.flatMap(({ actions }) => actions));
}

function report(packed: readonly Packed[], { services, client }: PackContext): readonly PackRefusal[] {
  return packed.flatMap(({ entry, error }, number) => {
    const about = { event: 'change', peer: client.name, file: display(entry.file), verb: 'PACK' } as const;
    if (error === undefined) {
      services.log({ ...about, level: 'info', message: 'done' });
      return [];
    }
    const text = answerText(error);
    // The commands that come then tell what is the matter.
    const level = errnoOf(error) === 'EEXIST' ? 'debug' : 'error';
    services.log({ ...about, level, message: error instanceof Error ? error.message : text });
    return [{ number, text }];
  });
}

function denied(): CsxError {
  return new CsxError('PEER_REFUSED', REFUSED.denied);
}

/** What sends the client to the other commands. */
function exists(): Error {
  return Object.assign(new Error(strerror('EEXIST')), { code: 'EEXIST' });
}
