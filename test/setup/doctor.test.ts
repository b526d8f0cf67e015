/** The doctor's checks that need nobody else: each broken for real, with real files, sockets and databases. */

import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeCertificatePair } from '../../src/engine/net/certificate-maker.js';
import type { Finding } from '../../src/model/finding.js';
import { makePair } from '../support/csync2-daemon.js';
import { bad, broken, ExaminedHost } from './examined-host.js';

const ME = '127.33.1.1';
const PEER = '127.33.1.2';

let host: ExaminedHost;

beforeEach(() => {
  host = new ExaminedHost('127.33.1');
});

afterEach(async () => {
  await host.remove();
});

describe('a healthy host', () => {
  it('is not asked of anybody offline', async () => {
    expect(bad(await host.look({ offline: true })).map((each) => each.check)).toEqual(['port']);
  });
});

describe('the configuration', () => {
  it('is named with file, line and column when it is wrong', async () => {
    host.configure(`group g {\n  hosts ${ME};\n}`);
    expect(broken(await host.look(), 'configuration').message).toMatch(/csync2\.cfg:2:\d+: /);
  });

  it('is missing', async () => {
    rmSync(path.join(host.system, 'csync2.cfg'));
    expect(broken(await host.look(), 'configuration').cure).toContain('csx init');
  });

  it('is locked by csync2.lock', async () => {
    writeFileSync(path.join(host.system, 'csync2.lock'), '');
    expect(broken(await host.look({ offline: true }), 'configuration').message).toContain('csync2.lock exists');
  });
});

describe('the name of this host', () => {
  it('is what a group lists, less its domain', async () => {
    host.configure(host.group('', 'web1.example.com web2.example.com'));
    const found = broken(await host.look({ place: { systemDirectory: host.system, host: 'web2' } }), 'name');
    expect(found.message).toContain('This host calls itself web2, and no group lists it');
    expect(found.cure).toContain('-N web2.example.com');
  });

  it('is what a group lists with an address of this host', async () => {
    host.configure(host.group('', 'other.invalid localhost'));
    const found = broken(await host.look({ place: { systemDirectory: host.system, host: 'zebra' } }), 'name');
    expect(found.cure).toContain('It seems to be localhost: say -N localhost');
  });

  it('may be any of the listed ones', async () => {
    host.configure(host.group('', 'one.invalid two.invalid'));
    const found = broken(await host.look({ place: { systemDirectory: host.system, host: 'zebra' } }), 'name');
    expect(found.message).toContain('(listed: one.invalid, two.invalid)');
    expect(found.cure).toContain('Add zebra to a host statement');
  });
});

describe('addresses', () => {
  it('of a peer do not exist', async () => {
    host.configure(host.group('', `${ME} nobody.invalid`));
    expect(broken(await host.look(), 'addresses').message).toBe('The peer nobody.invalid does not resolve.');
  });

  it('of this host belong to another machine', async () => {
    host.configure(host.group('', `me@203.0.113.7 ${PEER}`));
    const found = broken(
      await host.look({ place: { systemDirectory: host.system, host: 'me' }, offline: true }),
      'addresses',
    );
    expect(found.message).toContain('203.0.113.7, which is no address of this host');
  });

  it('of this host are seen by nobody else', async () => {
    host.configure(host.group('', `${ME} 203.0.113.7`));
    expect(broken(await host.look({ offline: true }), 'addresses', 'warning').message).toContain('that no peer sees');
  });

  it('of two hosts are the same', async () => {
    host.configure(
      host.group('', `${ME} localhost@localhost (x@127.33.1.1)`).replace(`${ME} localhost@localhost`, `a@localhost`),
    );
    const place = { systemDirectory: host.system, host: 'a' };
    host.configure(host.group('', 'a@localhost b@127.0.0.1'));
    expect(broken(await host.look({ place, offline: true }), 'addresses').message).toContain("as this host's own name");
  });
});

describe('keys', () => {
  it('are missing', async () => {
    rmSync(path.join(host.system, 'k'));
    expect(broken(await host.look({ offline: true }), 'keys').message).toContain('does not exist');
  });

  it('are no files', async () => {
    rmSync(path.join(host.system, 'k'));
    mkdirSync(path.join(host.system, 'k'), { mode: 0o700 });
    expect(broken(await host.look({ offline: true }), 'keys').message).toContain('is not a regular file');
  });

  it('are too short', async () => {
    writeFileSync(path.join(host.system, 'k'), 'short\n');
    expect(broken(await host.look({ offline: true }), 'keys').message).toContain('too short');
  });
});

describe('certificates and pins', () => {
  it('of this host have a key that the world can read', async () => {
    chmodSync(path.join(host.system, 'csync2_ssl_key.pem'), 0o644);
    expect(broken(await host.look(), 'certificate').cure).toContain('chmod 600');
  });

  it('of this host have 1024 bits', async () => {
    host.writePair(makePair(1024));
    expect(broken(await host.look({ offline: true }), 'certificate', 'warning').message).toContain('only 1024 bits');
  });

  it('of this host have ended', async () => {
    const pair = await makeCertificatePair({ name: 'x', bits: 2048, days: 1, now: Date.now() - 3 * 86_400_000 });
    host.writePair({ certificate: pair.certificate, key: pair.secret() });
    expect(broken(await host.look({ offline: true }), 'certificate', 'warning').message).toMatch(/ended on \d{4}-/);
  });
});

