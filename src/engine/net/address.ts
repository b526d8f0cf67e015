/**
 * Names and addresses: look-ups that end in time, and comparisons that take an IPv4-mapped IPv6 address for its IPv4 one.
 */

import { lookup as systemLookup } from 'node:dns/promises';
import { isIP, SocketAddress } from 'node:net';

export interface Address {
  /** Canonical text; IPv4-mapped IPv6 addresses as IPv4. */
  readonly address: string;
  readonly family: 4 | 6;
}

export interface LookupOptions {
  /** Milliseconds; default 10,000. */
  readonly deadline?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const DEFAULT_DEADLINE = 10_000;

/**
 * All addresses of a name (or of an address: itself), in the system's order and through its resolver, so /etc/hosts counts.
 * Fails with the resolver's error, or with one of code ETIMEOUT at the deadline, or with the signal's reason.
 */
export async function lookupAddresses(name: string, options: LookupOptions = {}): Promise<readonly Address[]> {
  if (isIP(name) !== 0) return [canonicalAddress(name)];
  const found = await inTime(systemLookup(name, { all: true, order: 'verbatim' }), name, options);
  const addresses = found.map((entry) => canonicalAddress(entry.address));
  return addresses.filter((one, index) => addresses.findIndex((other) => other.address === one.address) === index);
}

/**
 * True when a forward look-up of `name` yields `address` (where a connection comes from). Fails closed: false when the name
 * cannot be looked up in time, for whatever reason, and for anything that is no address.
 */
export async function resolvesTo(name: string, address: string, options: LookupOptions = {}): Promise<boolean> {
  const plain = stripZone(address);
  if (name === '' || isIP(plain) === 0) return false;
  const wanted = canonicalAddress(plain).address;
  try {
    return (await lookupAddresses(name, options)).some((one) => one.address === wanted);
  } catch {
    return false;
  }
}

/** The canonical form of an address: `::ffff:10.0.0.1` is `10.0.0.1`, `0:0::1` is `::1`. Not an address: as it is. */
export function canonicalAddress(text: string): Address {
  const plain = stripZone(text);
  if (isIP(plain) !== 6) return { address: plain, family: 4 };
  const address = new SocketAddress({ address: plain, family: 'ipv6' }).address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return { address: mapped, family: 4 };
  // A link-local address means nothing without its zone.
  return { address: plain === text ? address : `${address}${text.slice(plain.length)}`, family: 6 };
}

function stripZone(address: string): string {
  const percent = address.indexOf('%');
  return percent < 0 ? address : address.slice(0, percent);
}

/** dns.lookup cannot be called off: its result is left behind. */
function inTime<T>(work: Promise<T>, name: string, options: LookupOptions): Promise<T> {
  const { signal } = options;
  return new Promise<T>((resolve, reject) => {
    const stop = (error: unknown): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      reject(error instanceof Error ? error : new Error('The look-up was interrupted.', { cause: error }));
    };
    const onAbort = (): void => {
      stop(signal?.reason);
    };
    const timer = setTimeout(() => {
      stop(Object.assign(new Error(`The name ${name} could not be looked up in time.`), { code: 'ETIMEOUT' }));
    }, options.deadline ?? DEFAULT_DEADLINE);
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
    // Its failure is seen here even when nobody waits for it any more.
    work.then((value) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      resolve(value);
    }, stop);
  });
}
