/**
 * A small cluster in which users edit and csx settles: csx hosts in this process (their daemons, and each run of plan and apply), csync2
 * hosts as the real programs. One cluster serves many lives, each with files of its own, since starting one costs as much as living.
 *
 * It knows of every version a user wrote why it may be gone: a user wrote or removed over it, having it before him (user.ts), or a
 * stated decision overruled it.
 */

import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import type { Opened } from '../../src/engine/daemon/served.js';
import { applyPlan } from '../../src/engine/update/apply.js';
import { completeRows } from '../../src/engine/update/complete.js';
import { computePlan } from '../../src/engine/update/compute-plan.js';
import { Dialer } from '../../src/engine/update/dial.js';
import type { FileName } from '../../src/model/names.js';
import type { Plan } from '../../src/model/plan.js';
import { decideWith } from '../../src/planner/decisions.js';
import { resolutionOf } from '../../src/planner/resolutions.js';
import type { Keep } from '../../src/planner/resolutions.js';
import { startCsx } from '../engine/daemon/csx-daemon.js';
import type { CsxHost } from '../engine/daemon/csx-daemon.js';
import { KEY } from '../support/cluster.js';
import { startCsync2 } from '../support/csync2-daemon.js';
import type { Csync2Host } from '../support/csync2-daemon.js';
import { readTree } from '../support/tree.js';
import { User, Versions, versionOf, versionsAt } from './user.js';
import type { Edit } from './user.js';

export type Kind = 'csx' | 'csync2';

export type Step =
  | (Edit & { readonly kind: 'edit'; readonly host: number })
  /** Everybody edits at once: null edits nothing. */
  | { readonly kind: 'clash'; readonly edits: readonly (Edit | null)[] }
  /** One host sends what it has; a csx host decides its conflicts, in turn. */
  | { readonly kind: 'sync'; readonly host: number; readonly choices: readonly Keep[] };

/** Rounds in which everybody sends once, and every conflict is decided, until nobody has anything to do. */
const ROUNDS = 12;

/** Milliseconds: a csync2 that sends a file over a directory that is not empty and its daemon wait for each other for ever. */
const HANGS = 10_000;

export class World {
  readonly #root: string;
  readonly #kinds: readonly Kind[];
  readonly #names: readonly string[];
  readonly #trees: readonly string[];
  readonly #csx = new Map<number, CsxHost>();
  readonly #opened = new Map<number, Opened>();
  readonly #csync2 = new Map<number, Csync2Host>();
  readonly decided = { local: 0, peer: 0, both: 0, none: 0 };
  #life = 0;
  readonly #versions = new Versions();
  #users: readonly User[] = [];
  /** What happened in this life, for whoever has to find out why it failed. */
  #story: string[] = [];

  static async start(block: string, kinds: readonly Kind[], directory: string): Promise<World> {
    const world = new World(block, kinds, directory);
    try {
      await world.#start();
    } catch (error) {
      await world.stop();
      throw error;
    }
    return world;
  }

  private constructor(block: string, kinds: readonly Kind[], directory: string) {
    this.#root = mkdtempSync(path.join(directory, 'csx-world-'));
    this.#kinds = kinds;
    this.#names = kinds.map((_, index) => `${block}.${index + 1}`);
    this.#trees = this.#names.map((name) => path.join(this.#root, name, 'tree'));
    for (const tree of this.#trees) {
      mkdirSync(tree, { recursive: true });
      utimesSync(tree, 1, 1);
      writeFileSync(path.join(tree, 'anchor'), 'always there');
      utimesSync(path.join(tree, 'anchor'), 1, 1);
    }
  }

  async #start(): Promise<void> {
    const on = this.#names.map((name, index) => `on ${name}: ${this.#trees[index]!};`).join(' ');
    const config = `nossl * *; prefix t { ${on} } group g { host ${this.#names.join(' ')}; key k; include %t%; }`;
    for (const [index, address] of this.#names.entries()) {
      const directory = path.join(this.#root, address);
      if (this.#kinds[index] === 'csync2') {
        this.#csync2.set(index, await startCsync2({ address, directory, config, keys: { k: KEY } }));
        continue;
      }
      const host = await startCsx({ address, directory, config, keys: { k: KEY } });
      this.#csx.set(index, host);
      this.#opened.set(index, await host.open());
    }
  }

