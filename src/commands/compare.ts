import { Args, Flags } from '@oclif/core';
import { CsxCommand } from '../cli/command.js';
import { missingAmong, scopesNamed } from '../cli/comparing-files.js';
import { EXIT, statusOfPeer, worstStatus } from '../cli/exit-status.js';
import { choiceFlags, networkFlags } from '../cli/flags.js';
import { lockState } from '../cli/lock.js';
import { dialerFor } from '../cli/planning.js';
import { withWatch } from '../cli/watch.js';
import { withWorkspace } from '../cli/workspace.js';
import { compareHosts } from '../engine/compare/compare-hosts.js';
import { comparisonJson } from '../model/comparison.js';
import type { PeerComparison } from '../model/comparison.js';
import type { Write } from '../model/store.js';
import { comparisonView } from '../views/human/comparison.js';
import { jsonDocument } from '../views/json/document.js';
import { print } from '../views/terminal.js';

export default class Compare extends CsxCommand {
  static override summary = "Compare this host's database with its peers'.";
  static override description = `One line a file that is not the same everywhere, one column a peer. Like csync2 -T it compares what the databases say, not the disks: run csx scan on both sides first.

With --mark what differs or is only here is marked, so that the next plan sends this host's version; with --removals also what is only there, which is then removed there.

Exit status: 0 all the same, or marked; 2 with --detailed-exitcode: something differs; 4 a peer could not be asked; 9 it did not answer within --timeout.`;
  static override examples = [
    '<%= config.bin %> compare',
    '<%= config.bin %> compare /etc/apache2 --peer web2',
    '<%= config.bin %> compare --mark',
  ];
  static override args = {
    paths: Args.string({
      name: 'PATH',
      description: 'Only these files and what lies below them.',
      required: false,
      multiple: true,
    }),
  };
  static override flags = {
    ...choiceFlags,
    ...networkFlags,
    mark: Flags.boolean<boolean>({ summary: "Mark what differs, so that this host's version is sent." }),
    removals: Flags.boolean<boolean>({
      summary: 'With --mark: also mark what is only there, to be removed.',
      dependsOn: ['mark'],
    }),
    'detailed-exitcode': Flags.boolean<boolean>({ summary: 'Exit with 2 when something differs.' }),
  };

  async run(): Promise<number> {
    const { flags, argv } = await this.parse(Compare);
    return withWorkspace(flags, flags.mark ? 'write' : 'read', (workspace) =>
      withWatch(this.err(flags), flags, async (watch) => {
        const { chosen, store, config } = workspace;
        const named = await Promise.all((argv as string[]).map((word) => scopesNamed(word, workspace)));
        const scopes = named.length === 0 ? undefined : named.flatMap((each) => each.scopes);
        const dialer = dialerFor(workspace, flags, watch.stop);
        const comparisons = await compareHosts({
          selection: chosen,
          store,
          peers: chosen.peers(),
          dial: (peer, me) => dialer.dial(peer, me),
          scopes,
          report: watch.report,
        });
        const found = comparisons.flatMap(({ files }) => files.map(({ path }) => path));
        const unknown = missingAmong(named, found);
        if (unknown !== undefined && comparisons.every(({ problem }) => problem === undefined)) throw unknown;
        let marked: number | undefined;
        if (flags.mark) {
          const lock = await lockState(store, 'csx compare --mark', watch);
          try {
            const writes = marks(comparisons, flags.removals, Date.now());
            if (writes.length > 0) await store.write(writes);
            marked = writes.length;
          } finally {
            await lock.release();
          }
        }
        watch.done();
        const out = this.out(flags);
        await print(
          out,
          flags.json
            ? jsonDocument(comparisonJson(config.host, comparisons, marked))
            : comparisonView(out, comparisons, { marked }),
        );
        return worstStatus([
          ...comparisons.flatMap(({ problem }) => (problem === undefined ? [] : [statusOfPeer(problem)])),
          ...(flags['detailed-exitcode'] && comparisons.some(({ files }) => files.length > 0) ? [EXIT.changes] : []),
        ]);
      }),
    );
  }
}

function marks(comparisons: readonly PeerComparison[], removals: boolean, since: number): readonly Write[] {
  return comparisons.flatMap(({ peer, files }) =>
    files
      .filter(({ kind }) => kind !== 'only-there' || removals)
      .map(({ path, me }): Write => ({ kind: 'mark', file: path, peer, me, forced: false, since })),
  );
}
