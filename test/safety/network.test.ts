/**
 * Promises 2 and 9 under a bad network: connections that are reset, closed, stalled or dribbled at any byte in either direction. Every
 * wait ends, nothing half is left, and once the network is well one run brings the hosts together. Promise 12: changed certificates.
 */

import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { signatureOfWhole } from '../../src/engine/delta/signature.js';
import { put } from '../support/cluster.js';
import { makePair } from '../support/csync2-daemon.js';
import { readTree } from '../support/tree.js';
import { LONG, PORT, staged, startHosts, stopHosts, times } from './hosts.js';
import type { Host } from './hosts.js';
import { startProxy } from './proxy.js';
import type { Proxy, Weather } from './proxy.js';
import { spread } from './strace.js';
import { stateOf, watch } from './watching.js';

const ONWARD = 30866;
const WHOLE_RUN = LONG ? 1_800_000 : 120_000;
let hosts: Host[] | undefined;
let proxy: Proxy | undefined;

afterEach(async () => {
  await proxy?.stop();
  proxy = undefined;
  await stopHosts(hosts);
  hosts = undefined;
});

async function connected(block: string, tls = false): Promise<[Host, Host, Proxy]> {
  hosts = await startHosts({ block, kinds: ['csx', 'csx'], silent: [0, 1], tls });
  const [sender, receiver] = hosts as [Host, Host];
  await receiver.serve({ port: ONWARD });
  proxy = await startProxy(receiver.address, PORT, ONWARD);
  return [sender, receiver, proxy];
}

const BODY = 'line of a file that is long enough for a delta\n'.repeat(2000);

function edit(tree: string, round: number): void {
  put(`${tree}/file`, `${BODY.slice(0, 40_000)}round ${String(round)}${BODY.slice(40_000)}`);
  fs.utimesSync(`${tree}/file`, 1_000_000, 1_000_000 + round);
  put(`${tree}/d${String(round % 3)}/new-${String(round)}`, `new ${String(round)}`);
  fs.rmSync(`${tree}/d${String((round + 1) % 3)}`, { recursive: true, force: true });
}

describe.each([false, true])('promise 2: a network that fails (TLS: %s)', (tls) => {
  it.each(['reset', 'end', 'stall'] as const)(
    '%s after any byte, either way: the run ends in time, and the next one converges',
    async (does) => {
      const [sender, receiver, network] = await connected(tls ? '127.34.25' : '127.34.24', tls);
      let round = 0;
      edit(sender.tree, round);
      expect(await sender.apply()).toMatchObject({ status: 0 });
      const { to, from } = network.passed;
      const watching = await watch([`${receiver.tree}/file`]);
      const allowed = new Set([stateOf(`${sender.tree}/file`)]);
      const weathers = (['to', 'from'] as const).flatMap((way): Weather[] =>
        spread(
          Array.from({ length: way === 'to' ? to : from }, (_, after) => after),
          times(tls ? 1 : 3, 20),
        ).map((after) => ({ way, after, does })),
      );
      for (const weather of weathers) {
        round += 1;
        edit(sender.tree, round);
        allowed.add(stateOf(`${sender.tree}/file`));
        network.weather = weather;
        const started = performance.now();
        const failed = await sender.apply({ flags: ['--timeout', '2'] });
        // With all retries and on a busy machine; without a limit it would be csync2's: for ever.
        expect(performance.now() - started).toBeLessThan(60_000);
        expect([0, 4, 9], failed.stdout + failed.stderr).toContain(failed.status);
        network.weather = undefined;
        // The plan's connection may have been the one that failed; either way nothing is lost.
        const again = await sender.apply();
        expect(again.status, `${JSON.stringify(weather)}\n${again.stdout}${again.stderr}`).toBe(0);
        // A stalled session is half open still, with what it had staged: until the network, or the daemon's own limit, ends it.
        network.hangUp();
        await vi.waitFor(() => {
          expect(staged(sender.tree, receiver.tree)).toEqual([]);
        }, 20_000);
        expect(readTree(receiver.tree), JSON.stringify(weather)).toEqual(readTree(sender.tree));
      }
      expect(network.hits).toBeGreaterThanOrEqual(weathers.length / 2);
      const seen = (await watching.stop()).get(`${receiver.tree}/file`) ?? [];
      expect(seen.filter((state) => !allowed.has(state))).toEqual([]);
    },
    WHOLE_RUN,
  );
});

/** A whole version of the file, whichever. */
const WHOLE = /^line of[^]*round \d+[^]*delta\n$/;

