/** -c: records what changed on the disk and marks it for the peers, in csync2's words. */

import { recordScan } from '../engine/update/record-scan.js';
import { fromText } from '../model/names.js';
import type { Drift } from '../model/scan.js';
import type { Scope, Write } from '../model/store.js';
import { runPending } from './actions.js';
import { fileArguments, scopesOf } from './arguments.js';
import type { Argument } from './arguments.js';
import { dumpDirectories, openDump } from './dump-directories.js';
import { ALLOW_VANISHED, mayVanish } from './vanished.js';
import { withPlace } from './place.js';
import type { Job, Place } from './place.js';

export async function check(job: Job): Promise<number> {
  openDump(job.options.dumpDirectories);
  return withPlace(job, 'write', async (place) => {
    await checkFiles(job, place, fileArguments(job, place.selection));
    await runPending(job, place);
    return 0;
  });
}

/** Checks the arguments; without any what hints say, or with `-x` everything. */
export async function checkFiles(job: Job, place: Place, files: readonly Argument[]): Promise<void> {
  const { options, voice, around, stop } = job;
  const { selection, store, config } = place;
  const announce = (name: string, recursive: boolean): void => {
    voice.say(2, `Running ${recursive ? 'recursive ' : ''}check for ${name} ...`);
  };
  if (files.length > 0) {
    for (const name of files.flatMap((file) => file.names)) announce(name, options.recursive);
    await scanScopes(scopesOf(files, selection, options.recursive));
    return;
  }
  if (options.mode === 'check-and-update') {
    announce('/', true);
    await scanScopes(undefined);
    return;
  }
  const hints = await store.hints();
  if (hints.length === 0) return;
  const scopes = hints.flatMap((hint) => {
    announce(hint.file, hint.recursive);
    const disk = hint.file as string as Parameters<typeof selection.namesOf>[0];
    const file = { disk, names: [hint.file, ...selection.namesOf(disk)] };
    return scopesOf([file], selection, hint.recursive);
  });
  if (await scanScopes(scopes)) {
    await store.write(hints.map(({ file, recursive }): Write => ({ kind: 'remove-hint', file, recursive })));
  }

  /** False when a tree vanished. */
  async function scanScopes(within: readonly Scope[] | undefined): Promise<boolean> {
    const guard = !(await mayVanish(job, place, within));
    const lock = await store.lock('apply', { pid: around.pid, command: 'csync2', since: around.now() });
    try {
      const result = await recordScan({
        selection,
        everything: selection,
        store,
        ignore: config.ignore,
        scopes: within,
        mark: !options.initRun,
        forced: options.forceNew,
        guard,
        onDrift: (drift) => {
          sayMarked(drift);
        },
        report: () => undefined,
        stop,
        now: around.now,
      });
      const roots = guard ? result.roots : [];
      for (const root of roots) {
        voice.error(
          `ERROR: ${root.file} is ${root.state}, though ${root.known} files are known there: they are not taken for removed. Mount or restore it; if they are to be removed everywhere, set ${ALLOW_VANISHED}=1.`,
        );
      }
      for (const problem of result.problems) {
        if (problem.severity === 'error') voice.error(`ERROR: ${fromText(problem.summary)}`);
        else voice.say(0, `WARNING: ${fromText(problem.summary)}`);
      }
      if (options.dumpDirectories !== undefined) dumpDirectories(options.dumpDirectories, selection, within);
      return roots.length === 0;
    } finally {
      await lock.release();
    }
  }

  function sayMarked({ file }: Drift): void {
    if (!options.initRun && selection.peersOf(file).length > 0) voice.say(1, `Marking file as dirty: ${file}`);
  }
}
