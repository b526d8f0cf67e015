/**
 * The changes of one session that are not durable yet, as a group: applied one by one, then made durable together, recorded in one
 * transaction, and only then answered (columns R and A of the protocol table).
 *
 * The order is: backups, contents, renames, directories, database, answers. Where a step fails for a file, its answers
 * become refusals and its row stays as it was, so that the sender keeps its dirty row and tries again.
 */

import type { Backup, Group } from '../../model/config.js';
import type { Digest, SignatureDigest } from '../../model/entry.js';
import { CsxError } from '../../model/errors.js';
import type { DiskPath, FileName } from '../../model/names.js';
import { display } from '../../model/names.js';
import type { ActionRow, Write } from '../../model/store.js';
import { backUp } from '../files/backup.js';
import { commit } from '../files/commit.js';
import { syncDirectories, syncFiles } from '../files/durable.js';
import { lookAt } from '../scan/local-state.js';
import { Parents } from '../scan/parents.js';
import { putFile } from '../scan/record.js';
import { REFUSED } from '../wire/answers.js';
import { writeErrorResponse } from '../wire/response-writer.js';
import { answerText } from './answer-text.js';
import type { Applied } from './apply.js';
import { checkBeforeChange } from './check.js';
import type { Hold } from './hold.js';
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

  /** Whether something waits to be committed. */
  get pending(): boolean {
    return this.#touched.size > 0;
  }

  /** Why a change failed since this was last asked; undefined: none did. */
  takeFailure(): string | undefined {
    const failure = this.#failure;
    this.#failure = undefined;
    return failure;
  }

  /** Whether the file was changed in this group: its row is not up to date then, and its check was passed. */
  has(file: FileName): boolean {
    return this.#touched.has(file);
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
      await this.#prepare(hold);
      const facts = hold.facts();
      touched.digest = facts.digest;
      touched.signature = facts.signature;
      this.#holds.push(hold);
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
      }
    } finally {
      this.#touched.clear();
      this.#directories.clear();
      this.#holds.length = 0;
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
    touched.verb = verb;
    touched.actions ||= actions;
    touched.replies.push(reply);
    return touched;
  }

  /** The file may have been changed while the client's commands were waited for: then this is a conflict, as it was at PATCH. */
  async #prepare(hold: Hold): Promise<void> {
    if (!hold.unchanged()) {
      await checkBeforeChange(this.#served, hold.file, hold.disk, this.#services.now());
      await this.#markForClient(hold.file);
      throw conflict(hold.file);
    }
    hold.staged.dress(hold.attributes);
    await this.backUp(hold.disk, hold.groups);
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
    const outcomes = await commit([...holds.keys()], {
      directories: this.#directories,
      guard: (staged) => {
        const hold = holds.get(staged);
        if (hold?.unchanged(true) === false) throw conflict(hold.file);
      },
    });
    for (const [index, hold] of this.#holds.entries()) this.#fail(hold.file, outcomes[index]?.error);
    const attributes = [...this.#touched.values()].filter((touched) => touched.attributes);
    const failures = new Map([
      ...(await syncFiles(attributes.map(({ disk }) => disk))),
      ...(await syncDirectories([...this.#directories])),
    ]);
    if (failures.size === 0) return;
    for (const { file, disk } of this.#touched.values()) {
      this.#fail(file, failures.get(disk) ?? failures.get(directoryOf(disk)));
    }
  }

  #fail(file: FileName, error: unknown): void {
    const touched = this.#touched.get(file);
    if (touched !== undefined && error !== undefined) touched.failure ??= error;
  }

  async #record(): Promise<void> {
    const done = [...this.#touched.values()].filter((touched) => touched.failure === undefined);
    const actions: ActionRow[] = [];
    try {
      const parents = new Parents();
      const writes = done.flatMap((touched) => this.#writesFor(touched, parents, actions));
      if (writes.length > 0) await this.#served.store.write(writes);
      this.#served.actions.scheduled(actions);
    } catch (error) {
      for (const touched of done) touched.failure = error;
    }
  }

  #writesFor(touched: Touched, parents: Parents, actions: ActionRow[]): Write[] {
    const { file, disk, digest, signature } = touched;
    const { config, selection } = this.#served;
    const peer = this.#client.name;
    const state = lookAt(disk, file, config.ignore, { parents });
    const known = state === undefined ? undefined : { ...state, digest };
    const rows: ActionRow[] = [];
    if (touched.actions) {
      for (const group of selection.groupsOf(file)) {
        for (const rule of selection.actionRules(file, group)) {
          if (rule.where === 'here') continue;
          for (const command of rule.commands) rows.push({ file, command, logfile: rule.logfile });
        }
      }
    }
    actions.push(...rows);
    return [
      known === undefined ? { kind: 'remove-file', file } : putFile(file, known),
      { kind: 'clear-dirty', file, peer },
      {
        kind: 'put-baseline',
        baseline: {
          file,
          peer,
          checktxt: state?.checktxt,
          target: state?.entry.target,
          digest,
          signature,
          at: this.#services.now(),
        },
      },
      ...rows.map((action): Write => ({ kind: 'put-action', action })),
    ];
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

function conflict(file: FileName): CsxError {
  return new CsxError('CHANGED_MEANWHILE', REFUSED.markedDirty, { data: { path: display(file) } });
}

function directoryOf(disk: DiskPath): DiskPath {
  const slash = disk.lastIndexOf('/');
  return (slash <= 0 ? '/' : disk.slice(0, slash)) as DiskPath;
}
