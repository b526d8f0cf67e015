/** Clocks of two hosts against each other. */

/** A peer's clock against this host's, as it was once read. */
export interface ClockReading {
  /** Milliseconds by which it is ahead; negative: behind. */
  readonly ahead: number;
  /** Milliseconds by which that may be wrong, either way. */
  readonly within: number;
}

/** Milliseconds that clocks may differ by. Times of files are compared in whole seconds, so less cannot mislead. */
export const CLOCK_TOLERANCE = 2_000;

/** Whether the clocks are surely further apart than is tolerated. */
export function isApart({ ahead, within }: ClockReading): boolean {
  return Math.abs(ahead) - within > CLOCK_TOLERANCE;
}
