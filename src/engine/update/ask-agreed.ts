/**
 * What a peer got from this host without this host's hearing of it: the run was killed, or the connection lost, after the peer had carried
 * a change out and before its answer came. When the file is changed here again, the peer shows another state than the one that
 * is remembered as agreed on, as if it had been changed there. A csx peer remembers its side, so it is asked (AGREED).
 */

import { formatCheckText } from '../../model/checktxt.js';
import type { FileName, PeerName } from '../../model/names.js';
import type { RemoteState } from '../../model/plan.js';
import type { Baseline } from '../../model/store.js';
import type { Candidate } from '../../planner/candidates.js';
import { foresee } from '../../planner/forecast.js';
import type { Connection } from '../net/connection.js';

export interface Question {
  readonly connection: Connection;
  readonly peer: PeerName;
  readonly candidates: readonly Candidate[];
  /** What the peer has shown. */
  readonly states: ReadonlyMap<FileName, RemoteState>;
  /** What this host remembers. */
  readonly baselines: ReadonlyMap<FileName, Baseline>;
}

/** The baselines, with what the peer shows in place of those that the peer knows better. Throws the connection's CsxError when it is lost. */
export async function askAgreed(question: Question): Promise<ReadonlyMap<FileName, Baseline>> {
  const { connection, peer, candidates, states, baselines } = question;
  const doubtful = candidates.filter((candidate) => isDoubtful(candidate, question));
  if (doubtful.length === 0) return baselines;
  const better = new Map(baselines);
  let me: PeerName | undefined;
  const asked: Promise<void>[] = [];
  for (const { file, group, me: name } of doubtful) {
    if (name !== me) await connection.hello(name);
    me = name;
    const answer = connection.request('AGREED', { key: group.key.secret(), file });
    asked.push(
      answer.then(({ kind }) => {
        if (kind === 'ok') better.set(file, agreedOn(file, peer, states.get(file)));
      }),
    );
    await connection.room();
  }
  await Promise.all(asked);
  return better;
}

/** A file that was to be sent before (its row stands), and that the peer seems to have changed. */
function isDoubtful({ file, drift, dirty }: Candidate, { states, baselines }: Question): boolean {
  const remote = states.get(file);
  const baseline = baselines.get(file);
  if (dirty === undefined || baseline === undefined || remote === undefined) return false;
  if (remote.kind === 'refused' || remote.kind === 'failed') return false;
  const forecast = foresee({ remote, baseline, drift, dirty });
  return forecast.kind === 'refuses' && forecast.certainty === 'predicted';
}

function agreedOn(file: FileName, peer: PeerName, remote: RemoteState | undefined): Baseline {
  const state = remote?.kind === 'present' ? remote.state : undefined;
  return {
    file,
    peer,
    // Its check text, as SIG shows it, leaves the time out.
    checktxt: state && formatCheckText(state.entry),
    target: state?.entry.target,
    digest: state?.digest,
    signature: state?.signature,
    at: 0,
  };
}
