import { Flags } from '@oclif/core';
import { CsxCommand } from '../../cli/command.js';
import { withWorkspace } from '../../cli/workspace.js';
import { staleRows } from '../../engine/update/stale-rows.js';
import { display } from '../../model/names.js';
import { cleanedJson } from '../../views/json/database.js';
import { jsonDocument } from '../../views/json/document.js';
import { plural } from '../../views/quantity.js';
import { print } from '../../views/terminal.js';

export default class DbClean extends CsxCommand {
  static override summary = 'Remove rows that no longer belong to the configuration.';
  static override description =
    'Files no group holds any more, marks for peers that are gone or no longer get the file, and what was agreed on with them (baselines), also of files that are gone on both sides. No file on disk is touched. Like csync2 -R.';
  static override examples = ['<%= config.bin %> db clean --dry-run', '<%= config.bin %> db clean'];
  static override flags = {
    'dry-run': Flags.boolean<boolean>({ summary: 'Only show what would be removed.' }),
  };

  async run(): Promise<number> {
    const { flags } = await this.parse(DbClean);
    return withWorkspace(flags, flags['dry-run'] ? 'read' : 'write', async ({ store, everything }) => {
      const stale = await staleRows(store, everything);
      if (!flags['dry-run'] && stale.writes.length > 0) await store.write(stale.writes);
      const out = this.out(flags);
      if (flags.json) {
        await print(out, jsonDocument(cleanedJson(stale, !flags['dry-run'])));
        return 0;
      }
      if (flags['dry-run'] || flags.verbose) {
        await print(
          out,
          stale.files.map((file) => `  ${display(file)}\n`),
        );
        await print(
          out,
          stale.dirty.map((row) => `  ${display(row.file)} marked for ${display(row.peer)}\n`),
        );
        await print(
          out,
          stale.baselines.map((row) => `  ${display(row.file)} as agreed on with ${display(row.peer)}\n`),
        );
      }
      const { files, dirty, baselines } = stale;
      const what = `${plural(files.length, 'file')}, ${plural(dirty.length, 'mark')} and ${plural(baselines.length, 'baseline')}`;
      await print(out, [flags['dry-run'] ? `Would be removed: ${what}.\n` : `Removed: ${what}.\n`]);
      return 0;
    });
  }
}
