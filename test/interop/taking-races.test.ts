/**
 * A peer's version is taken while either side moves on: at each question csx asks a real csync2 peer meanwhile, somebody writes. Nothing
 * that was written is lost, and no decision is carried out on a version it was not taken on.
 */

import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Opened } from '../../src/engine/daemon/served.js';
import type { Connection } from '../../src/engine/net/connection.js';
import { applyPlan } from '../../src/engine/update/apply.js';
import { computePlan } from '../../src/engine/update/compute-plan.js';
import { Dialer } from '../../src/engine/update/dial.js';
import { Recording } from '../../src/engine/update/record.js';
import { take } from '../../src/engine/update/take.js';
import type { Took } from '../../src/engine/update/take.js';
import type { Plan } from '../../src/model/plan.js';
import { startCsx } from '../engine/daemon/csx-daemon.js';
import type { CsxHost } from '../engine/daemon/csx-daemon.js';
import { KEY } from '../support/cluster.js';
import { startCsync2 } from '../support/csync2-daemon.js';
import type { Csync2Host } from '../support/csync2-daemon.js';

describe('a version that is taken while somebody writes', () => {
  const [here, there] = ['127.32.9.1', '127.32.9.2'];
  const stop = new AbortController().signal;
  let root: string;
  let host: CsxHost;
  let peer: Csync2Host;
  let opened: Opened;
  let dialer: Dialer;

  beforeAll(async () => {
    root = mkdtempSync(path.join(tmpdir(), 'csx-taking-'));
    for (const each of [here, there]) mkdirSync(path.join(root, each));
    const config = `nossl * *; prefix t { on ${here}: ${root}/${here}; on ${there}: ${root}/${there}; }
      group g { host ${here} ${there}; key k; include %t%; }`;
    peer = await startCsync2({ address: there, config, keys: { k: KEY } });
    host = await startCsx({ address: here, config, keys: { k: KEY } });
    opened = await host.open();
    dialer = new Dialer({
      ...opened,
      port: 30865,
      bind: here,
      configName: undefined,
      groups: undefined,
      timeout: 20_000,
      signal: undefined,
      now: Date.now,
    });
  });
  afterAll(async () => {
    await opened.store.close();
    await host.stop();
    await peer.stop();
    rmSync(root, { recursive: true, force: true });
  });

  const write = (where: string, name: string, text: string): void => {
    writeFileSync(path.join(root, where, name), text);
  };
  const read = (where: string, name: string): string => readFileSync(path.join(root, where, name), 'utf8');

  const planNow = async (): Promise<Plan> =>
    (
      await computePlan({
        ...opened,
        peers: undefined,
        dialer,
        scopes: undefined,
        excludes: () => false,
        options: { targets: [], excludes: [], peers: [], groups: [], offline: false, configName: undefined },
        maxDelete: undefined,
        decide: undefined,
        parallelism: 1,
        csxVersion: 'test',
        report: () => undefined,
        stop,
        now: Date.now,
      })
    ).plan;

  const applyNow = async (plan: Plan): Promise<number> => {
    const result = await applyPlan({
      ...opened,
      plan,
      dialer,
      parallelism: 1,
      environment: {},
      report: () => undefined,
      stop,
      now: Date.now,
      statusOf: () => 0,
    });
    return result.conflicts.length + result.summary.failed + result.summary.skipped;
  };

  /**
   * A conflict over the file, whose peer's version is taken; right before csx says a verb for the nth time, somebody writes.
   * @param meanwhile by verb and count: `SIG 2`
   */
  async function takes(name: string, meanwhile: Readonly<Record<string, () => void>>): Promise<Took> {
    write(here, name, 'common\n');
    expect(await applyNow(await planNow())).toBe(0);
    write(here, name, 'written here\n');
    write(there, name, 'written over there\n');
    const plan = await planNow();
    const conflict = plan.conflicts.find((each) => each.path === `%t%/${name}`);
    expect(conflict).toBeDefined();
    await new Recording(
      plan,
      { ...opened, ignore: opened.config.ignore, everybody: true, seen: undefined, now: Date.now },
      [],
    ).finished;
    const { connection } = await dialer.dial(conflict!.peer, conflict!.me);
    try {
      return await take(conflict!, { ...opened, dialer, now: Date.now, connection: listening(connection, meanwhile) });
    } finally {
      connection.destroy();
    }
  }

  function listening(connection: Connection, meanwhile: Readonly<Record<string, () => void>>): Connection {
    const counts = new Map<string, number>();
    const request: Connection['request'] = (verb, args) => {
      const count = (counts.get(verb) ?? 0) + 1;
      counts.set(verb, count);
      meanwhile[`${verb} ${count}`]?.();
      return connection.request(verb, args);
    };
    return new Proxy(connection, {
      get: (target, key) => {
        const value: unknown = key === 'request' ? request : Reflect.get(target, key, target);
        return typeof value === 'function' && key !== 'request' ? (value.bind(target) as unknown) : value;
      },
    });
  }

  function nothingStaged(): void {
    expect(readdirSync(path.join(root, here)).filter((name) => name.startsWith('.csx-'))).toEqual([]);
  }

  /** csync2's own run on the peer, and csx's here: both end in the same, with nothing left. */
  async function settles(name: string, text: string): Promise<void> {
    await peer.run(['-x']);
    expect(await applyNow(await planNow())).toBe(0);
    expect([read(here, name), read(there, name)]).toEqual([text, text]);
    expect((await peer.run(['-M'])).stdout).toBe('');
    expect((await opened.store.dirty()).length).toBe(0);
  }

  it('the peer, before it is asked: not the version that was decided on', async () => {
    const name = 'a';
    await expect(
      takes(name, {
        'SIG 1': () => {
          write(there, name, 'newer over there\n');
        },
      }),
    ).rejects.toMatchObject({
      code: 'PLAN_STALE',
    });
    expect([read(here, name), read(there, name)]).toEqual(['written here\n', 'newer over there\n']);
    nothingStaged();
    rmSync(path.join(root, here, name));
    rmSync(path.join(root, there, name));
    expect(await applyNow(await planNow())).toBe(0);
  });

  it('the peer, while its content comes: a mixture of two versions never arrives', async () => {
    const name = 'b';
    await expect(
      takes(name, {
        'SIG 2': () => {
          write(there, name, 'newer over there\n');
        },
      }),
    ).rejects.toMatchObject({
      code: 'CHANGED_MEANWHILE',
    });
    expect([read(here, name), read(there, name)]).toEqual(['written here\n', 'newer over there\n']);
    nothingStaged();
    rmSync(path.join(root, here, name));
    rmSync(path.join(root, there, name));
    expect(await applyNow(await planNow())).toBe(0);
  });

  it('this host, while the content comes: what was written here stays', async () => {
    const name = 'c';
    await expect(
      takes(name, {
        'SIG 2': () => {
          write(here, name, 'newer here, again\n');
        },
      }),
    ).rejects.toMatchObject({
      code: 'PLAN_STALE',
    });
    expect([read(here, name), read(there, name)]).toEqual(['newer here, again\n', 'written over there\n']);
    nothingStaged();
    rmSync(path.join(root, here, name));
    rmSync(path.join(root, there, name));
    expect(await applyNow(await planNow())).toBe(0);
  });

  it('the peer, between the version and FLUSH: it keeps the newer one, and sends it by itself', async () => {
    const name = 'd';
    const took = await takes(name, {
      'FLUSH 1': () => {
        write(there, name, 'newer over there\n');
      },
    });
    expect(took.movedOn).toBe(true);
    expect([read(here, name), read(there, name)]).toEqual(['written over there\n', 'newer over there\n']);
    expect((await peer.run(['-M'])).stdout).toContain(`%t%/${name}`);
    await settles(name, 'newer over there\n');
  });

  it('both, between the version and FLUSH: a new conflict, that nobody has decided', async () => {
    const name = 'e';
    await takes(name, {
      'FLUSH 1': () => {
        write(there, name, 'newer over there\n');
        write(here, name, 'newer here, again\n');
      },
    });
    const plan = await planNow();
    expect(plan.conflicts.map((each) => [each.path, each.resolution])).toEqual([[`%t%/${name}`, 'none']]);
    expect([read(here, name), read(there, name)]).toEqual(['newer here, again\n', 'newer over there\n']);
  });
});
