/** Each check of the doctor: well when all is well, and broken for real: real files, real sockets, a real csync2 as the peer. */

import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { examine } from '../../src/setup/doctor/examine.js';
import type { DoctorOptions } from '../../src/setup/doctor/examine.js';
import { makeCertificatePair } from '../../src/engine/net/certificate-maker.js';
import type { CheckName, Finding } from '../../src/model/finding.js';
import { makePair, startCsync2 } from '../support/csync2-daemon.js';
import type { Csync2Host, Csync2Options } from '../support/csync2-daemon.js';

const ME = '127.33.1.1';
const PEER = '127.33.1.2';
const KEY = 'k'.repeat(64);
const PAIRS = { me: makePair(2048), peer: makePair(2048), other: makePair(2048), short: makePair(1024) };

let root: string;
let tree: string;
let system: string;
let databases: string;
let closing: (() => void | Promise<void>)[];

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'csx-doctor-'));
  [tree, system, databases] = ['tree', 'etc', 'db'].map((name) => path.join(root, name)) as [string, string, string];
  for (const directory of [tree, system, databases]) mkdirSync(directory);
  writeFileSync(path.join(tree, 'a'), 'a');
  writePair(PAIRS.me);
  writeFileSync(path.join(system, 'k'), `${KEY}\n`, { mode: 0o600 });
  configure();
  closing = [];
});

afterEach(async () => {
  for (const close of closing.reverse()) await close();
  rmSync(root, { recursive: true, force: true });
});

const group = (more = '', hosts = `${ME} ${PEER}`): string =>
  `group g { host ${hosts}; key k; include ${tree}; ${more} }`;

function configure(text = group()): void {
  writeFileSync(path.join(system, 'csync2.cfg'), text);
}

function writePair(pair: { readonly certificate: string; readonly key: string }): void {
  rmSync(path.join(system, 'csync2_ssl_key.pem'), { force: true });
  writeFileSync(path.join(system, 'csync2_ssl_cert.pem'), pair.certificate);
  writeFileSync(path.join(system, 'csync2_ssl_key.pem'), pair.key, { mode: 0o600 });
}

/** A csync2 daemon at the peer's address, with the same configuration unless told otherwise. */
async function peer(options: Partial<Csync2Options> = {}): Promise<Csync2Host> {
  const host = await startCsync2({ address: PEER, config: group(), keys: { k: KEY }, tls: PAIRS.peer, ...options });
  closing.push(() => host.stop());
  return host;
}

async function listen(address: string, port = 30865, onLine = ''): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    if (onLine !== '') socket.write(onLine);
  });
  await new Promise<void>((resolve) => server.listen(port, address, resolve));
  closing.push(() => void server.close());
  return server;
}

function look(more: Partial<DoctorOptions> = {}): Promise<readonly Finding[]> {
  return examine({
    place: { systemDirectory: system, host: ME },
    database: databases,
    port: 30865,
    bind: ME,
    groups: [],
    peers: [],
    offline: false,
    timeout: 5_000,
    signal: undefined,
    csxVersion: '0.0.0',
    now: Date.now,
    ...more,
  });
}

const bad = (findings: readonly Finding[]): readonly Finding[] => findings.filter((each) => each.status !== 'ok');