describe('promise 2: a network that says things twice', () => {
  it(
    'each connection comes twice, both with the same commands: at worst a conflict is told, and nothing is lost',
    async () => {
      const [sender, receiver, network] = await connected('127.34.29');
      for (let round = 0; round < times(2, 20); round += 1) {
        network.weather = { way: 'to', after: 0, does: 'duplicate' };
        edit(sender.tree, round);
        const applied = await sender.apply({ flags: ['--timeout', '10'] });
        expect([0, 3, 4, 9], applied.stdout + applied.stderr).toContain(applied.status);
        network.weather = undefined;
        // Of two sessions that bring the same file at once one is too late, and to be told so is right.
        const again = await sender.apply();
        expect([0, 3], again.stdout + again.stderr).toContain(again.status);
        expect(fs.readFileSync(`${receiver.tree}/file`, 'utf8')).toMatch(WHOLE);
        if (again.status === 3) expect(await sender.run(['force', '-r', '%t%'])).toMatchObject({ status: 0 });
        expect(await sender.apply()).toMatchObject({ status: 0 });
        expect(readTree(receiver.tree)).toEqual(readTree(sender.tree));
        expect(staged(receiver.tree)).toEqual([]);
      }
      expect(network.hits).toBeGreaterThan(1);
    },
    WHOLE_RUN,
  );

  it(
    'an answer comes twice, so that later ones are taken for others: told, nothing here is touched, no half file there',
    async () => {
      const [sender, receiver, network] = await connected('127.34.64');
      edit(sender.tree, 0);
      expect(await sender.apply()).toMatchObject({ status: 0 });
      const { from } = network.passed;
      for (const [index, after] of spread([...Array(from).keys()], times(3, 40)).entries()) {
        edit(sender.tree, index + 1);
        const before = readTree(sender.tree);
        network.weather = { way: 'from', after, does: 'repeat' };
        const applied = await sender.apply({ flags: ['--timeout', '2'] });
        network.weather = undefined;
        const told = applied.stdout + applied.stderr;
        expect([0, 3, 4, 9], told).toContain(applied.status);
        expect(readTree(sender.tree)).toEqual(before);
        expect(fs.readFileSync(`${receiver.tree}/file`, 'utf8')).toMatch(WHOLE);
        expect(staged(receiver.tree), told).toEqual([]);
        edit(sender.tree, index + 1);
        expect((await sender.apply()).status).toBe(0);
      }
      expect(network.hits).toBeGreaterThan(1);
    },
    WHOLE_RUN,
  );
});

describe('promise 8: a network that damages what it carries', () => {
  it.each([
    ['new', 'flip'],
    ['changed', 'spoil'],
  ] as const)('in plain text, the content of a %s file (%s): refused, and sent again once', async (kind, does) => {
    const [sender, receiver, network] = await connected(kind === 'new' ? '127.34.98' : '127.34.99');
    const same = randomBytes(500_000);
    if (kind === 'changed') put(`${sender.tree}/file`, same.toString('latin1'));
    expect(await sender.apply()).toMatchObject({ status: 0 });
    const before = readTree(receiver.tree);
    // Longer than a PACK takes, and than all that a plan asks: the damaged byte is one of a literal.
    put(`${sender.tree}/file`, same.toString('latin1') + randomBytes(1_000_000).toString('latin1'));
    network.weather = { way: 'to', after: 500_000, does };
    const damaged = await sender.apply();
    expect(receiver.log.split('The content is not the one that was sent.').length - 1).toBeGreaterThan(0);
    if (does === 'flip') {
      expect(network.hits).toBe(1);
      expect(damaged.status, damaged.stdout + damaged.stderr).toBe(0);
    } else {
      expect(network.hits).toBeGreaterThan(1);
      expect(damaged.status, damaged.stdout + damaged.stderr).toBe(4);
      expect((damaged.stdout + damaged.stderr).replaceAll(/\s+/g, ' ')).toContain('did not arrive on');
      expect(readTree(receiver.tree)).toEqual(before);
      network.weather = undefined;
      expect(await sender.apply()).toMatchObject({ status: 0 });
    }
    expect(staged(receiver.tree)).toEqual([]);
    expect(readTree(receiver.tree)).toEqual(readTree(sender.tree));
  });

  it('a block that has the sums of another one of the peer: refused, and sent again whole', async () => {
    const [sender, receiver, network] = await connected('127.34.97');
    const content = randomBytes(8 * 2048);
    fs.writeFileSync(`${sender.tree}/file`, content);
    expect(await sender.apply()).toMatchObject({ status: 0 });
    const changed = Buffer.from(content);
    for (const block of [2, 5]) randomBytes(2048).copy(changed, block * 2048);
    fs.writeFileSync(`${sender.tree}/file`, changed);
    // Had the two contents of block 2 the same sums, the peer's signature would be this.
    const [old, collision] = [content, changed].map((each) => signatureOfWhole(each).subarray(12 + 40, 12 + 60));
    network.weather = { way: 'from', after: 0, does: 'forge', forge: [old!, collision!] };
    const applied = await sender.apply({ flags: ['--on-conflict', 'local'] });
    expect(applied.status, applied.stdout + applied.stderr).toBe(0);
    // Told for the plan, and at each of two PATCHes.
    expect(network.hits).toBeGreaterThan(2);
    expect(receiver.log.split('The content is not the one that was sent.').length - 1).toBeGreaterThan(0);
    expect(readTree(receiver.tree)).toEqual(readTree(sender.tree));
  });
});

