import { Args } from '@oclif/core';
import { CsxCommand } from '../cli/command.js';
import { EXIT } from '../cli/exit-status.js';
import { completionScript, SHELLS } from '../setup/completion/scripts.js';
import { CsxError } from '../model/errors.js';
import { jsonDocument } from '../views/json/document.js';
import { print } from '../views/terminal.js';

export default class Completion extends CsxCommand {
  static override summary = 'Print what makes a shell complete csx command lines.';
  static override description =
    'Verbs, flags, and the peers, groups and files of the configuration. The script asks csx, so it need not be renewed.';
  static override examples = [
    { description: 'Now, in bash', command: 'source <(<%= config.bin %> completion bash)' },
    { description: 'For good, in bash', command: '<%= config.bin %> completion bash > /etc/bash_completion.d/csx' },
    { description: 'In zsh', command: 'source <(<%= config.bin %> completion zsh)' },
    {
      description: 'In fish',
      command: '<%= config.bin %> completion fish > ~/.config/fish/completions/csx.fish',
    },
  ];
  static override args = {
    shell: Args.string({ name: 'SHELL', description: 'Whose.', required: true, options: [...SHELLS] }),
  };

  async run(): Promise<number> {
    const { args, flags } = await this.parse(Completion);
    const shell = SHELLS.find((known) => known === args.shell);
    if (shell === undefined) {
      throw new CsxError('USAGE', `There is no completion for ${args.shell}.`, {
        hint: `There is: ${SHELLS.join(', ')}.`,
      });
    }
    const script = completionScript(shell);
    await print(this.out(flags), flags.json ? jsonDocument({ format_version: '1.0', shell, script }) : [script]);
    return EXIT.done;
  }
}