/** The one finding of a check that is not well. */
function broken(findings: readonly Finding[], check: CheckName, status: Finding['status'] = 'error'): Finding {
  const found = findings.filter((each) => each.check === check && each.status === status);
  expect(found, JSON.stringify(bad(findings), null, 1)).toHaveLength(1);
  expect(found[0]!.cure).toMatch(/.{10}/);
  expect(found[0]!.message).not.toContain('\n');
  return found[0]!;
}

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
    await peer();
    const before = fingerprint(root);
    const findings = await look();
    // No daemon runs here: that is the only thing worth a word.
    expect(bad(findings).map((each) => each.message)).toEqual([
      'Nothing listens on port 30865 of this host, so peers cannot send to it.',
    ]);
    expect(findings.find((each) => each.check === 'peer')?.message).toMatch(
      /^127\.33\.1\.2 \(127\.33\.1\.2:30865\) answers over TLS and takes the key of g; its certificate is not pinned yet/,
    );
    expect(fingerprint(root)).toEqual(before);
  });

  it('is not asked of anybody offline', async () => {
    expect(bad(await look({ offline: true })).map((each) => each.check)).toEqual(['port']);
  });

  it('says so in plain text too, without a certificate', async () => {
    configure(`nossl * *; ${group()}`);
    rmSync(path.join(system, 'csync2_ssl_cert.pem'));
    await peer({ config: `nossl * *; ${group()}` });
    const findings = await look();
    expect(bad(findings).map((each) => each.check)).toEqual(['port']);
    expect(findings.find((each) => each.check === 'certificate')?.message).toContain('nossl covers every peer');
  });
});

describe('the configuration', () => {
  it('is named with file, line and column when it is wrong', async () => {
    configure(`group g {\n  hosts ${ME};\n}`);
    expect(broken(await look(), 'configuration').message).toMatch(/csync2\.cfg:2:\d+: /);
  });

  it('is missing', async () => {
    rmSync(path.join(system, 'csync2.cfg'));
    expect(broken(await look(), 'configuration').cure).toContain('csx init');
  });

  it('is locked by csync2.lock', async () => {
    writeFileSync(path.join(system, 'csync2.lock'), '');
    expect(broken(await look({ offline: true }), 'configuration').message).toContain('csync2.lock exists');
  });
});

describe('the name of this host', () => {
  it('is what a group lists, less its domain', async () => {
    configure(group('', 'web1.example.com web2.example.com'));
    const found = broken(await look({ place: { systemDirectory: system, host: 'web2' } }), 'name');
    expect(found.message).toContain('This host calls itself web2, and no group lists it');
    expect(found.cure).toContain('-N web2.example.com');
  });

  it('is what a group lists with an address of this host', async () => {
    configure(group('', 'other.invalid localhost'));
    const found = broken(await look({ place: { systemDirectory: system, host: 'zebra' } }), 'name');
    expect(found.cure).toContain('It seems to be localhost: say -N localhost');
  });

  it('may be any of the listed ones', async () => {
    configure(group('', 'one.invalid two.invalid'));
    const found = broken(await look({ place: { systemDirectory: system, host: 'zebra' } }), 'name');
    expect(found.message).toContain('(listed: one.invalid, two.invalid)');
    expect(found.cure).toContain('Add zebra to a host statement');
  });
});

describe('addresses', () => {
  it('of a peer do not exist', async () => {
    configure(group('', `${ME} nobody.invalid`));
    expect(broken(await look(), 'addresses').message).toBe('The peer nobody.invalid does not resolve.');
  });

  it('of this host belong to another machine', async () => {
    configure(group('', `me@203.0.113.7 ${PEER}`));
    const found = broken(await look({ place: { systemDirectory: system, host: 'me' }, offline: true }), 'addresses');
    expect(found.message).toContain('203.0.113.7, which is no address of this host');
  });

  it('of this host are seen by nobody else', async () => {
    configure(group('', `${ME} 203.0.113.7`));
    expect(broken(await look({ offline: true }), 'addresses', 'warning').message).toContain('that no peer sees');
  });

  it('of two hosts are the same', async () => {
    configure(
      group('', `${ME} localhost@localhost (x@127.33.1.1)`).replace(`${ME} localhost@localhost`, `a@localhost`),
    );
    const place = { systemDirectory: system, host: 'a' };
    configure(group('', 'a@localhost b@127.0.0.1'));
    expect(broken(await look({ place, offline: true }), 'addresses').message).toContain("as this host's own name");
  });

  it('are not where the connection comes from', async () => {
    await peer();
    const found = broken(await look({ bind: '127.33.1.9' }), 'addresses');
    expect(found.message).toContain(`does not believe that 127.33.1.9 is ${ME} (here ${ME} resolves to ${ME}`);
    expect(found.cure).toContain(`On ${PEER}, ${ME} has to resolve to 127.33.1.9`);
  });
});

