/** Sends one peer its changes: as many connections as it takes, each change settled as soon as it was acknowledged. */

import { CsxError } from '../../model/errors.js';
import type { Problem } from '../../model/errors.js';
import type { DiskPath, PeerName } from '../../model/names.js';
import type { Change, Conflict } from '../../model/plan.js';
import type { ChangeResult, PeerResult } from '../../model/result.js';
import { lookAt } from '../scan/local-state.js';
import { lstat } from '../scan/lstat.js';
import { Parents } from '../scan/parents.js';
import type { ApplyRequest } from './apply.js';
import type { ContentDigests } from './content.js';
import { askExtensions } from './extensions.js';
import { keyOf } from './key-of.js';
import type { Recording } from './record.js';
import { runsOfName } from './runs.js';
import { settle } from './settlement.js';
import type { Settlement } from './settlement.js';
import type { Raw } from './steps.js';
import { transfer } from './transfer.js';
import { pin } from './pin.js';

/** Connections tried for one peer: more than one only after a file changed while it was sent. */
const ATTEMPTS = 20;

export interface Sent {
  readonly peer: PeerResult;
  readonly changes: ReadonlyMap<Change, ChangeResult>;
  /** Conflicts that only the peer's refusal showed. */
  readonly refused: readonly Conflict[];
}

/** Carries out what the request's plan has for the peer. Trouble with the peer or a file is in what comes back. */
export async function applyToPeer(
  name: PeerName,
  request: ApplyRequest,
  recording: Recording,
  settlement: Settlement,
): Promise<Sent> {
  const { plan, report, stop } = request;
  const planned = plan.peers.find((peer) => peer.name === name);
  const changes = plan.changes.filter((change) => change.peer === name);
  const results = new Map<Change, ChangeResult>();
  const refused: Conflict[] = [];
  const facts = { name, address: planned?.address, tls: planned?.tls ?? ('unknown' as const) };
  if (changes.length === 0) {
    const unreachable = planned?.reachable === false;
    return {
      peer: { ...facts, reached: unreachable ? false : 'not-needed', problem: planned?.problem },
      changes: results,
      refused,
    };
  }

  report({
    type: 'apply_start',
    peer: name,
    changes: changes.length,
    bytes: changes.reduce((sum, each) => sum + each.bytes, 0),
  });
  const won = new Map(
    plan.conflicts.filter((each) => each.peer === name && each.resolution === 'local').map((each) => [each.path, each]),
  );
  let left: readonly Change[] = changes;
  let peer: PeerResult = { ...facts, reached: false, problem: undefined };
  const mayGoOn = (): boolean => !stop.aborted && !recording.failed && !settlement.failed;
  for (let attempt = 0; attempt < ATTEMPTS && left.length > 0 && mayGoOn(); attempt++) {
    const before = left.length;
    const round = await oneConnection(name, left, request, recording, (result, digests, dirtyThere) => {
      results.set(result.change, result);
      settlement.add(settle(result, digests, request.now(), dirtyThere));
      if (dirtyThere) refused.push(refusal(result.change, request));
      const conflict = won.get(result.change.path);
      if (conflict !== undefined && result.status === 'done') report({ type: 'conflict_resolved', conflict });
    });
    peer = { ...peer, ...round.peer };
    left = round.left;
    if (peer.problem !== undefined || left.length >= before) break;
  }
  report({
    type: 'apply_complete',
    peer: name,
    changes: [...results.values()].filter((result) => result.status === 'done').length,
    bytes: [...results.values()].reduce((sum, result) => sum + result.bytes, 0),
  });
  return { peer, changes: results, refused };
}

type Finished = (result: ChangeResult, digests: ContentDigests | undefined, refused: boolean) => void;

async function oneConnection(
  name: PeerName,
  changes: readonly Change[],
  request: ApplyRequest,
  recording: Recording,
  finished: Finished,
): Promise<{ readonly peer: Partial<PeerResult>; readonly left: readonly Change[] }> {
  const { dialer, store, report, selection, config, stop } = request;
  const me = changes[0]?.me;
  if (me === undefined) return { peer: {}, left: [] };
  report({ type: 'peer_connecting', peer: name, address: name });
  try {
    const { connection, certificate, cipher } = await dialer.dial(name, me, 'finishes');
    try {
      const tls = cipher !== undefined;
      report({ type: 'peer_connected', peer: name, tls });
      // csync2 pins a certificate the first time it sees it, and so does every other peer: a later change is noticed.
      if (certificate !== undefined) await pin(store, name, certificate, request.now());
      const extensions = await askExtensions(connection);
      let left: readonly Change[] = [];
      for (const run of runsOfName(changes)) {
        if (run.me !== me) await connection.hello(run.me);
        const parents = new Parents();
        const rest = await transfer({
          connection,
          ...extensions,
          changes: run.items,
          recording,
          keyOf: (change) => keyOf(change, selection),
          toDisk: (file) => selection.toDisk(file),
          look: (file) => lookAt(selection.toDisk(file), file, config.ignore, { parents }),
          raw: (file) => rawOf(selection.toDisk(file)),
          report,
          stop,
          finished,
        });
        left = [...left, ...rest];
      }
      const { failure } = connection;
      if (failure === undefined) await connection.bye();
      const lost = failure !== undefined && failure.code !== 'CHANGED_MEANWHILE';
      return {
        peer: { reached: true, tls, address: connection.address, problem: lost ? asProblem(failure, name) : undefined },
        left,
      };
    } finally {
      connection.destroy();
    }
  } catch (error) {
    if (!(error instanceof CsxError)) throw error;
    const problem = asProblem(error, name);
    report({ type: 'peer_unreachable', peer: name, problem });
    return { peer: { problem }, left: changes };
  }
}

function rawOf(disk: DiskPath): Raw {
  const stats = lstat(disk);
  if (stats === undefined) return { uid: 0, gid: 0, mtime: 0 };
  return { uid: Number(stats.uid), gid: Number(stats.gid), mtime: Number(stats.mtimeNs / 1_000_000_000n) };
}

function refusal(change: Change, request: ApplyRequest): Conflict {
  const group = request.config.groups.find((each) => each.name === change.groups[0]);
  const conflict: Conflict = {
    peer: change.peer,
    path: change.path,
    me: change.me,
    groups: change.groups,
    kind: change.after === undefined ? 'removed-here' : change.before === undefined ? 'both-created' : 'both-changed',
    local: change.after,
    remote: change.before,
    base: undefined,
    certainty: 'certain',
    autoMethod: group?.auto ?? 'none',
    resolution: 'none',
    because: `${change.peer} has it marked as changed too, and refused it.`,
  };
  request.report({ type: 'conflict_detected', conflict });
  return conflict;
}

function asProblem(error: CsxError, peer: PeerName): Problem {
  return { severity: 'error', code: error.code, summary: error.message, hint: error.hint, peer };
}
