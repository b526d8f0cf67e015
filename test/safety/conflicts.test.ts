/**
 * Random edits on two to four hosts, csx and the real csync2 mixed, random decisions, until quiet.
 *
 *  - No version that a user wrote is gone unless a user wrote or removed over it, having it before him, or a stated decision
 *    overruled it. Copies count (`both`).
 *  - In the end nothing is marked anywhere, no plan finds anything, and all hosts hold the same.
 *
 * A failure names its seed and life: `CSX_TEST_SEED=N CSX_TEST_LIFE=L` lives that one again. CSX_SAFETY=long lives for minutes.
 */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Keep } from '../../src/planner/resolutions.js';
import { LONG } from './hosts.js';
import { FILES, World } from './world.js';
import type { Kind, Step } from './world.js';

/** No life is begun after this. */
const MILLISECONDS = LONG ? 240_000 : 8_000;
const LIVES = LONG ? 10_000 : 500;
/** On a memory disk: csync2 waits for every transaction. */
const DIRECTORY = '/dev/shm';

const edit = fc.constantFrom('write' as const, 'write' as const, 'remove' as const);
const stepsFor = (hosts: number): fc.Arbitrary<readonly Step[]> =>
  fc.array(
    fc.oneof(
      {
        weight: 1,
        arbitrary: fc.record({ kind: edit, host: fc.nat(hosts - 1), file: fc.nat(FILES.length - 1) }),
      },
      {
        weight: 2,
        arbitrary: fc.record({
          kind: fc.constant('clash' as const),
          file: fc.nat(FILES.length - 1),
          edits: fc.array(fc.option(edit, { nil: undefined, freq: 3 }), { minLength: hosts, maxLength: hosts }),
        }),
      },
      {
        weight: 4,
        arbitrary: fc.record({
          kind: fc.constant('sync' as const),
          host: fc.nat(hosts - 1),
          choices: fc.array(fc.constantFrom<Keep>('local', 'peer', 'both', 'skip'), { minLength: 4, maxLength: 4 }),
        }),
      },
    ),
    { minLength: 4, maxLength: 14 },
  );

/** The first life of every world, so that each kind of decision is taken however few lives there is time for. */
const first = (hosts: number): readonly Step[] =>
  (['local', 'both', 'peer'] as const).flatMap((choice, index): readonly Step[] => [
    { kind: 'clash', file: index % FILES.length, edits: Array<'write'>(hosts).fill('write') },
    { kind: 'sync', host: 0, choices: [choice, 'local'] },
  ]);

interface Counted {
  lives: number;
  decisions: number;
}

async function explore(block: string, kinds: readonly Kind[], seed: number, deadline: number): Promise<Counted> {
  const only = process.env['CSX_TEST_LIFE'];
  const lives = [
    first(kinds.length),
    ...fc.sample(stepsFor(kinds.length), { seed, numRuns: only === undefined ? LIVES : Number(only) + 1 }),
  ];
  const world = await World.start(block, kinds, DIRECTORY);
  const counted = { lives: 0, decisions: 0 };
  try {
    for (const [life, steps] of lives.entries()) {
      if (only !== undefined && life !== Number(only)) continue;
      if (Date.now() > deadline) break;
      counted.lives += 1;
      await world.live(steps).catch((error: unknown) => {
        throw new Error(`CSX_TEST_SEED=${seed} CSX_TEST_LIFE=${life}, among ${kinds.join(' ')}:\n${String(error)}`, {
          cause: error,
        });
      });
    }
  } finally {
    await world.stop();
    const { local, peer, both } = world.decided;
    counted.decisions = local + peer + both;
  }
  return counted;
}

describe.concurrent('random edits and decisions', () => {
  it.each<[string, readonly Kind[]]>([
    ['127.32.4', ['csx', 'csync2']],
    ['127.32.6', ['csx', 'csync2', 'csx']],
    ['127.32.5', ['csx', 'csync2', 'csync2', 'csx']],
  ])(
    'on %s lose nothing among %j, and come to rest',
    async (block, kinds) => {
      const seed = Number(process.env['CSX_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
      const counted = await explore(block, kinds, seed, Date.now() + MILLISECONDS);
      // What was not tried proves nothing.
      expect(counted.lives).toBeGreaterThan(0);
      expect(counted.decisions).toBeGreaterThan(0);
    },
    MILLISECONDS + 60_000,
  );
});
