import { Flags } from '@oclif/core';
import { CsxCommand } from '../cli/command.js';
import { EXIT } from '../cli/exit-status.js';
import {
  CERTIFICATE_FILE,
  KEY_FILE,
  certificateProblems,
  describeCertificate,
  loadCertificatePair,
} from '../engine/net/certificate.js';
import { makeCertificatePair, storeCertificatePair } from '../engine/net/certificate-maker.js';
import { certificateView } from '../views/human/certificate.js';
import { certificateJson } from '../views/json/certificates.js';
import { jsonDocument } from '../views/json/document.js';
import { print } from '../views/terminal.js';

/**
 * The same on every host: a csync2 daemon names its own certificate's subject as the only acceptable issuer, and a csync2 client
 * keeps back a certificate that does not fit. Hosts are told apart by the whole certificate, not by its subject.
 */
const SUBJECT = 'csync2';

export default class Cert extends CsxCommand {
  static override summary = "Show this host's certificate, or make one.";
  static override description = `Hosts encrypt with the pair ${CERTIFICATE_FILE} and ${KEY_FILE} in the system directory and pin each other's certificate the first time they meet.

With --create a self-signed pair is made; files that exist are never overwritten. To replace a pair, move the old files away, and run csx trust remove HOST on every peer.`;
  static override examples = ['<%= config.bin %> cert', '<%= config.bin %> cert --create --days 3650'];
  static override flags = {
    create: Flags.boolean<boolean>({ summary: 'Make a pair.' }),
    days: Flags.integer({
      summary: 'How many days it is valid; 3650 without it.',
      min: 1,
      max: 36500,
      dependsOn: ['create'],
    }),
    bits: Flags.integer({
      summary: 'Size of the RSA key; 3072 without it.',
      min: 2048,
      max: 8192,
      dependsOn: ['create'],
    }),
  };

  async run(): Promise<number> {
    const { flags } = await this.parse(Cert);
    const directory = flags['system-dir'];
    if (flags.create) {
      const pair = await makeCertificatePair({
        name: SUBJECT,
        now: Date.now(),
        ...(flags.days === undefined ? {} : { days: flags.days }),
        ...(flags.bits === undefined ? {} : { bits: flags.bits }),
      });
      await storeCertificatePair(directory, pair);
    }
    const pair = await loadCertificatePair(directory);
    const facts = describeCertificate(pair.der);
    const problems = certificateProblems(pair, Date.now());
    const out = this.out(flags);
    const shown = { file: `${directory}/${CERTIFICATE_FILE}`, facts, problems };
    await print(out, flags.json ? jsonDocument(certificateJson(shown)) : certificateView(out, shown));
    return problems.some((problem) => problem.severity === 'error') ? EXIT.error : EXIT.done;
  }
}
