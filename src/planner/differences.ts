/**
 * In what a file here differs from the file there: the question SIG and GETTM answer.
 *
 * An attribute that one side does not tell (`ignore uid`, an empty link target) is no difference: what is not compared
 * is not sent either.
 */

import { parseCheckText } from '../model/checktxt.js';
import type { CheckText } from '../model/checktxt.js';
import type { Entry, SignatureDigest } from '../model/entry.js';
import type { Aspect, RemoteState, SideState } from '../model/plan.js';
import type { LocalState } from '../model/scan.js';
import type { Baseline } from '../model/store.js';

export type RemotePresent = Extract<RemoteState, { kind: 'present' }>;

/**
 * What has to be changed there to make it what it is here; empty: nothing.
 *
 * Times are compared only where both are known (a check text from SIG never tells one). A link whose target the peer does
 * not show is equal only when the baseline says it was sent: csync2 shows none below a prefix, so asking again
 * would send such links for ever.
 */
export function differences(
  local: LocalState,
  remote: RemotePresent,
  baseline: Baseline | undefined,
): readonly Aspect[] {
  const here = local.entry;
  const there = remote.state.entry;
  if (here.type !== there.type) return ['type'];
  const aspects = compareEntries(here, there);
  if (here.type === 'file' && !aspects.includes('content') && !sameContent(local, remote, baseline)) {
    aspects.unshift('content');
  }
  if (here.type === 'link' && there.target === '' && baseline?.target !== here.target) aspects.unshift('target');
  return aspects;
}

/** Entries of the same type. Sizes stand for content: different ones are a difference, equal ones prove nothing. */
export function compareEntries(a: Entry, b: Entry): Aspect[] {
  if (a.type !== b.type) return ['type'];
  const aspects: Aspect[] = [];
  if (a.type === 'file' && differ(a.size, b.size)) aspects.push('content');
  if (a.type === 'link' && a.target !== '' && b.target !== '' && differ(a.target, b.target)) aspects.push('target');
  if (differ(a.device, b.device)) aspects.push('device');
  if (differ(a.uid, b.uid) || differ(a.gid, b.gid)) aspects.push('owner');
  // The mode of a link means nothing and is never sent; type bits are compared as the type.
  if (a.type !== 'link' && differ(permissions(a.mode), permissions(b.mode))) aspects.push('mode');
  if (a.type !== 'directory' && a.type !== 'link' && differ(a.mtime, b.mtime)) aspects.push('mtime');
  return aspects;
}

/**
 * A peer's state from its SIG answer.
 * @param checktxt as the answer has it, with `mtime=0`
 * @param mtime what GETTM says, whole seconds; undefined when it was not asked: the 0 of the check text is no time
 */
export function stateThere(
  checktxt: CheckText,
  mtime: number | undefined,
  signature: SignatureDigest | undefined,
): SideState | undefined {
  const entry = parseCheckText(checktxt);
  return entry && { entry: { ...entry, mtime }, checktxt, digest: undefined, signature };
}

function sameContent(local: LocalState, remote: RemotePresent, baseline: Baseline | undefined): boolean {
  if (remote.content !== 'not-compared') return remote.content === 'same';
  if (local.digest === undefined) return false;
  if (remote.state.digest !== undefined) return remote.state.digest === local.digest;
  // The peer shows the signature it had when both agreed on the content this host still has.
  return (
    baseline?.digest === local.digest &&
    baseline.signature !== undefined &&
    baseline.signature === remote.state.signature
  );
}

function differ<T>(a: T | undefined, b: T | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b;
}

function permissions(mode: number | undefined): number | undefined {
  return mode === undefined ? undefined : mode & 0o7777;
}
