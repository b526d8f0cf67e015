import { CsxCommand } from '../../cli/command.js';
import { EXIT } from '../../cli/exit-status.js';
import { openConfig } from '../../cli/workspace.js';
import { describeConfig } from '../../config/describe.js';
import { Selection } from '../../config/selection.js';
import { resolveNames } from '../../setup/doctor/addresses.js';
import { configShowView } from '../../views/human/config-show.js';
import { jsonDocument } from '../../views/json/document.js';
import { print } from '../../views/terminal.js';

export default class ConfigShow extends CsxCommand {
  static override summary = 'Show what the configuration comes to on this host.';
  static override description =
    'Groups this host is in, their files in order (of each kind the last match decides), peers with what their names resolve to, prefixes and settings. Names are looked up; nobody is contacted.';
  static override examples = [
    '<%= config.bin %> config show',
    '<%= config.bin %> config show --json',
    '<%= config.bin %> config show --config ./csync2.cfg -N web1',
  ];

  async run(): Promise<number> {
    const { flags } = await this.parse(ConfigShow);
    const config = await openConfig(flags);
    const selection = new Selection(config);
    const described = describeConfig(config);
    const resolved = new Map((await resolveNames(selection.peers())).map((each) => [each.name, each.addresses]));
    const peers = described.peers.map((peer) => ({
      ...peer,
      addresses: resolved.get(peer.name) ?? [],
      plain: selection.plaintextAllowed(config.host, peer.name),
    }));
    const out = this.out(flags);
    await print(
      out,
      flags.json ? jsonDocument({ format_version: '1.0', ...described, peers }) : configShowView(out, config, peers),
    );
    return EXIT.done;
  }
}
