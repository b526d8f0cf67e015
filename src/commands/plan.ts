import { Args, Flags } from '@oclif/core';
import { CsxCommand } from '../cli/command.js';
import { EXIT, worstStatus } from '../cli/exit-status.js';
import { planFlags } from '../cli/plan-flags.js';
import { dialerFor, planFor } from '../cli/planning.js';
import { withWatch } from '../cli/watch.js';
import { withWorkspace } from '../cli/workspace.js';
import type { Plan as PlanData } from '../model/plan.js';
import { toPlanJson } from '../model/plan-json.js';
import { planView } from '../views/human/plan.js';
import { jsonDocument } from '../views/json/document.js';
import { print } from '../views/terminal.js';

export default class Plan extends CsxCommand {
  static override summary = 'Show what apply would do. Changes nothing, anywhere.';
  static override description = `Scans the configured files, asks the peers what they have, and shows which files would be created, updated and deleted on which peer, which conflicts stand in the way, and which commands would run. Neither the database nor any file is changed.

Exit status: 0 done; 4 a peer could not be asked; 5 a check failed; with --detailed-exitcode 2 when there are changes and 3 when there are conflicts.`;
  static override examples = [
    '<%= config.bin %> plan',
    '<%= config.bin %> plan /etc/apache2 --peer web2',
    { description: 'For scripts', command: '<%= config.bin %> plan --json --detailed-exitcode' },
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
    full: Flags.boolean<boolean>({ summary: 'Show every file instead of folding long lists.' }),
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
    return withWorkspace(flags, 'read', (workspace) =>
      withWatch(this.err(flags), flags, async (watch) => {
        const dialer = dialerFor(workspace, flags, watch.stop);
        const { plan } = await planFor(workspace, flags, argv as string[], dialer, watch);
        watch.done();
        const out = this.out(flags);
        if (flags.json) await print(out, jsonDocument(toPlanJson(plan)));
        else {
          const knownFiles = await workspace.store.countFiles();
          await print(out, planView(out, plan, { full: flags.full, verbose: flags.verbose, knownFiles }));
        }
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
  const changes =
    plan.changes.some((change) => change.action !== 'no-op') || plan.actions.length > 0 || plan.deferred.length > 0;
  if (plan.checks.some((check) => check.status === 'fail')) statuses.push(EXIT.checkFailed);
  if (plan.errored || plan.peers.some((peer) => peer.reachable === false)) statuses.push(EXIT.partial);
  if (conflicts && (flags['detailed-exitcode'] || flags['error-on-conflict'])) statuses.push(EXIT.conflicts);
  if (changes && flags['expect-no-changes']) return EXIT.unexpectedChanges;
  if (changes && flags['detailed-exitcode']) statuses.push(EXIT.changes);
  return worstStatus(statuses);
}