describe('keys', () => {
  it('can be read by the world', async () => {
    chmodSync(path.join(system, 'k'), 0o644);
    await peer();
    const findings = await look();
    expect(broken(findings, 'keys').cure).toContain('chmod 600');
    // The rest is looked at all the same.
    expect(findings.some((each) => each.check === 'peer' && each.status === 'ok')).toBe(true);
  });

  it('are missing', async () => {
    rmSync(path.join(system, 'k'));
    expect(broken(await look({ offline: true }), 'keys').message).toContain('does not exist');
  });

  it('are no files', async () => {
    rmSync(path.join(system, 'k'));
    mkdirSync(path.join(system, 'k'), { mode: 0o700 });
    expect(broken(await look({ offline: true }), 'keys').message).toContain('is not a regular file');
  });

  it('are too short', async () => {
    writeFileSync(path.join(system, 'k'), 'short\n');
    expect(broken(await look({ offline: true }), 'keys').message).toContain('too short');
  });

  it('are not those of the peer', async () => {
    await peer({ keys: { k: 'x'.repeat(64) } });
    const found = broken(await look(), 'keys');
    expect(found.message).toContain(`${PEER} refuses group g: asked for ${tree}`);
    expect(JSON.stringify(await look())).not.toContain(KEY);
  });

  it('are not tried by a slave, whose asking would be a change', async () => {
    configure(group('', `(${ME}) ${PEER}`));
    const host = await peer({ config: group('', `(${ME}) ${PEER}`), verbose: 3 });
    const findings = await look();
    expect(findings.find((each) => each.check === 'peer')?.message).toContain('only receives there');
    expect(host.log()).not.toContain('GETTM');
  });
});

describe('certificates and pins', () => {
  it('of this host are missing', async () => {
    rmSync(path.join(system, 'csync2_ssl_cert.pem'));
    const findings = await look();
    expect(broken(findings, 'certificate').cure).toContain('csx cert');
    // The port is tried all the same.
    expect(broken(findings, 'port').message).toContain('refuses connections');
    await peer();
    expect((await look()).map((each) => each.message)).toContain(
      `${PEER} (${PEER}:30865) takes connections; without a certificate no more could be asked.`,
    );
  });

  it('of this host have a key that the world can read', async () => {
    chmodSync(path.join(system, 'csync2_ssl_key.pem'), 0o644);
    expect(broken(await look(), 'certificate').cure).toContain('chmod 600');
  });

  it('of this host have 1024 bits', async () => {
    writePair(PAIRS.short);
    expect(broken(await look({ offline: true }), 'certificate', 'warning').message).toContain('only 1024 bits');
  });

  it('of this host have ended', async () => {
    const pair = await makeCertificatePair({ name: 'x', bits: 2048, days: 1, now: Date.now() - 3 * 86_400_000 });
    writePair({ certificate: pair.certificate, key: pair.secret() });
    expect(broken(await look({ offline: true }), 'certificate', 'warning').message).toMatch(/ended on \d{4}-/);
  });

  it('of a peer have 1024 bits', async () => {
    await peer({ tls: PAIRS.short });
    const found = broken(await look(), 'certificate', 'warning');
    expect(found.message).toContain(`The certificate of ${PEER} has a key of only 1024 bits`);
  });

  it('of a peer are not the pinned ones', async () => {
    await peer();
    pin(path.join(databases, `${ME}.db3`), PEER, PAIRS.other.certificate);
    expect(broken(await look(), 'pins').cure).toContain(`csx trust remove ${PEER}`);
  });

  it('of this host are not what the peer has pinned', async () => {
    const host = await peer();
    await host.run(['-L']);
    pin(host.database, ME, PAIRS.other.certificate);
    const found = broken(await look(), 'pins');
    expect(found.message).toContain(`has another certificate pinned for ${ME} than this host's`);
    expect(found.cure).toContain(`csx trust remove ${ME}`);
  });
});

