import { Args, Flags } from '@oclif/core';
import { CsxCommand } from '../cli/command.js';
import { lookAtPeers } from '../cli/comparing-files.js';
import { EXIT, statusOfPeer, worstStatus } from '../cli/exit-status.js';
import { choiceFlags, networkFlags } from '../cli/flags.js';
import { dialerFor } from '../cli/planning.js';
import { withWatch } from '../cli/watch.js';
import { withWorkspace } from '../cli/workspace.js';
import { fetchDiff } from '../engine/update/file-diffs.js';
import type { BothSides, LookBothOptions } from '../engine/update/look-both.js';
import { comparedSidesJson, isSame } from '../model/both-sides.js';
import type { ComparedSides } from '../model/both-sides.js';
import type { Aspect } from '../model/plan.js';
import { compareEntries } from '../planner/differences.js';
import { comparedSidesView } from '../views/human/compared-sides.js';
import { jsonDocument } from '../views/json/document.js';
import { print } from '../views/terminal.js';

/** Files at most, and bytes of one that is shown. */
const MOST = 200;
const BYTES = 8 * 1024 * 1024;

export default class Diff extends CsxCommand {
  static override summary = "Show how files differ from the peers' versions.";
  static override description = `Looks at the disks of both sides: text as unified diffs (--- the peer's, +++ this host's), binary files by size and digest, links and attributes as such. Like csync2 -TT. What only a peer has is shown too. A link below a prefix is not said to be the same: no peer tells where it points. Contents under sensitive patterns are not fetched. Files that this host only receives, being a slave, are left out: csync2 would mark them. Changes nothing.

Exit status: 0; with --detailed-exitcode 2 when something differs, or is not told; 4 a peer could not be asked; 9 it did not answer within --timeout.`;
  static override examples = ['<%= config.bin %> diff /etc/hosts', '<%= config.bin %> diff /etc/apache2 --peer web2'];
  static override args = {
    paths: Args.string({
      name: 'PATH',
      description: 'Files, or directories with what this host or a peer knows below them.',
      required: true,
      multiple: true,
    }),
  };
  static override flags = {
    ...choiceFlags,
    ...networkFlags,
    'detailed-exitcode': Flags.boolean<boolean>({ summary: 'Exit with 2 when something differs.' }),
  };

  async run(): Promise<number> {
    const { flags, argv } = await this.parse(Diff);
    return withWorkspace(flags, 'read', (workspace) =>
      withWatch(this.err(flags), flags, async (watch) => {
        const { chosen, config } = workspace;
        const dialer = dialerFor(workspace, flags, watch.stop);
        const peers = await lookAtPeers(argv as string[], workspace, dialer, watch, { most: MOST });
        const compared: ComparedSides[] = [];
        for (const { sides } of peers) {
          for (const each of sides)
            compared.push(await compare(each, { dialer, selection: chosen, stop: watch.stop }, flags.json));
        }
        const problems = peers.flatMap(({ problem }) => problem ?? []);
        watch.done();
        const out = this.out(flags);
        await print(
          out,
          flags.json
            ? jsonDocument(comparedSidesJson(config.host, compared, problems))
            : comparedSidesView(out, compared, problems),
        );
        return worstStatus([
          ...problems.map(statusOfPeer),
          ...(flags['detailed-exitcode'] && compared.some((sides) => !isSame(sides)) ? [EXIT.changes] : []),
        ]);
      }),
    );
  }
}

async function compare(sides: BothSides, options: LookBothOptions, json: boolean): Promise<ComparedSides> {
  const { peer, path, local: here, remote: there, content } = sides;
  const found = here === undefined || there === undefined ? [] : compareEntries(here.entry, there.entry);
  const aspects = content === 'different' && !found.includes('content') ? (['content', ...found] as const) : found;
  const text = !json && content === 'different';
  const [mine, theirs] = [here?.entry, there?.entry];
  const untold: Aspect[] = [];
  if (mine?.type === 'link' && theirs?.type === 'link' && theirs.target === '') untold.push('target');
  if (mine?.type === 'file' && theirs?.type === 'file' && content === 'not-compared' && !found.includes('content'))
    untold.push('content');
  return {
    peer,
    path,
    here,
    there,
    aspects,
    untold,
    diff: text ? await fetchDiff(sides, { ...options, bytes: BYTES }) : undefined,
  };
}
