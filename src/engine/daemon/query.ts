/** The commands that ask: SIG, GETTM, GETSZ, AGREED, TYPE, LIST, DIGEST, ROWS. They read the disk (no link is followed) and the database and change nothing. */

import fs from 'node:fs';
import { shownIn } from '../../config/shown.js';
import { withoutMtime } from '../../model/checktxt.js';
import type { CheckText } from '../../model/checktxt.js';
import type { Stamp } from '../../model/entry.js';
import { errnoOf } from '../../model/errors.js';
import type { DiskPath, FileName, PeerName } from '../../model/names.js';
import type { ListedRow, Shown, Store } from '../../model/store.js';
import { EMPTY_SIGNATURE } from '../delta/signature.js';
import { openSource } from '../files/source.js';
import { within } from '../files/confined.js';
import { lookAt } from '../scan/local-state.js';
import { Parents } from '../scan/parents.js';
import { REFUSED } from '../wire/answers.js';
import { betweenOf, stretchOf } from '../wire/blocks.js';
import {
  writeAbsentResponse,
  writeErrorResponse,
  writeOkResponse,
  writePresentResponse,
  writeRows,
} from '../wire/response-writer.js';
import type { Request, RowsVerb } from '../wire/verbs.js';
import { opensGroup, roleIn } from './authorise.js';
import { lstat } from './check.js';
import { signatureOf } from './hold.js';
import type { Opened, Served } from './served.js';

/** What SIG told of a file's content. */
export interface Told {
  readonly bytes: Buffer;
  /** A regular file's signature, and the state it belongs to. */
  readonly content: { readonly signature: Buffer; readonly stamp: Stamp } | undefined;
}

/** SIG. Throws the system's error where the file cannot be looked at. */
export async function answerSignature(served: Served, file: FileName, disk: DiskPath, now: number): Promise<Told> {
  const above = new Parents().of(disk);
  if (above.kind === 'link') return told(writeAbsentResponse('not-found'));
  if (above.kind === 'missing') return told(writeErrorResponse(REFUSED.parentMissing));
  if (above.kind === 'not-directory') throw Object.assign(new Error('ENOTDIR'), { code: 'ENOTDIR' });
  const state = lookAt(disk, file, served.config.ignore);
  if (state === undefined) return told(writeAbsentResponse('path-not-found'));
  const checktxt = withoutMtime(state.checktxt);
  if (state.entry.type !== 'file') return told(writePresentResponse(checktxt, Buffer.alloc(0)));
  if (state.entry.size === 0) return told(writePresentResponse(checktxt, EMPTY_SIGNATURE));
  try {
    const source = openSource(disk);
    try {
      const signature = await signatureOf(source);
      served.signatures.keep(source, signature, now);
      return { bytes: writePresentResponse(checktxt, signature), content: { signature, stamp: source.stamp } };
    } finally {
      source.close();
    }
  } catch {
    return told(writePresentResponse(checktxt, undefined));
  }
}

function told(bytes: Buffer): Told {
  return { bytes, content: undefined };
}

/** GETTM and GETSZ: seconds or bytes; undefined when nothing is there. */
export function answerNumber(verb: 'GETTM' | 'GETSZ', disk: DiskPath): number | undefined {
  const stats = lstat(disk);
  if (stats === undefined) return undefined;
  return verb === 'GETSZ' ? Number(stats.size) : Math.floor(Number(stats.mtimeMs) / 1000);
}

/**
 * AGREED: whether the file is as it was when this host and the client last agreed on it, and nothing is marked. The client asks when what
 * it sees here is not what it remembers: a change it sent may have been carried out without its ever hearing of it.
 */
export async function isAgreed({ store, config }: Opened, client: PeerName, file: FileName, disk: DiskPath) {
  const baseline = (await store.baselines(client, [file])).get(file);
  if (baseline === undefined) return false;
  if ((await store.dirty({ scopes: [{ file, recursive: false }] })).length > 0) return false;
  const row = (await store.file([file])).get(file);
  const state = lookAt(disk, file, config.ignore);
  if (baseline.checktxt !== row?.checktxt || baseline.target !== row?.target) return false;
  if (row?.checktxt !== state?.checktxt || row?.stamp !== state?.stamp) return false;
  return baseline.digest === undefined || row?.digest === undefined || baseline.digest === row.digest;
}

const TYPE_CHUNK = 256 * 1024;

/** TYPE: the content in pieces; of what is absent or no regular file nothing. Each piece is a Buffer of its own. */
export function* answerContent(disk: DiskPath): Generator<Buffer, void, undefined> {
  const descriptor = openForReading(disk);
  if (descriptor === undefined) return;
  try {
    for (;;) {
      const chunk = Buffer.allocUnsafeSlow(TYPE_CHUNK);
      const count = fs.readSync(descriptor, chunk, 0, chunk.length, null);
      if (count === 0) return;
      yield chunk.subarray(0, count);
    }
  } finally {
    fs.closeSync(descriptor);
  }
}

function openForReading(disk: DiskPath): number | undefined {
  if (lstat(disk)?.isFile() !== true) return undefined;
  let descriptor: number;
  try {
    descriptor = within(disk, (directory, name) => directory.open(name, fs.constants.O_RDONLY));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ELOOP') return undefined;
    throw error;
  }
  if (fs.fstatSync(descriptor).isFile()) return descriptor;
  fs.closeSync(descriptor);
  return undefined;
}

/** LIST, DIGEST and ROWS. */
export type RowsRequest = Extract<Request, { readonly verb: RowsVerb }>;

/**
 * LIST: the rows whose files lie in a group with one of the keys, that lists the client, and in which this host is known by
 * the name the client uses for it. ROWS: a stretch of them. DIGEST: the same in blocks. In batches, the closing line last.
 */
export async function* answerRows(
  opened: Opened,
  client: PeerName,
  request: RowsRequest,
): AsyncGenerator<Buffer, void, undefined> {
  const { store, selection } = opened;
  const { args } = request;
  const keys = args.keys.map(opensGroup);
  const peer = args.peer.toLowerCase();
  const groups = new Set(
    selection.groups.filter(
      (group) => group.me === peer && roleIn(group, client) !== undefined && keys.some((opens) => opens(group)),
    ),
  );
  if (groups.size > 0) {
    const shown = shownIn(selection, groups, true);
    for await (const rows of rowsFor(store, request, shown)) {
      if (rows.length > 0) yield writeRows(rows);
    }
  }
  yield writeOkResponse();
}

async function* rowsFor(store: Store, request: RowsRequest, shown: Shown): AsyncGenerator<readonly ListedRow[]> {
  if (request.verb === 'DIGEST') {
    for await (const blocks of store.blocks(shown))
      yield blocks.map(({ digest, last }) => ({ checktxt: `v${digest}` as CheckText, stored: last }));
    return;
  }
  for await (const rows of listingFor(store, request))
    yield rows.filter(({ stored, checktxt }) => checktxt.startsWith('v') && shown.file(stored));
}

function listingFor(
  store: Store,
  request: Exclude<RowsRequest, { readonly verb: 'DIGEST' }>,
): AsyncIterable<readonly ListedRow[]> {
  switch (request.verb) {
    case 'LIST':
      return store.listing(request.args.file === '-' ? undefined : [{ file: request.args.file, recursive: false }]);
    case 'ROWS':
      return store.listing(undefined, stretchOf(betweenOf(request.args)));
  }
}
