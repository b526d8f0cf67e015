/**
 * Promises 1, 2 and 3 under SIGKILL: sender and receiver die right before every call that changes something (CI: a selection of them),
 * while somebody reads the receiver's files all the time. Afterwards one run brings both hosts together, a second finds nothing to do,
 * nothing staged is left, and nobody has seen a half file.
 */

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { put } from '../support/cluster.js';
import { readTree } from '../support/tree.js';
import { LONG, staged, startHosts, stopHosts, tally, times } from './hosts.js';
import type { Host, RunOptions } from './hosts.js';
import { killing, listing, pointsOf, spread } from './strace.js';
import type { Point } from './strace.js';
import { stateOf, watch } from './watching.js';
import type { Watching } from './watching.js';

let hosts: Host[] | undefined;
let watching: Watching | undefined;

afterEach(async () => {
  await watching?.stop();
  watching = undefined;
  await stopHosts(hosts);
  hosts = undefined;
});

/** Never of another type than file or nothing, so that even absence in between would be seen. */
const WATCHED = ['big', 'small', 'mode', 'd/deep/inside', 'link'];

/** Another state of everything a tree can hold: new, changed in content or attributes, gone, of another type. */
function edit(tree: string, round: number): void {
  const even = round % 2 === 0;
  const body = 'line of a file that is long enough for a delta\n'.repeat(6000);
  put(`${tree}/big`, `${body.slice(0, 100_000)}round ${String(round)}${body.slice(100_000)}`);
  put(`${tree}/small`, `round ${String(round)}`);
  put(`${tree}/mode`, 'the same content always');
  fs.chmodSync(`${tree}/mode`, even ? 0o640 : 0o604);
  fs.chownSync(`${tree}/mode`, even ? 1 : 2, even ? 3 : 4);
  put(`${tree}/d/deep/inside`, `deep ${String(round)}`);
  fs.rmSync(`${tree}/link`, { force: true });
  fs.symlinkSync(`target-${String(round)}`, `${tree}/link`);
  fs.rmSync(`${tree}/kind`, { recursive: true, force: true });
  if (even) put(`${tree}/kind/held`, 'in a directory');
  else put(`${tree}/kind`, 'a file');
  fs.rmSync(`${tree}/turns`, { recursive: true, force: true });
  if (round % 3 === 0) fs.symlinkSync('nowhere', `${tree}/turns`);
  else if (round % 3 === 1) fs.mkdirSync(`${tree}/turns`);
  else execFileSync('mkfifo', [`${tree}/turns`]);
  if (even) execFileSync('mkfifo', [`${tree}/fifo`]);
  else fs.rmSync(`${tree}/fifo`, { force: true });
  fs.mkdirSync(`${tree}/attributes`, { recursive: true });
  fs.chmodSync(`${tree}/attributes`, 0o700 + (round % 64));
  fs.lchownSync(`${tree}/link`, round, round);
  fs.rmSync(`${tree}/comes-${String(round - 1)}`, { recursive: true, force: true });
  put(`${tree}/comes-${String(round)}/and/goes`, `new ${String(round)}`);
  for (const [index, name] of WATCHED.entries()) {
    if (name !== 'link') fs.utimesSync(`${tree}/${name}`, 1_000_000 + round, 1_000_000 + round * 10 + index);
  }
}

class Trial {
  readonly sender: Host;
  readonly receiver: Host;
  readonly #allowed = new Map<string, Set<string>>();
  #round = 0;

  constructor([sender, receiver]: readonly Host[]) {
    this.sender = sender!;
    this.receiver = receiver!;
  }

