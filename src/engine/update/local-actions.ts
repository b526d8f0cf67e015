/** Runs the commands that are pending on this host: those the plan's drift scheduled, and what a crash left behind. */

import type { Problem } from '../../model/errors.js';
import { display } from '../../model/names.js';
import type { ActionInvocation, Plan } from '../../model/plan.js';
import type { ActionResult } from '../../model/result.js';
import type { Write } from '../../model/store.js';
import { actionRun, groupActions, runAction } from '../files/actions.js';
import type { ActionJob } from '../files/actions.js';
import type { ApplyRequest } from './apply.js';

/**
 * Runs each distinct command once; its rows go from the state when it has run, whatever its status, as csync2 does.
 * @param problems takes what belongs to no single action
 */
export async function runLocalActions(
  plan: Pick<Plan, 'actions' | 'host'>,
  request: Pick<ApplyRequest, 'store' | 'config' | 'environment' | 'report' | 'stop' | 'now'>,
  problems: Problem[],
): Promise<readonly ActionResult[]> {
  const { store, config, environment, report, stop, now } = request;
  const results: ActionResult[] = plan.actions
    .filter((action) => action.when === 'remote')
    .map((action) => ({ action, status: 'delegated', exitStatus: undefined, milliseconds: undefined, output: '' }));
  for (const job of groupActions(await store.actions())) {
    const action = invocation(job, plan);
    if (stop.aborted) {
      results.push({ action, status: 'not-run', exitStatus: undefined, milliseconds: undefined, output: '' });
      continue;
    }
    report({ type: 'action_start', action });
    const timeout = config.groups
      .flatMap((group) => group.actions)
      .find((rule) => rule.commands.includes(job.template) && rule.logfile === job.logfile)?.timeout;
    const ran = await runAction(job, { timeout, environment });
    await store.write([
      ...job.rows.map((row): Write => ({ kind: 'remove-action', action: row })),
      { kind: 'put-action-run', run: actionRun(ran, now()) },
    ]);
    if (ran.problem !== undefined) problems.push(ran.problem);
    const milliseconds = Math.round(ran.milliseconds);
    const output = display(ran.output);
    if (ran.status === 0) report({ type: 'action_complete', action, status: 0, milliseconds });
    else report({ type: 'action_errored', action, status: ran.status, milliseconds, output });
    results.push({
      action,
      status: ran.status === 0 ? 'done' : 'failed',
      exitStatus: ran.status,
      milliseconds,
      output: ran.output,
    });
  }
  return results;
}

/** The plan's own entry for the command, so that both are shown alike; a new one for what a crash left behind. */
function invocation(job: ActionJob, plan: Pick<Plan, 'actions' | 'host'>): ActionInvocation {
  const planned = plan.actions.find(
    (each) => each.when === 'local' && each.command === job.command && each.logfile === job.logfile,
  );
  return (
    planned ?? {
      host: plan.host as ActionInvocation['host'],
      group: '',
      command: job.command,
      logfile: job.logfile,
      when: 'local',
      triggeredBy: job.rows.map((row) => row.file),
    }
  );
}