/** Pins in csync2's own table, as csync2 does. */
function pin(database: string, name: string, pem: string): void {
  const hex = Buffer.from(pem.replace(/-----[A-Z ]+-----|\s/g, ''), 'base64')
    .toString('hex')
    .toUpperCase();
  const db = new Database(database);
  try {
    db.exec(
      'CREATE TABLE IF NOT EXISTS x509_cert (peername varchar(4096), certdata varchar(4096), UNIQUE (peername) ON CONFLICT REPLACE)',
    );
    db.prepare('INSERT INTO x509_cert (peername, certdata) VALUES (?, ?)').run(name, hex);
  } finally {
    db.close();
  }
}

describe('subjects of certificates', () => {
  it('keep csync2 from csync2 where they differ', async () => {
    await peer({ address: ME, directory: path.join(root, 'served'), tls: PAIRS.me });
    const there = await peer({ tls: makePair(2048, '/CN=web2') });
    const found = broken(await look(), 'certificate');
    expect(found.message).toContain(`${PEER}'s certificate has another subject than this host's`);
    // It is as it says.
    const sent = await there.run(['-xv']);
    expect(sent).toMatchObject({ status: 1, stderr: expect.stringContaining('Config command failed.') as unknown });
  });

  it('are no matter where csync2 does not listen', async () => {
    await peer({ tls: makePair(2048, '/CN=web2') });
    expect(bad(await look()).map((each) => each.check)).toEqual(['port']);
  });

  it('are the same in pairs of csx and of openssl', async () => {
    const pair = await makeCertificatePair({ name: 'csync2', bits: 2048, now: Date.now() });
    writePair({ certificate: pair.certificate, key: pair.secret() });
    await peer({ address: ME, directory: path.join(root, 'served'), tls: PAIRS.me });
    await peer();
    expect(bad(await look())).toEqual([]);
  });
});

describe('encryption on one side only', () => {
  it('is expected by the peer alone', async () => {
    configure(`nossl * *; ${group()}`);
    await peer();
    expect(broken(await look(), 'encryption').message).toContain('expects encryption, and a nossl statement here');
  });

  it('is expected by this host alone', async () => {
    await peer({ config: `nossl * *; ${group()}` });
    const found = broken(await look(), 'encryption');
    expect(found.message).toContain(
      `A nossl statement on ${PEER} says plain text toward this host, and none here does`,
    );
  });
});

describe('a peer without a certificate', () => {
  it('cannot encrypt', async () => {
    const host = await peer();
    rmSync(path.join(host.systemDirectory, 'csync2_ssl_cert.pem'));
    expect(broken(await look(), 'encryption').message).toContain(PEER);
  });
});

describe('ports', () => {
  it('are closed on the peer', async () => {
    expect(broken(await look(), 'port').message).toContain('refuses connections');
  });

  it('have something else behind them on the peer', async () => {
    await listen(PEER, 30865, 'SSH-2.0-OpenSSH_9.2\r\n');
    const found = broken(await look(), 'port');
    expect(found.message).toContain(`${PEER} (${PEER}:30865) answers, but not as csync2 or csx do`);
  });

  it('are taken by a stranger on this host', async () => {
    await listen(ME);
    const found = broken(await look({ offline: true }), 'port');
    expect(found.message).toMatch(/\(pid \d+\) listens on port 30865 of 127\.33\.1\.1, and is neither csync2 nor csx/);
  });

  it('are served by csync2 on this host', async () => {
    const host = await peer({ address: ME });
    const findings = await look({ offline: true });
    expect(bad(findings)).toEqual([]);
    expect(findings.find((each) => each.check === 'port')?.message).toBe(
      `csync2 (pid ${String(host.pid)}) listens on port 30865.`,
    );
  });

  it('are served twice on this host', async () => {
    configure(group('', `${ME} ${PEER}`) + ` group h { host ${ME}@127.33.1.3 ${PEER}; key k; include ${tree}; }`);
    await peer({ address: ME });
    await peer({ address: '127.33.1.3' });
    expect(broken(await look({ offline: true, groups: [] }), 'port', 'warning').message).toContain(
      'Several daemons listen',
    );
  });
});

