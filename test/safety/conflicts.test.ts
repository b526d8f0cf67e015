/**
 * Random edits of files, directories and links on two to four hosts, csx and the real csync2 mixed, random decisions, until quiet.
 *
 *  - No version that a user wrote is gone unless a user wrote or removed over it, having it before him, or a stated decision
 *    overruled it. Copies count (`both`).
 *  - In the end nothing is marked anywhere, no plan finds anything, and all hosts hold the same.
 *
 * What was found once is lived again each time (fixtures/lives). A new failure names its seed and life: `CSX_TEST_SEED=N
 * CSX_TEST_LIFE=L` lives that one again, and leaves out of it what is not needed to fail. CSX_SAFETY=long lives for minutes, or
 * for CSX_TEST_SECONDS.
 */

import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Keep } from '../../src/planner/resolutions.js';
import { LONG } from './hosts.js';
import { PATHS } from './user.js';
import type { Edit } from './user.js';
import { World } from './world.js';
import type { Kind, Step } from './world.js';

/** No life is begun after this. */
const MILLISECONDS = 1000 * Number(process.env['CSX_TEST_SECONDS'] ?? (LONG ? 240 : 8));
const LIVES = LONG ? 10_000 : 500;
/** Lives of one cluster: what they leave behind has to be scanned by the next. */
const LIVES_OF_A_WORLD = 60;
/** On a memory disk: csync2 waits for every transaction. */
const DIRECTORY = '/dev/shm';

const place = fc.nat(PATHS.length - 1);
const edits = fc.oneof(
  { weight: 4, arbitrary: fc.constant('write' as const) },
  { weight: 2, arbitrary: fc.constant('remove' as const) },
  { weight: 2, arbitrary: fc.constant('directory' as const) },
  { weight: 1, arbitrary: fc.constant('link' as const) },
  { weight: 1, arbitrary: fc.constant('rename' as const) },
);
const anEdit: fc.Arbitrary<Edit> = fc.record({ edit: edits, path: place, to: place });
const keeps = fc.constantFrom<Keep>('local', 'peer', 'both', 'skip');

const stepsFor = (hosts: number): fc.Arbitrary<readonly Step[]> => {
  const several = (edit: fc.Arbitrary<Edit>): fc.Arbitrary<readonly (Edit | null)[]> =>
    fc.array(fc.option(edit, { freq: 3 }), { minLength: hosts, maxLength: hosts });
  return fc.array(
    fc.oneof(
      {
        weight: 2,
        arbitrary: fc
          .record({ host: fc.nat(hosts - 1), edit: anEdit })
          .map(({ host, edit }): Step => ({ kind: 'edit', host, ...edit })),
      },
      {
        weight: 2,
        // The same name everywhere, or whatever.
        arbitrary: fc
          .oneof(
            place.chain((path) => several(anEdit.map((edit) => ({ ...edit, path })))),
            several(anEdit),
          )
          .map((each): Step => ({ kind: 'clash', edits: each })),
      },
      {
        weight: 4,
        arbitrary: fc
          .record({
            host: fc.nat(hosts - 1),
            choices: fc.oneof(
              keeps.map((each) => [each]),
              fc.array(keeps, { minLength: 4, maxLength: 4 }),
            ),
          })
          .map((each): Step => ({ kind: 'sync', ...each })),
      },
    ),
    { minLength: 4, maxLength: 14 },
  );
};

/** The first life of every world, so that each kind of decision is taken however few lives there is time for. */
const first = (hosts: number): readonly Step[] =>
  (['local', 'both', 'peer'] as const).flatMap((choice, index): readonly Step[] => [
    { kind: 'clash', edits: Array<Edit>(hosts).fill({ edit: 'write', path: index, to: 0 }) },
    { kind: 'sync', host: 0, choices: [choice, 'local'] },
  ]);

interface Counted {
  lives: number;
  decisions: number;
}

type Live = readonly [name: string, steps: readonly Step[]];

