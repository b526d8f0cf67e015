import { Flags } from '@oclif/core';
import { CsxCommand } from '../cli/command.js';
import { EXIT, worstStatus } from '../cli/exit-status.js';
import { choiceFlags } from '../cli/flags.js';
import { lockState } from '../cli/lock.js';
import { scopesOf } from '../cli/planning.js';
import { pathArgs } from '../cli/targets.js';
import { withWatch } from '../cli/watch.js';
import { withWorkspace } from '../cli/workspace.js';
import { recordScan } from '../engine/update/record-scan.js';
import { fromText } from '../model/names.js';
import { scanView } from '../views/human/scan.js';
import { jsonDocument } from '../views/json/document.js';
import { scanJson } from '../views/json/scan.js';
import { print } from '../views/terminal.js';

export default class Scan extends CsxCommand {
  static override summary = 'Record what changed on this disk and mark it for the peers. Contacts nobody.';
  static override description = `Compares the configured files with the database, records what is new, changed and gone, and marks it for every peer; \`csx apply\` sends it. Like csync2 -cr.

A tree that vanished as a whole (not mounted, emptied, replaced by something else) is not recorded as removed: the command stops with status 5.`;
  static override examples = [
    '<%= config.bin %> scan',
    '<%= config.bin %> scan /etc/apache2',
    {
      description: 'On a new host: take the present state as known, mark nothing',
      command: '<%= config.bin %> scan --init',
    },
  ];
  static override args = pathArgs;
  static override flags = {
    ...choiceFlags,
    init: Flags.boolean<boolean>({ summary: 'Record only; mark nothing for the peers.' }),
    hints: Flags.boolean<boolean>({ summary: 'Scan what was hinted at (csx hint), and forget the hints.' }),
    'lock-timeout': Flags.integer({
      summary:
        'Wait so many seconds for the database, or for another csx; without it, what lock-timeout in the configuration says, otherwise 12.',
      min: 0,
      helpValue: 'SECONDS',
    }),
  };

  async run(): Promise<number> {
    const { flags, argv } = await this.parse(Scan);
    const out = this.out(flags);
    return withWorkspace(flags, 'write', (workspace) =>
      withWatch(this.err(flags), flags, async (watch) => {
        const { store, config } = workspace;
        const lock = await lockState(store, 'csx scan', watch);
        try {
          const hints = flags.hints ? await store.hints() : [];
          const named = await scopesOf((argv as string[]).map(fromText), workspace);
          const scopes = flags.hints ? [...hints, ...(named ?? [])] : named;
          const result = await recordScan({
            selection: workspace.chosen,
            everything: workspace.everything,
            store,
            ignore: config.ignore,
            scopes,
            mark: !flags.init,
            report: watch.report,
            stop: watch.stop,
            now: Date.now,
          });
          if (hints.length > 0 && result.roots.length === 0) {
            await store.write(
              hints.map((hint) => ({ kind: 'remove-hint', file: hint.file, recursive: hint.recursive })),
            );
          }
          watch.done();
          await print(
            out,
            flags.json ? jsonDocument(scanJson(result)) : scanView(out, result, { full: flags.verbose }),
          );
          return worstStatus([
            ...(result.roots.length > 0 ? [EXIT.checkFailed] : []),
            ...(result.problems.some((problem) => problem.severity === 'error') ? [EXIT.partial] : []),
          ]);
        } finally {
          await lock.release();
        }
      }),
    );
  }
}
