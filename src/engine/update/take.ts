/**
 * Takes a peer's version of one file: makes this host's file what the peer's is, keeping what was here.
 *
 * Order, so that it can be killed at any point and nothing is lost:
 *  1. both sides must still be what the decision was taken on;
 *  2. the new state is whole, verified and staged beside the file (fetch.ts);
 *  3. the old content is backed up: where the file's groups say, otherwise below `csx-replaced` beside the database;
 *  4. it is put in place, atomically and durably;
 *  5. the row, the baseline, and marks for ALL peers are written: the others shall get it, and the mark for this peer stands
 *     until 7, so that a kill here leaves a file that the next run finds equal;
 *  6. the peer forgets its own marks (FLUSH), where this host has taken over all of what they stood for; see `mayFlush`;
 *  7. the mark for this peer goes.
 */

import type { Selection } from '../../config/selection.js';
import { CsxError } from '../../model/errors.js';
import type { DiskPath, FileName } from '../../model/names.js';
import { display, parentName } from '../../model/names.js';
import type { Conflict, SideState } from '../../model/plan.js';
import type { LocalState } from '../../model/scan.js';
import type { Write } from '../../model/store.js';
import { compareEntries } from '../../planner/differences.js';
import { sameState } from '../../planner/taken.js';
import { writeFailure } from '../files/failure.js';
import { lookAt } from '../scan/local-state.js';
import { lstat } from '../scan/lstat.js';
import { putFile } from '../scan/record.js';
import type { ContentDigests } from './content.js';
import { askPeer } from './fetch.js';
import type { Wanted } from './fetch.js';
import { attributesOf, commitOne, directoryHere, freeName, keep, removeHere, stage } from './place.js';
import type { TakeOptions } from './place.js';

export interface Took {
  /** What stands here now, for every file that was made or removed: the conflict's own, and directories above it that were missing. */
  readonly states: ReadonlyMap<FileName, LocalState | undefined>;
  /** Where the old content is kept; undefined: there was none. */
  readonly backup: DiskPath | undefined;
  /** Bytes of content fetched. */
  readonly bytes: number;
  /** The peer has changed the file again since: it will send that by itself. */
  readonly movedOn: boolean;
}

/** Takes the version. Throws CsxError; what was here stands then, but for directories above it that were missing. */
export async function take(conflict: Conflict, options: TakeOptions): Promise<Took> {
  const { selection, store, connection } = options;
  const wanted = wantedOf(conflict.path, conflict, selection);
  const before = await checkHere(conflict, options);
  const there = await askPeer(connection, wanted);
  if (!sameState(there, conflict.remote)) throw staleThere(conflict);

  const states = new Map<FileName, LocalState | undefined>();
  if (there !== undefined) {
    for (const [file, state] of await makeParents(conflict, options)) states.set(file, state);
  }
  const placed = await place(conflict, there, before, wanted, options);
  const state = lookHere(conflict.path, options);
  if (!isWhatWasTaken(state, there)) throw staleHere(conflict);
  const known = state && { ...state, digest: placed.digests?.digest };
  states.set(conflict.path, known);
  await store.write(writesFor(conflict.path, known, conflict, placed.digests, options));
  const movedOn = await settle(conflict, wanted, there, known, options);
  return { states, backup: placed.backup, bytes: placed.bytes, movedOn };
}

/**
 * Saves the peer's version beside this host's, as `NAME.from-PEER`, and leaves everything else as it is.
 * @returns where
 */
export async function saveBeside(conflict: Conflict, options: TakeOptions): Promise<DiskPath> {
  const wanted = wantedOf(conflict.path, conflict, options.selection);
  await checkHere(conflict, options);
  const there = await askPeer(options.connection, wanted);
  if (there === undefined || !sameState(there, conflict.remote)) throw staleThere(conflict);
  const disk = freeName(options.selection.toDisk(conflict.path), conflict.peer);
  const { staged } = await stage(disk, there, undefined, wanted, options);
  await commitOne(staged, () => {
    if (lstat(disk) !== undefined) throw staleHere(conflict);
  });
  return disk;
}

