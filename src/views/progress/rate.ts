/** Bytes a second over the last few seconds, from samples taken whenever something is drawn. */

const WINDOW = 5_000;
const SPACING = 250;

export interface Rate {
  /** Takes a sample: bytes so far, at a time in milliseconds. */
  readonly sample: (bytes: number, now: number) => void;
  /** Bytes a second; undefined before there is enough to tell. */
  readonly value: () => number | undefined;
}

export function newRate(): Rate {
  let samples: { readonly at: number; readonly bytes: number }[] = [];
  return {
    sample: (bytes, now) => {
      const last = samples.at(-1);
      // Fewer than before: a new round has begun.
      if (last !== undefined && bytes < last.bytes) samples = [];
      else if (last !== undefined && now - last.at < SPACING) return;
      samples.push({ at: now, bytes });
      while (samples.length > 2 && now - (samples[0]?.at ?? now) > WINDOW) samples.shift();
    },
    value: () => {
      const [first, last] = [samples[0], samples.at(-1)];
      if (first === undefined || last === undefined || last.at - first.at < 2 * SPACING) return undefined;
      return ((last.bytes - first.bytes) * 1000) / (last.at - first.at);
    },
  };
}
