import { Args, Flags } from '@oclif/core';
import { CsxCommand } from '../cli/command.js';
import { EXIT } from '../cli/exit-status.js';
import { choiceFlags, networkFlags } from '../cli/flags.js';
import { knownFiles, namedScopes } from '../cli/marking.js';
import { dialerFor } from '../cli/planning.js';
import { withWatch } from '../cli/watch.js';
import { withWorkspace } from '../cli/workspace.js';
import { fetchDiff } from '../engine/update/file-diffs.js';
import { lookBoth } from '../engine/update/look-both.js';
import type { BothSides, LookBothOptions } from '../engine/update/look-both.js';
import { comparedSidesJson, isSame } from '../model/both-sides.js';
import type { ComparedSides } from '../model/both-sides.js';
import { CsxError } from '../model/errors.js';
import { compareEntries } from '../planner/differences.js';
import { comparedSidesView } from '../views/human/compared-sides.js';
import { jsonDocument } from '../views/json/document.js';
import { print } from '../views/terminal.js';

/** Files at most, and bytes of one that is shown: each is a connection to each peer, and somebody is to read them. */
const MOST = 200;
const BYTES = 8 * 1024 * 1024;

export default class Diff extends CsxCommand {
  static override summary = "Show how files differ from the peers' versions.";
  static override description = `Looks at the disks of both sides: text as unified diffs (--- the peer's, +++ this host's), binary files by size and digest, links and attributes as such. Like csync2 -TT. Contents under sensitive patterns are not fetched. Changes nothing.

Exit status: 0; with --detailed-exitcode 2 when something differs.`;
  static override examples = ['<%= config.bin %> diff /etc/hosts', '<%= config.bin %> diff /etc/apache2 --peer web2'];
  static override args = {
    paths: Args.string({
      name: 'PATH',
      description: 'Files, or directories with what is known below them.',
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
        const scopes = await namedScopes(argv as string[], true, workspace);
        const files = await knownFiles(scopes, workspace);
        if (files.length > MOST) {
          throw new CsxError('USAGE', `${files.length} files lie there; csx diff shows ${MOST} at most.`, {
            hint: 'Name fewer; csx compare shows which differ.',
          });
        }
        const options: LookBothOptions = {
          dialer: dialerFor(workspace, flags, watch.stop),
          selection: workspace.chosen,
          stop: watch.stop,
        };
        const compared: ComparedSides[] = [];
        for (const peer of workspace.chosen.peers()) {
          for (const sides of await lookBoth(peer, files, options))
            compared.push(await compare(sides, options, flags.json));
        }
        watch.done();
        const out = this.out(flags);
        await print(
          out,
          flags.json
            ? jsonDocument(comparedSidesJson(workspace.config.host, compared))
            : comparedSidesView(out, compared),
        );
        return flags['detailed-exitcode'] && compared.some((sides) => !isSame(sides)) ? EXIT.changes : EXIT.done;
      }),
    );
  }
}

async function compare(sides: BothSides, options: LookBothOptions, json: boolean): Promise<ComparedSides> {
  const { peer, path, local: here, remote: there, content } = sides;
  const found = here === undefined || there === undefined ? [] : compareEntries(here.entry, there.entry);
  const aspects = content === 'different' && !found.includes('content') ? (['content', ...found] as const) : found;
  const text = !json && content === 'different';
  return {
    peer,
    path,
    here,
    there,
    aspects,
    diff: text ? await fetchDiff(sides, { ...options, bytes: BYTES }) : undefined,
  };
}