/** Lives them one after the other, on one cluster for each `LIVES_OF_A_WORLD`; those that are sampled until the deadline. */
async function explore(block: string, kinds: readonly Kind[], seed: number, deadline: number): Promise<Counted> {
  const known: readonly Live[] = [['the first', first(kinds.length)], ...found(kinds)];
  const sampled = fc
    .sample(stepsFor(kinds.length), { seed, numRuns: LIVES })
    .map((steps, life): Live => [`CSX_TEST_SEED=${seed} CSX_TEST_LIFE=${life}`, steps]);
  const lives = [...known, ...sampled];
  const counted = { lives: 0, decisions: 0 };
  const over = (): boolean => counted.lives >= known.length && Date.now() > deadline;
  for (let begin = 0; begin < lives.length && !over(); begin += LIVES_OF_A_WORLD) {
    const world = await World.start(block, kinds, DIRECTORY);
    try {
      for (const [name, steps] of lives.slice(begin, begin + LIVES_OF_A_WORLD)) {
        if (over()) break;
        counted.lives += 1;
        await world.live(steps).catch((error: unknown) => {
          throw new Error(`${name}, among ${kinds.join(' ')}:\n${String(error)}`, { cause: error });
        });
      }
    } finally {
      await world.stop();
      const { local, peer, both } = world.decided;
      counted.decisions += local + peer + both;
    }
  }
  return counted;
}

/** What a life fails with, and the fewest of its steps that fail as well, left out one by one. Undefined: it does not fail. */
async function shrunk(block: string, kinds: readonly Kind[], steps: readonly Step[]): Promise<string | undefined> {
  const fails = async (some: readonly Step[]): Promise<string | undefined> => {
    const world = await World.start(block, kinds, DIRECTORY);
    try {
      await world.live(some);
      return undefined;
    } catch (error) {
      return String(error);
    } finally {
      await world.stop();
    }
  };
  let why = await fails(steps);
  let left = steps;
  for (let index = left.length - 1; why !== undefined && index >= 0; index -= 1) {
    const fewer = left.toSpliced(index, 1);
    const still = await fails(fewer);
    if (still === undefined) continue;
    why = still;
    left = fewer;
  }
  return why === undefined ? undefined : `${JSON.stringify({ kinds, steps: left })}\n${why}`;
}

/** The lives among such hosts that failed once. */
function found(kinds: readonly Kind[]): readonly Live[] {
  return readdirSync(FOUND)
    .sort()
    .map((name) => ({
      name,
      life: JSON.parse(readFileSync(FOUND + name, 'utf8')) as { kinds: readonly Kind[]; steps: readonly Step[] },
    }))
    .filter(({ life }) => life.kinds.join() === kinds.join())
    .map(({ name, life }) => [`fixtures/lives/${name}`, life.steps]);
}

const FOUND = fileURLToPath(new URL('../../fixtures/lives/', import.meta.url));

describe.concurrent('random edits and decisions', () => {
  it.each<[string, readonly Kind[]]>([
    ['127.32.4', ['csx', 'csync2']],
    ['127.32.6', ['csx', 'csync2', 'csx']],
    ['127.32.5', ['csx', 'csync2', 'csync2', 'csx']],
  ])(
    'on %s lose nothing among %j, and come to rest',
    async (block, kinds) => {
      const seed = Number(process.env['CSX_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
      const life = process.env['CSX_TEST_LIFE'];
      if (life !== undefined) {
        const [steps = []] = fc.sample(stepsFor(kinds.length), { seed, numRuns: Number(life) + 1 }).slice(-1);
        expect(await shrunk(block, kinds, steps)).toBeUndefined();
        return;
      }
      const counted = await explore(block, kinds, seed, Date.now() + MILLISECONDS);
      if (LONG) console.info(`${kinds.join(' ')}, seed ${seed}: ${JSON.stringify(counted)}`);
      // What was not tried proves nothing.
      expect(counted.lives).toBeGreaterThan(0);
      expect(counted.decisions).toBeGreaterThan(0);
    },
    MILLISECONDS + 60_000,
  );
});
