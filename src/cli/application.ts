/** One run of `csx apply`, from the plan to the exit status. */

import { applyPlan } from '../engine/update/apply.js';
import type { Planned } from '../engine/update/compute-plan.js';
import { completeRows } from '../engine/update/complete.js';
import { keyOf } from '../engine/update/key-of.js';
import { verifyPlan } from '../engine/update/verify.js';
import { CsxError } from '../model/errors.js';
import type { Plan } from '../model/plan.js';
import type { ApplyResult, ResultSummary } from '../model/result.js';
import type { Lock, Scope } from '../model/store.js';
import { decideWith } from '../planner/decisions.js';
import type { OnConflict } from '../planner/decisions.js';
import { requireMatch } from '../planner/saved-plan.js';
import { applyResultView } from '../views/human/apply-result.js';
import { print } from '../views/terminal.js';
import type { Output } from '../views/terminal.js';
import { actionEnvironment, applyStatus, confirm, refuseUnfit } from './applying.js';
import { askConflicts } from './ask-conflicts.js';
import type { Answers } from './ask-conflicts.js';
import { decisionsFrom } from './conflict-flags.js';
import type { ConflictFlags } from './conflict-flags.js';
import { diffsFor } from './diffs.js';
import { EXIT } from './exit-status.js';
import type { OutputFlags, PlaceFlags } from './flags.js';
import { lockState } from './lock.js';
import { readPlanFile } from './plan-file.js';
import type { PlanFlags } from './plan-flags.js';
import { printPlan } from './plan-output.js';
import { dialerFor, planFor } from './planning.js';
import type { Recorder } from './recorder.js';
import type { TargetFlags } from './targets.js';
import type { Watched } from './watch.js';
import type { Workspace } from './workspace.js';

export interface ApplicationOptions {
  readonly workspace: Workspace;
  readonly flags: PlaceFlags &
    OutputFlags &
    PlanFlags &
    TargetFlags &
    ConflictFlags & {
      readonly 'auto-approve': boolean;
      readonly strict: boolean;
      readonly full: boolean;
      readonly diff: boolean;
      readonly 'detailed-exitcode': boolean;
    };
  readonly watch: Watched;
  readonly recorder: Recorder;
  readonly out: Output;
  /** Where questions go. */
  readonly err: Output;
  /** Somebody can be asked. */
  readonly interactive: boolean;
}

export interface Done {
  readonly status: number;
  readonly summary: ResultSummary | undefined;
}

/** Rounds of one run: a conflict that only the peer's refusal showed is planned and settled by the group's method in another. */
const ROUNDS = 3;

export class Application {
  readonly #options: ApplicationOptions;
  readonly #dialer: ReturnType<typeof dialerFor>;

  constructor(options: ApplicationOptions) {
    this.#options = options;
    this.#dialer = dialerFor(options.workspace, options.flags, options.watch.stop);
  }

