/** One run of `csx resolve`: finds the conflicts, gets decisions, writes them down or carries them out. */

import { writeFile } from 'node:fs/promises';
import { applyPlan } from '../engine/update/apply.js';
import { completeRows } from '../engine/update/complete.js';
import { CsxError } from '../model/errors.js';
import { bytesMember } from '../model/json-value.js';
import { display } from '../model/names.js';
import { conflictJson } from '../model/plan-json.js';
import type { Conflict, Plan } from '../model/plan.js';
import type { ApplyResult, Decided } from '../model/result.js';
import { resultSummaryJson } from '../model/run-records.js';
import { quoteWord } from '../model/shell.js';
import { decideWith, voidResolutions, whyNotSaved, whyNotTaken } from '../planner/decisions.js';
import type { Deciding } from '../planner/decisions.js';
import { partOf } from '../planner/part.js';
import { resolutionsJson } from '../planner/resolutions.js';
import type { Keep, Resolution } from '../planner/resolutions.js';
import { byVersion } from '../planner/taken.js';
import { applyResultView } from '../views/human/apply-result.js';
import { problemView } from '../views/human/problem.js';
import { jsonDocument } from '../views/json/document.js';
import { plural } from '../views/quantity.js';
import { print } from '../views/terminal.js';
import type { Output } from '../views/terminal.js';
import { actionEnvironment, applyStatus, refuseUnfit } from './applying.js';
import { askConflicts } from './ask-conflicts.js';
import type { Answers } from './ask-conflicts.js';
import { decisionsFrom, resolutionsFor, takingFrom } from './conflict-flags.js';
import { EXIT } from './exit-status.js';
import type { OutputFlags, PlaceFlags } from './flags.js';
import { lockState } from './lock.js';
import { mergeVersions } from './merging.js';
import type { MergeOptions } from './merging.js';
import type { PlanFlags } from './plan-flags.js';
import { dialerFor, planFor } from './planning.js';
import type { Watched } from './watch.js';
import type { Workspace } from './workspace.js';

export interface SettlingOptions {
  readonly workspace: Workspace;
  readonly flags: PlaceFlags &
    OutputFlags &
    PlanFlags & {
      readonly keep: Exclude<Keep, 'skip'> | undefined;
      /** With `keep: peer`: whose. */
      readonly from: string | undefined;
      readonly merge: boolean;
      readonly 'merge-tool': string | undefined;
      readonly resolutions: string | undefined;
      readonly write: string | undefined;
    };
  readonly paths: readonly string[];
  readonly watch: Watched;
  readonly out: Output;
  readonly err: Output;
  readonly interactive: boolean;
}

export class Settling {
  readonly #options: SettlingOptions;
  readonly #dialer: ReturnType<typeof dialerFor>;

  constructor(options: SettlingOptions) {
    this.#options = options;
    this.#dialer = dialerFor(options.workspace, options.flags, options.watch.stop);
  }

  /** @returns the exit status */
  async run(): Promise<number> {
    const { workspace, watch } = this.#options;
    const lock = await lockState(workspace.store, 'csx resolve', watch);
    try {
      return await this.#settle();
    } finally {
      await lock.release();
    }
  }

