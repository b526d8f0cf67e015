/**
 * Asks a person about each file in conflict, on the keyboard alone:
 *
 *   /etc/hosts  conflicts with web2 (changed here 10:02 by 3 bytes, there 09:58 by 120 bytes)
 *     l  keep local (web2 gets this version)      p  take web2's version
 *     b  keep both (web2's is saved beside it)    m  merge in $EDITOR
 *     d  diff   s  skip   L/P  the same for all that remain   q  stop here
 *
 * A file that several peers changed is one question: instead of `p` each of their versions has a number.
 */

import { peek } from '../engine/update/peek.js';
import { CsxError } from '../model/errors.js';
import type { Conflict } from '../model/plan.js';
import { whyNotSaved, whyNotTaken } from '../planner/decisions.js';
import type { Resolution } from '../planner/resolutions.js';
import { byVersion } from '../planner/taken.js';
import { diffView } from '../views/diff.js';
import { conflictDiffSides, conflictKeys, conflictQuestion } from '../views/human/conflict-question.js';
import type { Versions } from '../views/human/conflict-question.js';
import { problemView } from '../views/human/problem.js';
import { print, screenOf } from '../views/terminal.js';
import type { Output } from '../views/terminal.js';
import { wrap } from '../views/width.js';
import { resolutionsFor, takingFrom } from './conflict-flags.js';
import { mergeVersions } from './merging.js';
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

/** A number takes a version of several. */
type Answer = 'l' | 'p' | 'b' | 'm' | 's' | 'L' | 'P' | 'q' | number;

/** Asks about the conflicts, file by file. Call it only where somebody can be asked. */
export async function askConflicts(conflicts: readonly Conflict[], options: AskOptions): Promise<Answers> {
  const resolutions: Resolution[] = [];
  const merged: Conflict[] = [];
  const files = [...Map.groupBy(conflicts, ({ path }) => path).values()];
  let rest: 'L' | 'P' | undefined;
  for (const [index, each] of files.entries()) {
    const versions = byVersion(each);
    // Which of several versions is meant, `P` does not say.
    const asked = rest === undefined || (rest === 'P' && versions.length > 1);
    const answer = asked ? await askOne(versions, { index, total: files.length }, options) : rest;
    switch (answer) {
      case 'q':
        return { resolutions, merged, stopped: true };
      case 's':
        break;
      case 'm':
        merged.push(...each);
        break;
      case 'l':
      case 'L':
        if (answer === 'L') rest = answer;
        resolutions.push(...(await resolutionsFor(each, 'local', options.workspace)));
        break;
      case 'b':
        resolutions.push(...(await resolutionsFor(each, 'both', options.workspace)));
        break;
      case 'p':
      case 'P':
        if (answer === 'P') rest = answer;
        resolutions.push(...(await resolutionsFor(each, 'peer', options.workspace)));
        break;
      case undefined:
        break;
      default:
        resolutions.push(...(await takingFrom(versions[answer - 1]?.[0].peer, each, options.workspace)));
    }
  }
  return { resolutions, merged, stopped: false };
}

/** Asks until the answer settles something; `m` is returned when the merge has succeeded. */
async function askOne(
  versions: Versions,
  place: { readonly index: number; readonly total: number },
  options: AskOptions,
): Promise<Answer> {
  const { err } = options;
  await print(err, conflictQuestion(err, versions, place));
  for (;;) {
    const answer = await readKey(versions, err);
    try {
      if (answer === 'd') await showDiffs(versions, options);
      else {
        if (answer === 'm')
          await mergeVersions(
            versions.map(([conflict]) => conflict),
            options,
          );
        return answer;
      }
    } catch (error) {
      if (!(error instanceof CsxError)) throw error;
      await print(err, problemView(err, error, { verbose: false }));
    }
  }
}

async function showDiffs(versions: Versions, { err, dialer, workspace }: AskOptions): Promise<void> {
  for (const [conflict] of versions) {
    const contents = await peek(conflict, { dialer, selection: workspace.everything });
    const [there, here] = conflictDiffSides(conflict, contents);
    const lines = [...diffView(err, there, here, { masked: workspace.everything.isSensitive(conflict.path) })];
    await print(err, lines.length > 0 ? lines : ['The contents are the same; owner, mode or type differ.\n']);
  }
}

/** Asks until a key is given that does something. The end of the input (Ctrl-D) stops; Ctrl-C ends it all. */
async function readKey(versions: Versions, err: Output): Promise<Answer | 'd'> {
  const keys = conflictKeys(versions);
  for (;;) {
    const typed = await question(`${keys.join(' ')}:`);
    if (typed === undefined) return 'q';
    const why = keys.includes(typed) ? refusal(typed, versions) : `One of ${keys.join(' ')}, then Enter.`;
    if (why === undefined) return /^\d+$/.test(typed) ? Number(typed) : (typed as Answer | 'd');
    await print(
      err,
      wrap(why, screenOf(err).width).map((part) => `${part}\n`),
    );
  }
}

/** Why a key does nothing here; undefined: it does. */
function refusal(key: string, versions: Versions): string | undefined {
  if (key === 'P' && versions.length > 1) return 'The peers hold different versions: take one of them by its number.';
  const taken = key === 'p' || key === 'P' ? versions[0] : versions[Number(key) - 1];
  const why = taken && whyNotTaken(taken[0]);
  if (why !== undefined) return `It cannot be taken: ${why}.`;
  if (key !== 'b') return undefined;
  for (const [conflict] of versions) {
    const whyNot = conflict.local === undefined || conflict.remote === undefined ? undefined : whyNotSaved(conflict);
    if (whyNot !== undefined) return `Both cannot be kept: ${whyNot}.`;
  }
  return undefined;
}
