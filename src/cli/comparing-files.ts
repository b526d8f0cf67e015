/**
 * Which files `csx diff` looks at: what is known here below its arguments, and what each peer has there besides. And what the arguments
 * of `csx diff` and `csx compare` mean, which may name what only a peer has.
 */

import { lstatSync } from 'node:fs';
import path from 'node:path';
import { compareHosts, problemOfPeer } from '../engine/compare/compare-hosts.js';
import type { Dialer } from '../engine/update/dial.js';
import { lookBoth } from '../engine/update/look-both.js';
import type { BothSides } from '../engine/update/look-both.js';
import { fileName } from '../model/encoding.js';
import { CsxError } from '../model/errors.js';
import type { Problem } from '../model/errors.js';
import { fromText, isWithin, toBuffer } from '../model/names.js';
import type { DiskPath, FileName, PeerName } from '../model/names.js';
import type { Scope } from '../model/store.js';
import { namedScopes } from './marking.js';
import type { Watch } from './planning.js';
import type { Workspace } from './workspace.js';

/** What lies on both sides of one peer; the problem is why it could not be asked. */
export interface PeerSides {
  readonly peer: PeerName;
  readonly sides: readonly BothSides[];
  readonly problem: Problem | undefined;
}

interface Limits {
  /** Files at most: each is asked for on each peer, and somebody is to read them. */
  readonly most: number;
}

/** In the order of the peers. Throws UNKNOWN_TARGET for what nobody knows, and USAGE for more files than `most`. */
export async function lookAtPeers(
  words: readonly string[],
  workspace: Workspace,
  dialer: Dialer,
  watch: Watch,
  { most }: Limits,
): Promise<readonly PeerSides[]> {
  const { chosen } = workspace;
  const named = await Promise.all(words.map((word) => scopesNamed(word, workspace)));
  const scopes = named.flatMap((each) => each.scopes);
  const known = await filesKnown(scopes, workspace);
  const peers = chosen.peers();
  const comparisons = scopes.every((scope) => isSingle(scope.file, workspace))
    ? []
    : await compareHosts({
        selection: chosen,
        store: workspace.store,
        peers,
        dial: (peer, me) => dialer.dial(peer, me),
        scopes,
        report: watch.report,
      });
  const only = (peer: PeerName): readonly FileName[] =>
    comparisons.flatMap((each) =>
      each.peer === peer ? each.files.flatMap(({ kind, path: file }) => (kind === 'only-there' ? [file] : [])) : [],
    );
  const lists = peers.map((peer) => ({ peer, files: [...new Set([...known, ...only(peer)])].sort() }));
  const unknown = missingAmong(
    named,
    lists.flatMap(({ files }) => files),
  );
  const asked = comparisons.every(({ problem }) => problem === undefined);
  if (unknown !== undefined && asked) throw unknown;
  const count = new Set(lists.flatMap(({ files }) => files)).size;
  if (count > most) {
    throw new CsxError('USAGE', `${String(count)} files lie there; csx diff shows ${String(most)} at most.`, {
      hint: 'Name fewer; csx compare shows which differ.',
    });
  }
  return Promise.all(
    lists.map(async ({ peer, files }) => {
      const before = comparisons.find((each) => each.peer === peer)?.problem;
      if (before !== undefined) return { peer, sides: [], problem: before };
      try {
        const sides = await lookBoth(peer, files, { dialer, selection: chosen, stop: watch.stop });
        return { peer, sides, problem: undefined };
      } catch (error) {
        watch.stop.throwIfAborted();
        return { peer, sides: [], problem: problemOfPeer(error, peer) };
      }
    }),
  );
}

export interface Named {
  readonly scopes: readonly Scope[];
  /** Why this host knows nothing of it: to be thrown unless a peer does. */
  readonly missing: CsxError | undefined;
}

/** What only a peer has is no target to anything else; here it is, where a group would hold it. */
export async function scopesNamed(word: string, workspace: Workspace): Promise<Named> {
  try {
    return { scopes: await namedScopes([word], true, workspace), missing: undefined };
  } catch (error) {
    if (!(error instanceof CsxError) || error.code !== 'UNKNOWN_TARGET' || word === '') throw error;
    const { chosen } = workspace;
    const typed = fromText(word);
    const names = typed.startsWith('%')
      ? [typed as string as FileName]
      : chosen.namesOf(path.posix.resolve(fromText(process.cwd()), typed) as DiskPath);
    const held = names.filter((file) => chosen.includes(file));
    if (held.length === 0) throw error;
    return { scopes: held.map((file) => ({ file, recursive: true })), missing: error };
  }
}

/** Why something named is unknown that is neither known here nor among what was found on the peers. */
export function missingAmong(named: readonly Named[], found: readonly FileName[]): CsxError | undefined {
  return named.find(({ scopes, missing }) => missing !== undefined && !found.some((file) => isWithinAny(file, scopes)))
    ?.missing;
}

/** The files of the database, and those that are marked as removed. */
async function filesKnown(scopes: readonly Scope[], { store, chosen }: Workspace): Promise<readonly FileName[]> {
  const files: FileName[] = [];
  for await (const rows of store.files(scopes)) {
    for (const row of rows) files.push(fileName(row.stored));
  }
  for (const row of await store.dirty({ scopes })) files.push(row.file);
  return files.filter((file) => chosen.includes(file));
}

/** Something here that can hold no other file: a peer need not be asked what else it has there. */
function isSingle(file: FileName, { chosen }: Workspace): boolean {
  try {
    return !lstatSync(toBuffer(chosen.toDisk(file))).isDirectory();
  } catch {
    return false;
  }
}

function isWithinAny(file: FileName, scopes: readonly Scope[]): boolean {
  return scopes.some((scope) => isWithin(file, scope.file));
}