interface Placed {
  readonly digests: ContentDigests | undefined;
  readonly backup: DiskPath | undefined;
  readonly bytes: number;
}

async function place(
  conflict: Conflict,
  there: SideState | undefined,
  before: LocalState | undefined,
  wanted: Wanted,
  options: TakeOptions,
): Promise<Placed> {
  const disk = options.selection.toDisk(conflict.path);
  const guard = (): void => {
    if (lookHere(conflict.path, options)?.stamp !== before?.stamp) throw staleHere(conflict);
  };
  try {
    if (there === undefined || there.entry.type === 'directory') {
      const backup = await keep(conflict.path, options);
      guard();
      if (there === undefined) await removeHere(disk);
      else await directoryHere(disk, attributesOf(there, before));
      return { digests: undefined, backup, bytes: 0 };
    }
    const { staged, digests } = await stage(disk, there, before, wanted, options);
    try {
      const backup = await keep(conflict.path, options);
      await commitOne(staged, guard);
      return { digests, backup, bytes: digests === undefined ? 0 : (there.entry.size ?? 0) };
    } finally {
      staged.discard();
    }
  } catch (error) {
    throw writeFailure(error, disk);
  }
}

/** Directories above the file that are missing here: taken from the peer as well, topmost first. */
async function makeParents(
  conflict: Conflict,
  options: TakeOptions,
): Promise<readonly (readonly [FileName, LocalState])[]> {
  const { selection, connection, store } = options;
  const missing: FileName[] = [];
  for (let above = parentName(conflict.path); above !== undefined; above = parentName(above)) {
    if (lstat(selection.toDisk(above)) !== undefined) break;
    missing.unshift(above);
  }
  const made: (readonly [FileName, LocalState])[] = [];
  for (const file of missing) {
    const wanted = wantedOf(file, conflict, selection);
    const there = await askPeer(connection, wanted);
    if (there?.entry.type !== 'directory') throw staleThere(conflict);
    await directoryHere(selection.toDisk(file), attributesOf(there, undefined));
    const state = lookHere(file, options);
    if (state === undefined) throw staleHere(conflict);
    await store.write([
      ...writesFor(file, state, conflict, undefined, options),
      { kind: 'clear-dirty', file, peer: conflict.peer },
    ]);
    made.push([file, state]);
  }
  return made;
}

/** The peer sent it, as it were: its row, what both agree on, and, as for any change, a mark for everybody. */
function writesFor(
  file: FileName,
  state: LocalState | undefined,
  conflict: Conflict,
  digests: ContentDigests | undefined,
  { selection, now }: TakeOptions,
): readonly Write[] {
  const at = now();
  const writes: Write[] = [state === undefined ? { kind: 'remove-file', file } : putFile(file, state)];
  for (const { peer, me } of selection.peersOf(file)) {
    writes.push({ kind: 'mark', file, peer, me, forced: false, since: at });
  }
  for (const group of selection.groupsOf(file)) {
    for (const rule of selection.actionRules(file, group)) {
      // As where an update is received: do-local-only belongs to the host where the change was made.
      if (rule.where === 'here') continue;
      for (const command of rule.commands) {
        writes.push({ kind: 'put-action', action: { file, command, logfile: rule.logfile } });
      }
    }
  }
  const baseline = { file, peer: conflict.peer, checktxt: state?.checktxt, target: state?.entry.target, at };
  return [
    ...writes,
    {
      kind: 'put-baseline',
      baseline: { ...baseline, digest: digests?.digest, signature: digests?.signature },
    },
  ];
}

