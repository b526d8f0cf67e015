/** Compares this host's database with those of several peers, side by side. Changes nothing. */

import type { Selection } from '../../config/selection.js';
import { parseCheckText } from '../../model/checktxt.js';
import type { ComparedFile, PeerComparison } from '../../model/comparison.js';
import { fileName } from '../../model/encoding.js';
import { CsxError } from '../../model/errors.js';
import type { Problem } from '../../model/errors.js';
import type { Report } from '../../model/events.js';
import { isWithin } from '../../model/names.js';
import type { FileName, PeerName } from '../../model/names.js';
import type { Scope, Store } from '../../model/store.js';
import { compareEntries } from '../../planner/differences.js';
import type { Connection } from '../net/connection.js';
import { compareWithPeer } from './compare-peer.js';
import type { Difference } from './differences.js';

export interface CompareHostsOptions {
  readonly selection: Selection;
  readonly store: Store;
  readonly peers: readonly PeerName[];
  readonly dial: (
    peer: PeerName,
    me: PeerName,
  ) => Promise<{ readonly connection: Connection; readonly cipher: string | undefined }>;
  /** Undefined: everything both hosts share. */
  readonly scopes: readonly Scope[] | undefined;
  readonly report: Report;
}

/** In the order of `peers`. A peer that cannot be asked is told in its place. */
export async function compareHosts(options: CompareHostsOptions): Promise<readonly PeerComparison[]> {
  return Promise.all(options.peers.map((peer) => comparePeer(peer, options)));
}

async function comparePeer(peer: PeerName, options: CompareHostsOptions): Promise<PeerComparison> {
  const { selection, store, report, scopes } = options;
  const files: ComparedFile[] = [];
  try {
    // In different groups this host may bear different names toward one peer.
    const shared = selection.groups.filter((group) =>
      group.members.some((member) => !member.self && member.name === peer),
    );
    for (const me of new Set(shared.map((group) => group.me))) {
      report({ type: 'peer_connecting', peer, address: peer });
      const { connection, cipher } = await options.dial(peer, me);
      try {
        report({ type: 'peer_connected', peer, tls: cipher !== undefined });
        for await (const difference of compareWithPeer({ connection, selection, store, me, peer, file: undefined })) {
          const path = fileName(difference.stored);
          if (inScope(path, scopes)) files.push(describe(difference, path, me));
        }
        await connection.bye();
      } finally {
        connection.destroy();
      }
    }
    return { peer, files, problem: undefined };
  } catch (error) {
    const problem = problemOfPeer(error, peer);
    report({ type: 'peer_unreachable', peer, problem });
    return { peer, files: [], problem };
  }
}

/** Why a peer could not be asked; throws what is no trouble of the peer's. */
export function problemOfPeer(error: unknown, peer: PeerName): Problem {
  if (!(error instanceof CsxError) || !error.code.match(/^(PEER|TLS|IDENT|PLAIN|CERT)/)) throw error;
  return { severity: 'error', code: error.code, summary: error.message, hint: error.hint, peer };
}

function inScope(path: FileName, scopes: readonly Scope[] | undefined): boolean {
  return (
    scopes === undefined || scopes.some((scope) => (scope.recursive ? isWithin(path, scope.file) : path === scope.file))
  );
}

function describe(difference: Difference, path: FileName, me: PeerName): ComparedFile {
  const here = difference.here === undefined ? undefined : parseCheckText(difference.here);
  const there = difference.there === undefined ? undefined : parseCheckText(difference.there);
  const aspects = here === undefined || there === undefined ? [] : compareEntries(here, there);
  return { path, me, kind: difference.kind, aspects, here, there };
}