  /** The next state of the sender's tree; what may be seen of it from now on. */
  edit(): void {
    this.#round += 1;
    edit(this.sender.tree, this.#round);
    for (const name of WATCHED) {
      const seen = `${this.receiver.tree}/${name}`;
      const allowed = this.#allowed.get(seen) ?? new Set();
      this.#allowed.set(seen, allowed.add(stateOf(`${this.sender.tree}/${name}`)));
    }
  }

  async watch(): Promise<void> {
    watching = await watch(WATCHED.map((name) => `${this.receiver.tree}/${name}`));
  }

  async applies(options: RunOptions = {}): Promise<void> {
    const applied = await this.sender.apply(options);
    expect(applied.status, applied.stdout + applied.stderr + this.receiver.log.slice(-3000)).toBe(0);
  }

  /** One run brings them together, a second has nothing to do, and nothing is left over. */
  async converges(after: string, thorough = LONG): Promise<void> {
    const again = await this.sender.apply();
    expect(again.status, `${after}\n${again.stdout}${again.stderr}${this.receiver.log.slice(-3000)}`).toBe(0);
    expect(readTree(this.receiver.tree), after).toEqual(readTree(this.sender.tree));
    expect(staged(this.sender.tree, this.receiver.tree), after).toEqual([]);
    if (!thorough) return;
    const second = await this.sender.run(['plan', '--detailed-exitcode']);
    expect(second.status, `${after}\n${second.stdout}`).toBe(0);
  }

  /** Nobody has seen anything but whole states that a user has made. */
  async seenOnlyWhole(): Promise<void> {
    const seen = (await watching?.stop()) ?? new Map<string, readonly string[]>();
    watching = undefined;
    for (const [file, states] of seen) {
      expect(states.length, `${file} was watched`).toBeGreaterThan(1);
      const half = states.filter((state) => this.#allowed.get(file)?.has(state) !== true);
      expect(half, file).toEqual([]);
    }
  }
}

const GROUP = (root: string): string => `backup-directory ${root}/backups; backup-generations 2;`;

async function begin(block: string): Promise<Trial> {
  const root = fs.mkdtempSync(path.join(fs.realpathSync('/dev/shm'), 'csx-crash-'));
  hosts = await startHosts({ block, kinds: ['csx', 'csx'], root, group: GROUP(root) });
  const trial = new Trial(hosts);
  trial.edit();
  await trial.converges('at first');
  return trial;
}

function told({ call, count }: Point): string {
  return `killed before ${call} number ${String(count)}`;
}

describe('promise 2: kill -9 at any moment loses nothing', () => {
  it(
    'the sender, before each call that changes something',
    async () => {
      const trial = await begin('127.34.1');
      await trial.watch();
      const trace = path.join(trial.sender.directory, 'trace');
      trial.edit();
      await trial.applies({ under: listing(trace) });
      const points = spread(pointsOf(trace, false), times(6, 100_000));
      expect(points.length).toBeGreaterThan(5);
      let killed = 0;
      for (const point of points) {
        trial.edit();
        const broken = await trial.sender.apply({ under: killing(point) });
        if (broken.signal === 'SIGKILL') killed += 1;
        await trial.converges(told(point));
      }
      tally(`the sender was killed at ${String(killed)} of ${String(points.length)} points`);
      expect(killed).toBeGreaterThanOrEqual(points.length / 2);
      await trial.converges('at last', true);
      await trial.seenOnlyWhole();
    },
    LONG ? 7_200_000 : 180_000,
  );

  it(
    'the receiver, before each call that changes something',
    async () => {
      const trial = await begin('127.34.2');
      await trial.watch();
      const trace = path.join(trial.sender.directory, 'trace');
      await trial.receiver.kill();
      await trial.receiver.serve({ under: listing(trace) });
      trial.edit();
      await trial.applies();
      await trial.receiver.kill();
      const points = spread(pointsOf(trace, true), times(4, 100_000));
      expect(points.length).toBeGreaterThan(3);
      let killed = 0;
      for (const [point, editedAgain] of points.flatMap((each) => [[each, false] as const, [each, true] as const])) {
        trial.edit();
        // A few calls (to threads, say) vary from run to run: then it dies while it starts, or not at all.
        const up = await trial.receiver.serve({ under: killing(point) }).then(
          () => true,
          () => false,
        );
        const broken = await trial.sender.apply();
        expect([0, 4], broken.stdout + broken.stderr).toContain(broken.status);
        if (up && !trial.receiver.serving) killed += 1;
        await trial.receiver.kill();
        await trial.receiver.serve();
        // What it died over may be what nobody wants any more.
        if (editedAgain) trial.edit();
        await trial.converges(told(point));
        await trial.receiver.kill();
      }
      await trial.receiver.serve();
      tally(`the receiver was killed ${String(killed)} times, twice at each of ${String(points.length)} points`);
      await trial.converges('at last', true);
      expect(killed).toBeGreaterThanOrEqual(points.length / 2);
      await trial.seenOnlyWhole();
    },
    LONG ? 7_200_000 : 180_000,
  );
});