/** Steps 6 and 7. True when the peer has changed the file again: it was told to send that (MARK), since FLUSH made it forget. */
async function settle(
  conflict: Conflict,
  wanted: Wanted,
  there: SideState | undefined,
  state: LocalState | undefined,
  options: TakeOptions,
): Promise<boolean> {
  const { connection, store } = options;
  const target = { key: wanted.key, file: wanted.file };
  let movedOn = false;
  if (mayFlush(wanted.file, options)) {
    const flushed = connection.request('FLUSH', target);
    const now = await askPeer(connection, wanted);
    const answer = await flushed;
    if (answer.kind === 'error') {
      throw new CsxError('PEER_REFUSED', `${display(conflict.peer)} refused FLUSH: ${display(answer.text)}`, {
        hint: 'The version was taken all the same; the next apply settles it.',
      });
    }
    movedOn = !sameState(now, there);
    if (movedOn) await connection.request('MARK', target);
  }
  const place = { file: conflict.path, peer: conflict.peer };
  await store.write([{ kind: 'settle', ...place, checktxt: state?.checktxt, stamp: state?.stamp }]);
  return movedOn;
}

/**
 * Whether this host takes over all that the peer's marks stand for: only then the peer may forget them. It sends the version to all the
 * peers it knows of; but the peer may also share the file with hosts in groups that do not list this one, and a slave sends
 * nothing. Then the peer keeps its marks, and settles them by itself: its next update finds this host equal.
 */
function mayFlush(file: FileName, { config, selection }: TakeOptions): boolean {
  return config.otherGroups.length === 0 && selection.peersOf(file).every((route) => !route.slave);
}

function wantedOf(file: FileName, conflict: Conflict, selection: Selection): Wanted {
  const route = selection.peersOf(file).find((each) => each.peer === conflict.peer);
  if (route === undefined) {
    throw new CsxError(
      'PLAN_MISMATCH',
      `No group of this host holds ${display(file)} together with ${display(conflict.peer)}.`,
      { hint: 'Include it on both hosts, or make the directory by hand; then plan again.' },
    );
  }
  return { peer: route.peer, me: route.me, file, key: route.group.key.secret() };
}

/**
 * The file here must be the one the plan saw, and recorded: then its row has its stamp.
 * @throws CsxError PLAN_STALE
 */
export async function checkHere(
  conflict: Conflict,
  options: Pick<TakeOptions, 'selection' | 'config' | 'store'>,
): Promise<LocalState | undefined> {
  const now = lookHere(conflict.path, options);
  if (now === undefined || conflict.local === undefined) {
    if (now === undefined && conflict.local === undefined) return undefined;
    throw staleHere(conflict);
  }
  const row = (await options.store.file([conflict.path])).get(conflict.path);
  const recorded = row?.stamp === undefined || row.stamp === now.stamp;
  if (now.checktxt !== conflict.local.checktxt || row?.checktxt !== now.checktxt || !recorded)
    throw staleHere(conflict);
  return now;
}

function lookHere(
  file: FileName,
  { selection, config }: Pick<TakeOptions, 'selection' | 'config'>,
): LocalState | undefined {
  return lookAt(selection.toDisk(file), file, config.ignore);
}

function isWhatWasTaken(state: LocalState | undefined, there: SideState | undefined): boolean {
  if (state === undefined || there === undefined) return state === there;
  return compareEntries(state.entry, there.entry).length === 0;
}

function staleHere(conflict: Conflict): CsxError {
  return stale(conflict, 'here');
}

function staleThere(conflict: Conflict): CsxError {
  return stale(conflict, `on ${display(conflict.peer)}`);
}

function stale(conflict: Conflict, where: string): CsxError {
  return new CsxError(
    'PLAN_STALE',
    `The conflict over ${display(conflict.path)} was not settled: the file was changed ${where} since it was decided.`,
    {
      hint: 'Plan again, and decide on what is there now.',
      data: { path: display(conflict.path), peer: conflict.peer },
    },
  );
}
