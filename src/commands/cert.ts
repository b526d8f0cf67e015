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
import { makeCertificatePair, renewCertificatePair, storeCertificatePair } from '../engine/net/certificate-maker.js';
import { CsxError } from '../model/errors.js';
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

With --create a self-signed pair is made; files that exist are never overwritten. With --renew a new pair of the same subject takes the old one's place, and the old files are kept beside it; then every peer has to accept it: csx trust remove HOST there.`;
  static override examples = [
    '<%= config.bin %> cert',
    '<%= config.bin %> cert --create --days 3650',
    '<%= config.bin %> cert --renew',
  ];
  static override flags = {
    create: Flags.boolean<boolean>({ summary: 'Make a certificate and its private key.', exclusive: ['renew'] }),
    renew: Flags.boolean<boolean>({ summary: 'Replace the pair by a new one; the old one is kept beside it.' }),
    days: Flags.integer({
      summary: 'With --create or --renew: how many days it is valid; 3650 without it.',
      helpValue: 'DAYS',
      min: 1,
      max: 36500,
    }),
    bits: Flags.integer({
      summary: 'With --create or --renew: size of the RSA key in bits; 3072 without it.',
      helpValue: 'BITS',
      min: 2048,
      max: 8192,
    }),
  };

  async run(): Promise<number> {
    const { flags } = await this.parse(Cert);
    const directory = flags['system-dir'];
    const size = {
      ...(flags.days === undefined ? {} : { days: flags.days }),
      ...(flags.bits === undefined ? {} : { bits: flags.bits }),
    };
    if (!flags.create && !flags.renew && Object.keys(size).length > 0) {
      throw new CsxError('USAGE', '--days and --bits say how a pair is made, and none is to be made.', {
        hint: 'Add --create, or --renew where there is one.',
      });
    }
    if (flags.create)
      await storeCertificatePair(directory, await makeCertificatePair({ name: SUBJECT, now: Date.now(), ...size }));
    if (flags.renew) {
      const kept = await renewCertificatePair(directory, size, Date.now());
      await this.note(flags, `The old pair is kept as ${kept.join(' and ')}.`);
      await this.note(
        flags,
        'On every peer: csx trust remove HOST, with the name this host has there (csync2: delete its row of x509_cert).',
      );
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
