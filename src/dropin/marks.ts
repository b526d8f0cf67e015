/** -h, -m, -f: notes for the next check, marks for the next update, and force. */

import { isWithin } from '../model/names.js';
import type { FileName, PeerName } from '../model/names.js';
import type { Write } from '../model/store.js';
import { runPending } from './actions.js';
import { fileArguments, warnIgnored } from './arguments.js';
import type { Argument } from './arguments.js';
import { withPlace } from './place.js';
import type { Job, Place } from './place.js';

export async function mark(job: Job): Promise<number> {
  return withPlace(job, 'write', async (place) => {
    const writes = await writesOf(job, place);
    if (writes.length > 0) await place.store.write(writes);
    await runPending(job, place);
    return 0;
  });
}

async function writesOf(job: Job, place: Place): Promise<readonly Write[]> {
  const { options } = job;
  const files = fileArguments(job, place.selection);
  // csync2 warns of every file when it is its turn; with -f of none.
  const eachOf = (writes: (file: Argument) => readonly Write[]): readonly Write[] =>
    files.flatMap((file) => {
      warnIgnored(file, job);
      return writes(file);
    });
  switch (options.mode) {
    case 'hint':
      // Kept as paths on disk: prefixes are looked up when the note is read.
      return eachOf(({ disk }) => [
        { kind: 'put-hint', file: disk as string as FileName, recursive: options.recursive },
      ]);
    case 'force': {
      const names = files.flatMap((file) => file.names);
      const marked = new Set((await place.store.dirty()).map((row) => row.file));
      const meant = (file: FileName): boolean =>
        names.some((name) => (options.recursive ? isWithin(file, name) : file === name));
      const forced = options.arguments.length === 0 ? [] : [...marked].filter(meant);
      return forced.map((file) => ({ kind: 'force', file, forced: true }));
    }
    default:
      return eachOf(({ names }) => names.flatMap((name) => marksFor(name, job, place)));
  }
}

/** Marks for every peer, or for one, whether the file is known or not; and its `do-local` actions. */
export function marksFor(file: FileName, job: Job, { selection }: Place, only?: PeerName): readonly Write[] {
  const peers = selection.peersOf(file).filter(({ peer }) => only === undefined || peer === only);
  if (peers.length === 0) return [];
  job.voice.say(1, `Marking file as dirty: ${file}`);
  const since = job.around.now();
  const forced = job.options.forceNew;
  const marks = peers.map(({ peer, me }): Write => ({ kind: 'mark', file, peer, me, forced, since }));
  const actions = selection
    .groupsOf(file)
    .flatMap((group) => selection.actionRules(file, group))
    .filter((rule) => rule.where !== 'peers')
    .flatMap((rule) =>
      rule.commands.map((command): Write => ({ kind: 'put-action', action: { file, command, logfile: rule.logfile } })),
    );
  return [...marks, ...actions];
}
