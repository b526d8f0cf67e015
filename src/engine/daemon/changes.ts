/**
 * The changes of one session that are not durable yet, as a group: applied one by one, then made durable together, recorded in one
 * transaction, and only then answered (columns R and A of the protocol table).
 *
 * The order is: backups, contents and intents (journal.ts), renames, directories, database, answers. Where a step fails for a file, its
 * answers become refusals and its row stays as it was, so that the sender keeps its dirty row and tries again.
 */

import { randomUUID } from 'node:crypto';
import type { Backup, Group } from '../../model/config.js';
import type { Digest, SignatureDigest } from '../../model/entry.js';
import { CsxError } from '../../model/errors.js';
import type { DiskPath, FileName } from '../../model/names.js';
import { display } from '../../model/names.js';
import type { Intent, Write } from '../../model/store.js';
import { backUp } from '../files/backup.js';
import { putInPlace } from '../files/commit.js';
import { syncDirectories, syncFiles } from '../files/durable.js';
import { lookAt } from '../scan/local-state.js';
import { Parents } from '../scan/parents.js';
import { REFUSED } from '../wire/answers.js';
import { writeErrorResponse } from '../wire/response-writer.js';
import { standsAlready } from './already.js';
import { answerText } from './answer-text.js';
import type { Applied, Change } from './apply.js';
import { checkBeforeChange } from './check.js';
import type { Hold } from './hold.js';
import { intentsOf, intentsOfHold } from './intents.js';
import { recordChange } from './record.js';
import type { Recorded } from './record.js';
import type { Reply } from './replies.js';
import type { Client, Served, Services } from './served.js';

/** So many files are committed together at most: each staged one is open. */
const LARGEST_GROUP = 256;

interface Touched {
  readonly file: FileName;
  readonly disk: DiskPath;
  readonly groups: readonly Group[];
  readonly replies: Reply[];
  /** For the log: the last verb. */
  verb: string;
  actions: boolean;
  attributes: boolean;
  digest: Digest | undefined;
  signature: SignatureDigest | undefined;
  failure: unknown;
}

export interface Touch {
  readonly file: FileName;
  readonly disk: DiskPath;
  readonly groups: readonly Group[];
  readonly verb: string;
  /** Column A. */
  readonly actions: boolean;
  readonly reply: Reply;
}

export class Changes {
  readonly #served: Served;
  readonly #services: Services;
  readonly #client: Client;
  readonly #touched = new Map<FileName, Touched>();
  readonly #directories = new Set<DiskPath>();
  readonly #holds: Hold[] = [];
  readonly #locked = new Set<FileName>();
  /** What the journal was told of this group. */
  readonly #intended = new Set<string>();
  #batch: string = randomUUID();
  /** Of a change whose answer may have been sent already (group-commit). */
  #failure: string | undefined;

  constructor(served: Served, services: Services, client: Client) {
    this.#served = served;
    this.#services = services;
    this.#client = client;
  }

  /** Whether the group is large enough to be committed. */
  get full(): boolean {
    return this.#touched.size >= LARGEST_GROUP;
  }

  /** Whether something waits to be committed, or others for a file that this session has taken. */
  get pending(): boolean {
    return this.#touched.size > 0 || this.#locked.size > 0;
  }

  /** Why a change failed since `takeFailure` was called; undefined: none did. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** The same, and forgets it. */
  takeFailure(): string | undefined {
    const failure = this.#failure;
    this.#failure = undefined;
    return failure;
  }

  /** Whether the file was changed in this group: its row is not up to date then, and its check was passed. */
  has(file: FileName): boolean {
    return this.#touched.has(file);
  }

  /** Whether the file's new content waits for the commit to be put in its place. */
  places(file: FileName): boolean {
    return this.#holds.some((hold) => hold.file === file);
  }

