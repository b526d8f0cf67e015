/**
 * Long computations that pause every few hundred items. Whoever drives one gives timers, signals and sockets their turn at each pause:
 * a plan of 100,000 changes is worked out while the progress moves on and Ctrl-C is heard. Pauses go by items, not by time, so the
 * rooms that compute need no clock.
 */

/** What it yields says nothing. It is the empty text, so that views, whose pieces are text, can pass the pauses on. */
export type Paced<T> = Generator<'', T, void>;

/** Items between two pauses: some milliseconds of the dearest work there is for one. */
const STRIDE = 250;

/** Does `work` for each item. */
export function* eachPaced<T>(items: Iterable<T>, work: (item: T) => void): Paced<void> {
  let done = 0;
  for (const item of items) {
    work(item);
    if (++done % STRIDE === 0) yield '';
  }
}

/** Whether `holds` is true of every item; ends at the first of which it is not. */
export function* everyPaced<T>(items: readonly T[], holds: (item: T, index: number) => boolean): Paced<boolean> {
  for (const [index, item] of items.entries()) {
    if (!holds(item, index)) return false;
    if (index % STRIDE === STRIDE - 1) yield '';
  }
  return true;
}

/** What `work` makes of each item. */
export function* mapPaced<T, R>(items: readonly T[], work: (item: T) => R): Paced<R[]> {
  const results: R[] = [];
  yield* eachPaced(items, (item) => {
    results.push(work(item));
  });
  return results;
}

/**
 * Runs a computation, with a turn of the event loop at each pause.
 * @param turn resolves when everything else that is due was done (`setImmediate`)
 * @throws the signal's reason, at the pause after it fired
 */
export async function inTurns<T>(work: Paced<T>, turn: () => Promise<unknown>, stop?: AbortSignal): Promise<T> {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    await turn();
    stop?.throwIfAborted();
  }
}

/** Runs a computation without a pause, where it is known to be short. */
export function atOnce<T>(work: Paced<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}