describe('ports', () => {
  it('are taken by a stranger on this host', async () => {
    await host.listen(ME);
    const found = broken(await host.look({ offline: true }), 'port');
    expect(found.message).toMatch(/\(pid \d+\) listens on port 30865 of 127\.33\.1\.1, and is neither csync2 nor csx/);
  });
});

describe('the database', () => {
  it('is locked', async () => {
    const file = path.join(host.databases, `${ME}.db3`);
    const db = new Database(file);
    host.atEnd(() => void db.close());
    db.exec('CREATE TABLE t (x)');
    db.exec('BEGIN IMMEDIATE');
    expect(broken(await host.look({ offline: true }), 'database').message).toContain(`(pid ${process.pid})`);
    db.exec('ROLLBACK');
    expect(bad(await host.look({ offline: true })).map((each) => each.check)).toEqual(['port']);
  });

  describe('has a lock of csx', () => {
    /** A run that takes the lock and keeps it until it is killed. */
    async function run(): Promise<ChildProcessByStdio<null, Readable, null>> {
      const child = spawn(
        process.execPath,
        [path.resolve('test/engine/state/child.mjs'), 'lock', host.databases, 'apply'],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      host.atEnd(() => void child.kill('SIGKILL'));
      await once(child.stdout, 'data');
      return child;
    }
    const look = (): Promise<readonly Finding[]> =>
      host.look({ offline: true, database: `sqlite3://${host.databases}/child.db3` });
    const finding = (findings: readonly Finding[]): Finding | undefined =>
      findings.find((each) => each.message.includes('the lock "apply"'));

    it('whose process runs', async () => {
      const child = await run();
      const found = broken(await look(), 'database', 'warning');
      expect(found.message).toContain(`child holding a lock (pid ${child.pid}, since 2023-11-14`);
      expect(found.cure).toContain(`kill ${child.pid}`);
    });

    it('whose process was killed', async () => {
      const child = await run();
      child.kill('SIGKILL');
      await once(child, 'exit');
      expect(finding(await look())).toMatchObject({
        status: 'ok',
        message: expect.stringContaining('ended without giving back') as string,
      });
    });

    it('whose process is in another container', async () => {
      const child = await run();
      child.kill('SIGKILL');
      await once(child, 'exit');
      const db = new Database(path.join(host.databases, 'child.db3'));
      db.exec("UPDATE csx_lock SET namespace = 'pid:[1]'");
      db.close();
      const cure = broken(await look(), 'database').cure ?? '';
      // The cure is a command that cures.
      execFileSync('sh', ['-c', cure.slice(cure.indexOf('sqlite3'))]);
      expect(finding(await look())).toBeUndefined();
    });
  });

  it('is damaged', async () => {
    writeFileSync(path.join(host.databases, `${ME}.db3`), 'x'.repeat(4096));
    expect(broken(await host.look({ offline: true }), 'database').message).toContain('damaged');
  });

  it('has no directory', async () => {
    expect(
      broken(await host.look({ offline: true, database: path.join(host.root, 'none') }), 'database').cure,
    ).toContain('mkdir');
  });

  it('cannot be written to', async () => {
    // Nobody, not even host.root, writes to /proc.
    expect(broken(await host.look({ offline: true, database: '/proc/self/' }), 'database').message).toContain(
      'cannot be written',
    );
  });
});

describe('the watched trees', () => {
  it('are missing', async () => {
    rmSync(host.tree, { recursive: true });
    expect(broken(await host.look({ offline: true }), 'trees', 'warning').message).toContain('does not exist');
  });

  it('lie behind a link', async () => {
    mkdirSync(path.join(host.root, 'real/sub'), { recursive: true });
    symlinkSync('real', path.join(host.root, 'alias'));
    host.configure(`group g { host ${ME} ${PEER}; key k; include ${host.root}/alias/sub; }`);
    const found = broken(await host.look({ offline: true }), 'trees');
    expect(found.message).toContain(`lies behind the link ${host.root}/alias`);
    expect(found.cure).toContain(`${host.root}/real`);
  });

  it('are links themselves', async () => {
    symlinkSync('tree', path.join(host.root, 'alias'));
    host.configure(`group g { host ${ME} ${PEER}; key k; include ${host.root}/alias; }`);
    expect(broken(await host.look({ offline: true }), 'trees', 'warning').cure).toContain(`include ${host.root}/tree`);
  });

  it('hold links that hide files', async () => {
    mkdirSync(path.join(host.root, 'releases/5'), { recursive: true });
    symlinkSync('../releases/5', path.join(host.tree, 'current'));
    symlinkSync('a', path.join(host.tree, 'fine'));
    mkdirSync(path.join(host.tree, 'inside'));
    symlinkSync('inside', path.join(host.tree, 'fine-too'));
    const found = broken(await host.look({ offline: true }), 'trees', 'warning');
    expect(found.message).toContain(`A link hides files`);
    expect(found.message).toContain(`${host.tree}/current -> ${host.root}/releases/5`);
  });

  it('have no path on this host', async () => {
    host.configure(`prefix p { on elsewhere: /x; } group g { host ${ME} ${PEER}; key k; include %p%/x; }`);
    expect(broken(await host.look({ offline: true }), 'trees').cure).toContain(`on ${ME}: /path;`);
  });
});

describe('versions', () => {
  it('are told', async () => {
    const [first] = await host.look({ offline: true, csxVersion: '1.2.3' });
    expect(first?.message).toMatch(/^csx 1\.2\.3 on Node\.js \d+\.\d+\.\d+; csync2 2\.0 is installed\.$/);
    expect(existsSync('/usr/sbin/csync2')).toBe(true);
  });
});
