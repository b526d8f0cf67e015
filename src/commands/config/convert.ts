import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Flags } from '@oclif/core';
import { CsxCommand } from '../../cli/command.js';
import { EXIT } from '../../cli/exit-status.js';
import type { PlaceFlags } from '../../cli/flags.js';
import { convertConfig } from '../../config/convert.js';
import { EDITOR_SCHEMA, readEditorSchema } from '../../config/editor-schema.js';
import { CsxError, errnoOf } from '../../model/errors.js';
import { toBuffer, toText } from '../../model/names.js';
import { jsonDocument } from '../../views/json/document.js';
import { print } from '../../views/terminal.js';

const FORMS = ['yaml', 'csync2'] as const;

export default class ConfigConvert extends CsxCommand {
  static override summary = 'Turn csync2.cfg into csx.yaml, or back.';
  static override description =
    "Prints the other form, with the same meaning on every host. csync2.cfg has no words for csx's own settings: those are left out and named on stderr. The configuration itself stays as it is; with both forms in the system directory csx asks for one to go.";
  static override examples = [
    '<%= config.bin %> config convert',
    '<%= config.bin %> config convert --to yaml --output /etc/csx.yaml',
    '<%= config.bin %> config convert --config ./csx.yaml --to csync2',
  ];
  static override flags = {
    to: Flags.option({ options: FORMS, summary: 'The form wanted; without it the other one.' })(),
    output: Flags.string({
      char: 'o',
      summary: 'Write a new file instead of stdout; never over one.',
      helpValue: 'FILE',
    }),
  };

  async run(): Promise<number> {
    const { flags } = await this.parse(ConfigConvert);
    const to = flags.to ?? (isYaml(flags) ? 'csync2' : 'yaml');
    const { text, lost } = await convertConfig(
      { systemDirectory: flags['system-dir'], configName: flags['config-name'], file: flags.config },
      to,
    );
    if (flags.output !== undefined) {
      await writeNew(flags.output, toBuffer(text));
      if (to === 'yaml') await provideEditorSchema(path.dirname(flags.output));
    }
    if (flags.json) {
      const document = { format_version: '1.0', to, file: flags.output ?? null, text: toText(text) ?? null, lost };
      await print(this.out(flags), jsonDocument(document));
      return EXIT.done;
    }
    // Bytes, not text: a pattern may hold any.
    if (flags.output === undefined) process.stdout.write(toBuffer(text));
    else
      await this.note(
        flags,
        `Wrote ${flags.output}${to === 'yaml' ? `, and ${EDITOR_SCHEMA} beside it for editors` : ''}.`,
      );
    if (lost.length > 0) {
      await print(this.err(flags), [
        'Left out, for csync2.cfg has no words for it:\n',
        ...lost.map((each) => `  ${each}\n`),
      ]);
    }
    return EXIT.done;
  }
}

/** Whether the configuration that would be read is csx.yaml. */
function isYaml(flags: PlaceFlags): boolean {
  if (flags.config !== undefined) return /\.ya?ml$/.test(flags.config);
  const suffix = flags['config-name'] === undefined ? '' : `_${flags['config-name']}`;
  return existsSync(path.join(flags['system-dir'], `csx${suffix}.yaml`));
}

/** The new file's first line names it. One that is there stays. */
async function provideEditorSchema(directory: string): Promise<void> {
  const file = path.join(directory, EDITOR_SCHEMA);
  if (!existsSync(file)) await writeNew(file, readEditorSchema());
}

async function writeNew(file: string, bytes: Buffer): Promise<void> {
  try {
    await writeFile(file, bytes, { flag: 'wx', mode: 0o644 });
  } catch (error) {
    const exists = errnoOf(error) === 'EEXIST';
    throw new CsxError(
      'WRITE_FAILED',
      `Could not write ${file}: ${exists ? 'it exists' : (errnoOf(error) ?? 'failed')}.`,
      {
        hint: exists ? 'Name another file, or move that one away.' : 'Choose a directory you may write to.',
        data: { path: file },
        cause: error,
      },
    );
  }
}
