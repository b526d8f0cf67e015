import os from 'node:os';
import { CsxCommand } from '../../cli/command.js';
import { EXIT } from '../../cli/exit-status.js';
import { checkConfig } from '../../config/load.js';
import { configCheckView } from '../../views/human/config.js';
import { configCheckJson } from '../../views/json/config-check.js';
import { jsonDocument } from '../../views/json/document.js';
import { print } from '../../views/terminal.js';

export default class ConfigCheck extends CsxCommand {
  static override summary = 'Check the configuration for this host.';
  static override description = 'Names every error with file, line and column. Exit status 1 when there is one.';
  static override examples = [
    '<%= config.bin %> config check',
    '<%= config.bin %> config check --config ./csync2.cfg -N web1',
  ];

  async run(): Promise<number> {
    const { flags } = await this.parse(ConfigCheck);
    const { config, problems } = await checkConfig({
      systemDirectory: flags['system-dir'],
      host: flags.hostname ?? os.hostname(),
      configName: flags['config-name'],
      file: flags.config,
    });
    const out = this.out(flags);
    const files = config?.files ?? [...new Set(problems.flatMap((problem) => problem.range?.file ?? []))];
    const failed = config === undefined || problems.some((problem) => problem.severity === 'error');
    if (flags.json) await print(out, jsonDocument(configCheckJson({ valid: !failed, files, problems })));
    else
      await print(
        out,
        configCheckView(out, { config, files: files.length === 0 ? ['The configuration'] : files, problems }),
      );
    return failed ? EXIT.error : EXIT.done;
  }
}
