import { Args, Flags } from '@oclif/core';
import { actionEnvironment, applyStatus, confirm, refuseUnfit } from '../cli/applying.js';
import { CsxCommand } from '../cli/command.js';
import { EXIT } from '../cli/exit-status.js';
import { planFlags } from '../cli/plan-flags.js';
import { dialerFor, planFor } from '../cli/planning.js';
import { withWatch } from '../cli/watch.js';
import { withWorkspace } from '../cli/workspace.js';
import { applyPlan } from '../engine/update/apply.js';
import { completeRows } from '../engine/update/complete.js';
import { applyResultView } from '../views/human/apply-result.js';
import { planView } from '../views/human/plan.js';
import { summaryLine } from '../views/summary.js';
import { jsonLines } from '../views/json/lines.js';
import { print } from '../views/terminal.js';

export default class Apply extends CsxCommand {
  static override summary = 'Plan, show, ask, and carry it out.';
  static override description = `Makes a plan, shows it, asks, and does exactly that: every change is checked again at its moment, and one that is no longer as planned is skipped and reported. What a peer has acknowledged is recorded at once, so an interrupted run goes on where it stopped.

Exit status: 0 done; 3 conflicts need a decision; 4 something failed, was skipped, or a peer was not reached; 5 a check failed, nothing done; 8 declined.`;
  static override examples = [
    '<%= config.bin %> apply',
    '<%= config.bin %> apply /etc/apache2 --peer web2',
    { description: 'In scripts, without a question', command: '<%= config.bin %> apply --auto-approve' },
  ];
  static override args = {
    paths: Args.string({
      name: 'PATH',
      description: 'Only these files and what lies below them.',
      required: false,
      multiple: true,
    }),
  };
  static override flags = {
    ...planFlags,
    'auto-approve': Flags.boolean<boolean>({ summary: 'Do not ask. Conflicts are not decided by this.' }),
    full: Flags.boolean<boolean>({ summary: 'Show every file instead of folding long lists.' }),
    'detailed-exitcode': Flags.boolean<boolean>({ summary: 'Exit with 2 when something was changed.' }),
  };

  async run(): Promise<number> {
    const { flags, argv } = await this.parse(Apply);
    const out = this.out(flags);
    const lines = flags.json ? jsonLines(out) : undefined;
    return withWorkspace(flags, 'write', (workspace) =>
      withWatch(this.err(flags), flags, async (watch) => {
        const { store } = workspace;
        const lock = await store.lock(
          'apply',
          { pid: process.pid, command: 'csx apply', since: Date.now() },
          (owner) => {
            watch.report({ type: 'lock_waiting', owner });
          },
        );
        try {
          const dialer = dialerFor(workspace, flags, watch.stop);
          const paths = argv as string[];
          const { plan, incomplete } = await planFor(workspace, flags, paths, dialer, watch);
          watch.pause();
          if (lines === undefined) {
            const knownFiles = await store.countFiles();
            await print(out, planView(out, plan, { full: flags.full, verbose: flags.verbose, knownFiles, next: [] }));
          }
          refuseUnfit(plan);
          if (plan.applyable && !flags['auto-approve'] && !(await confirm(plan, this.interactive(flags), out)))
            return EXIT.declined;
          watch.resume();
          if (incomplete > 0) await completeRows(workspace, undefined, watch.stop);
          const result = await applyPlan({
            plan,
            config: workspace.config,
            selection: workspace.everything,
            store,
            dialer,
            parallelism: flags.parallelism,
            environment: actionEnvironment(),
            report: watch.report,
            stop: watch.stop,
            now: Date.now,
          });
          watch.done();
          const status = applyStatus(result, plan, flags['detailed-exitcode']);
          if (lines !== undefined) {
            lines.write({ type: 'change_summary', message: summaryLine(plan) });
            lines.write({ type: 'result', exit_code: status, summary: result.summary });
            await lines.flush();
          } else if (plan.changes.length > 0 || plan.actions.length > 0 || result.changes.length > 0) {
            await print(out, applyResultView(out, result, { full: flags.full }));
          }
          return status;
        } finally {
          await lock.release();
        }
      }),
    );
  }
}
