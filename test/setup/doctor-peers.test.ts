/** The doctor's checks of peers: each broken for real, with the real csync2 at the other end. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeCertificatePair } from '../../src/engine/net/certificate-maker.js';
import { CSX_VERSION } from '../../src/model/version.js';
import { listenersOn } from '../../src/setup/doctor/port.js';
import { makePair } from '../support/csync2-daemon.js';
import { bad, broken, ExaminedHost, KEY, MINE, pin } from './examined-host.js';

const ME = '127.33.7.1';
const PEER = '127.33.7.2';
const OTHER = makePair(2048);
const SHORT = makePair(1024);

let host: ExaminedHost;

beforeEach(() => {
  host = new ExaminedHost('127.33.7');
});

afterEach(async () => {
  await host.remove();
});

function fingerprint(directory: string): Record<string, string> {
  const all: Record<string, string> = {};
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    const { mode, mtimeNs, size } = statSync(file, { bigint: true });
    all[file] = `${mode}:${mtimeNs}:${size}:${entry.isFile() ? readFileSync(file, 'latin1') : ''}`;
  }
  return all;
}

describe('a healthy host', () => {
  it('has nothing wrong, and nothing is changed by looking', async () => {
    await host.peer();
    const before = fingerprint(host.root);
    const findings = await host.look();
    // No daemon runs here: that is the only thing worth a word.
    expect(bad(findings).map((each) => each.message)).toEqual([
      'Nothing listens on port 30865 of this host, so peers cannot send to it.',
    ]);
    expect(findings.find((each) => each.check === 'peer')?.message).toMatch(
      /^127\.33\.7\.2 \(127\.33\.7\.2:30865\), csync2, answers over TLS and takes the key of g; its certificate is not pinned yet/,
    );
    expect(fingerprint(host.root)).toEqual(before);
  });

  it('says so in plain text too, without a certificate', async () => {
    host.configure(`nossl * *; ${host.group()}`);
    rmSync(path.join(host.system, 'csync2_ssl_cert.pem'));
    await host.peer({ config: `nossl * *; ${host.group()}` });
    const findings = await host.look();
    expect(bad(findings).map((each) => each.check)).toEqual(['port']);
    expect(findings.find((each) => each.check === 'certificate')?.message).toContain('nossl covers every peer');
  });
});

describe('addresses', () => {
  it('are not where the connection comes from', async () => {
    await host.peer();
    const found = broken(await host.look({ bind: '127.33.7.9' }), 'addresses');
    expect(found.message).toContain(`does not believe that 127.33.7.9 is ${ME} (here ${ME} resolves to ${ME}`);
    expect(found.cure).toContain(`On ${PEER}, ${ME} has to resolve to 127.33.7.9`);
  });
});

describe('keys', () => {
  it('can be read by the world', async () => {
    chmodSync(path.join(host.system, 'k'), 0o644);
    await host.peer();
    const findings = await host.look();
    expect(broken(findings, 'keys').cure).toContain('chmod 600');
    // The rest is looked at all the same.
    expect(findings.some((each) => each.check === 'peer' && each.status === 'ok')).toBe(true);
  });

  it('are not those of the peer', async () => {
    await host.peer({ keys: { k: 'x'.repeat(64) } });
    const found = broken(await host.look(), 'keys');
    expect(found.message).toContain(`${PEER} refuses group g: asked for ${host.tree}`);
    expect(JSON.stringify(await host.look())).not.toContain(KEY);
  });

  it('are not tried by a slave, whose asking would be a change', async () => {
    host.configure(host.group('', `(${ME}) ${PEER}`));
    const other = await host.peer({ config: host.group('', `(${ME}) ${PEER}`), verbose: 3 });
    const findings = await host.look();
    expect(findings.find((each) => each.check === 'peer')?.message).toContain('only receives there');
    expect(other.log()).not.toContain('GETTM');
  });
});

describe('certificates and pins', () => {
  it('of this host are missing', async () => {
    rmSync(path.join(host.system, 'csync2_ssl_cert.pem'));
    const findings = await host.look();
    expect(broken(findings, 'certificate').cure).toContain('csx cert');
    // The port is tried all the same.
    expect(broken(findings, 'port').message).toContain('refuses connections');
    await host.peer();
    expect((await host.look()).map((each) => each.message)).toContain(
      `${PEER} (${PEER}:30865) takes connections; without a certificate no more could be asked.`,
    );
  });

  it('of a peer have 1024 bits', async () => {
    await host.peer({ tls: SHORT });
    const found = broken(await host.look(), 'certificate', 'warning');
    expect(found.message).toContain(`The certificate of ${PEER} has a key of only 1024 bits`);
  });

  it('of a peer are not the pinned ones', async () => {
    await host.peer();
    pin(path.join(host.databases, `${ME}.db3`), PEER, OTHER.certificate);
    expect(broken(await host.look(), 'pins').cure).toContain(`csx trust remove ${PEER}`);
  });

  it('of this host are not what the peer has pinned', async () => {
    const other = await host.peer();
    await other.run(['-L']);
    pin(other.database, ME, OTHER.certificate);
    const found = broken(await host.look(), 'pins');
    expect(found.message).toContain(`has another certificate pinned for ${ME} than this host's`);
    expect(found.cure).toContain(`csx trust remove ${ME}`);
  });
});

describe('subjects of certificates', () => {
  it('keep csync2 from csync2 where they differ', async () => {
    await host.peer({ address: ME, directory: path.join(host.root, 'served'), tls: MINE });
    const there = await host.peer({ tls: makePair(2048, '/CN=web2') });
    const found = broken(await host.look(), 'certificate');
    expect(found.message).toContain(`${PEER}'s certificate has another subject than this host's`);
    // It is as it says.
    const sent = await there.run(['-xv']);
    // Where the peer closes before csync2 has written, it is ended by SIGPIPE instead.
    expect([1, 141]).toContain(sent.status);
    if (sent.status === 1) expect(sent.stderr).toContain('Config command failed.');
  });

  it('are no matter where csync2 does not listen', async () => {
    await host.peer({ tls: makePair(2048, '/CN=web2') });
    expect(bad(await host.look()).map((each) => each.check)).toEqual(['port']);
  });

  it('are the same in pairs of csx and of openssl', async () => {
    const pair = await makeCertificatePair({ name: 'csync2', bits: 2048, now: Date.now() });
    host.writePair({ certificate: pair.certificate, key: pair.secret() });
    await host.peer({ address: ME, directory: path.join(host.root, 'served'), tls: MINE });
    await host.peer();
    expect(bad(await host.look())).toEqual([]);
  });
});

describe('encryption on one side only', () => {
  it('is expected by the peer alone', async () => {
    host.configure(`nossl * *; ${host.group()}`);
    await host.peer();
    expect(broken(await host.look(), 'encryption').message).toContain('expects encryption, and a nossl statement here');
  });

  it('is expected by this host alone', async () => {
    await host.peer({ config: `nossl * *; ${host.group()}` });
    const found = broken(await host.look(), 'encryption');
    expect(found.message).toContain(
      `A nossl statement on ${PEER} says plain text toward this host, and none here does`,
    );
  });
});

describe('a peer without a certificate', () => {
  it('cannot encrypt', async () => {
    const other = await host.peer();
    rmSync(path.join(other.systemDirectory, 'csync2_ssl_cert.pem'));
    expect(broken(await host.look(), 'encryption').message).toContain(PEER);
  });
});

describe('ports', () => {
  it('are closed on the peer', async () => {
    expect(broken(await host.look(), 'port').message).toContain('refuses connections');
  });

  it('have something else behind them on the peer', async () => {
    await host.listen(PEER, 'SSH-2.0-OpenSSH_9.2\r\n');
    const found = broken(await host.look(), 'port');
    expect(found.message).toContain(`${PEER} (${PEER}:30865) answers, but not as csync2 or csx do`);
  });

  it('are served by csync2 on this host', async () => {
    const other = await host.peer({ address: ME });
    const findings = await host.look({ offline: true });
    expect(bad(findings)).toEqual([]);
    expect(findings.find((each) => each.check === 'port')?.message).toBe(
      `csync2 (pid ${String(other.pid)}) listens on port 30865.`,
    );
  });

  it.each([
    ['csx', ['daemon', '-N', ME], 'csx'],
    ['csync2', ['-ii', '-N', ME], 'csx, as csync2'],
  ])('are served by %s of this project', async (program, args, name) => {
    const daemon = spawn(path.resolve('bin', program), [...args, '-D', `${host.databases}/`], {
      env: { ...process.env, CSYNC2_SYSTEM_DIR: host.system },
      stdio: 'ignore',
    });
    host.atEnd(async () => {
      daemon.kill('SIGKILL');
      if (daemon.exitCode === null && daemon.signalCode === null) await once(daemon, 'exit');
    });
    for (let tries = 0; listenersOn(30865).every(({ address }) => address !== ME); tries++) {
      expect([daemon.exitCode, tries < 500]).toEqual([null, true]);
      await sleep(20);
    }
    expect((await host.look({ offline: true })).find((each) => each.check === 'port')).toMatchObject({
      status: 'ok',
      message: `${name} (pid ${String(daemon.pid)}) listens on port 30865.`,
    });
  });

  it('are served twice on this host', async () => {
    host.configure(
      host.group('', `${ME} ${PEER}`) + ` group h { host ${ME}@127.33.7.3 ${PEER}; key k; include ${host.tree}; }`,
    );
    await host.peer({ address: ME });
    await host.peer({ address: '127.33.7.3' });
    expect(broken(await host.look({ offline: true, groups: [] }), 'port', 'warning').message).toContain(
      'Several daemons listen',
    );
  });
});

describe('the clock', () => {
  const HOUR = 3_600_000;

  it.each([
    ['behind', -HOUR],
    ['ahead of', HOUR],
  ])('of a csx peer is %s this one', async (words, shift) => {
    await host.csxPeer({ now: () => Date.now() + shift });
    const found = broken(await host.look(), 'clock', 'warning');
    expect(found.message).toMatch(
      new RegExp(
        `^${PEER}'s clock is (1 h 0 min|59 min 5\\ds?) ${words} this host's \\(read to within .*2\\.0 s are tolerated\\)`,
      ),
    );
    expect(found.cure).toContain('NTP');
  });

  it('is an error where a group decides conflicts by it', async () => {
    const config = host.group('auto younger;');
    host.configure(config);
    await host.csxPeer({ config, now: () => Date.now() - 10_000 });
    expect(broken(await host.look(), 'clock').message).toContain('group g decides conflicts by them');
  });

  it('may differ by less than files tell', async () => {
    await host.csxPeer({ now: () => Date.now() - 1_000 });
    const findings = await host.look();
    expect(bad(findings).map((each) => each.check)).toEqual(['port']);
    expect(findings.find((each) => each.check === 'clock')?.message).toContain(`within 2.0 s of it: ${PEER}`);
  });

  it('of a csync2 peer shows only where it is ahead', async () => {
    await host.peer();
    expect((await host.look()).find((each) => each.check === 'clock')?.message).toContain(
      `csync2 does not tell its clock, and no file is from the future on ${PEER}`,
    );
    const later = Date.now() / 1000 + 3600;
    utimesSync(host.tree, later, later);
    const found = broken(await host.look(), 'clock', 'warning');
    expect(found.message).toContain(`${host.tree} on ${PEER} was changed`);
  });
});

describe('versions', () => {
  it('of peers are named, and csync2 tells none', async () => {
    await host.csxPeer();
    const first = await host.look({ csxVersion: CSX_VERSION });
    expect(first.find((each) => each.check === 'peer')?.message).toContain(`csx ${CSX_VERSION}, answers over TLS`);
    expect(first.filter((each) => each.check === 'versions' && each.status !== 'ok')).toEqual([]);
  });

  it('of peers differ', async () => {
    host.configure(`nossl * *; ${host.group()}`);
    const OK = 'OK (cmd_finished).';
    await host.script({
      CONFIG: OK,
      HELLO: OK,
      'CSX about': `OK (csx 7.8.9 ${String(Date.now())}).`,
      GETTM: 'OK (data_follows).\n0',
      BYE: 'OK (cu_later).',
    });
    const found = broken(await host.look({ csxVersion: '0.1.0' }), 'versions', 'warning');
    expect(found.message).toBe(`csx 0.1.0 runs here, csx 7.8.9 on ${PEER}.`);
  });
});
