/** Runs the commands that are pending on this host, at the end of a run, as csync2 does. */

import { runLocalActions } from '../engine/update/local-actions.js';
import type { Event } from '../model/events.js';
import { fromText } from '../model/names.js';
import type { Problem } from '../model/errors.js';
import type { Job, Place } from './place.js';
import type { Voice } from './voice.js';

/** A command that fails makes the run fail: csync2 does not look. */
export async function runPending(job: Job, place: Place): Promise<void> {
  const problems: Problem[] = [];
  await runLocalActions({ actions: [], host: place.config.host }, { ...place, ...job, ...reporter(job) }, problems);
  for (const problem of problems) job.voice.error(`ERROR: ${fromText(problem.summary)}`);
}

function reporter(job: Job): {
  readonly environment: Job['around']['environment'];
  readonly report: (event: Event) => void;
  readonly now: () => number;
} {
  return {
    environment: job.around.environment,
    now: job.around.now,
    report: (event) => {
      sayAction(event, job.voice);
    },
  };
}

export function sayAction(event: Event, voice: Voice): void {
  if (event.type === 'action_start') voice.say(1, `Running '${event.action.command}' ...`);
  if (event.type === 'action_errored') {
    const how = event.status === undefined ? 'was ended by a signal' : `ended with status ${event.status}`;
    voice.error(`ERROR: The command '${event.action.command}' ${how}.`);
  }
}
