import { Args } from '@oclif/core';
import { CsxCommand } from '../cli/command.js';
import { EXIT } from '../cli/exit-status.js';
import { readPlanFile } from '../cli/plan-file.js';
import { formatFlags, printPlan } from '../cli/plan-output.js';
import { quoteWord } from '../model/shell.js';
import { nextStep } from '../views/summary.js';

export default class Show extends CsxCommand {
  static override summary = 'Show a saved plan.';
  static override description =
    'In any of the formats of csx plan. Reads the file only: neither configuration nor database.';
  static override examples = [
    '<%= config.bin %> show today.plan',
    '<%= config.bin %> show today.plan --json',
    '<%= config.bin %> show today.plan --format html > plan.html',
  ];
  static override args = {
    file: Args.string({ name: 'PLANFILE', description: 'Made by csx plan --out.', required: true }),
  };
  static override flags = formatFlags;

  async run(): Promise<number> {
    const { args, flags } = await this.parse(Show);
    const plan = await readPlanFile(args.file);
    await printPlan(this.out(flags), plan, flags, {
      next: nextStep(plan, { savedTo: args.file }),
      fullCommand: `csx show ${quoteWord(args.file)} --full`,
    });
    return EXIT.done;
  }
}
