/** How far V8's heap may outgrow what is in use. */

/** Milliseconds: what ends before has not made much. */
const SHORT = 500;

/** Per cent, by what a run does. */
export const HEAP_GROWTH = {
  /** A scan or a plan: no faster with more. */
  scan: 50,
  /** A plan that is carried out lives on while there is much to do for each of its files. */
  apply: 100,
  /** What a daemon has in its heap is little and goes soon: 15 MB more spare a tenth of its time. */
  daemon: 200,
} as const;

/**
 * Lets the heap outgrow what is in use by that many per cent, in a run that lasts; V8 lets it be four times as large where memory seems
 * plentiful. For the threads, too.
 *
 * No option of the launchers: V8 takes compiled code, Node's own and that of the cache, only under the options it was compiled under,
 * and compiling it again costs a tenth of a short run. What goes into the cache is compiled at the end, so the option is then as it was.
 */
export function boundHeap(percent: number): void {
  setTimeout(() => {
    const { setFlagsFromString } = process.getBuiltinModule('node:v8');
    setFlagsFromString(`--heap-growing-percent=${String(percent)}`);
    process.once('exit', () => {
      setFlagsFromString('--heap-growing-percent=0');
    });
  }, SHORT).unref();
}
