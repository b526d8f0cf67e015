/**
 * What a peer tells about itself: which program it is and, where it is csx, its version and how far its clock is from this host's.
 * csync2 knows no such question, says so, and goes on.
 */

import type { Connection } from '../../engine/net/connection.js';
import { parseAbout } from '../../engine/wire/about.js';
import type { ClockReading } from '../../model/clock.js';

export type Told =
  | { readonly program: 'csync2' }
  | {
      readonly program: 'csx';
      readonly version: string;
      readonly clock: ClockReading;
    };

/** The quickest of so many answers says most. */
const QUESTIONS = 3;

/** Fails as `Connection.request` does. */
export async function askAbout(connection: Connection, now: () => number): Promise<Told> {
  let told: Told = { program: 'csync2' };
  for (let asked = 0; asked < QUESTIONS; asked++) {
    const before = now();
    const answer = await connection.request('CSX', { extension: 'about' });
    const after = now();
    const about = answer.kind === 'ok' ? parseAbout(answer.text) : undefined;
    if (about === undefined) return told;
    const clock = readClock(about.at, before, after);
    if (told.program === 'csync2' || clock.within < told.clock.within) {
      told = { program: 'csx', version: about.version, clock };
    }
  }
  return told;
}

/**
 * The peer's clock said `there` at some moment between `before` and `after` of this host's; in the middle, it is assumed.
 * All are Unix milliseconds.
 */
function readClock(there: number, before: number, after: number): ClockReading {
  const half = Math.max(0, after - before) / 2;
  return { ahead: Math.round(there - (before + half)), within: Math.ceil(half) };
}
