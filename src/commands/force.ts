import { Flags } from '@oclif/core';
import { CsxCommand } from '../cli/command.js';
import { EXIT } from '../cli/exit-status.js';
import { choiceFlags } from '../cli/flags.js';
import { knownFiles, namedScopes, pathsArgument } from '../cli/marking.js';
import { withWorkspace } from '../cli/workspace.js';
import type { Write } from '../model/store.js';
import { jsonDocument } from '../views/json/document.js';
import { forcedJson } from '../views/json/marking.js';
import { plural } from '../views/quantity.js';
import { print } from '../views/terminal.js';

export default class Force extends CsxCommand {
  static override summary = "Let this host's version win: overwrite what peers changed themselves.";
  static override description =
    'Forces files that are marked already, so that the next apply overwrites them on the peers even where they conflict. Like csync2 -f. Mark first (csx mark) what is not marked.';
  static override examples = ['<%= config.bin %> force /etc/hosts', '<%= config.bin %> force -r /etc/apache2'];
  static override strict = false;
  static override args = pathsArgument;
  static override flags = {
    ...choiceFlags,
    recursive: Flags.boolean<boolean>({ char: 'r', summary: 'Also everything below the paths.' }),
    undo: Flags.boolean<boolean>({ summary: 'Take it back: conflicts are conflicts again.' }),
  };

  async run(): Promise<number> {
    const { flags, argv } = await this.parse(Force);
    return withWorkspace(flags, 'write', async (workspace) => {
      const scopes = await namedScopes(argv as string[], flags.recursive, workspace);
      const marked = new Set((await workspace.store.dirty()).map((row) => row.file));
      const files = (await knownFiles(scopes, workspace)).filter((file) => marked.has(file));
      await workspace.store.write(files.map((file): Write => ({ kind: 'force', file, forced: !flags.undo })));
      const out = this.out(flags);
      const what = flags.undo ? 'No longer forced' : 'Forced';
      const hint = files.length === 0 ? ' Only marked files can be forced: csx mark PATH marks one.' : '';
      await print(
        out,
        flags.json
          ? jsonDocument(forcedJson(files, !flags.undo))
          : [`${what}: ${plural(files.length, 'file')}.${hint}\n`],
      );
      return files.length === 0 ? EXIT.error : EXIT.done;
    });
  }
}
