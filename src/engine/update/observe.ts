/**
 * Asks one peer what it has: SIG for every candidate (but those a csx peer says are free), and where that shows a difference also what a conflict is judged by: the
 * time (GETTM) and the peer's own row (LIST). All questions are pipelined and change nothing on the peer.
 */

import { parseCheckText, withoutMtime } from '../../model/checktxt.js';
import type { CheckText } from '../../model/checktxt.js';
import { storedName } from '../../model/encoding.js';
import { CsxError } from '../../model/errors.js';
import type { FileName, PeerName } from '../../model/names.js';
import type { RemoteState, SideState } from '../../model/plan.js';
import type { LocalState } from '../../model/scan.js';
import type { DiskPath } from '../../model/names.js';
import type { Candidate } from '../../planner/candidates.js';
import { stateThere } from '../../planner/differences.js';
import { signatureDigest } from '../delta/signature.js';
import type { Connection } from '../net/connection.js';
import type { Answer } from '../wire/response.js';
import { digestsIfSame } from './content.js';
import { observeFree } from './observe-free.js';
import { Running } from './running.js';
import { runsOfName } from './runs.js';
import { askDecimal, weightsOf } from './weights.js';

export interface ObserveOptions {
  readonly connection: Connection;
  readonly candidates: readonly Candidate[];
  readonly toDisk: (file: FileName) => DiskPath;
  /** Files that both last agreed on and had: the peer's own row need not be asked for. */
  readonly hasBaseline: (file: FileName) => boolean;
  /** The peer knows LOOK. */
  readonly looks: boolean;
  /** Told after each answer. */
  readonly onAnswer: () => void;
  readonly stop: AbortSignal;
}

/** The peer's answers by file. Throws the connection's CsxError when it is lost. */
export async function observe(options: ObserveOptions): Promise<ReadonlyMap<FileName, RemoteState>> {
  const { connection, candidates, stop } = options;
  const states = new Map<FileName, RemoteState>();
  let me: PeerName | undefined = candidates[0]?.me;
  for (const run of runsOfName(candidates)) {
    if (stop.aborted || connection.failure !== undefined) break;
    if (run.me !== me) await connection.hello(run.me);
    me = run.me;
    for (const [file, state] of await observeRun(run.items, options)) states.set(file, state);
  }
  stop.throwIfAborted();
  return states;
}

async function observeRun(
  candidates: readonly Candidate[],
  options: ObserveOptions,
): Promise<ReadonlyMap<FileName, RemoteState>> {
  const { connection, stop, onAnswer } = options;
  const states = options.looks ? await observeFree(candidates, options) : new Map<FileName, RemoteState>();
  const running = new Running();
  for (const candidate of candidates) {
    if (stop.aborted || connection.failure !== undefined) break;
    if (states.has(candidate.file)) {
      onAnswer();
      continue;
    }
    running.add(
      ask(candidate, options).then((state) => {
        states.set(candidate.file, state);
        onAnswer();
      }),
    );
    await connection.room();
  }
  await running.fewerThan(1);
  return states;
}

async function ask(candidate: Candidate, options: ObserveOptions): Promise<RemoteState> {
  const target = { key: candidate.group.key.secret(), file: candidate.file };
  const answer = await options.connection.request('SIG', target, candidate.local?.entry.size);
  switch (answer.kind) {
    case 'present':
      return present(candidate, answer, options);
    case 'path-not-found':
      return absent(options.hasBaseline(candidate.file) ? 'unasked' : await rowOf(candidate, options));
    case 'not-found':
      return { kind: 'behind-link' };
    case 'error':
      return refusal(answer);
    default:
      return { kind: 'failed', answer: `an answer of the kind ${answer.kind} to SIG` };
  }
}

/** The two that nearly all new files get are held once. */
function absent(row: CheckText | undefined | 'unasked'): RemoteState {
  if (row === undefined) return ABSENT;
  return row === 'unasked' ? ABSENT_UNASKED : { kind: 'absent', row };
}

