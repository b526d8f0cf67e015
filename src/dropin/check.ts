/** -c: records what changed on the disk and marks it for the peers, in csync2's words. */

import { recordScan } from '../engine/update/record-scan.js';
import { fromText } from '../model/names.js';
import type { FileName } from '../model/names.js';
import type { Scope, Write } from '../model/store.js';
import { runPending } from './actions.js';
import { fileArguments, scopesOf } from './arguments.js';
import type { Argument } from './arguments.js';
import { dumpDirectories, openDump } from './dump-directories.js';
import { ALLOW_VANISHED, mayVanish } from './vanished.js';
import { lockRun, withPlace } from './place.js';
import { checksOf, ScanWords } from './scan-words.js';
import type { Checked } from './scan-words.js';
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
  if (files.length > 0) {
    const checks = checksOf(files, job);
    await scanScopes(scopesOf(files, selection, options.recursive), checks);
    return;
  }
  if (options.mode === 'check-and-update') {
    await scanScopes(undefined, [{ name: '/' as FileName, recursive: true }]);
    return;
  }
  // csync2 takes the last note first.
  const hints = (await store.hints()).toReversed();
  if (hints.length === 0) return;
  const checks: Checked[] = [];
  const scopes = hints.flatMap(({ file, recursive }) => {
    const disk = file as string as Parameters<typeof selection.namesOf>[0];
    const names = [...new Set([file, ...selection.namesOf(disk)])];
    checks.push(...names.map((name) => ({ name, recursive })));
    return scopesOf([{ disk, names, ignored: false }], selection, recursive);
  });
  if (await scanScopes(scopes, checks)) {
    await store.write(hints.map(({ file, recursive }): Write => ({ kind: 'remove-hint', file, recursive })));
  }

  /** False when a tree vanished. */
  async function scanScopes(within: readonly Scope[] | undefined, checks: readonly Checked[]): Promise<boolean> {
    const words = new ScanWords(voice, (file) => !options.initRun && selection.peersOf(file).length > 0);
    const guard = !(await mayVanish(job, place, within));
    const lock = await lockRun(job, store);
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
          words.hear(drift);
        },
        report: () => undefined,
        stop,
        now: around.now,
      });
      words.tell(checks);
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
}
