import os from 'node:os';
import { Flags } from '@oclif/core';
import { CsxCommand } from '../cli/command.js';
import { EXIT } from '../cli/exit-status.js';
import { choiceFlags, networkFlags } from '../cli/flags.js';
import { examine } from '../setup/doctor/examine.js';
import { doctorJson, doctorView } from '../views/human/doctor.js';
import { jsonDocument } from '../views/json/document.js';
import { print } from '../views/terminal.js';
import { CSX_VERSION } from '../model/version.js';

export default class Doctor extends CsxCommand {
  static override summary = 'Find out why something does not synchronise.';
  static override description = `Looks at names and addresses, keys, certificates and pins, ports, clocks, the database and the watched trees, and asks every peer. One line each, with the cure.

Changes nothing here. A peer takes it for a session like any other: it pins this host's certificate if it has none yet, and csync2 runs its pending actions; --offline asks nobody. Exit status 1 when something is wrong; warnings alone are 0.`;
  static override examples = [
    '<%= config.bin %> doctor',
    { description: 'Only what is not well', command: '<%= config.bin %> doctor --quiet' },
    '<%= config.bin %> doctor --offline --json',
  ];
  static override flags = {
    ...choiceFlags,
    port: networkFlags.port,
    timeout: Flags.integer({
      summary: 'Give up on a peer that makes no progress for so many seconds.',
      default: 10,
      min: 1,
      max: 3600,
      helpValue: 'SECONDS',
      helpGroup: 'WHERE',
    }),
    offline: Flags.boolean<boolean>({ summary: 'Contact nobody.' }),
  };

  async run(): Promise<number> {
    const { flags } = await this.parse(Doctor);
    if (process.stderr.isTTY && !flags.offline) await this.note(flags, 'Looking at this host and asking its peers ...');
    const findings = await examine({
      place: {
        systemDirectory: flags['system-dir'],
        host: (flags.hostname ?? os.hostname()).toLowerCase(),
        configName: flags['config-name'],
        file: flags.config,
      },
      database: flags.database,
      port: flags.port,
      bind: flags.hostname,
      groups: flags.group ?? [],
      peers: flags.peer ?? [],
      offline: flags.offline,
      timeout: flags.timeout * 1000,
      signal: undefined,
      csxVersion: CSX_VERSION,
      now: Date.now,
    });
    const out = this.out(flags);
    const view = flags.json ? jsonDocument(doctorJson(findings)) : doctorView(out, findings, { quiet: flags.quiet });
    await print(out, view);
    return findings.some((finding) => finding.status === 'error') ? EXIT.error : EXIT.done;
  }
}
