import { CsxCommand } from '../cli/command.js';
import { conflictFlags, decisionsFrom } from '../cli/conflict-flags.js';
import { EXIT } from '../cli/exit-status.js';
import { planFlags } from '../cli/plan-flags.js';
import { dialerFor, planFor } from '../cli/planning.js';
import { pathArgs } from '../cli/targets.js';
import { withWatch } from '../cli/watch.js';
import { withWorkspace } from '../cli/workspace.js';
import { conflictJson } from '../model/plan-json.js';
import { decideWith } from '../planner/decisions.js';
import { conflictsView } from '../views/human/lists.js';
import { jsonDocument } from '../views/json/document.js';
import { print } from '../views/terminal.js';

const { offline: _offline, 'max-delete': _maxDelete, ...flagsOfPlan } = planFlags;

export default class Conflicts extends CsxCommand {
  static override summary = 'List files that were changed here and on a peer. Changes nothing.';
  static override description =
    "Scans and asks the peers, as csx plan does, and shows each conflict with both sides, why it is one, and what the group's method or the flags make of it. Exit status 0; 3 when some need a decision; 4 when a peer could not be asked.";
  static override examples = [
    '<%= config.bin %> conflicts',
    '<%= config.bin %> conflicts /etc/apache2 --json',
    {
      description: 'What would a file of decisions settle?',
      command: '<%= config.bin %> conflicts --resolutions decisions.json',
    },
  ];
  static override args = pathArgs;
  static override flags = { ...flagsOfPlan, ...conflictFlags };

  async run(): Promise<number> {
    const { flags, argv } = await this.parse(Conflicts);
    return withWorkspace(flags, 'read', (workspace) =>
      withWatch(this.err(flags), flags, async (watch) => {
        const dialer = dialerFor(workspace, { ...flags, ...REST }, watch.stop);
        const decide = decideWith(await decisionsFrom(flags, workspace));
        const { plan } = await planFor(workspace, { ...flags, ...REST }, argv as string[], dialer, watch, decide);
        watch.done();
        const out = this.out(flags);
        const { conflicts } = plan;
        await print(
          out,
          flags.json
            ? jsonDocument({ format_version: '1.0', conflicts: conflicts.map(conflictJson) })
            : conflictsView(out, conflicts, { verbose: flags.verbose }),
        );
        if (conflicts.some((conflict) => conflict.resolution === 'none')) return EXIT.conflicts;
        return plan.errored || plan.peers.some((peer) => peer.reachable === false) ? EXIT.partial : EXIT.done;
      }),
    );
  }
}

const REST = {
  offline: false,
  'max-delete': undefined,
  target: undefined,
  'target-from': undefined,
  exclude: undefined,
  'exclude-from': undefined,
};
