import { Args } from '@oclif/core';
import { CsxCommand } from '../../cli/command.js';
import { EXIT } from '../../cli/exit-status.js';
import { networkFlags } from '../../cli/flags.js';
import { namedPeer } from '../../cli/pins.js';
import { verifyPin } from '../../cli/verify-pin.js';
import { withWorkspace } from '../../cli/workspace.js';
import { display } from '../../model/names.js';
import { verdictsJson } from '../../views/json/certificates.js';
import { jsonDocument } from '../../views/json/document.js';
import { print } from '../../views/terminal.js';

export default class TrustVerify extends CsxCommand {
  static override summary = 'Connect to peers and compare their certificates with what is pinned.';
  static override description =
    'Changes nothing. Exit status 1 when a certificate differs, 4 when a peer could not be asked.';
  static override examples = ['<%= config.bin %> trust verify', '<%= config.bin %> trust verify web2'];
  static override args = { peer: Args.string({ name: 'PEER', description: 'Only this peer.' }) };
  static override flags = networkFlags;

  async run(): Promise<number> {
    const { args, flags } = await this.parse(TrustVerify);
    return withWorkspace(flags, 'read', async (workspace) => {
      const peers = args.peer === undefined ? workspace.chosen.peers() : [namedPeer(args.peer, workspace)];
      const verdicts = await Promise.all(peers.map((peer) => verifyPin(peer, workspace, flags)));
      const out = this.out(flags);
      if (flags.json) await print(out, jsonDocument(verdictsJson(verdicts)));
      else {
        await print(
          out,
          verdicts.map((each) => `${display(each.peer)}: ${each.message}\n`),
        );
      }
      if (verdicts.some((each) => each.status === 'changed')) return EXIT.error;
      return verdicts.some((each) => each.status === 'unreachable') ? EXIT.partial : EXIT.done;
    });
  }
}
