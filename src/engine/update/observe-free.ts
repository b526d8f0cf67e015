/**
 * Asks a csx peer about many names at once (LOOK): those that are free there need no question of their own. What is new here mostly is
 * new there too; what both sides have agreed on before is not asked about here, since it is there.
 */

import type { FileName } from '../../model/names.js';
import type { RemoteState } from '../../model/plan.js';
import type { Candidate } from '../../planner/candidates.js';
import type { Look } from '../wire/look.js';
import type { ObserveOptions } from './observe.js';

/** Names of one question, and about how many bytes of them. */
const NAMES = 4096;
const BYTES = 256 * 1024;

/** The states of those that are free. Throws the connection's CsxError when it is lost. */
export async function observeFree(
  candidates: readonly Candidate[],
  options: Pick<ObserveOptions, 'connection' | 'hasBaseline' | 'stop'>,
): Promise<Map<FileName, RemoteState>> {
  const { connection, hasBaseline, stop } = options;
  const states = new Map<FileName, RemoteState>();
  const asked: Promise<void>[] = [];
  for (const question of questionsOf(candidates.filter(({ file }) => !hasBaseline(file)))) {
    if (stop.aborted || connection.failure !== undefined) break;
    const files = question.candidates.map(({ file }) => file);
    const answer = connection.look({ key: question.key }, files).then((looks) => {
      for (const [index, file] of files.entries()) {
        const state = stateOf(looks[index]);
        if (state !== undefined) states.set(file, state);
      }
    });
    // Awaited below, with all the others.
    answer.catch(ignore);
    asked.push(answer);
    await connection.room();
  }
  await Promise.all(asked);
  return states;
}

interface Question {
  readonly key: string;
  readonly candidates: Candidate[];
  bytes: number;
}

/** Names with the same key, in order. */
function questionsOf(candidates: readonly Candidate[]): readonly Question[] {
  const questions: Question[] = [];
  for (const candidate of candidates) {
    const key = candidate.group.key.secret();
    let last = questions.at(-1);
    if (last?.key !== key || last.candidates.length >= NAMES || last.bytes >= BYTES) {
      last = { key, candidates: [], bytes: 0 };
      questions.push(last);
    }
    last.candidates.push(candidate);
    last.bytes += candidate.file.length;
  }
  return questions;
}

function stateOf(look: Look | undefined): RemoteState | undefined {
  switch (look) {
    case 'absent':
      return { kind: 'absent', row: undefined };
    case 'parent-missing':
      return { kind: 'parent-missing' };
    default:
      return undefined;
  }
}

function ignore(): void {
  // The failure is seen where the promise is awaited.
}