describe('promise 9: a peer that is slow delays only itself', () => {
  it('one byte at a time, both ways: it takes longer, and works', async () => {
    const [sender, receiver, network] = await connected('127.34.26');
    edit(sender.tree, 0);
    for (const way of ['to', 'from'] as const) {
      network.weather = { way, after: 0, does: 'dribble' };
      edit(sender.tree, way === 'to' ? 1 : 2);
      const applied = await sender.apply();
      expect(applied.status, applied.stdout + applied.stderr).toBe(0);
      expect(readTree(receiver.tree)).toEqual(readTree(sender.tree));
    }
    expect(network.hits).toBeGreaterThan(1);
  });

  it('one that accepts and never answers: the others have their changes long before it is given up', async () => {
    hosts = await startHosts({ block: '127.34.27', kinds: ['csx', 'csx', 'csx'], silent: [0, 1] });
    const [sender, stalled, swift] = hosts as [Host, Host, Host];
    await stalled.serve({ port: ONWARD });
    proxy = await startProxy(stalled.address, PORT, ONWARD);
    put(`${sender.tree}/file`, 'first');
    expect(await sender.apply()).toMatchObject({ status: 0 });
    put(`${sender.tree}/file`, 'second');
    // The plan is made while all is well; then the network to one peer stops in the middle of the transfer.
    const plan = `${sender.directory}/plan`;
    expect(await sender.run(['plan', '--out', plan])).toMatchObject({ status: 0 });
    proxy.weather = { way: 'to', after: 60, does: 'stall' };
    const applying = sender.run(['apply', plan, '--timeout', '6']);
    let early = false;
    void applying.then(() => (early = true));
    while (fs.readFileSync(`${swift.tree}/file`, 'utf8') !== 'second') {
      expect(early, 'the swift peer waits for the stalled one').toBe(false);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(early).toBe(false);
    expect(proxy.open, 'the stalled one has not been given up yet').toBeGreaterThanOrEqual(1);
    const applied = await applying;
    expect(applied.status, applied.stdout + applied.stderr).toBe(9);
    expect(fs.readFileSync(`${stalled.tree}/file`, 'utf8')).toBe('first');
    proxy.weather = undefined;
    expect((await sender.apply()).status).toBe(0);
    expect(fs.readFileSync(`${stalled.tree}/file`, 'utf8')).toBe('second');
  });
});

describe('promise 12: a certificate that changed between two runs is refused', () => {
  it('the receiver, then the sender: nothing is sent, the message names the command that accepts it', async () => {
    hosts = await startHosts({ block: '127.34.28', kinds: ['csx', 'csx'], silent: [0], tls: true });
    const [sender, receiver] = hosts as [Host, Host];
    put(`${sender.tree}/file`, 'first');
    expect(await sender.apply()).toMatchObject({ status: 0 });
    put(`${sender.tree}/file`, 'second');
    for (const changed of [receiver, sender]) {
      const pair = makePair(2048);
      fs.writeFileSync(`${changed.systemDirectory}/csync2_ssl_cert.pem`, pair.certificate);
      fs.writeFileSync(`${changed.systemDirectory}/csync2_ssl_key.pem`, pair.key, { mode: 0o600 });
      await receiver.kill();
      await receiver.serve();
      const refused = await sender.apply();
      expect(refused.status, refused.stdout + refused.stderr).toBe(4);
      expect(fs.readFileSync(`${receiver.tree}/file`, 'utf8')).toBe('first');
      const [told, other] = changed === receiver ? [refused.stdout + refused.stderr, receiver] : [receiver.log, sender];
      expect(told.replaceAll(/\s+/g, ' ')).toContain(`csx trust remove ${other.address}`);
      const where = changed === receiver ? sender : receiver;
      expect(await where.run(['trust', 'remove', other.address])).toMatchObject({ status: 0 });
    }
    expect((await sender.apply()).status).toBe(0);
    expect(fs.readFileSync(`${receiver.tree}/file`, 'utf8')).toBe('second');
  }, 90_000);
});
