import { Args, Flags } from '@oclif/core';
import { CsxCommand } from '../cli/command.js';
import { planFlags } from '../cli/plan-flags.js';
import { Settling } from '../cli/settling.js';
import { withWatch } from '../cli/watch.js';
import { withWorkspace } from '../cli/workspace.js';

const { offline: _offline, ...flagsOfPlan } = planFlags;

export default class Resolve extends CsxCommand {
  static override summary = 'Settle conflicts: keep one version, both, or a merge.';
  static override description = `Without flags it asks about each conflict. What is decided is carried out at once, for these files alone; csx apply sends the rest.

A peer's version is taken with its owner, mode and time. What was here is backed up before: where the group says (backup-directory), otherwise below csx-replaced beside the database. With --keep both the peer's version is saved beside this host's as NAME.from-PEER, a file like any other.

A decision on a file counts for everybody who shares it: peers with versions of their own get the one that stands in the end. Where several peers hold different versions, --keep peer takes none by chance: --from says whose.

A merge is one of two versions, with markers where they differ; it is not taken while markers are left.

Exit status: 0 settled; 3 some are still to be decided; 4 something failed or has changed meanwhile.`;
  static override examples = [
    '<%= config.bin %> resolve',
    '<%= config.bin %> resolve /etc/hosts --keep peer',
    {
      description: 'Three hosts, three versions: one for all',
      command: '<%= config.bin %> resolve /etc/hosts --keep peer --from web2',
    },
    {
      description: 'Review first, carry out later',
      command: '<%= config.bin %> resolve --keep local --write decisions.json',
    },
    '<%= config.bin %> resolve --resolutions decisions.json',
    '<%= config.bin %> resolve --merge-tool meld',
  ];
  static override args = {
    paths: Args.string({
      name: 'PATH',
      description: 'Only conflicts over these files and what lies below them.',
      required: false,
      multiple: true,
    }),
  };
  static override flags = {
    ...flagsOfPlan,
    keep: Flags.option({
      options: ['local', 'peer', 'both'] as const,
      summary: 'Decide all of them so.',
      exclusive: ['merge', 'merge-tool', 'resolutions'],
    })(),
    from: Flags.string({
      summary: "With --keep peer, whose: this peer's version is taken, and all others get it.",
      helpValue: 'PEER',
      dependsOn: ['keep'],
    }),
    merge: Flags.boolean<boolean>({
      summary: 'Merge each in $VISUAL or $EDITOR.',
      exclusive: ['resolutions', 'write'],
    }),
    'merge-tool': Flags.string({
      summary: 'Merge each with CMD LOCAL REMOTE MERGED; MERGED is the result.',
      helpValue: 'CMD',
      exclusive: ['resolutions', 'write'],
    }),
    resolutions: Flags.string({
      summary: 'Decisions on single conflicts; void where a side has moved since.',
      helpValue: 'FILE',
      exclusive: ['write'],
    }),
    write: Flags.string({
      summary: 'Write the conflicts to FILE for review (with --keep, decided so; otherwise as skip); do nothing else.',
      helpValue: 'FILE',
    }),
  };

  async run(): Promise<number> {
    const { flags, argv } = await this.parse(Resolve);
    return withWorkspace(flags, 'write', (workspace) =>
      withWatch(this.err(flags), flags, (watch) =>
        new Settling({
          workspace,
          flags: { ...flags, offline: false },
          paths: argv as string[],
          watch,
          out: this.out(flags),
          err: this.err(flags),
          interactive: this.interactive(flags),
        }).run(),
      ),
    );
  }
}