  async #settle(): Promise<number> {
    const { flags, workspace } = this.#options;
    const first = await this.#plan(undefined);
    const open = first.plan.conflicts.filter((conflict) => conflict.resolution === 'none');
    if (open.length === 0) return this.#nothing(first.plan);
    const answers = await this.#decide(open);
    if (answers === undefined) return EXIT.done;
    if (answers.stopped) {
      await print(this.#options.out, ['Stopped. No decision was carried out.\n']);
      return EXIT.declined;
    }
    const deciding = await decisionsFrom({ 'on-conflict': 'fail', resolutions: flags.resolutions }, workspace, answers);
    const second = await this.#plan(deciding);
    await this.#tellVoid(deciding, second.plan);
    const decided = second.plan.conflicts.filter(
      (conflict) => conflict.resolution !== 'none' && open.some((each) => each.path === conflict.path),
    );
    const part = partOf(second.plan, new Set(decided.map((conflict) => conflict.path)));
    refuseUnfit(part);
    if (second.incomplete > 0) await completeRows(workspace, undefined, this.#options.watch.stop);
    const result = await this.#apply(part);
    await this.#show(part, result);
    const left = second.plan.conflicts.filter((conflict) => conflict.resolution === 'none');
    if (left.length > 0 && !flags.json) await print(this.#options.out, [leftOver(left, flags)]);
    const status = applyStatus(result, part, false);
    return status === EXIT.done && left.length > 0 ? EXIT.conflicts : status;
  }

  /** Undefined: the decisions were written down, and that is all. */
  async #decide(open: readonly Conflict[]): Promise<Answers | undefined> {
    const { flags, workspace, out, interactive, watch, err } = this.#options;
    const merging = { workspace, dialer: this.#dialer, tool: flags['merge-tool'] };
    if (flags.write !== undefined) {
      const keep = flags.keep ?? 'skip';
      const document = resolutionsJson(await this.#kept(open, keep));
      await writeFile(flags.write, `${JSON.stringify(document, undefined, 2)}\n`);
      const next = `Review it, then: csx resolve --resolutions ${flags.write}`;
      const text = `Wrote ${plural(open.length, 'conflict')} as "keep: ${keep}" to ${flags.write}. ${next}\n`;
      await print(out, flags.json ? jsonDocument(settledJson(open, undefined, flags.write)) : [text]);
      return undefined;
    }
    const nothing: Answers = { resolutions: [], merged: [], stopped: false };
    if (flags.resolutions !== undefined) return nothing;
    if (flags.keep !== undefined) return { ...nothing, resolutions: await this.#kept(open, flags.keep) };
    watch.pause();
    try {
      if (flags.merge || flags['merge-tool'] !== undefined) {
        return { ...nothing, merged: await this.#merge(open, merging) };
      }
      if (interactive) return await askConflicts(open, { ...merging, err });
    } finally {
      watch.resume();
    }
    throw new CsxError('NEEDS_INPUT', `${plural(open.length, 'conflict')} to be decided, and there is nobody to ask.`, {
      hint: 'Decide with --keep local|peer|both, --merge or --resolutions FILE; csx conflicts lists them.',
    });
  }

  /** The conflicts that were merged. What is no text file on both sides is told, and left as it is; throws when nothing was merged. */
  async #merge(open: readonly Conflict[], merging: MergeOptions): Promise<readonly Conflict[]> {
    const { err } = this.#options;
    const merged: Conflict[] = [];
    const left: CsxError[] = [];
    for (const each of Map.groupBy(open, ({ path }) => path).values()) {
      const versions = byVersion(each).map(([conflict]) => conflict);
      try {
        await mergeVersions(versions, merging);
        merged.push(...each);
      } catch (error) {
        if (!(error instanceof CsxError) || error.code !== 'USAGE') throw error;
        left.push(error);
      }
    }
    const [first] = left;
    if (first !== undefined && merged.length === 0) throw first;
    for (const error of left) await print(err, problemView(err, error, { verbose: false }));
    return merged;
  }

  /** What `--keep` says, of one peer's version where `--from` names it: then only of the files that are in conflict with it. */
  async #kept(open: readonly Conflict[], keep: Keep): Promise<readonly Resolution[]> {
    const { flags, workspace } = this.#options;
    if (flags.from === undefined) return resolutionsFor(open, keep, workspace);
    const peer = open.find((conflict) => display(conflict.peer) === flags.from)?.peer;
    if (peer === undefined || keep !== 'peer') {
      const names = [...new Set(open.map((conflict) => display(conflict.peer)))].join(', ');
      const why =
        keep === 'peer' ? `no conflict is with a peer ${flags.from}` : 'it says whose version --keep peer takes';
      throw new CsxError('USAGE', `--from ${flags.from} decides nothing: ${why}.`, {
        hint: `Use it with --keep peer; there are conflicts with ${names}.`,
      });
    }
    const files = [...Map.groupBy(open, ({ path }) => path).values()];
    return (await Promise.all(files.map((each) => takingFrom(peer, each, workspace)))).flat();
  }

  async #plan(deciding: Deciding | undefined): Promise<{ readonly plan: Plan; readonly incomplete: number }> {
    const { workspace, flags, paths, watch } = this.#options;
    const targets = { target: undefined, 'target-from': undefined, exclude: undefined, 'exclude-from': undefined };
    const decide = deciding === undefined ? undefined : decideWith(deciding);
    return planFor(workspace, { ...flags, ...targets }, paths, this.#dialer, watch, decide);
  }

  async #apply(plan: Plan): Promise<ApplyResult> {
    const { workspace, flags, watch } = this.#options;
    try {
      return await applyPlan({
        plan,
        config: workspace.config,
        selection: workspace.everything,
        store: workspace.store,
        dialer: this.#dialer,
        parallelism: flags.parallelism,
        environment: actionEnvironment(),
        report: watch.report,
        stop: watch.stop,
        now: Date.now,
        statusOf: (result) => applyStatus(result, plan, false),
      });
    } finally {
      watch.done();
    }
  }

  async #nothing(plan: Plan): Promise<number> {
    const { flags, out, watch } = this.#options;
    watch.done();
    await print(out, flags.json ? jsonDocument(settledJson(plan.conflicts, undefined)) : ['No conflicts to decide.\n']);
    return plan.errored ? EXIT.partial : EXIT.done;
  }

  async #show(plan: Plan, result: ApplyResult): Promise<void> {
    const { flags, out } = this.#options;
    if (flags.json) {
      await print(out, jsonDocument(settledJson(plan.conflicts, result)));
      return;
    }
    await print(out, applyResultView(out, result, { full: true }));
  }

