import { Args } from '@oclif/core';
import { CsxCommand } from '../../cli/command.js';
import { EXIT } from '../../cli/exit-status.js';
import { namedPeer } from '../../cli/pins.js';
import { withWorkspace } from '../../cli/workspace.js';
import { display } from '../../model/names.js';
import { unpinnedJson } from '../../views/json/certificates.js';
import { jsonDocument } from '../../views/json/document.js';
import { print } from '../../views/terminal.js';

export default class TrustRemove extends CsxCommand {
  static override summary = "Forget a peer's certificate, so that its next one is accepted.";
  static override description =
    'For a host that was reinstalled or got a new certificate. Make sure that it was: until its next connection anybody who answers under its name would be believed. csx trust add pins the new one at once.';
  static override examples = ['<%= config.bin %> trust remove web2'];
  static override args = { peer: Args.string({ name: 'PEER', description: 'Its name in the group.', required: true }) };

  async run(): Promise<number> {
    const { args, flags } = await this.parse(TrustRemove);
    return withWorkspace(flags, 'write', async (workspace) => {
      const { store } = workspace;
      const pins = await store.certificates();
      const peer = namedPeer(args.peer, workspace, pins);
      const pinned = pins.some((row) => row.peer === peer);
      if (pinned) await store.write([{ kind: 'unpin', peer }]);
      const text = pinned
        ? `Forgot the certificate of ${display(peer)}.\n`
        : `No certificate was pinned for ${display(peer)}.\n`;
      await print(this.out(flags), flags.json ? jsonDocument(unpinnedJson(peer, pinned)) : [text]);
      return EXIT.done;
    });
  }
}
