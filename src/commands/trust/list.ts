import { CsxCommand } from '../../cli/command.js';
import { withWorkspace } from '../../cli/workspace.js';
import { describePin } from '../../cli/pins.js';
import { trustView } from '../../views/human/lists.js';
import { pinsJson } from '../../views/json/certificates.js';
import { jsonDocument } from '../../views/json/document.js';
import { print } from '../../views/terminal.js';

export default class TrustList extends CsxCommand {
  static override summary = 'The certificates pinned for peers.';
  static override description =
    "A peer's certificate is pinned the first time it is met over TLS; later it must be the very same.";
  static override examples = ['<%= config.bin %> trust list'];

  async run(): Promise<number> {
    const { flags } = await this.parse(TrustList);
    return withWorkspace(flags, 'read', async ({ store }) => {
      const pins = (await store.certificates()).map(describePin);
      const out = this.out(flags);
      await print(out, flags.json ? jsonDocument(pinsJson(pins)) : trustView(out, pins));
      return 0;
    });
  }
}
