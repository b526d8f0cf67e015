/**
 * What csx was about to change when it died. Before a command changes the disk, what it will make is told to the database (intents.ts);
 * the transaction that records the change takes that away again. What a dead process has left there is settled here before anybody
 * looks at the disk: a file that is as it was to become is recorded as the dead process would have done it, with its actions.
 * Otherwise csx would take its own work for a local change, and refuse to go on with it.
 */

import type { Digest } from '../../model/entry.js';
import type { DiskPath, FileName, PeerName } from '../../model/names.js';
import type { LocalState } from '../../model/scan.js';
import type { FileRow, Intent, IntentBatch, Write } from '../../model/store.js';
import { digestOf } from '../scan/digest.js';
import { describes } from '../scan/intended.js';
import { lookAt } from '../scan/local-state.js';
import { recordChange } from './record.js';
import type { Opened } from './served.js';

export class Journal {
  readonly #opened: Opened;
  /** Unix milliseconds. */
  readonly #now: () => number;
  /** Batches of this process whose changes are on the disk but could not be recorded. */
  readonly #unrecorded = new Set<string>();
  #settling: Promise<void> = Promise.resolve();

  constructor(opened: Opened, now: () => number) {
    this.#opened = opened;
    this.#now = now;
  }

  /** The batch's changes could not be recorded: it is settled as one of a dead process. */
  unrecorded(batch: string): void {
    this.#unrecorded.add(batch);
  }

  /** Records what was left behind. Rejects with CsxError when the database cannot be used; the next call tries again. */
  async settle(): Promise<void> {
    const settled = this.#settling.then(() => this.#settle());
    this.#settling = settled.catch(() => undefined);
    await settled;
  }

  async #settle(): Promise<void> {
    const { store } = this.#opened;
    const left = (await store.intents()).filter(({ alive, batch }) => !alive || this.#unrecorded.has(batch));
    if (left.length === 0) return;
    const writes: Write[] = [];
    for (const [file, told] of byFile(left)) writes.push(...(await this.#writesFor(file, told)));
    const batches = new Set(left.map(({ batch }) => batch));
    await store.write([...writes, ...[...batches].map((batch): Write => ({ kind: 'fulfil', batch }))]);
    for (const batch of batches) this.#unrecorded.delete(batch);
  }

  /** Nothing when the file is as its row says, or as nobody has told. */
  async #writesFor(file: FileName, told: readonly Told[]): Promise<readonly Write[]> {
    const { config, selection, store } = this.#opened;
    if (selection.groupsOf(file).length === 0) return [];
    const disk = selection.toDisk(file);
    const row = (await store.file([file])).get(file);
    const state = lookAt(disk, file, config.ignore);
    if (row?.checktxt === state?.checktxt && row?.stamp === state?.stamp) return [];
    for (const { peer, intent } of told) {
      if (!describes(intent, state)) continue;
      const content = await contentAsTold(intent, row, state, disk);
      if (!content.same) continue;
      const { signature, actions } = intent;
      const made = { file, peer, state, digest: content.digest, signature, actions, at: this.#now() };
      return recordChange(this.#opened, made).writes;
    }
    return [];
  }
}

interface Told {
  readonly peer: PeerName;
  readonly intent: Intent;
}

function byFile(batches: readonly IntentBatch[]): Map<FileName, Told[]> {
  const files = new Map<FileName, Told[]>();
  for (const { peer, intents } of batches) {
    for (const intent of intents) {
      const told = files.get(intent.file);
      // The last command had the last word.
      if (told === undefined) files.set(intent.file, [{ peer, intent }]);
      else told.unshift({ peer, intent });
    }
  }
  return files;
}

/** Whether a regular file's content is the one that was told, or, where none was, the one that was there. */
async function contentAsTold(
  intent: Intent,
  row: FileRow | undefined,
  state: LocalState | undefined,
  disk: DiskPath,
): Promise<{ readonly same: boolean; readonly digest: Digest | undefined }> {
  const expected = intent.digest ?? row?.digest;
  if (state?.entry.type !== 'file' || expected === undefined) return { same: true, digest: undefined };
  return { same: (await digestOf(disk)) === expected, digest: expected };
}
