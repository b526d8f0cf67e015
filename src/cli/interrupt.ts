/** Ctrl-C and SIGTERM: the first asks the work to stop after what is in flight, the second ends the process at once. */

import { CsxError } from '../model/errors.js';
import { EXIT } from './exit-status.js';

export interface Interrupt {
  /** Fires at the first signal; its reason is the signal's name. */
  readonly stop: AbortSignal;
  /** Gives the signals back their usual meaning. */
  release(): void;
}

/** @param onFirst tells the person what happens now and what a second signal does */
export function interruptible(onFirst: (signal: NodeJS.Signals) => void): Interrupt {
  const controller = new AbortController();
  const handler = (signal: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(signal === 'SIGTERM' ? EXIT.terminated : EXIT.interrupted);
    controller.abort(signal);
    onFirst(signal);
  };
  process.on('SIGINT', handler);
  process.on('SIGTERM', handler);
  return {
    stop: controller.signal,
    release: () => {
      process.off('SIGINT', handler);
      process.off('SIGTERM', handler);
    },
  };
}

/** The error a command ends with when a signal stopped it before it had a result; undefined: `thrown` is something else. */
export function interruptionOf(thrown: unknown, stop: AbortSignal): CsxError | undefined {
  if (!stop.aborted) return undefined;
  const own = thrown === stop.reason || (thrown instanceof CsxError && thrown.code === 'INTERRUPTED');
  if (!own) return undefined;
  const signal = String(stop.reason);
  return new CsxError('INTERRUPTED', `csx was interrupted by ${signal} before it had come to a result.`, {
    hint: 'Nothing is lost: run it again, and it goes on.',
    data: { signal },
    cause: thrown,
  });
}

/** The exit status of a run that a signal stopped. */
export function statusOfSignal(signal: string): number {
  return signal === 'SIGTERM' ? EXIT.terminated : EXIT.interrupted;
}
