/** One run of `csx apply`, from the plan to the exit status. */

import { applyPlan, keyOf } from '../engine/update/apply.js';
import { completeRows } from '../engine/update/complete.js';
import { verifyPlan } from '../engine/update/verify.js';
import { CsxError } from '../model/errors.js';
import type { Plan } from '../model/plan.js';
import type { ApplyResult, ResultSummary } from '../model/result.js';
import type { Lock } from '../model/store.js';
import { requireMatch } from '../planner/saved-plan.js';
import { applyResultView } from '../views/human/apply-result.js';
import { print } from '../views/terminal.js';
import type { Output } from '../views/terminal.js';
import { actionEnvironment, applyStatus, confirm, refuseUnfit } from './applying.js';
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
    TargetFlags & {
      readonly 'auto-approve': boolean;
      readonly strict: boolean;
      readonly full: boolean;
      readonly diff: boolean;
      readonly 'detailed-exitcode': boolean;
    };
  readonly watch: Watched;
  readonly recorder: Recorder;
  readonly out: Output;
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
        const { plan, incomplete } = await planFor(workspace, flags, [], this.#dialer, watch);
        recorder.plan(plan);
        if (round === 0 || plan.applyable) await this.#show(plan);
        refuseUnfit(plan);
        if (round > 0 && !plan.applyable) break;
        if (plan.applyable && !flags['auto-approve'] && !(await this.#approve(plan)))
          return { status: EXIT.declined, summary: undefined };
        if (incomplete > 0) await completeRows(workspace, undefined, watch.stop);
        const result = await this.#apply(plan);
        done = { status: applyStatus(result, plan, flags['detailed-exitcode']), summary: result.summary };
        if (!flags.json && worthTelling(plan, result))
          await print(out, applyResultView(out, result, { full: flags.full }));
        if (watch.stop.aborted || !settledByMethod(result)) break;
      }
      return done;
    } finally {
      await lock.release();
    }
  }

  /** Applies a saved plan. */
  async saved(file: string): Promise<Done> {
    const { workspace, flags, recorder, out } = this.#options;
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
      recorder.plan(plan);
      const result = await this.#apply(plan);
      if (!flags.json) await print(out, applyResultView(out, result, { full: flags.full }));
      return { status: applyStatus(result, plan, flags['detailed-exitcode']), summary: result.summary };
    } finally {
      await lock.release();
    }
  }

  #lock(): Promise<Lock> {
    return lockState(this.#options.workspace.store, 'csx apply', this.#options.watch);
  }

  async #show(plan: Plan): Promise<void> {
    const { workspace, flags, watch, out } = this.#options;
    if (flags.json) return;
    const diffs = await diffsFor(plan, flags, workspace, this.#dialer, watch);
    watch.pause();
    const knownFiles = await workspace.store.countFiles();
    await printPlan(
      out,
      plan,
      { format: 'human', summary: false, full: flags.full, json: false, verbose: flags.verbose },
      { knownFiles, next: [], diffs, fullCommand: 'csx apply --full' },
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

  async #apply(plan: Plan): Promise<ApplyResult> {
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
        environment: actionEnvironment(),
        report: watch.report,
        stop: watch.stop,
        now: Date.now,
        statusOf: (result) => applyStatus(result, plan, flags['detailed-exitcode']),
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

/** Whether peers refused files whose group has a method: planned again, it decides. */
function settledByMethod(result: ApplyResult): boolean {
  return result.changes.some(
    (each) =>
      each.problem?.code === 'CONFLICTS' &&
      result.conflicts.some(
        (conflict) =>
          conflict.peer === each.change.peer && conflict.path === each.change.path && conflict.autoMethod !== 'none',
      ),
  );
}
