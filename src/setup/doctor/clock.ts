/**
 * Clocks. A csx peer tells what its clock says. csync2's protocol tells no time of day (nor does GnuTLS in its handshake: all 32 bytes
 * of its random are random), so of its clock only this can be seen without changing anything: a file that was changed in the
 * future was changed by a clock that is ahead of this one.
 */

import { CLOCK_TOLERANCE, isApart } from '../../model/clock.js';
import type { ClockReading } from '../../model/clock.js';
import { caution, good, wrong } from '../../model/finding.js';
import type { Finding } from '../../model/finding.js';
import { duration, list } from '../../views/quantity.js';

/** A peer that tells its clock. */
export interface PeerClock {
  readonly peer: string;
  readonly reading: ClockReading;
  /** A group of both that decides conflicts by times; then clocks that are apart let the wrong version win. */
  readonly decides: string | undefined;
}

/** A time that the clock of a peer wrote which does not tell it. */
export interface Sighting {
  readonly peer: string;
  readonly file: string;
  /** Unix milliseconds. */
  readonly at: number;
}

const CURE = 'Let NTP set the clocks of both hosts';

export function judgeClocks(
  clocks: readonly PeerClock[],
  sightings: readonly Sighting[],
  now: number,
): readonly Finding[] {
  const apart = [...clocks.flatMap(judgeReading), ...judgeFuture(sightings, now)];
  if (apart.length > 0) return apart;
  const agreeing = clocks.map(({ peer }) => peer);
  const silent = [...new Set(sightings.map(({ peer }) => peer))];
  const seen = [
    ...(agreeing.length === 0 ? [] : [`within ${tolerated()} of it: ${list(agreeing, 5)}`]),
    ...(silent.length === 0
      ? []
      : [`csync2 does not tell its clock, and no file is from the future on ${list(silent, 5)}`]),
  ];
  const rest = seen.length === 0 ? 'no other clock was seen' : seen.join('; ');
  return [good('clock', `This host's clock says ${iso(now)}; ${rest}.`)];
}

function judgeReading({ peer, reading, decides }: PeerClock): readonly Finding[] {
  if (!isApart(reading)) return [];
  const how = `${duration(Math.abs(reading.ahead))} ${reading.ahead > 0 ? 'ahead of' : 'behind'} this host's`;
  const seen = `${peer}'s clock is ${how} (read to within ${duration(reading.within)}; ${tolerated()} are tolerated)`;
  if (decides === undefined) {
    return [caution('clock', `${seen}.`, `${CURE}: the conflict methods younger and older decide by them.`)];
  }
  return [
    wrong(
      'clock',
      `${seen}, and group ${decides} decides conflicts by them.`,
      `${CURE}, or give the group another method.`,
    ),
  ];
}

/** The time that is furthest ahead. */
function judgeFuture(sightings: readonly Sighting[], now: number): readonly Finding[] {
  const [worst] = sightings.filter(({ at }) => at > now + CLOCK_TOLERANCE).sort((a, b) => b.at - a.at);
  if (worst === undefined) return [];
  const { peer, file, at } = worst;
  return [
    caution(
      'clock',
      `${file} on ${peer} was changed ${duration(at - now)} in the future, at ${iso(at)}: clocks are apart, or somebody set that time.`,
      `${CURE}: the conflict methods younger and older decide by them.`,
    ),
  ];
}

function tolerated(): string {
  return duration(CLOCK_TOLERANCE);
}

function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z');
}
