import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  CERTIFICATE_FILE,
  certificateProblems,
  describeCertificate,
  fingerprintOf,
  KEY_FILE,
  loadCertificatePair,
  sameCertificate,
  secureOptions,
} from '../../../src/engine/net/certificate.js';
import { makeCertificatePair, storeCertificatePair } from '../../../src/engine/net/certificate-maker.js';
import { makePair } from '../../support/csync2-daemon.js';

const NOW = Date.UTC(2026, 0, 1);
const DAY = 86_400_000;
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'csx-certificate-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

function write(pair: { readonly certificate: string; readonly key: string }): void {
  writeFileSync(path.join(directory, CERTIFICATE_FILE), pair.certificate);
  writeFileSync(path.join(directory, KEY_FILE), pair.key, { mode: 0o600 });
}

describe('a pair made by csx', () => {
  test('is stored, loaded, believed by openssl, and described', async () => {
    const made = await makeCertificatePair({ name: 'host-a', bits: 2048, days: 100, now: NOW });
    await storeCertificatePair(directory, made);
    expect(statSync(path.join(directory, KEY_FILE)).mode & 0o777).toBe(0o600);
    const loaded = await loadCertificatePair(directory);
    expect(sameCertificate(loaded.der, made.der)).toBe(true);
    expect(describeCertificate(loaded.der)).toEqual({
      fingerprint: fingerprintOf(loaded.der),
      subject: 'CN=host-a',
      notBefore: NOW - 3_600_000,
      notAfter: NOW + 100 * DAY,
      keyType: 'rsa',
      keyBits: 2048,
    });
    const said = spawnSync(
      'openssl',
      ['x509', '-noout', '-fingerprint', '-sha256', '-in', path.join(directory, CERTIFICATE_FILE)],
      {
        encoding: 'latin1',
      },
    );
    expect(said.stdout.trim().split('=')[1]).toBe(fingerprintOf(loaded.der));
    expect(secureOptions(loaded).weak).toBe(false);
    expect(certificateProblems(loaded, NOW)).toEqual([]);
  });

  test('two of the same name are two pins', async () => {
    const wish = { name: 'host-a', bits: 2048, now: NOW };
    const [one, other] = [await makeCertificatePair(wish), await makeCertificatePair(wish)];
    expect(sameCertificate(one.der, other.der)).toBe(false);
    expect(sameCertificate(one.der, Buffer.from(one.der))).toBe(true);
    expect(sameCertificate(one.der, one.der.subarray(1))).toBe(false);
  });

  test('never overwrites, and leaves nothing half behind', async () => {
    const made = await makeCertificatePair({ name: 'host-a', bits: 2048, now: NOW });
    writeFileSync(path.join(directory, CERTIFICATE_FILE), 'mine');
    await expect(storeCertificatePair(directory, made)).rejects.toMatchObject({ code: 'WRITE_FAILED' });
    expect(readdirSync(directory)).toEqual([CERTIFICATE_FILE]);
  });

  test('has a serial number that every reader takes, whatever the dice say', async () => {
    const pairs = Array.from({ length: 12 }, () => makeCertificatePair({ name: 'a', bits: 2048, now: NOW }));
    for (const pair of await Promise.all(pairs)) {
      const { serialNumber } = new X509Certificate(pair.der);
      expect(serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
    }
  });

  test('is not made weak', async () => {
    await expect(makeCertificatePair({ name: 'a', bits: 1024, now: NOW })).rejects.toMatchObject({ code: 'USAGE' });
  });

  test('does not print its key', async () => {
    const made = await makeCertificatePair({ name: 'host-a', bits: 2048, now: NOW });
    expect(made.secret()).toContain('PRIVATE KEY');
    expect(inspect(made, { depth: 9 }) + JSON.stringify(made)).not.toContain('PRIVATE KEY');
  });
});

describe('a pair made as csync2 says', () => {
  test('of 1024 bits works, with a warning that names the cure', async () => {
    write(makePair(1024));
    const pair = await loadCertificatePair(directory);
    expect(secureOptions(pair).weak).toBe(true);
    const [problem] = certificateProblems(pair, Date.now());
    expect(problem?.code).toBe('CERTIFICATE_WEAK');
    expect(problem?.summary).toContain('1024 bits');
    expect(problem?.hint).toContain('csx cert');
  });

  test('warns before and after its end', async () => {
    write(makePair(2048));
    const pair = await loadCertificatePair(directory);
    const { notAfter } = describeCertificate(pair.der);
    expect(certificateProblems(pair, notAfter - 31 * DAY)).toEqual([]);
    expect(certificateProblems(pair, notAfter - 29 * DAY)[0]?.summary).toContain('ends on');
    expect(certificateProblems(pair, notAfter + 1)[0]?.summary).toContain('ended on');
  });
});

describe('a pair that cannot be used', () => {
  const pair = makePair(2048);
  const cases: readonly [string, () => void, string, RegExp][] = [
    ['missing', () => undefined, 'CERTIFICATE_UNREADABLE', /csx cert/],
    [
      'a key without a certificate',
      () => {
        write(pair);
        rmSync(path.join(directory, CERTIFICATE_FILE));
      },
      'CERTIFICATE_UNREADABLE',
      /csx cert/,
    ],
    [
      'no PEM',
      () => {
        write({ ...pair, certificate: 'nonsense' });
      },
      'CERTIFICATE_UNREADABLE',
      /PEM/,
    ],
    [
      'a key that is none',
      () => {
        write({ ...pair, key: 'nonsense' });
      },
      'CERTIFICATE_UNREADABLE',
      /PEM/,
    ],
    [
      'a key of another certificate',
      () => {
        write({ ...pair, key: makePair(2048).key });
      },
      'CERTIFICATE_UNREADABLE',
      /Restore/,
    ],
    [
      'a key that others can read',
      () => {
        write(pair);
        chmodSync(path.join(directory, KEY_FILE), 0o644);
      },
      'FILE_UNSAFE',
      /chmod 600/,
    ],
    [
      'a certificate that others can write',
      () => {
        write(pair);
        chmodSync(path.join(directory, CERTIFICATE_FILE), 0o666);
      },
      'FILE_UNSAFE',
      /chmod go-w/,
    ],
    [
      'a key of another user',
      () => {
        write(pair);
        chownSync(path.join(directory, KEY_FILE), 12345, 0);
      },
      'FILE_UNSAFE',
      /chown root/,
    ],
    [
      'a directory that others can write',
      () => {
        write(pair);
        chmodSync(directory, 0o777);
      },
      'FILE_UNSAFE',
      /chmod go-w/,
    ],
    [
      'a link',
      () => {
        write(pair);
        renameSync(path.join(directory, KEY_FILE), path.join(directory, 'k'));
        symlinkSync('k', path.join(directory, KEY_FILE));
      },
      'FILE_UNSAFE',
      /file itself/,
    ],
  ];
  test.each(cases)('%s', async (_, prepare, code, hint) => {
    prepare();
    await expect(loadCertificatePair(directory)).rejects.toMatchObject({ code, hint: expect.stringMatching(hint) });
  });

  test('a FIFO in its place does not hang', async () => {
    write(pair);
    rmSync(path.join(directory, KEY_FILE));
    expect(spawnSync('mkfifo', ['-m', '600', path.join(directory, KEY_FILE)]).status).toBe(0);
    await expect(loadCertificatePair(directory)).rejects.toMatchObject({ code: 'CERTIFICATE_UNREADABLE' });
  });
});
