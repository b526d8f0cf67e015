/** A host for the doctor to look at, in a temporary directory: well in all but that no daemon runs, until a test breaks it. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { expect } from 'vitest';
import { examine } from '../../src/setup/doctor/examine.js';
import type { DoctorOptions } from '../../src/setup/doctor/examine.js';
import { CSX_VERSION } from '../../src/model/version.js';
import type { CheckName, Finding } from '../../src/model/finding.js';
import { startCsx } from '../engine/daemon/csx-daemon.js';
import type { CsxHost, CsxOptions } from '../engine/daemon/csx-daemon.js';
import { makePair, startCsync2 } from '../support/csync2-daemon.js';
import type { Csync2Host, Csync2Options } from '../support/csync2-daemon.js';

export interface Pair {
  readonly certificate: string;
  readonly key: string;
}

export const KEY = 'k'.repeat(64);
export const MINE = makePair(2048);
export const THEIRS = makePair(2048);

export class ExaminedHost {
  readonly me: string;
  readonly peerName: string;
  readonly root = mkdtempSync(path.join(tmpdir(), 'csx-doctor-'));
  readonly tree = path.join(this.root, 'tree');
  readonly system = path.join(this.root, 'etc');
  readonly databases = path.join(this.root, 'db');
  readonly #closing: (() => void | Promise<void>)[] = [];

  /** @param block three bytes of an address: this host is .1, its peer .2 */
  constructor(block: string) {
    this.me = `${block}.1`;
    this.peerName = `${block}.2`;
    for (const directory of [this.tree, this.system, this.databases]) mkdirSync(directory);
    writeFileSync(path.join(this.tree, 'a'), 'a');
    this.writePair(MINE);
    writeFileSync(path.join(this.system, 'k'), `${KEY}\n`, { mode: 0o600 });
    this.configure();
  }

  /** The group of both hosts, or of others. */
  group(more = '', hosts = `${this.me} ${this.peerName}`): string {
    return `group g { host ${hosts}; key k; include ${this.tree}; ${more} }`;
  }

  configure(text = this.group()): void {
    writeFileSync(path.join(this.system, 'csync2.cfg'), text);
  }

  writePair(pair: Pair): void {
    rmSync(path.join(this.system, 'csync2_ssl_key.pem'), { force: true });
    writeFileSync(path.join(this.system, 'csync2_ssl_cert.pem'), pair.certificate);
    writeFileSync(path.join(this.system, 'csync2_ssl_key.pem'), pair.key, { mode: 0o600 });
  }

  /** Starts a csync2 daemon at the peer's address, with the same configuration unless told otherwise. */
  async peer(options: Partial<Csync2Options> = {}): Promise<Csync2Host> {
    const common = { address: this.peerName, config: this.group(), keys: { k: KEY }, tls: THEIRS };
    const host = await startCsync2({ ...common, ...options });
    this.#closing.push(() => host.stop());
    return host;
  }

  /** Starts a csx daemon at the peer's address, with the same configuration unless told otherwise. */
  async csxPeer(options: Partial<CsxOptions> = {}): Promise<CsxHost> {
    const common = { address: this.peerName, config: this.group(), keys: { k: KEY }, tls: THEIRS };
    const host = await startCsx({ ...common, ...options });
    this.#closing.push(() => host.stop());
    return host;
  }

  /**
   * Answers at the peer's address, in plain text, as an engineer of the test says: for each command its answer. What it does not know
   * is `Unknown command!`.
   */
  async script(answers: Readonly<Record<string, string>>): Promise<void> {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      createInterface({ input: socket }).on('line', (line) => {
        const known = Object.entries(answers).find(([command]) => line.startsWith(command));
        socket.write(`${known?.[1] ?? 'Unknown command!'}\n`);
        if (line.startsWith('BYE')) socket.end();
      });
    });
    await new Promise<void>((resolve) => server.listen(30865, this.peerName, resolve));
    this.atEnd(() => void server.close());
  }

  /** Listens as a program that is neither csync2 nor csx. */
  async listen(address: string, greeting = ''): Promise<void> {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      if (greeting !== '') socket.write(greeting);
    });
    await new Promise<void>((resolve) => server.listen(30865, address, resolve));
    this.atEnd(() => void server.close());
  }

  atEnd(close: () => void | Promise<void>): void {
    this.#closing.push(close);
  }

  look(more: Partial<DoctorOptions> = {}): Promise<readonly Finding[]> {
    return examine({
      place: { systemDirectory: this.system, host: this.me },
      database: this.databases,
      port: 30865,
      bind: this.me,
      groups: [],
      peers: [],
      offline: false,
      timeout: 5_000,
      signal: undefined,
      csxVersion: CSX_VERSION,
      now: Date.now,
      ...more,
    });
  }

  async remove(): Promise<void> {
    for (const close of this.#closing.reverse()) await close();
    rmSync(this.root, { recursive: true, force: true });
  }
}

export function bad(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter((each) => each.status !== 'ok');
}

/** The one finding of a check that is not well. */
export function broken(findings: readonly Finding[], check: CheckName, status: Finding['status'] = 'error'): Finding {
  const found = findings.filter((each) => each.check === check && each.status === status);
  expect(found, JSON.stringify(bad(findings), null, 1)).toHaveLength(1);
  expect(found[0]!.cure).toMatch(/.{10}/);
  expect(found[0]!.message).not.toContain('\n');
  return found[0]!;
}

/** Pins in csync2's own table, as csync2 does. */
export function pin(database: string, name: string, pem: string): void {
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