describe('the clock', () => {
  it('of a peer is ahead', async () => {
    await peer();
    const later = Date.now() / 1000 + 3600;
    utimesSync(tree, later, later);
    const found = broken(await look(), 'clock', 'warning');
    expect(found.message).toContain(`${tree} on ${PEER} was changed`);
  });
});

describe('the database', () => {
  it('is locked', async () => {
    const file = path.join(databases, `${ME}.db3`);
    const db = new Database(file);
    closing.push(() => void db.close());
    db.exec('CREATE TABLE t (x)');
    db.exec('BEGIN IMMEDIATE');
    expect(broken(await look({ offline: true }), 'database').message).toContain(`(pid ${process.pid})`);
    db.exec('ROLLBACK');
    expect(bad(await look({ offline: true })).map((each) => each.check)).toEqual(['port']);
  });

  it('is damaged', async () => {
    writeFileSync(path.join(databases, `${ME}.db3`), 'x'.repeat(4096));
    expect(broken(await look({ offline: true }), 'database').message).toContain('damaged');
  });

  it('has no directory', async () => {
    expect(broken(await look({ offline: true, database: path.join(root, 'none') }), 'database').cure).toContain(
      'mkdir',
    );
  });

  it('cannot be written to', async () => {
    // Nobody, not even root, writes to /proc.
    expect(broken(await look({ offline: true, database: '/proc/self/' }), 'database').message).toContain(
      'cannot be written',
    );
  });
});

describe('the watched trees', () => {
  it('are missing', async () => {
    rmSync(tree, { recursive: true });
    expect(broken(await look({ offline: true }), 'trees', 'warning').message).toContain('does not exist');
  });

  it('lie behind a link', async () => {
    mkdirSync(path.join(root, 'real/sub'), { recursive: true });
    symlinkSync('real', path.join(root, 'alias'));
    configure(`group g { host ${ME} ${PEER}; key k; include ${root}/alias/sub; }`);
    const found = broken(await look({ offline: true }), 'trees');
    expect(found.message).toContain(`lies behind the link ${root}/alias`);
    expect(found.cure).toContain(`${root}/real`);
  });

  it('are links themselves', async () => {
    symlinkSync('tree', path.join(root, 'alias'));
    configure(`group g { host ${ME} ${PEER}; key k; include ${root}/alias; }`);
    expect(broken(await look({ offline: true }), 'trees', 'warning').cure).toContain(`include ${root}/tree`);
  });

  it('hold links that hide files', async () => {
    mkdirSync(path.join(root, 'releases/5'), { recursive: true });
    symlinkSync('../releases/5', path.join(tree, 'current'));
    symlinkSync('a', path.join(tree, 'fine'));
    mkdirSync(path.join(tree, 'inside'));
    symlinkSync('inside', path.join(tree, 'fine-too'));
    const found = broken(await look({ offline: true }), 'trees', 'warning');
    expect(found.message).toContain(`A link hides files`);
    expect(found.message).toContain(`${tree}/current -> ${root}/releases/5`);
  });

  it('have no path on this host', async () => {
    configure(`prefix p { on elsewhere: /x; } group g { host ${ME} ${PEER}; key k; include %p%/x; }`);
    expect(broken(await look({ offline: true }), 'trees').cure).toContain(`on ${ME}: /path;`);
  });
});

describe('versions', () => {
  it('are told', async () => {
    const [first] = await look({ offline: true, csxVersion: '1.2.3' });
    expect(first?.message).toMatch(/^csx 1\.2\.3 on Node\.js \d+\.\d+\.\d+; csync2 2\.0 is installed\.$/);
    expect(existsSync('/usr/sbin/csync2')).toBe(true);
  });
});