  async stop(): Promise<void> {
    for (const { store } of this.#opened.values()) await store.close();
    for (const host of this.#csx.values()) await host.stop();
    for (const host of this.#csync2.values()) await host.stop();
    rmSync(this.#root, { recursive: true, force: true });
  }

  /** One life from its first step to rest. Throws with its story when something was lost or does not come to rest. */
  async live(steps: readonly Step[]): Promise<void> {
    this.#life += 1;
    this.#versions.begin();
    // Of several csx hosts none knows where a link points that another has sent to a csync2 since, which shows no target below a prefix:
    // found equal, it keeps that one (docs/promises.md, known gaps; CSX_TEST_SEED=101 CSX_TEST_LIFE=14 on 127.32.6 with links).
    const links = this.#csx.size === 1;
    this.#users = this.#trees.map(
      (tree, host) =>
        new User(path.join(tree, String(this.#life)), links && this.#csx.has(host), this.#versions, (what) => {
          this.#tell(host, `user ${what}`);
        }),
    );
    this.#story = [];
    try {
      for (const step of steps) await this.#step(step);
      await this.#untilQuiet();
      this.#judge();
    } catch (error) {
      throw new Error(`${String(error)}\n${this.#story.join('\n')}`, { cause: error });
    }
  }

  async #step(step: Step): Promise<void> {
    if (step.kind === 'sync') {
      if (step.host < this.#names.length) await this.#sync(step.host, step.choices);
    } else if (step.kind === 'clash') {
      for (const [host, edit] of step.edits.entries()) if (edit !== null) this.#users[host]?.edit(edit);
    } else this.#users[step.host]?.edit(step);
  }

  #tell(host: number, what: string): void {
    this.#story.push(`${this.#kinds[host]!} ${host + 1}: ${what}`);
  }

  /** Undefined for csync2. */
  async #sync(host: number, choices: readonly Keep[]): Promise<Plan | undefined> {
    const opened = this.#opened.get(host);
    if (opened !== undefined) return this.#runCsx(host, opened, choices);
    const run = await this.#csync2.get(host)?.run(['-x'], HANGS).catch(killed);
    this.#tell(host, `-x: ${run?.status}`);
    return undefined;
  }

  async #runCsx(host: number, { config, selection, store }: Opened, choices: readonly Keep[]): Promise<Plan> {
    const dialer = new Dialer({
      config,
      selection,
      store,
      port: 30865,
      bind: this.#names[host],
      configName: undefined,
      groups: undefined,
      timeout: 20_000,
      signal: undefined,
      now: Date.now,
    });
    const kept = new Map<string, Keep>();
    const stop = new AbortController().signal;
    const { plan, incomplete } = await computePlan({
      config,
      selection,
      peers: undefined,
      store,
      dialer,
      scopes: undefined,
      excludes: () => false,
      options: { targets: [], excludes: [], peers: [], groups: [], offline: false, configName: undefined },
      maxDelete: { value: 100, unit: 'percent' },
      decide: (conflict, verdict) => {
        const place = `${conflict.path} ${conflict.peer}`;
        const keep = kept.get(place) ?? choices[kept.size % choices.length] ?? 'local';
        kept.set(place, keep);
        const resolutions = [resolutionOf(conflict, keep, new Map())];
        return decideWith({ onConflict: 'fail', resolutions, contents: new Map() })(conflict, verdict);
      },
      parallelism: 3,
      csxVersion: 'test',
      report: () => undefined,
      stop,
      now: Date.now,
    });
    this.#story.push(...storyOf(plan, host));
    // What is decided is stated before it is carried out.
    for (const file of new Set(plan.conflicts.map(({ path: each }) => each))) this.#overrule(file, plan, host);
    for (const { resolution } of plan.conflicts) this.decided[resolution] += 1;
    // As `csx apply` does.
    if (incomplete > 0) await completeRows({ config, everything: selection, store }, undefined, stop);
    const result = await applyPlan({
      plan,
      config,
      selection,
      store,
      dialer,
      parallelism: 3,
      environment: {},
      report: () => undefined,
      stop,
      now: Date.now,
      statusOf: () => 0,
    });
    for (const { change, status, problem } of result.changes) {
      if (status !== 'done') this.#tell(host, `${change.path} to ${change.peer} ${status}: ${problem?.summary ?? ''}`);
    }
    for (const { conflict, status, problem } of result.decided) {
      if (status !== 'done')
        this.#tell(host, `${conflict.path} of ${conflict.peer} ${status}: ${problem?.summary ?? ''}`);
    }
    return plan;
  }

  /** The versions that the decisions on one file give up. What lies below a directory has decisions of its own. */
  #overrule(file: FileName, plan: Plan, host: number): void {
    const conflicts = plan.conflicts.filter((each) => each.path === file);
    const give = (peer: number, why: string): void => {
      const version = versionOf(path.join(this.#trees[peer]!, file.slice('%t%/'.length)));
      if (version !== undefined) this.#versions.excuse([version], why);
    };
    if (conflicts.some((each) => each.resolution === 'peer')) give(host, 'a decision took another');
    for (const { resolution, peer } of conflicts)
      if (resolution === 'local') give(this.#names.indexOf(peer), 'a decision kept another');
  }

  async #untilQuiet(): Promise<void> {
    const marked = new Set<string>();
    for (let round = 0; round < ROUNDS; round += 1) {
      let quiet = true;
      for (const host of this.#names.keys()) {
        const plan = await this.#sync(host, ['local']);
        if (plan === undefined) continue;
        quiet &&= plan.conflicts.length === 0 && plan.changes.length === 0 && plan.drift.length === 0;
      }
      if (!quiet) continue;
      const marks = await Promise.all([...this.#csync2.values()].map((host) => host.run(['-M'])));
      if (marks.every(({ stdout }) => stdout === '')) return;
      // A conflict of csync2 hosts among themselves: somebody marks the files on a csx host, and settles them there.
      const files = marks.flatMap(({ stdout }) =>
        [...stdout.matchAll(/\t([^\t\n]+)$/gm)].map(([, file]) => file ?? ''),
      );
      await this.#mark(new Set(files.filter((file) => !marked.has(file))) as Set<FileName>, false);
      // And a mark that a csync2 client never gets rid of: a removal below what is no directory at the peer any more.
      await this.#mark(new Set(files.filter((file) => marked.has(file))) as Set<FileName>, true);
      for (const file of files) marked.add(file);
    }
    throw new Error('It does not come to rest.');
  }

  async #mark(files: ReadonlySet<FileName>, forced: boolean): Promise<void> {
    if (files.size === 0) return;
    const [[host, opened] = []] = this.#opened;
    if (host === undefined || opened === undefined) throw new Error('no csx host');
    this.#tell(host, `user ${forced ? 'forces' : 'marks'} ${[...files].join(' ')}`);
    for (const file of files) {
      const routes = opened.selection.peersOf(file);
      const since = Date.now();
      await opened.store.write(
        routes.map(({ peer, me }) => ({ kind: 'mark' as const, file, peer, me, forced, since })),
      );
    }
  }

  #judge(): void {
    const trees = this.#trees.map(readTree);
    for (const other of trees) expect(other).toEqual(trees[0]);
    const lost = this.#versions.lost(new Set(versionsAt(this.#trees[0]!)));
    expect(lost.map((version) => version.slice(0, 20))).toEqual([]);
  }
}

/** Somebody ends a csync2 that hangs. */
function killed(error: unknown): undefined {
  if (!String(error).includes('SIGKILL')) throw error;
}

function storyOf(plan: Plan, host: number): string[] {
  return [
    `csx ${host + 1}: applies`,
    ...plan.changes.map(
      ({ peer, path: file, action, force }) => `    ${file} to ${peer}: ${action}${force ? ' !' : ''}`,
    ),
    ...plan.conflicts.map(
      ({ peer, path: file, kind, resolution }) => `    ${file} and ${peer}: ${kind}, ${resolution}`,
    ),
    ...plan.diagnostics.map(({ summary }) => `    ${summary}`),
  ];
}
