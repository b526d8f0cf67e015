import os from 'node:os';
import { Command } from '@oclif/core';
import { EXIT } from '../cli/exit-status.js';
import { standardOutput } from '../cli/terminal.js';
import { verbShapes } from '../cli/verb-shapes.js';
import { offerFor, placeOf } from '../setup/completion/offer.js';
import { valuesOf } from '../setup/completion/values.js';
import { print } from '../views/terminal.js';

/** Called by the scripts of `csx completion` at every press of Tab: quick, and silent whatever goes wrong. */
export default class Complete extends Command {
  static override hidden = true;
  static override strict = false;
  static override summary = 'What fits at the end of a command line (for completion scripts).';

  async run(): Promise<number> {
    // The words are not csx's own arguments: whatever stands behind `--` is left as it is.
    const words = this.argv.slice(this.argv.indexOf('--') + 1);
    const verbs = verbShapes(this.config);
    const offer = offerFor(words, verbs);
    const lines: string[] = [];
    if (offer.kind === 'words') lines.push('words', ...offer.words.map(({ word, summary }) => `${word}\t${summary}`));
    else if (offer.kind === 'values') {
      const typed = placeOf(words, verbs);
      const place = {
        systemDirectory: typed.get('system-dir') ?? process.env['CSYNC2_SYSTEM_DIR'] ?? '/etc',
        host: (typed.get('hostname') ?? process.env['CSX_HOSTNAME'] ?? os.hostname()).toLowerCase(),
        configName: typed.get('config-name'),
        file: typed.get('config'),
      };
      const values = await valuesOf(offer.of, offer.start, place, process.cwd());
      lines.push(offer.of === 'files' ? 'files' : 'words', ...values.map((value) => `${offer.prefix}${value}\t`));
    } else lines.push(offer.kind);
    await print(standardOutput({ color: false }), [`${lines.join('\n')}\n`]);
    return EXIT.done;
  }
}
