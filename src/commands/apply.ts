import { Args, Errors, Flags } from '@oclif/core';
import { Application } from '../cli/application.js';
import { CsxCommand } from '../cli/command.js';
import { conflictFlags } from '../cli/conflict-flags.js';
import { diffFlags, refuseDiff } from '../cli/diffs.js';
import { exitStatusOf } from '../cli/exit-status.js';
import { planFlags } from '../cli/plan-flags.js';
import { Recorder } from '../cli/recorder.js';
import { targetFlags } from '../cli/targets.js';
import { asCsxError, asksForJson, standardOutput } from '../cli/terminal.js';
import { usageError } from '../cli/usage.js';
import { withWatch } from '../cli/watch.js';
import { withWorkspace } from '../cli/workspace.js';
import { CSX_VERSION } from '../model/version.js';
import { HEAP_GROWTH } from '../engine/update/heap.js';

export default class Apply extends CsxCommand {
  static override summary = 'Plan, show, ask, and carry it out; or carry out a saved plan.';
  static override description = `Without a file it makes a plan, shows it, asks, and does exactly that. With a file it does what that plan says, without asking: the plan must be of this host, database and configuration, and not have been applied.

Every change is checked again at its moment, and one that is no longer as planned is skipped and reported (with --strict nothing is done then). What a peer has acknowledged is recorded at once, so an interrupted run goes on where it stopped.

Where both sides changed a file and the group has no method for it, a person is asked; in scripts --on-conflict or --resolutions decides, and without them the file stays as it is on both sides.

Exit status: 0 done; 3 conflicts need a decision; 4 something failed, was skipped, or a peer was not reached; 5 a check failed, nothing done; 6 the saved plan does not match, nothing done; 8 declined; 9 a peer did not answer within --timeout, or the database stayed locked.`;
  static override examples = [
    '<%= config.bin %> apply',
    '<%= config.bin %> apply --target /etc/apache2 --peer web2',
    { description: 'Exactly what was reviewed', command: '<%= config.bin %> apply today.plan' },
    { description: 'In scripts, without a question', command: '<%= config.bin %> apply --auto-approve' },
    {
      description: 'With reviewed decisions on conflicts',
      command: '<%= config.bin %> apply --auto-approve --resolutions decisions.json',
    },
  ];
  static override args = {
    planfile: Args.string({ name: 'PLANFILE', description: 'Made by csx plan --out.', required: false }),
  };
  static override flags = {
    ...targetFlags,
    ...planFlags,
    ...diffFlags,
    ...conflictFlags,
    'auto-approve': Flags.boolean<boolean>({ summary: 'Do not ask. Conflicts are not decided by this.' }),
    strict: Flags.boolean<boolean>({
      summary: 'All or nothing: check everything first, and do nothing if anything changed.',
    }),
    full: Flags.boolean<boolean>({ summary: 'Show every file instead of folding long lists.' }),
    'json-into': Flags.string({ summary: 'Also write the JSON records to a file.', helpValue: 'FILE' }),
    'detailed-exitcode': Flags.boolean<boolean>({ summary: 'Exit with 2 when something was changed.' }),
  };

  protected override readonly heapGrowth = HEAP_GROWTH.apply;

  async run(): Promise<number> {
    let recorder: Recorder | undefined;
    try {
      const { args, flags } = await this.parse(Apply);
      const records = this.#records(flags.json, flags['json-into']);
      recorder = records;
      refuseDiff(flags);
      return await withWorkspace(flags, 'write', (workspace) =>
        withWatch(
          this.err(flags),
          flags,
          async (watch) => {
            const application = new Application({
              workspace,
              flags,
              watch,
              recorder: records,
              out: this.out(flags),
              err: this.err(flags),
              interactive: this.interactive(flags),
            });
            const done =
              args.planfile === undefined ? await application.fresh() : await application.saved(args.planfile);
            await records.result(done.status, done.summary);
            return done.status;
          },
          (event) => {
            records.event(event);
          },
        ),
      );
    } catch (thrown) {
      if (thrown instanceof Errors.ExitError) throw thrown;
      // Under --json the last record says how it ended, whatever happens; the records stand for the error's own document then.
      const error = usageError(thrown, ['apply', ...this.argv], this.config) ?? asCsxError(thrown);
      const json = asksForJson(this.argv);
      const status = exitStatusOf(error);
      recorder ??= this.#records(json, undefined);
      recorder.failure(error);
      await recorder.result(status, undefined);
      if (json) return status;
      throw error;
    }
  }

  #records(json: boolean, file: string | undefined): Recorder {
    const out = json ? standardOutput({ color: false }) : undefined;
    return new Recorder({ out, file, csxVersion: CSX_VERSION });
  }
}
