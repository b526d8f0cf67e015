/**
 * Asks a person about each conflict, on the keyboard alone:
 *
 *   /etc/hosts  conflicts with web2 (changed here 10:02 by 3 bytes, there 09:58 by 120 bytes)
 *     l  keep local (web2 gets this version)      p  take web2's version
 *     b  keep both (web2's is saved beside it)    m  merge in $EDITOR
 *     d  diff   s  skip   L/P  the same for all that remain   q  stop here
 */

import { peek } from '../engine/update/peek.js';
import { CsxError } from '../model/errors.js';
import type { Conflict } from '../model/plan.js';
import { whyNotSaved, whyNotTaken } from '../planner/decisions.js';
import type { Resolution } from '../planner/resolutions.js';
import { diffView } from '../views/diff.js';
import { conflictDiffSides, conflictQuestion } from '../views/human/conflict-question.js';
import { problemView } from '../views/human/problem.js';
import { print } from '../views/terminal.js';
import type { Output } from '../views/terminal.js';
import { resolutionsFor } from './conflict-flags.js';
import { mergeConflict } from './merging.js';
import { question } from './question.js';
import type { MergeOptions } from './merging.js';

export interface AskOptions extends MergeOptions {
  /** Where the questions go: stderr, so that stdout holds the result. */
  readonly err: Output;
}

export interface Answers {
  /** What was decided, in the form `decisionsFrom` takes. */
  readonly resolutions: readonly Resolution[];
  /** Conflicts that were merged: their files stand here anew, so that a new plan is needed. For `Deciding.merged`. */
  readonly merged: readonly Conflict[];
  /** `q`: nothing more is to be done at all. */
  readonly stopped: boolean;
}

type Answer = 'l' | 'p' | 'b' | 'm' | 'd' | 's' | 'L' | 'P' | 'q';
const KEYS: readonly string[] = ['l', 'p', 'b', 'm', 'd', 's', 'L', 'P', 'q'];

/** Asks about the conflicts, one after the other. Call it only where somebody can be asked. */
export async function askConflicts(conflicts: readonly Conflict[], options: AskOptions): Promise<Answers> {
  const resolutions: Resolution[] = [];
  const merged: Conflict[] = [];
  for (const [index, conflict] of conflicts.entries()) {
    // Merged with another peer's version a moment ago: what stands here now is another version, to be asked about anew.
    if (merged.some((each) => each.path === conflict.path)) continue;
    const answer = await askOne(conflict, { index, total: conflicts.length }, options);
    switch (answer) {
      case 'q':
        return { resolutions, merged, stopped: true };
      case 's':
        break;
      case 'm':
        merged.push(conflict);
        break;
      case 'L':
      case 'P': {
        const keep = answer === 'L' ? 'local' : 'peer';
        const rest = conflicts.slice(index).filter((each) => !merged.some(({ path }) => path === each.path));
        resolutions.push(...(await resolutionsFor(rest, keep, options.workspace)));
        return { resolutions, merged, stopped: false };
      }
      case 'l':
      case 'p':
      case 'b': {
        const keep = { l: 'local', p: 'peer', b: 'both' } as const;
        resolutions.push(...(await resolutionsFor([conflict], keep[answer], options.workspace)));
      }
    }
  }
  return { resolutions, merged, stopped: false };
}

/** Asks until the answer settles something; `m` is returned when the merge has succeeded. */
async function askOne(
  conflict: Conflict,
  place: { readonly index: number; readonly total: number },
  options: AskOptions,
): Promise<Exclude<Answer, 'd'>> {
  const { err } = options;
  await print(err, conflictQuestion(err, conflict, place));
  for (;;) {
    const answer = await readKey(conflict, err);
    try {
      if (answer === 'd') {
        const versions = await peek(conflict, { dialer: options.dialer, selection: options.workspace.everything });
        const [there, here] = conflictDiffSides(conflict, versions);
        const masked = isSensitive(conflict, options);
        const lines = [...diffView(err, there, here, { masked })];
        await print(err, lines.length > 0 ? lines : ['The contents are the same; owner, mode or type differ.\n']);
      } else if (answer === 'm') {
        await mergeConflict(conflict, options);
        return answer;
      } else return answer;
    } catch (error) {
      if (!(error instanceof CsxError)) throw error;
      await print(err, problemView(err, error, { verbose: false }));
    }
  }
}

/** Asks until a key is given that does something. The end of the input (Ctrl-D, a terminal that is gone) stops; Ctrl-C ends it all. */
async function readKey(conflict: Conflict, err: Output): Promise<Answer> {
  for (;;) {
    const typed = await question('l p b m d s L P q:');
    if (typed === undefined) return 'q';
    const why = refusal(typed, conflict);
    if (why === undefined) return typed as Answer;
    await print(err, [`${why}\n`]);
  }
}

/** Why a key does nothing here; undefined: it does. */
function refusal(key: string, conflict: Conflict): string | undefined {
  if (!KEYS.includes(key)) return 'One of l p b m d s L P q, then Enter.';
  const why = key === 'p' ? whyNotTaken(conflict) : undefined;
  if (why !== undefined) return `It cannot be taken: ${why}.`;
  if (key === 'b' && conflict.local !== undefined && conflict.remote !== undefined) {
    const whyNot = whyNotSaved(conflict);
    if (whyNot !== undefined) return `Both cannot be kept: ${whyNot}.`;
  }
  return undefined;
}

function isSensitive(conflict: Conflict, { workspace }: AskOptions): boolean {
  return workspace.everything.isSensitive(conflict.path);
}