  async #tellVoid(deciding: Deciding, plan: Plan): Promise<void> {
    const { flags, err } = this.#options;
    const gone = voidResolutions(deciding, plan.conflicts);
    if (gone.length === 0 || flags.quiet || flags.json) return;
    await print(err, [
      `${plural(gone.length, 'decision')} void: the conflict is settled, or a side has moved since.\n`,
    ]);
  }
}

function leftOver(left: readonly Conflict[], flags: SettlingOptions['flags']): string {
  const still = `${plural(left.length, 'conflict')} still to be decided.`;
  const several = [...Map.groupBy(left, ({ path }) => path).values()].find((each) => byVersion(each).length > 1);
  const [first] = several ?? [];
  const why = flags.keep === undefined ? '' : left.map((conflict) => whyLeft(conflict, flags.keep)).join('');
  if (flags.keep !== 'peer' || first === undefined) return `${still}\n${why}`;
  const path = quoteWord(display(first.path));
  return `${still}\n${why}Where peers hold different versions, say whose: csx resolve ${path} --keep peer --from ${display(first.peer)}\n`;
}

function whyLeft(conflict: Conflict, keep: Keep | undefined): string {
  const single = conflict.local === undefined || conflict.remote === undefined;
  const why = keep === 'both' && !single ? whyNotSaved(conflict) : whyNotTaken(conflict);
  const cannot = keep === 'both' ? 'both cannot be kept' : 'it cannot be taken';
  return `  ${display(conflict.path)}: ${why === undefined || keep === 'local' ? conflict.because : `${cannot}: ${why}.`}\n`;
}

/** schemas/resolve.schema.json. */
function settledJson(conflicts: readonly Conflict[], result: ApplyResult | undefined, written?: string): object {
  return {
    format_version: '1.0',
    written: written ?? null,
    conflicts: conflicts.map(conflictJson),
    decided: (result?.decided ?? []).map(decidedJson),
    summary: result === undefined ? null : resultSummaryJson(result.summary),
  };
}

function decidedJson({ conflict, status, problem, kept, savedAs, bytes }: Decided): object {
  return {
    ...bytesMember('path', conflict.path),
    peer: conflict.peer,
    resolution: conflict.resolution,
    status,
    bytes,
    ...(kept === undefined ? { kept: null } : bytesMember('kept', kept)),
    ...(savedAs === undefined ? { saved_as: null } : bytesMember('saved_as', savedAs)),
    problem: problem?.summary ?? null,
  };
}
