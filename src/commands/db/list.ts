import { Args } from '@oclif/core';
import { CsxCommand } from '../../cli/command.js';
import { withWorkspace } from '../../cli/workspace.js';
import { fileName } from '../../model/encoding.js';
import { display } from '../../model/names.js';
import type { Store } from '../../model/store.js';
import { actionsView, dirtyView, filesView, hintsView } from '../../views/human/lists.js';
import { jsonDocument } from '../../views/json/document.js';
import { print } from '../../views/terminal.js';
import type { Output } from '../../views/terminal.js';

const TABLES = ['files', 'dirty', 'hints', 'actions'] as const;
type Table = (typeof TABLES)[number];

export default class DbList extends CsxCommand {
  static override summary = 'What the database holds.';
  static override description =
    'files: the recorded state of every file; dirty: what waits for which peer; hints: paths to scan; actions: commands to run. Like csync2 -L, -M, -H.';
  static override examples = ['<%= config.bin %> db list files', '<%= config.bin %> db list dirty --json'];
  static override args = {
    table: Args.custom<Table>({ options: [...TABLES], parse: (word) => Promise.resolve(word as Table) })({
      name: 'TABLE',
      description: 'Which table.',
      required: true,
    }),
  };

  async run(): Promise<number> {
    const { args, flags } = await this.parse(DbList);
    return withWorkspace(flags, 'read', async ({ store }) => {
      const out = this.out(flags);
      await print(
        out,
        flags.json ? jsonDocument(await tableJson(args.table, store)) : await tableView(args.table, store, out),
      );
      return 0;
    });
  }
}

async function tableView(table: Table, store: Store, out: Output): Promise<Iterable<string> | AsyncIterable<string>> {
  switch (table) {
    case 'files':
      return filesView(out, store.files());
    case 'dirty':
      return dirtyView(out, await store.dirty(), Date.now());
    case 'hints':
      return hintsView(out, await store.hints());
    case 'actions':
      return actionsView(out, await store.actions());
  }
}

async function tableJson(table: Table, store: Store): Promise<object> {
  const rows: object[] = [];
  switch (table) {
    case 'files':
      for await (const batch of store.files()) {
        for (const row of batch) rows.push({ path: display(fileName(row.stored)), checktxt: display(row.checktxt) });
      }
      break;
    case 'dirty':
      for (const row of await store.dirty()) {
        rows.push({
          path: display(row.file),
          peer: row.peer,
          me: row.me,
          forced: row.forced,
          since: row.since === undefined ? null : new Date(row.since).toISOString(),
          refused: row.refused === undefined ? null : new Date(row.refused).toISOString(),
        });
      }
      break;
    case 'hints':
      for (const row of await store.hints()) rows.push({ path: display(row.file), recursive: row.recursive });
      break;
    case 'actions':
      for (const row of await store.actions()) {
        rows.push({ path: display(row.file), command: display(row.command), logfile: display(row.logfile) });
      }
      break;
  }
  return { format_version: '1.0', table, rows };
}
