/**
 * The state of one host: csync2's five tables, and csx's own beside them. engine/state implements `Store` on SQLite;
 * PostgreSQL and MySQL can follow, so every call is a batch and returns a promise.
 */

import type { CheckText } from './checktxt.js';
import type { Digest, SignatureDigest, Stamp } from './entry.js';
import type { Bytes, FileName, PeerName, StoredName } from './names.js';

/** A row of `file`, with what csx keeps beside it when that still belongs to the same check text. */
export interface FileRow {
  /** As stored: rows come in its order (memcmp). Decode only where needed. */
  readonly stored: StoredName;
  /** Decoded. Not validated: may be anything in a damaged database. */
  readonly checktxt: CheckText;
  /** Undefined when csync2 wrote the row last. */
  readonly stamp: Stamp | undefined;
  /** Where a link below a prefix points: the check text does not say. Undefined as above. */
  readonly target: Bytes | undefined;
  /** Content when it was last read; undefined when it never was. */
  readonly digest: Digest | undefined;
}

/** What csync2's `file` table says of a file, and no more. */
export type ListedRow = Pick<FileRow, 'stored' | 'checktxt'>;

/** Rows of a listing whose names lie behind the last one of the block before, up to and with `last`. */
export interface Block {
  readonly last: StoredName;
  /** Of the rows, lower-case hex (engine/wire/block-maker.ts). */
  readonly digest: string;
}

/** Which rows of a listing count. */
export interface Shown {
  /** Whether all files right in a directory (given with its slash) do, or none, those with a leading dot aside; undefined: ask for each. */
  directory(stored: StoredName): boolean | undefined;
  file(stored: StoredName): boolean;
  /** Only rows whose check text says what version it is (`v1...`), as LIST tells them. */
  readonly versioned: boolean;
}

/** A row of `dirty`: the file is to be sent to the peer. */
export interface DirtyRow {
  readonly file: FileName;
  readonly peer: PeerName;
  /** This host's name toward the peer. */
  readonly me: PeerName;
  /** Overwrite whatever is there. */
  readonly forced: boolean;
  /** Unix milliseconds when csx marked it; undefined when csync2 did. */
  readonly since: number | undefined;
  /** Unix milliseconds when the peer last refused it because it is dirty there too: a certain conflict. */
  readonly refused: number | undefined;
  /** Unix milliseconds when an apply last foresaw that the peer would refuse it, and left it undecided: a predicted conflict. */
  readonly foreseen: number | undefined;
}

export interface HintRow {
  readonly file: FileName;
  readonly recursive: boolean;
}

/** A row of `action`: the command is to run for the file. */
export interface ActionRow {
  readonly file: FileName;
  readonly command: Bytes;
  readonly logfile: Bytes;
}

export interface CertificateRow {
  readonly peer: PeerName;
  /** DER. */
  readonly certificate: Buffer;
  /** Unix milliseconds when csx pinned it; undefined when csync2 did. */
  readonly since: number | undefined;
}

/** The state of a file that this host and a peer last agreed on. */
export interface Baseline {
  readonly file: FileName;
  readonly peer: PeerName;
  /** Undefined: both agreed that the file does not exist. */
  readonly checktxt: CheckText | undefined;
  /** Real link target (check texts below a prefix leave it out). */
  readonly target: Bytes | undefined;
  readonly digest: Digest | undefined;
  readonly signature: SignatureDigest | undefined;
  /** Unix milliseconds. */
  readonly at: number;
}

/**
 * What a command of a peer is about to make of a file, told before the disk is changed: should the process die before the file's row
 * says so, what is found is known to be its own work and no local change.
 */
export interface Intent {
  readonly file: FileName;
  /** What will stand there, with a link's real target; what it leaves out (mode, owner, time) may be anything. Undefined: nothing. */
  readonly checktxt: CheckText | undefined;
  /** Of the content that will stand there; undefined: it stays as it is. */
  readonly digest: Digest | undefined;
  readonly signature: SignatureDigest | undefined;
  /** The change sets off actions. */
  readonly actions: boolean;
}

