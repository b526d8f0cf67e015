import { Flags } from '@oclif/core';
import { CsxCommand } from '../cli/command.js';
import { choiceFlags } from '../cli/flags.js';
import { knownFiles, namedScopes, pathsArgument } from '../cli/marking.js';
import { withWorkspace } from '../cli/workspace.js';
import type { Write } from '../model/store.js';
import { jsonDocument } from '../views/json/document.js';
import { markedJson } from '../views/json/marking.js';
import { plural } from '../views/quantity.js';
import { print } from '../views/terminal.js';

export default class Mark extends CsxCommand {
  static override summary = 'Mark files to be sent, though they did not change.';
  static override description = 'The next plan compares them with every peer and sends what differs. Like csync2 -m.';
  static override examples = [
    '<%= config.bin %> mark /etc/hosts',
    '<%= config.bin %> mark -r /etc/apache2 --peer web2',
  ];
  static override strict = false;
  static override args = pathsArgument;
  static override flags = {
    ...choiceFlags,
    recursive: Flags.boolean<boolean>({ char: 'r', summary: 'Also everything below the paths.' }),
  };

  async run(): Promise<number> {
    const { flags, argv } = await this.parse(Mark);
    return withWorkspace(flags, 'write', async (workspace) => {
      const scopes = await namedScopes(argv as string[], flags.recursive, workspace);
      const files = await knownFiles(scopes, workspace);
      const since = Date.now();
      const writes = files.flatMap((file) =>
        workspace.chosen
          .peersOf(file)
          .map(({ peer, me }): Write => ({ kind: 'mark', file, peer, me, forced: false, since })),
      );
      await workspace.store.write(writes);
      const out = this.out(flags);
      const text = `Marked: ${plural(files.length, 'file')}, ${plural(writes.length, 'row')}.\n`;
      await print(out, flags.json ? jsonDocument(markedJson(files, writes.length)) : [text]);
      return 0;
    });
  }
}
