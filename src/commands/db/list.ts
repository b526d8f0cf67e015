import { Args } from '@oclif/core';
import { CsxCommand } from '../../cli/command.js';
import { withWorkspace } from '../../cli/workspace.js';
import type { Store } from '../../model/store.js';
import { actionsView, dirtyView, filesView, hintsView } from '../../views/human/lists.js';
import { actionsJson, dirtyJson, filesDocument, hintsJson } from '../../views/json/database.js';
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
      await print(out, flags.json ? await tableDocument(args.table, store) : await tableView(args.table, store, out));
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

async function tableDocument(table: Table, store: Store): Promise<Iterable<string> | AsyncIterable<string>> {
  switch (table) {
    case 'files':
      return filesDocument(store.files());
    case 'dirty':
      return jsonDocument(dirtyJson(await store.dirty()));
    case 'hints':
      return jsonDocument(hintsJson(await store.hints()));
    case 'actions':
      return jsonDocument(actionsJson(await store.actions()));
  }
}