/** Intents that were told together, or for the same group of changes. */
export interface IntentBatch {
  readonly batch: string;
  /** Whose commands they were. */
  readonly peer: PeerName;
  readonly intents: readonly Intent[];
  /** The process that told them is known to live. */
  readonly alive: boolean;
}

/** How an action's command ended when it last ran. */
export interface ActionRun {
  readonly command: Bytes;
  /** Unix milliseconds. */
  readonly startedAt: number;
  readonly milliseconds: number;
  /** Undefined: it did not exit by itself. */
  readonly status: number | undefined;
  readonly signal: string | undefined;
  readonly timedOut: boolean;
  /** For how many files it ran. */
  readonly files: number;
}

/** One change to the state. A list of them is written in one transaction, in order, all or none. */
export type Write =
  | {
      readonly kind: 'put-file';
      readonly file: FileName;
      readonly checktxt: CheckText;
      readonly stamp: Stamp | undefined;
      readonly target: Bytes | undefined;
      readonly digest: Digest | undefined;
    }
  | { readonly kind: 'remove-file'; readonly file: FileName }
  /** Marks; replaces a row that is there. `forced` survives: a forced row stays forced. */
  | {
      readonly kind: 'mark';
      readonly file: FileName;
      readonly peer: PeerName;
      readonly me: PeerName;
      readonly forced: boolean;
      readonly since: number;
    }
  /** Forces the rows of the file that are there. */
  | { readonly kind: 'force'; readonly file: FileName; readonly forced: boolean }
  /** Deletes the dirty row unless the file was recorded anew since: `checktxt` is what was sent, undefined for a removal. */
  | {
      readonly kind: 'settle';
      readonly file: FileName;
      readonly peer: PeerName;
      readonly checktxt: CheckText | undefined;
      readonly stamp: Stamp | undefined;
    }
  /** Deletes dirty rows of the file: for one peer, or (FLUSH) for all. */
  | { readonly kind: 'clear-dirty'; readonly file: FileName; readonly peer: PeerName | undefined }
  /** The peer refused the file: dirty there too. Stays with the dirty row, also when it is marked anew, and goes with it. */
  | { readonly kind: 'refused'; readonly file: FileName; readonly peer: PeerName; readonly at: number }
  /** A conflict over the file is foreseen and undecided; undefined: none is any more. Stays and goes as `refused` does. */
  | { readonly kind: 'foreseen'; readonly file: FileName; readonly peer: PeerName; readonly at: number | undefined }
  | { readonly kind: 'put-hint'; readonly file: FileName; readonly recursive: boolean }
  | { readonly kind: 'remove-hint'; readonly file: FileName; readonly recursive: boolean }
  | { readonly kind: 'put-action'; readonly action: ActionRow }
  | { readonly kind: 'remove-action'; readonly action: ActionRow }
  | { readonly kind: 'pin'; readonly peer: PeerName; readonly certificate: Buffer; readonly since: number }
  | { readonly kind: 'unpin'; readonly peer: PeerName }
  | { readonly kind: 'put-baseline'; readonly baseline: Baseline }
  | { readonly kind: 'remove-baseline'; readonly file: FileName; readonly peer: PeerName }
  | { readonly kind: 'put-run'; readonly run: Run }
  /** Adds intents to a batch of this process. */
  | { readonly kind: 'intend'; readonly batch: string; readonly peer: PeerName; readonly intents: readonly Intent[] }
  /** The intents of the batch are recorded, or void. */
  | { readonly kind: 'fulfil'; readonly batch: string }
  /** Replaces what was kept of the command; only the latest few hundred commands are kept. */
  | { readonly kind: 'put-action-run'; readonly run: ActionRun };

/** One apply, for `history` and to keep a saved plan from being applied twice. */
export interface Run {
  readonly id: string;
  readonly planHash: string;
  readonly startedAt: number;
  readonly finishedAt: number | undefined;
  readonly exitStatus: number | undefined;
  /** The result's summary as JSON. */
  readonly summary: string;
}

/** A part of the names: `file` alone, or with everything below it. */
export interface Scope {
  readonly file: FileName;
  readonly recursive: boolean;
}