  /** Takes the file for this session until the next commit. Commits before it waits for another session. */
  async own(file: FileName): Promise<void> {
    const { locks } = this.#served;
    if (this.#locked.has(file)) return;
    if (!locks.tryAcquire(file)) {
      await this.commit();
      await locks.acquire(file);
    }
    this.#locked.add(file);
  }

  /**
   * Tells the journal what the change will make, unless it knows. It survives a kill, not a power failure: then nothing is lost either,
   * but csx may take the change for a local one.
   */
  async intend(change: Change, file: FileName, disk: DiskPath): Promise<void> {
    const intents = intentsOf(change, file, disk, this.#served.config.ignore);
    if (intents.every((intent) => this.#intended.has(identityOf(intent)))) return;
    await this.#tell(intents, 'hasty');
  }

  /** Notes a change that was applied to the disk. */
  applied(touch: Touch, applied: Applied): void {
    const touched = this.#touch(touch);
    touched.attributes ||= applied.attributes;
    if (applied.name) {
      this.#directories.add(directoryOf(touch.disk));
      touched.digest = undefined;
      touched.signature = undefined;
    }
  }

  /** What is known of the content besides: the signature a SIG has just told. */
  knownContent(file: FileName, signature: SignatureDigest): void {
    const touched = this.#touched.get(file);
    if (touched !== undefined) touched.signature ??= signature;
  }

  /** Takes over a PATCH whose content is whole; it is put in its place by the next commit. Call `own` first. */
  async place(hold: Hold): Promise<void> {
    const { file, disk, groups } = hold;
    const reply: Reply = hold.replies.at(-1) ?? { bytes: Buffer.alloc(0) };
    const touched = this.#touch({ file, disk, groups, verb: 'PATCH', actions: true, reply });
    for (const each of hold.replies) if (!touched.replies.includes(each)) touched.replies.push(each);
    try {
      const already = await this.#prepare(hold);
      const facts = hold.facts();
      touched.digest = facts.digest;
      touched.signature = facts.signature;
      if (already) hold.discard();
      else this.#holds.push(hold);
    } catch (error) {
      hold.discard();
      touched.failure = error;
    }
  }

  /** Backs up a regular file that is about to be replaced or removed, into every group's directory. */
  async backUp(disk: DiskPath, groups: readonly Group[]): Promise<void> {
    const backups = new Map<DiskPath, Backup>();
    for (const { backup } of groups) if (backup !== undefined) backups.set(backup.directory, backup);
    for (const backup of backups.values()) await backUp(disk, backup);
  }

  /** Makes everything durable and records it. Never rejects: what failed is in the answers and in the log. */
  async commit(): Promise<void> {
    try {
      if (this.#touched.size > 0) {
        await this.#makeDurable();
        await this.#record();
        this.#report();
      } else if (this.#intended.size > 0) await this.#forgetIntents();
    } finally {
      this.#touched.clear();
      this.#directories.clear();
      this.#holds.length = 0;
      this.#intended.clear();
      this.#batch = randomUUID();
      for (const file of this.#locked) this.#served.locks.release(file);
      this.#locked.clear();
    }
  }

  #touch(touch: Touch): Touched {
    const { file, disk, groups, verb, actions, reply } = touch;
    let touched = this.#touched.get(file);
    if (touched === undefined) {
      touched = {
        file,
        disk,
        groups,
        replies: [],
        verb,
        actions,
        attributes: false,
        digest: undefined,
        signature: undefined,
        failure: undefined,
      };
      this.#touched.set(file, touched);
    }
    // What follows a change of content belongs to it.
    if (actions || !touched.actions) touched.verb = verb;
    touched.actions ||= actions;
    touched.replies.push(reply);
    return touched;
  }

  /**
   * The file may have been changed while the client's commands were waited for: then this is a conflict, as it was at PATCH, unless what
   * stands there is what was to come. True: it is.
   */
  async #prepare(hold: Hold): Promise<boolean> {
    hold.staged.dress(hold.attributes);
    if (!hold.unchanged()) {
      await checkBeforeChange(this.#served, hold.file, hold.disk, this.#services.now());
      if (await standsAlready(hold, this.#served.config.ignore)) return true;
      await this.#markForClient(hold.file);
      throw conflict(hold.file);
    }
    await this.backUp(hold.disk, hold.groups);
    return false;
  }

  /** A refused change: the peer is to get this host's version. */
  async #markForClient(file: FileName): Promise<void> {
    const { store, selection } = this.#served;
    const writes = selection
      .peersOf(file)
      .filter(({ peer }) => peer === this.#client.name)
      .map(({ peer, me }): Write => ({ kind: 'mark', file, peer, me, forced: false, since: this.#services.now() }));
    await store.write(writes);
  }

  async #makeDurable(): Promise<void> {
    const holds = new Map(this.#holds.map((hold) => [hold.staged, hold]));
    const unplaced = await putInPlace([...holds.keys()], {
      ahead: holds.size === 0 ? undefined : this.#tell(this.#intentsOfHolds()),
      guard: (staged) => {
        const hold = holds.get(staged);
        if (hold?.unchanged(true) === false) throw conflict(hold.file);
      },
    });
    for (const [staged, hold] of holds) {
      const error = unplaced.get(staged);
      if (error === undefined) this.#directories.add(directoryOf(hold.disk));
      else this.#fail(hold.file, error);
    }
    const attributes = [...this.#touched.values()].filter((touched) => touched.attributes);
    const failures = new Map([
      ...(await syncFiles(attributes.map(({ disk }) => disk))),
      ...(await syncDirectories(this.#directories)),
    ]);
    if (failures.size === 0) return;
    for (const { file, disk } of this.#touched.values()) {
      this.#fail(file, failures.get(disk) ?? failures.get(directoryOf(disk)));
    }
  }

  #intentsOfHolds(): readonly Intent[] {
    return this.#holds.flatMap((hold) => intentsOfHold(hold, this.#served.config.ignore));
  }

  async #tell(intents: readonly Intent[], hasty?: 'hasty'): Promise<void> {
    const write: Write = { kind: 'intend', batch: this.#batch, peer: this.#client.name, intents };
    for (const intent of intents) this.#intended.add(identityOf(intent));
    await this.#served.store.write([write], hasty);
  }

  /** Nothing came of them. Should they stay, they say nothing of a file that is as its row says. */
  async #forgetIntents(): Promise<void> {
    try {
      await this.#served.store.write([{ kind: 'fulfil', batch: this.#batch }], 'hasty');
    } catch (error) {
      this.#services.log({ level: 'warning', event: 'journal', message: answerText(error) });
    }
  }

  #fail(file: FileName, error: unknown): void {
    const touched = this.#touched.get(file);
    if (touched !== undefined && error !== undefined) touched.failure ??= error;
  }

  async #record(): Promise<void> {
    const done = [...this.#touched.values()].filter((touched) => touched.failure === undefined);
    try {
      const parents = new Parents();
      const recorded = done.map((touched) => this.#recorded(touched, parents));
      const writes = recorded.flatMap((each) => each.writes);
      if (this.#intended.size > 0) writes.push({ kind: 'fulfil', batch: this.#batch });
      if (writes.length > 0) await this.#served.store.write(writes);
      this.#served.actions.scheduled(recorded.flatMap((each) => each.actions));
    } catch (error) {
      this.#served.journal.unrecorded(this.#batch);
      for (const touched of done) touched.failure = error;
    }
  }

  #recorded(touched: Touched, parents: Parents): Recorded {
    const { file, disk, digest, signature, actions } = touched;
    const state = lookAt(disk, file, this.#served.config.ignore, { parents });
    const at = this.#services.now();
    return recordChange(this.#served, { file, peer: this.#client.name, state, digest, signature, actions, at });
  }

  #report(): void {
    for (const { file, verb, failure, replies } of this.#touched.values()) {
      const entry = { event: 'change', peer: this.#client.name, file: display(file), verb } as const;
      if (failure === undefined) {
        this.#services.log({ ...entry, level: 'info', message: 'done' });
        continue;
      }
      const text = answerText(failure);
      this.#services.log({ ...entry, level: 'error', message: failure instanceof Error ? failure.message : text });
      this.#failure ??= text;
      for (const reply of replies) reply.bytes = writeErrorResponse(text);
    }
  }
}

function identityOf({ file, checktxt }: Intent): string {
  return `${file}\0${checktxt ?? ''}`;
}

function conflict(file: FileName): CsxError {
  return new CsxError('CHANGED_MEANWHILE', REFUSED.markedDirty, { data: { path: display(file) } });
}

function directoryOf(disk: DiskPath): DiskPath {
  const slash = disk.lastIndexOf('/');
  return (slash <= 0 ? '/' : disk.slice(0, slash)) as DiskPath;
}
