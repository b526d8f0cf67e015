import { Args } from '@oclif/core';
import { CsxCommand } from '../cli/command.js';
import { writeKeyFile } from '../config/keygen.js';
import { jsonDocument } from '../views/json/document.js';
import { keyJson } from '../views/json/marking.js';
import { print } from '../views/terminal.js';

export default class Keygen extends CsxCommand {
  static override summary = 'Make a pre-shared key for a group.';
  static override description =
    'Writes 64 random characters to a new file of mode 0600. Never overwrites. Like csync2 -k.';
  static override examples = ['<%= config.bin %> keygen /etc/csync2.key_web'];
  static override args = { file: Args.string({ name: 'FILE', description: 'The file to make.', required: true }) };

  async run(): Promise<number> {
    const { args, flags } = await this.parse(Keygen);
    writeKeyFile(args.file);
    if (flags.json) await print(this.out(flags), jsonDocument(keyJson(args.file)));
    else
      await this.note(
        flags,
        `Wrote ${args.file}. Copy it to every host of the group, readable by root alone, and name it there with: key ${args.file};`,
      );
    return 0;
  }
}
