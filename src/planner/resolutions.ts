/**
 * Decisions on single conflicts as a document that can be reviewed and committed (schemas/resolutions.schema.json):
 *
 *   format_version: '1.0'
 *   resolutions:
 *     - path: /etc/hosts
 *       peer: web2
 *       keep: peer                    # local, peer, both, or skip
 *       local:  { state: 'v1:mtime=0:mode=33188:uid=0:gid=0:type=reg:size=120', content: 'SHA-256 of the content' }
 *       remote: { state: 'v1:...', content: 'SHA-256 of the librsync signature' }
 *
 * A side that does not exist is null. Both sides are part of the key: a decision counts for the two versions it was taken on, and is void
 * when either has moved since. Times do not count: touching a file makes no other version of it.
 */

import { formatCheckText, withoutMtime } from '../model/checktxt.js';
import type { Digest } from '../model/entry.js';
import { JsonValue, bytesMember } from '../model/json-value.js';
import type { Bytes, FileName, PeerName } from '../model/names.js';
import { compareBytes, isCanonical } from '../model/names.js';
import type { Conflict } from '../model/plan.js';

export type Keep = 'local' | 'peer' | 'both' | 'skip';

/** What identifies one side's version. */
export interface Version {
  /** Check text with `mtime=0`; here with the real target of a link. */
  readonly state: string;
  /** Regular files: SHA-256, lower-case hex, of the content (here) or of its signature (there). */
  readonly content: string | undefined;
}

export interface Resolution {
  readonly path: FileName;
  readonly peer: PeerName;
  readonly keep: Keep;
  /** Undefined: does not exist. */
  readonly local: Version | undefined;
  readonly remote: Version | undefined;
}

/** SHA-256 of the content that files have here now: a scan need not have read it. */
export type Contents = ReadonlyMap<FileName, Digest>;

/** A decision on the conflict as it is. */
export function resolutionOf(conflict: Conflict, keep: Keep, contents: Contents): Resolution {
  const { path, peer, local, remote } = conflict;
  return {
    path,
    peer,
    keep,
    local: local && {
      state: formatCheckText(local.entry, { zeroMtime: true }),
      content: local.entry.type === 'file' ? (contents.get(path) ?? local.digest) : undefined,
    },
    remote: remote && { state: withoutMtime(remote.checktxt), content: remote.signature },
  };
}

/** Whether the decision was taken on the two versions the conflict is about. */
export function appliesTo(resolution: Resolution, conflict: Conflict, contents: Contents): boolean {
  const now = resolutionOf(conflict, resolution.keep, contents);
  return (
    now.path === resolution.path &&
    now.peer === resolution.peer &&
    sameVersion(now.local, resolution.local) &&
    sameVersion(now.remote, resolution.remote)
  );
}

function sameVersion(a: Version | undefined, b: Version | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.state === b.state && a.content === b.content;
}

const FORMAT = '1.0';

/** The document, sorted by path and peer, so that two of the same decisions are the same text. */
export function resolutionsJson(resolutions: readonly Resolution[]): object {
  const sorted = [...resolutions].sort((a, b) => compareBytes(a.path, b.path) || compareBytes(a.peer, b.peer));
  return {
    format_version: FORMAT,
    resolutions: sorted.map((each) => ({
      ...bytesMember('path', each.path),
      ...bytesMember('peer', each.peer),
      keep: each.keep,
      local: versionJson(each.local),
      remote: versionJson(each.remote),
    })),
  };
}

function versionJson(version: Version | undefined): object | null {
  return version === undefined ? null : { ...bytesMember('state', version.state), content: version.content ?? null };
}

/** Entries of one document at most. */
const LIMIT = 1_000_000;

/**
 * Reads the document's value, as JSON or YAML gives it.
 * @param name the file, for errors
 * @throws CsxError USAGE that says where it does not fit
 */
export function parseResolutions(value: unknown, name: string): readonly Resolution[] {
  const document = new JsonValue(value, {
    name,
    code: 'USAGE',
    hint: 'csx resolve --write FILE writes such a file; schemas/resolutions.schema.json describes it.',
  });
  const version = document.member('format_version');
  if (!/^1(\.\d+)?$/.test(version.text()))
    throw version.error(`is a format this csx does not know (it knows ${FORMAT})`);
  const elements = document.member('resolutions').elements();
  if (elements.length > LIMIT) throw document.error(`has more than ${LIMIT} entries`);
  return elements.map((each) => {
    const path = each.bytes('path');
    if (!isCanonical(path)) throw each.member('path').error('is no canonical absolute path or %prefix%/path');
    return {
      path: path as string as FileName,
      peer: each.bytes('peer') as string as PeerName,
      keep: each.member('keep').oneOf(['local', 'peer', 'both', 'skip']),
      local: each.member('local').nullable(parseVersion),
      remote: each.member('remote').nullable(parseVersion),
    };
  });
}

function parseVersion(value: JsonValue): Version {
  const state: Bytes = value.bytes('state');
  return { state, content: value.member('content').nullable((content) => content.text()) };
}