const ABSENT: RemoteState = { kind: 'absent', row: undefined };
const ABSENT_UNASKED: RemoteState = { kind: 'absent', row: 'unasked' };

function refusal(answer: Extract<Answer, { kind: 'error' }>): RemoteState {
  switch (answer.refusal.kind) {
    case 'parent-missing':
      return { kind: 'parent-missing' };
    case 'denied':
    case 'denied-slave':
      return { kind: 'refused', answer: answer.text };
    default:
      // A component of the path is a file there: nothing stands at the path, as behind a link.
      return answer.refusal.errno === 'ENOTDIR' ? { kind: 'behind-link' } : { kind: 'failed', answer: answer.text };
  }
}

async function present(
  candidate: Candidate,
  answer: Extract<Answer, { kind: 'present' }>,
  options: ObserveOptions,
): Promise<RemoteState> {
  const entry = parseCheckText(answer.checktxt);
  if (entry === undefined) return { kind: 'failed', answer: `a check text that is none: ${answer.checktxt}` };
  const signature = answer.signature?.length ? signatureDigest(answer.signature) : undefined;
  const content = await compareContent(candidate, answer, entry.size, options);
  const equal = content.verdict === 'same' && sameAttributes(candidate.local, answer.checktxt);
  const [mtime, row, weights] = equal
    ? [undefined, 'unasked' as const, undefined]
    : await Promise.all([
        entry.mtime === undefined ? undefined : askDecimal('GETTM', candidate, options),
        options.hasBaseline(candidate.file) ? ('unasked' as const) : rowOf(candidate, options),
        weightsOf(candidate, entry, options),
      ]);
  const state = stateThere(answer.checktxt, mtime, signature) ?? {
    entry,
    checktxt: answer.checktxt,
    digest: undefined,
    signature,
  };
  return { kind: 'present', state: { ...state, digest: content.digest }, content: content.verdict, row, weights };
}

/** Whether both sides have the same type, attributes and size; times are not told. */
function sameAttributes(local: LocalState | undefined, checktxt: CheckText): boolean {
  return local !== undefined && withoutMtime(local.checktxt) === withoutMtime(checktxt);
}

interface ContentVerdict {
  readonly verdict: 'same' | 'different' | 'not-compared';
  readonly digest: SideState['digest'];
}

/** Regular files of the same size are compared by csync2's signature, which has to be made here; anything else by its check text. */
async function compareContent(
  candidate: Candidate,
  { checktxt, signature }: Extract<Answer, { kind: 'present' }>,
  size: number | undefined,
  options: ObserveOptions,
): Promise<ContentVerdict> {
  const { local } = candidate;
  if (local === undefined) return { verdict: 'not-compared', digest: undefined };
  if (local.entry.type !== 'file' || size === undefined) {
    return { verdict: sameAttributes(local, checktxt) ? 'same' : 'not-compared', digest: undefined };
  }
  if (local.entry.size !== size) return { verdict: 'different', digest: undefined };
  if (signature === undefined || signature.length === 0) return { verdict: 'not-compared', digest: undefined };
  try {
    const same = await digestsIfSame(options.toDisk(candidate.file), signature);
    return same === undefined ? { verdict: 'different', digest: undefined } : { verdict: 'same', digest: same.digest };
  } catch (error) {
    // Unreadable or changing here: apply looks again and says so.
    if (error instanceof CsxError) return { verdict: 'not-compared', digest: undefined };
    throw error;
  }
}

/** What the peer's database says of the file; undefined: nothing. */
async function rowOf(candidate: Candidate, options: ObserveOptions): Promise<CheckText | undefined | 'unasked'> {
  const stored = storedName(candidate.file);
  const keys = [candidate.group.key.secret()];
  let found: CheckText | undefined;
  try {
    for await (const rows of options.connection.list({ peer: candidate.peer, file: candidate.file, keys })) {
      for (const row of rows) if (row.stored === stored) found = row.checktxt;
    }
  } catch (error) {
    if (error instanceof CsxError && error.code === 'PEER_REFUSED') return 'unasked';
    throw error;
  }
  return found;
}
