import { Flags } from '@oclif/core';
import { CsxCommand } from '../cli/command.js';
import { conflictFlags, decisionsFrom } from '../cli/conflict-flags.js';
import { diffFlags, diffsFor, refuseDiff } from '../cli/diffs.js';
import { EXIT, statusOfPeer, worstStatus } from '../cli/exit-status.js';
import { writePlanFile } from '../cli/plan-file.js';
import { planFlags } from '../cli/plan-flags.js';
import { formatFlags, printPlan } from '../cli/plan-output.js';
import { dialerFor, planFor } from '../cli/planning.js';
import { pathArgs, targetFlags } from '../cli/targets.js';
import { withWatch } from '../cli/watch.js';
import { withWorkspace } from '../cli/workspace.js';
import type { Plan as PlanData } from '../model/plan.js';
import { decideWith } from '../planner/decisions.js';
import { hasWork } from '../views/summary.js';

export default class Plan extends CsxCommand {
  static override summary = 'Show what apply would do. Changes nothing, anywhere.';
  static override description = `Scans the configured files, asks the peers what they have, and shows which files would be created, updated and deleted on which peer, which conflicts stand in the way, and which commands would run. Neither the database nor any file is changed.

With --out the plan is saved, and csx apply FILE carries out exactly that, with what --on-conflict and --resolutions decide.

Exit status: 0 done; 4 a peer could not be asked, or a file not be read; 5 a check failed; 9 a peer did not answer within --timeout; with --detailed-exitcode 2 when there are changes and 3 when there are conflicts; with --error-on-conflict 3 when a conflict needs a decision; with --expect-no-changes 7 when there are changes.`;
  static override examples = [
    '<%= config.bin %> plan',
    '<%= config.bin %> plan /etc/apache2 --peer web2',
    { description: 'With the lines that would change', command: '<%= config.bin %> plan --diff /etc/hosts' },
    { description: 'Review now, apply exactly that later', command: '<%= config.bin %> plan --out today.plan' },
    { description: 'For a pull request', command: '<%= config.bin %> plan --format markdown --max-chars 65536' },
    { description: 'For scripts', command: '<%= config.bin %> plan --json --detailed-exitcode' },
  ];
  static override args = pathArgs;
  static override flags = {
    ...targetFlags,
    ...planFlags,
    ...formatFlags,
    ...diffFlags,
    ...conflictFlags,
    out: Flags.string({
      char: 'o',
      summary: 'Save the plan, for csx apply FILE and csx show FILE.',
      helpValue: 'FILE',
    }),
    'detailed-exitcode': Flags.boolean<boolean>({
      summary: 'Exit with 2 when there are changes, 3 when there are conflicts.',
    }),
    'error-on-conflict': Flags.boolean<boolean>({
      summary: 'Exit with 3 when there are conflicts that need a decision.',
    }),
    'expect-no-changes': Flags.boolean<boolean>({ summary: 'Exit with 7 when there are changes.' }),
  };

  async run(): Promise<number> {
    const { flags, argv } = await this.parse(Plan);
    refuseDiff(flags);
    return withWorkspace(flags, 'read', (workspace) =>
      withWatch(this.err(flags), flags, async (watch) => {
        const dialer = dialerFor(workspace, flags, watch.stop);
        const decide = decideWith(await decisionsFrom(flags, workspace));
        const { plan } = await planFor(workspace, flags, argv as string[], dialer, watch, decide);
        if (flags.out !== undefined) await writePlanFile(flags.out, plan);
        const diffs = await diffsFor(plan, flags, workspace, dialer, watch);
        watch.done();
        await printPlan(this.out(flags), plan, flags, { savedTo: flags.out, diffs }, watch.stop);
        return planStatus(plan, flags);
      }),
    );
  }
}

interface StatusFlags {
  readonly 'detailed-exitcode': boolean;
  readonly 'error-on-conflict': boolean;
  readonly 'expect-no-changes': boolean;
}

function planStatus(plan: PlanData, flags: StatusFlags): number {
  const statuses: number[] = [];
  const conflicts = plan.conflicts.some((conflict) => conflict.resolution === 'none');
  const changes = hasWork(plan) || plan.deferred.length > 0;
  if (plan.checks.some((check) => check.status === 'fail')) return EXIT.checkFailed;
  // What is expected to be no work and is some says more than that not all of it could be seen.
  if (changes && flags['expect-no-changes']) return EXIT.unexpectedChanges;
  if (plan.errored) statuses.push(EXIT.partial);
  for (const peer of plan.peers) if (peer.reachable === false) statuses.push(statusOfPeer(peer.problem));
  if (conflicts && (flags['detailed-exitcode'] || flags['error-on-conflict'])) statuses.push(EXIT.conflicts);
  if (changes && flags['detailed-exitcode']) statuses.push(EXIT.changes);
  return worstStatus(statuses);
}