/** The stored names from one on, up to and without another; undefined: to the end. */
export interface Stretch {
  readonly from: StoredName;
  readonly before: StoredName | undefined;
}

/** That there is a baseline, and of what. */
export interface BaselineName {
  readonly peer: PeerName;
  readonly file: FileName;
  /** Both agreed that there is no such file. */
  readonly absent: boolean;
}

/** Who holds a lock. */
export interface LockOwner {
  readonly pid: number;
  readonly command: string;
  /** Unix milliseconds. */
  readonly since: number;
}

/** What has become of the process that took a lock; `unseen`: it ran in another container, into which nobody here can look. */
export type LockFate = 'alive' | 'ended' | 'unseen';

/** A lock as it stands in the database. That of an ended process keeps nobody out. */
export interface HeldLock {
  readonly name: string;
  readonly owner: LockOwner;
  readonly fate: LockFate;
}

export interface Lock {
  release(): Promise<void>;
}

/** What tells one database from another, and one state of it from the next. */
export interface Identity {
  /** A UUID made with csx's tables; undefined in a database csx has never written. */
  readonly lineage: string | undefined;
  /** Grows with each transaction csx writes; 0 in a database csx has never written. */
  readonly serial: number;
}

export interface Store {
  /** For messages: the file's path or the URL without its password. */
  readonly location: string;
  readonly access: 'read' | 'write';

  identity(): Promise<Identity>;
  /** Another number whenever anybody but this store has written, csync2 too. */
  foreignWrites(): Promise<number>;
  /** Rows in the order of their stored names, in batches, at one moment in time. Without scopes: all. Of the stretch alone. */
  files(scopes?: readonly Scope[], stretch?: Stretch): AsyncIterable<readonly FileRow[]>;
  /** The same without what csx keeps beside the rows, in half the time. */
  listing(scopes?: readonly Scope[], stretch?: Stretch): AsyncIterable<readonly ListedRow[]>;
  /** The rows that are shown, at one moment, as digests of blocks: a fourth of the time that the rows take. */
  blocks(shown: Shown): AsyncIterable<readonly Block[]>;
  /** The rows of single files; absent ones are left out. */
  file(files: readonly FileName[]): Promise<ReadonlyMap<FileName, FileRow>>;
  /** Those of the files that have a row, or a mark for any peer. */
  known(files: readonly FileName[]): Promise<ReadonlySet<FileName>>;
  countFiles(scopes?: readonly Scope[]): Promise<number>;
  /** Ordered by peer, then by stored name. */
  dirty(filter?: {
    readonly peers?: readonly PeerName[];
    readonly scopes?: readonly Scope[];
  }): Promise<readonly DirtyRow[]>;
  hints(): Promise<readonly HintRow[]>;
  actions(): Promise<readonly ActionRow[]>;
  certificates(): Promise<readonly CertificateRow[]>;
  baselines(peer: PeerName, files: readonly FileName[]): Promise<ReadonlyMap<FileName, Baseline>>;
  /** All there are, in batches, ordered by peer, then by stored name. */
  baselineNames(): AsyncIterable<readonly BaselineName[]>;
  runs(limit: number): Promise<readonly Run[]>;
  run(planHash: string): Promise<Run | undefined>;
  /** Intents that were neither recorded nor void, oldest first. */
  intents(): Promise<readonly IntentBatch[]>;
  /** How each action's command ended when it last ran, the latest first. */
  actionRuns(): Promise<readonly ActionRun[]>;

  /** The locks that were taken and not given back. */
  locks(): Promise<readonly HeldLock[]>;

  /**
   * One transaction. Waits for other writers up to the lock timeout, then fails with STATE_LOCKED that names who holds it.
   * `hasty`: survives the end of the process, but not necessarily a power failure.
   */
  write(writes: readonly Write[], hasty?: 'hasty'): Promise<void>;
  /** Keeps other csx runs of the same kind out. Fails with STATE_LOCKED; `onWait` is told whom it waits for, `stop` ends that with its reason. */
  lock(name: string, owner: LockOwner, onWait?: (owner: LockOwner) => void, stop?: AbortSignal): Promise<Lock>;
  close(): Promise<void>;
}
