/** Shows the progress of some work and lets it be interrupted. */

import type { Report } from '../model/events.js';
import { createProgress } from '../views/progress/progress.js';
import { print } from '../views/terminal.js';
import type { Output } from '../views/terminal.js';
import type { OutputFlags } from './flags.js';
import { interruptible, interruptionOf } from './interrupt.js';

export interface Watched {
  readonly report: Report;
  /** Fires at the first interrupt. */
  readonly stop: AbortSignal;
  /** Ends the progress, so that results may be printed. */
  done(): void;
  /** Makes room for a question. */
  pause(): void;
  resume(): void;
}

/** Runs `work` under a progress display on stderr; takes it away however the work ends. */
export async function withWatch<T>(
  err: Output,
  flags: Pick<OutputFlags, 'progress' | 'quiet' | 'json'>,
  work: (watch: Watched) => Promise<T>,
  tap?: Report,
): Promise<T> {
  const mode = flags.quiet ? 'none' : flags.json && flags.progress === 'auto' ? 'none' : flags.progress;
  const progress = createProgress(mode, err);
  const interrupt = interruptible((signal) => {
    progress.report({ type: 'interrupt', signal });
    tap?.({ type: 'interrupt', signal });
    progress.pause();
    void print(err, [
      'Stopping after what is in flight; once more stops at once. Nothing is lost: the next run goes on.\n',
    ]);
    progress.resume();
  });
  try {
    return await work({
      report: (event) => {
        progress.report(event);
        tap?.(event);
      },
      stop: interrupt.stop,
      done: () => {
        progress.stop();
      },
      pause: () => {
        progress.pause();
      },
      resume: () => {
        progress.resume();
      },
    });
  } catch (thrown) {
    throw interruptionOf(thrown, interrupt.stop) ?? thrown;
  } finally {
    interrupt.release();
    progress.stop();
  }
}
