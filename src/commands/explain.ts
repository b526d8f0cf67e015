import { Args } from '@oclif/core';
import { CsxCommand } from '../cli/command.js';
import { withWorkspace } from '../cli/workspace.js';
import { explainPath } from '../engine/update/explain.js';
import { fromText } from '../model/names.js';
import type { DiskPath } from '../model/names.js';
import { explainView } from '../views/human/explain.js';
import { jsonDocument } from '../views/json/document.js';
import { explanationJson } from '../views/json/explanation.js';
import { print } from '../views/terminal.js';

export default class Explain extends CsxCommand {
  static override summary = 'Why a path is synchronised as it is, or not.';
  static override description =
    "Shows for every group which statements were tried and which decides (with file and line), the key's file, prefix, peers, actions, the state here, what each peer last had, and why the path is clean, dirty, conflicting or outside. Reads configuration, disk and database; contacts nobody (csx conflicts asks the peers).";
  static override examples = ['<%= config.bin %> explain /etc/hosts', '<%= config.bin %> explain %home%/x --json'];
  static override args = {
    path: Args.string({ name: 'PATH', description: 'As on disk, or as configured (%prefix%/x).', required: true }),
  };

  async run(): Promise<number> {
    const { flags, args } = await this.parse(Explain);
    return withWorkspace(flags, 'read', async ({ config, everything: selection, store }) => {
      const cwd = fromText(process.cwd()) as string as DiskPath;
      const explanation = await explainPath(fromText(args.path), { config, selection, store, cwd });
      const out = this.out(flags);
      await print(out, flags.json ? jsonDocument(explanationJson(explanation)) : explainView(out, explanation));
      return 0;
    });
  }
}
