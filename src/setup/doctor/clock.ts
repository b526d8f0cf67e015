/**
 * Clocks. csync2's protocol tells no time of day, so clocks can only be compared by what they left behind: a file that a peer says
 * was changed in the future was changed by a clock that is ahead of this one.
 */

import { caution, good } from '../../model/finding.js';
import type { Finding } from '../../model/finding.js';

/** A time that some clock wrote. */
export interface Sighting {
  /** `/etc/apache2 on web2` */
  readonly what: string;
  /** Unix milliseconds. */
  readonly at: number;
}

/** Milliseconds that clocks may differ by, and a file's whole second. */
const TOLERANCE = 5_000;

export function judgeClock(sightings: readonly Sighting[], now: number): Finding {
  const ahead = sightings.filter((each) => each.at > now + TOLERANCE).sort((a, b) => b.at - a.at);
  const [worst] = ahead;
  if (worst === undefined) {
    const seen = sightings.length === 0 ? 'no time to compare was seen' : 'no file is from the future';
    return good('clock', `This host's clock says ${iso(now)}; ${seen}.`);
  }
  const seconds = Math.round((worst.at - now) / 1000);
  return caution(
    'clock',
    `${worst.what} was changed ${seconds} seconds in the future, at ${iso(worst.at)}: clocks are apart, or somebody set that time.`,
    'Let NTP set the clocks of all hosts. The methods younger and older decide by them.',
  );
}

function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z');
}