  /** Plans, shows, asks, applies. */
  async fresh(): Promise<Done> {
    const lock = await this.#lock();
    try {
      const { workspace, flags, watch, recorder, out } = this.#options;
      let done: Done = { status: EXIT.done, summary: undefined };
      for (let round = 0; round < ROUNDS; round++) {
        const planned = await this.#plan(round === 0);
        if (planned === undefined) return { status: EXIT.declined, summary: undefined };
        const { plan, incomplete, seen } = planned;
        await recorder.plan(plan);
        if (round === 0 || plan.applyable) await this.#show(plan);
        refuseUnfit(plan);
        if (round > 0 && !plan.applyable) break;
        if (plan.applyable && !flags['auto-approve'] && !(await this.#approve(plan)))
          return { status: EXIT.declined, summary: undefined };
        if (incomplete > 0) await completeRows(workspace, undefined, watch.stop);
        const result = await this.#apply(plan, seen);
        done = { status: this.#statusOf(result, plan), summary: result.summary };
        if (!flags.json && worthTelling(plan, result))
          await print(out, applyResultView(out, result, { full: flags.full }));
        if (watch.stop.aborted || !decidedByRule(result, flags['on-conflict'])) break;
      }
      return done;
    } finally {
      await lock.release();
    }
  }

  /** Applies a saved plan. */
  async saved(file: string): Promise<Done> {
    const { workspace, flags, recorder, watch, out } = this.#options;
    refusePlanningFlags(flags);
    const plan = await readPlanFile(file);
    const lock = await this.#lock();
    try {
      const { config, store } = workspace;
      requireMatch(plan, {
        host: config.host,
        configHash: config.hash,
        identity: await store.identity(),
        run: await store.run(plan.hash),
      });
      refuseUnfit(plan);
      await recorder.plan(plan);
      const standing = settledAsRecorded(plan);
      if (standing.length > 0) await completeRows(workspace, standing, watch.stop);
      const result = await this.#apply(plan, undefined);
      if (!flags.json) await print(out, applyResultView(out, result, { full: flags.full }));
      return { status: this.#statusOf(result, plan), summary: result.summary };
    } finally {
      await lock.release();
    }
  }

  /** A plan with the decisions of flags and, where somebody is there, answers; undefined: the person stopped. */
  async #plan(ask: boolean): Promise<Planned | undefined> {
    const { workspace, flags, watch, interactive, err } = this.#options;
    const dialer = this.#dialer;
    const make = async (answers?: Answers): Promise<Planned> => {
      const decide = decideWith(await decisionsFrom(flags, workspace, answers));
      return planFor(workspace, flags, [], dialer, watch, decide);
    };
    const planned = await make();
    const open = planned.plan.conflicts.filter((conflict) => conflict.resolution === 'none');
    if (!ask || !interactive || flags['auto-approve'] || open.length === 0) return planned;
    refuseUnfit(planned.plan);
    watch.pause();
    const answers = await askConflicts(open, { workspace, dialer, tool: undefined, err });
    watch.resume();
    if (answers.stopped) return undefined;
    return answers.resolutions.length + answers.merged.length > 0 ? make(answers) : planned;
  }

  #statusOf(result: ApplyResult, plan: Plan): number {
    const { flags } = this.#options;
    const skipped = flags['on-conflict'] === 'skip';
    const counted = skipped ? { ...result, summary: { ...result.summary, conflicts: 0 } } : result;
    return applyStatus(counted, plan, flags['detailed-exitcode']);
  }

  #lock(): Promise<Lock> {
    return lockState(this.#options.workspace.store, 'csx apply', this.#options.watch);
  }

  async #show(plan: Plan): Promise<void> {
    const { workspace, flags, watch, out } = this.#options;
    if (flags.json) return;
    const diffs = await diffsFor(plan, flags, workspace, this.#dialer, watch);
    watch.pause();
    await printPlan(
      out,
      plan,
      { format: 'human', summary: false, full: flags.full, json: false, verbose: flags.verbose },
      { next: [], diffs, fullCommand: 'csx apply --full' },
      watch.stop,
    );
    watch.resume();
  }

  async #approve(plan: Plan): Promise<boolean> {
    const { watch, interactive, out } = this.#options;
    watch.pause();
    try {
      return await confirm(plan, interactive, out);
    } finally {
      watch.resume();
    }
  }

  /** @param seen as `Planned` has it */
  async #apply(plan: Plan, seen: number | undefined): Promise<ApplyResult> {
    const { workspace, flags, watch } = this.#options;
    const { config, everything: selection, store } = workspace;
    if (flags.strict) {
      const problems = await verifyPlan({
        plan,
        config,
        selection,
        dialer: this.#dialer,
        parallelism: flags.parallelism,
        keyOf: (change) => keyOf(change, selection),
      });
      const [first] = problems;
      if (first !== undefined) {
        const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
        throw new CsxError(
          'PLAN_STALE',
          `Nothing was done, because the plan no longer holds: ${first.summary}${more}`,
          {
            hint: first.hint,
          },
        );
      }
    }
    try {
      return await applyPlan({
        plan,
        config,
        selection,
        store,
        dialer: this.#dialer,
        parallelism: flags.parallelism,
        seen,
        environment: actionEnvironment(),
        report: watch.report,
        stop: watch.stop,
        now: Date.now,
        statusOf: (result) => this.#statusOf(result, plan),
      });
    } finally {
      watch.pause();
    }
  }
}

/** A saved plan says itself what it is for. */
function refusePlanningFlags(flags: ApplicationOptions['flags']): void {
  const given = [
    ...(flags.target !== undefined || flags['target-from'] !== undefined ? ['--target'] : []),
    ...(flags.exclude !== undefined || flags['exclude-from'] !== undefined ? ['--exclude'] : []),
    ...(flags.group === undefined ? [] : ['--group']),
    ...(flags.peer === undefined ? [] : ['--peer']),
    ...(flags.offline ? ['--offline'] : []),
    ...(flags['on-conflict'] === 'fail' ? [] : ['--on-conflict']),
    ...(flags.resolutions === undefined ? [] : ['--resolutions']),
    ...(flags.diff ? ['--diff'] : []),
    ...(flags['max-delete'] === undefined ? [] : ['--max-delete']),
  ];
  if (given.length === 0) return;
  throw new CsxError(
    'USAGE',
    `A saved plan is applied as it is: ${given.join(', ')} cannot be combined with a plan file.`,
    {
      hint: 'Give it to csx plan --out instead.',
    },
  );
}

function worthTelling(plan: Plan, result: ApplyResult): boolean {
  return plan.changes.length > 0 || plan.actions.length > 0 || result.changes.length > 0 || result.problems.length > 0;
}

/** Whether peers refused files that the group's method or the run's rule decides, once they are planned again. */
function decidedByRule(result: ApplyResult, rule: OnConflict): boolean {
  return result.changes.some(
    (each) =>
      each.problem?.code === 'CONFLICTS' &&
      result.conflicts.some(
        (conflict) =>
          conflict.peer === each.change.peer &&
          conflict.path === each.change.path &&
          (conflict.autoMethod !== 'none' || rule === 'local' || rule === 'peer'),
      ),
  );
}

/** Files that are found equal and have not drifted: a row of theirs that is incomplete (complete.ts) would keep its mark. */
function settledAsRecorded(plan: Plan): readonly Scope[] {
  const drifted = new Set(plan.drift.map(({ file }) => file));
  const equal = plan.changes.filter(({ action, path }) => action === 'no-op' && !drifted.has(path));
  return [...new Set(equal.map(({ path }) => path))].map((file) => ({ file, recursive: false }));
}
