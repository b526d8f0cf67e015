import { Flags } from '@oclif/core';
import { CsxCommand } from '../cli/command.js';
import { namedScopes, pathsArgument } from '../cli/marking.js';
import { withWorkspace } from '../cli/workspace.js';
import type { Write } from '../model/store.js';
import { jsonDocument } from '../views/json/document.js';
import { hintedJson } from '../views/json/marking.js';
import { plural } from '../views/quantity.js';
import { print } from '../views/terminal.js';

export default class Hint extends CsxCommand {
  static override summary = 'Note paths to be scanned later (csx scan --hints).';
  static override description =
    'For programs that know what they changed and must not wait for a scan. Like csync2 -h.';
  static override examples = ['<%= config.bin %> hint /etc/hosts', '<%= config.bin %> hint -r /etc/apache2'];
  static override strict = false;
  static override args = pathsArgument;
  static override flags = {
    recursive: Flags.boolean<boolean>({ char: 'r', summary: 'Also everything below the paths.' }),
  };

  async run(): Promise<number> {
    const { flags, argv } = await this.parse(Hint);
    return withWorkspace(flags, 'write', async (workspace) => {
      const scopes = await namedScopes(argv as string[], flags.recursive, workspace);
      await workspace.store.write(
        scopes.map((scope): Write => ({ kind: 'put-hint', file: scope.file, recursive: scope.recursive })),
      );
      const out = this.out(flags);
      await print(out, flags.json ? jsonDocument(hintedJson(scopes)) : [`Hinted: ${plural(scopes.length, 'path')}.\n`]);
      return 0;
    });
  }
}
