/**
 * Promise 2 where a peer's version is taken: csx dies right before every call that changes something (CI: a selection), while it asks a
 * real csync2 peer, stages, backs up, replaces, records and flushes. Then each file here is the old one or the new one with all its
 * attributes, what was replaced has been backed up, and one more run brings both hosts together.
 */

import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { put } from '../support/cluster.js';
import { readTree } from '../support/tree.js';
import { LONG, staged, startHosts, stopHosts, times } from './hosts.js';
import type { Host, Kind } from './hosts.js';
import { killing, listing, pointsOf, spread } from './strace.js';
import { stateOf } from './watching.js';

let hosts: Host[] | undefined;
afterEach(async () => {
  await stopHosts(hosts);
  hosts = undefined;
});

/** Taken as a file with other attributes; removed here; made here with the directories above it. */
const FILES = ['file', 'gone', 'new/deep/file'] as const;

class Trial {
  readonly here: Host;
  readonly there: Host;
  readonly backups: string;
  #round = 0;

  constructor([here, there]: readonly Host[], backups: string) {
    this.here = here!;
    this.there = there!;
    this.backups = backups;
  }

  /** Both agree on a state; then both change it. Returns what stands here, and what the decision makes of it. */
  async conflict(): Promise<{ readonly old: readonly string[]; readonly taken: readonly string[] }> {
    this.#round += 1;
    const round = String(this.#round);
    for (const name of FILES) put(`${this.here.tree}/${name}`, `common ${round}`);
    await this.#run('apply', '--auto-approve', '--on-conflict', 'local', '--max-delete', '100%');
    put(`${this.here.tree}/file`, `here ${round}`);
    put(`${this.there.tree}/file`, `there ${round}\n`.repeat(9000));
    fs.chmodSync(`${this.there.tree}/file`, 0o640);
    fs.chownSync(`${this.there.tree}/file`, 1, 2);
    fs.utimesSync(`${this.there.tree}/file`, 1_000_000 + this.#round, 1_000_000 + this.#round);
    put(`${this.here.tree}/gone`, `here ${round}`);
    fs.unlinkSync(`${this.there.tree}/gone`);
    fs.rmSync(`${this.here.tree}/new`, { recursive: true });
    put(`${this.there.tree}/new/deep/file`, `there ${round}`);
    const states = (host: Host): string[] => FILES.map((name) => stateOf(`${host.tree}/${name}`));
    return { old: states(this.here), taken: states(this.there) };
  }

  async #run(...args: readonly string[]): Promise<void> {
    const result = await this.here.run(args);
    expect(result.status, `${args.join(' ')}\n${result.stdout}${result.stderr}`).toBe(0);
  }

  /** What stands here right after the kill. */
  look({ old, taken }: Awaited<ReturnType<Trial['conflict']>>, after: string): void {
    for (const [index, name] of FILES.entries()) {
      const state = stateOf(`${this.here.tree}/${name}`);
      expect([old[index], taken[index]], `${name}, ${after}`).toContain(state);
      if (state === old[index] || !old[index]!.startsWith('file')) continue;
      const copy = path.join(this.backups, this.here.tree, name);
      expect(fs.readFileSync(copy, 'utf8'), `${name} backed up, ${after}`).toBe(`here ${String(this.#round)}`);
    }
  }

  async converges({ taken }: Awaited<ReturnType<Trial['conflict']>>, after: string): Promise<void> {
    await this.#run('apply', '--auto-approve', '--on-conflict', 'peer', '--max-delete', '100%');
    expect(readTree(this.here.tree), after).toEqual(readTree(this.there.tree));
    expect(
      FILES.map((name) => stateOf(`${this.here.tree}/${name}`)),
      after,
    ).toEqual(taken);
    expect(staged(this.here.tree, this.there.tree), after).toEqual([]);
    const plan = await this.here.run(['plan', '--detailed-exitcode']);
    expect(plan.status, `${after}\n${plan.stdout}`).toBe(0);
    const marks = await this.there.run(this.there.kind === 'csx' ? ['db', 'list', 'dirty'] : ['-M']);
    expect(marks.stdout, after).not.toContain('%t%');
  }
}

describe('promise 2: kill -9 while a version is taken', () => {
  it.each<[Kind, string]>([['csync2', '127.34.31'], ...(LONG ? [['csx', '127.34.32'] satisfies [Kind, string]] : [])])(
    'from %s, before each call that changes something',
    async (kind, block) => {
      const root = fs.mkdtempSync(path.join(fs.realpathSync('/dev/shm'), 'csx-take-'));
      const backups = path.join(root, 'kept');
      hosts = await startHosts({
        block,
        kinds: ['csx', kind],
        root,
        group: `backup-directory ${backups}; backup-generations 2;`,
      });
      const trial = new Trial(hosts, backups);
      const trace = path.join(trial.here.directory, 'trace');
      const decide = ['resolve', '--keep', 'peer', '--max-delete', '100%'];
      const first = await trial.conflict();
      const whole = await trial.here.run(decide, { under: listing(trace) });
      expect(whole.status, whole.stdout + whole.stderr).toBe(0);
      await trial.converges(first, 'not killed');
      // From the first change of the tree on; what comes before writes only what a plan does.
      const points = spread(pointsOf(trace, false), times(6, 100_000));
      expect(points.length).toBeGreaterThan(5);
      let killed = 0;
      for (const point of points) {
        const after = `killed before ${point.call} number ${String(point.count)}`;
        const states = await trial.conflict();
        const broken = await trial.here.run(decide, { under: killing(point) });
        if (broken.signal === 'SIGKILL') killed += 1;
        trial.look(states, after);
        await trial.converges(states, after);
      }
      expect(killed).toBeGreaterThanOrEqual(points.length / 2);
    },
    LONG ? 6 * 3_600_000 : 180_000,
  );
});
