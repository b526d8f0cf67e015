/** -H, -L, -M, -S: what the database holds, one line a row, byte for byte as csync2 prints it. They change nothing. */

import { compareBytes } from '../model/names.js';
import { fileName, storedName } from '../model/encoding.js';
import type { FileName } from '../model/names.js';
import { withPlace } from './place.js';
import type { Job, Place } from './place.js';

/** The exit status: 2 when there is nothing to list. */
export async function list(job: Job): Promise<number> {
  return withPlace(job, 'read', async (place) => {
    let empty = true;
    for await (const text of linesOf(job, place)) {
      empty = false;
      job.voice.print(text);
    }
    return empty ? 2 : 0;
  });
}

/** Pieces of whole lines; none when there is nothing. */
function linesOf(job: Job, place: Place): AsyncIterable<string> | Iterable<string> {
  const { selection } = place;
  const [me, peer] = job.options.arguments;
  switch (job.options.mode) {
    case 'list-dirty':
      return dirtyLines(place);
    case 'list-known':
      return fileLines(place, (file) => selection.includes(file));
    case 'list-sync':
      return fileLines(place, (file) =>
        selection
          .groupsOf(file)
          .some((group) => group.me === me && group.members.some((member) => !member.self && member.name === peer)),
      );
    default:
      return hintLines(place);
  }
}

/** Rows that the configuration does not hold any more are left out, as csync2 does. */
async function* fileLines({ store }: Place, wanted: (file: FileName) => boolean): AsyncGenerator<string> {
  for await (const rows of store.files()) {
    let text = '';
    for (const row of rows) {
      const file = fileName(row.stored);
      if (wanted(file)) text += `${row.checktxt}\t${file}\n`;
    }
    if (text !== '') yield text;
  }
}

async function* dirtyLines({ store, selection }: Place): AsyncGenerator<string> {
  const rows = (await store.dirty()).filter((row) => selection.includes(row.file));
  const sorted = rows
    .map((row) => ({ row, stored: storedName(row.file) }))
    .sort((a, b) => compareBytes(a.stored, b.stored) || compareBytes(a.row.peer, b.row.peer));
  if (sorted.length > 0)
    yield sorted.map(({ row }) => `${row.forced ? 'force' : 'chary'}\t${row.me}\t${row.peer}\t${row.file}\n`).join('');
}

async function* hintLines({ store }: Place): AsyncGenerator<string> {
  const hints = (await store.hints()).toSorted((a, b) => compareBytes(storedName(a.file), storedName(b.file)));
  if (hints.length > 0) yield hints.map((hint) => `${hint.recursive ? 1 : 0}\t${hint.file}\n`).join('');
}
