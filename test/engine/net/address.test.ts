import { describe, expect, test } from 'vitest';
import { canonicalAddress, lookupAddresses, resolvesTo } from '../../../src/engine/net/address.js';

describe('canonicalAddress', () => {
  test.each([
    ['127.0.0.1', '127.0.0.1', 4],
    ['::ffff:10.1.2.3', '10.1.2.3', 4],
    ['::FFFF:10.1.2.3', '10.1.2.3', 4],
    ['::ffff:0a01:0203', '10.1.2.3', 4],
    ['0:0:0:0:0:0:0:1', '::1', 6],
    ['FE80::1', 'fe80::1', 6],
    ['fe80::1%eth0', 'fe80::1%eth0', 6],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1', 6],
  ])('%s is %s', (text, address, family) => {
    expect(canonicalAddress(text)).toEqual({ address, family });
  });
});

describe('resolvesTo', () => {
  test.each([
    ['127.22.0.1', '127.22.0.1'],
    ['127.22.0.1', '::ffff:127.22.0.1'],
    ['::ffff:127.22.0.1', '127.22.0.1'],
    ['::1', '0:0:0:0:0:0:0:1'],
    ['localhost', '127.0.0.1'],
    ['localhost', '::ffff:127.0.0.1'],
  ])('%s resolves to %s', async (name, address) => {
    expect(await resolvesTo(name, address)).toBe(true);
  });

  test.each([
    ['127.22.0.1', '127.22.0.2'],
    ['localhost', '127.22.0.1'],
    ['no-such-host.invalid', '127.0.0.1'],
    ['', '127.0.0.1'],
    ['127.0.0.1', ''],
    ['127.0.0.1', 'undefined'],
    ['localhost', 'localhost'],
    ['a\0b', '127.0.0.1'],
    ['x'.repeat(5000), '127.0.0.1'],
  ])('%j does not resolve to %j', async (name, address) => {
    expect(await resolvesTo(name, address)).toBe(false);
  });

  test('fails closed when it is interrupted or late', async () => {
    expect(await resolvesTo('localhost', '127.0.0.1', { signal: AbortSignal.abort() })).toBe(false);
    expect(await resolvesTo('csx-test-late.invalid', '127.0.0.1', { deadline: 0 })).toBe(false);
  });
});

test('a look-up that fails says so', async () => {
  await expect(lookupAddresses('no-such-host.invalid')).rejects.toThrow();
  await expect(lookupAddresses('localhost', { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow(
    'enough',
  );
});

test('a look-up under a signal that has fired already fails, and its own failure later harms nobody', async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => {
    unhandled.push(reason);
  };
  process.on('unhandledRejection', note);
  try {
    await expect(lookupAddresses('no-such-host.invalid', { signal: AbortSignal.abort() })).rejects.toThrow();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(unhandled).toEqual([]);
  } finally {
    process.off('unhandledRejection', note);
  }
});
