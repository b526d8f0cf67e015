import { readFile } from 'node:fs/promises';
import { X509Certificate } from 'node:crypto';
import { Args } from '@oclif/core';
import { CsxCommand } from '../../cli/command.js';
import { EXIT } from '../../cli/exit-status.js';
import { namedPeer } from '../../cli/pins.js';
import { withWorkspace } from '../../cli/workspace.js';
import { fingerprintOf, sameCertificate } from '../../engine/net/certificate.js';
import { CsxError } from '../../model/errors.js';
import { display } from '../../model/names.js';
import { pinnedJson } from '../../views/json/certificates.js';
import { jsonDocument } from '../../views/json/document.js';
import { print } from '../../views/terminal.js';

export default class TrustAdd extends CsxCommand {
  static override summary = "Pin a peer's certificate from a file, before it is first met.";
  static override description =
    'Without it the certificate is pinned that a peer shows at the first connection. FILE is the csync2_ssl_cert.pem of that host, brought here in a way you trust.';
  static override examples = ['<%= config.bin %> trust add web2 /tmp/web2-cert.pem'];
  static override args = {
    peer: Args.string({ name: 'PEER', description: 'Its name in the group.', required: true }),
    file: Args.string({ name: 'FILE', description: 'Its certificate, PEM.', required: true }),
  };

  async run(): Promise<number> {
    const { args, flags } = await this.parse(TrustAdd);
    const certificate = await readCertificate(args.file);
    return withWorkspace(flags, 'write', async (workspace) => {
      const { store } = workspace;
      const pins = await store.certificates();
      const peer = namedPeer(args.peer, workspace, pins);
      const known = pins.find((row) => row.peer === peer);
      if (known !== undefined && !sameCertificate(known.certificate, certificate)) {
        throw new CsxError('CERTIFICATE_CHANGED', `Another certificate is pinned for ${display(peer)} already.`, {
          hint: `If it was replaced on purpose: csx trust remove ${display(peer)}, then add the new one.`,
        });
      }
      if (known === undefined) await store.write([{ kind: 'pin', peer, certificate, since: Date.now() }]);
      const fingerprint = fingerprintOf(certificate);
      const text = `Pinned for ${display(peer)}: ${fingerprint}\n`;
      await print(this.out(flags), flags.json ? jsonDocument(pinnedJson(peer, fingerprint)) : [text]);
      return EXIT.done;
    });
  }
}

async function readCertificate(file: string): Promise<Buffer> {
  try {
    return new X509Certificate(await readFile(file)).raw;
  } catch (error) {
    throw new CsxError(
      'CERTIFICATE_UNREADABLE',
      `Cannot read a certificate from ${file}: ${error instanceof Error ? error.message : String(error)}.`,
      {
        hint: "Give the peer's csync2_ssl_cert.pem.",
        cause: error,
      },
    );
  }
}
