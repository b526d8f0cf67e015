import os from 'node:os';
import path from 'node:path';
import { Flags } from '@oclif/core';
import { CsxCommand } from '../cli/command.js';
import { EXIT } from '../cli/exit-status.js';
import type { OutputFlags } from '../cli/flags.js';
import { wishFlags, wishOf } from '../cli/init-flags.js';
import type { WishFlags } from '../cli/init-flags.js';
import { question } from '../cli/question.js';
import { CsxError } from '../model/errors.js';
import { CSX_VERSION } from '../model/version.js';
import { askForWish } from '../setup/init/ask.js';
import { setUp, setUpFurther, takeOver } from '../setup/init/set-up.js';
import { checkWish } from '../setup/init/wish.js';
import type { InitWish } from '../setup/init/wish.js';
import { initJson, initView } from '../views/human/init.js';
import { jsonDocument } from '../views/json/document.js';
import { print } from '../views/terminal.js';

export default class Init extends CsxCommand {
  static override summary = 'Set up hosts: write a configuration, a key and a certificate, and say what to copy where.';
  static override description = `Writes csync2.cfg (or csx.yaml with --yaml), a key and this host's certificate into the system directory, and prints the commands for the other hosts. csync2.cfg is the usual form, for csync2 hosts understand it too. Nothing is ever overwritten.

On every further host, --join makes what is that host's own, once configuration and key were copied there. --from csync2 looks at an existing installation, says what is missing for csx to take over, and changes nothing.

Without --host or --include it asks, on a terminal.`;
  static override examples = [
    '<%= config.bin %> init --host web1 --host web2 --include /etc/apache2',
    "<%= config.bin %> init --host web1,web2 --include /srv/www --exclude '*~' --group www",
    {
      description: 'Where the trees lie elsewhere on each host',
      command: "<%= config.bin %> init --host a,b --prefix 'data@a=/srv/data' --prefix 'data@*=/data' --include %data%",
    },
    '<%= config.bin %> init --join',
    '<%= config.bin %> init --from csync2',
  ];
  static override flags = {
    ...wishFlags,
    join: Flags.boolean<boolean>({
      summary: 'Configuration and key were copied here: make the rest.',
      exclusive: [...Object.keys(wishFlags), 'from'],
    }),
    from: Flags.option({
      options: ['csync2'] as const,
      summary: 'Look at an existing installation, to take it over.',
      exclusive: [...Object.keys(wishFlags), 'join'],
    })(),
  };

  async run(): Promise<number> {
    const { flags } = await this.parse(Init);
    const host = (flags.hostname ?? os.hostname()).toLowerCase();
    const place = {
      host,
      systemDirectory: path.resolve(flags['system-dir']),
      configName: flags['config-name'],
      file: flags.config,
      database: flags.database,
      named: host !== os.hostname().toLowerCase(),
    };
    const report =
      flags.from !== undefined
        ? await takeOver(place, flags.hostname, CSX_VERSION)
        : flags.join
          ? await setUpFurther(place, Date.now())
          : await setUp(await this.#wish(flags, host), flags.yaml ? 'yaml' : 'csync2', place, Date.now());
    const out = this.out(flags);
    await print(out, flags.json ? jsonDocument(initJson(report)) : initView(out, report));
    return report.findings.some((finding) => finding.status === 'error') ? EXIT.error : EXIT.done;
  }

  async #wish(
    flags: WishFlags & OutputFlags & { readonly config?: string | undefined },
    host: string,
  ): Promise<InitWish> {
    if (flags.config !== undefined) {
      throw new CsxError('USAGE', 'csx init writes the configuration under its usual name, not to --config FILE.', {
        hint: 'Name the directory with --system-dir, and another configuration with -C NAME.',
      });
    }
    const known = wishOf(flags, host);
    if (known.hosts.length > 0 && known.include.length > 0) return checkWish(known);
    if (!this.interactive(flags)) {
      const missing =
        known.hosts.length > 0 ? 'what to keep the same' : 'which hosts to keep the same, or what on them';
      throw new CsxError('NEEDS_INPUT', `csx init was not told ${missing}.`, {
        hint: 'Say it: csx init --host web1 --host web2 --include /etc/apache2. Or run it on a terminal, where it asks.',
      });
    }
    return checkWish(await askForWish(known, { group: flags.group === undefined, ask: question }));
  }
}
