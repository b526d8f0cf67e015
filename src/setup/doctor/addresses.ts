/** Names and addresses: what this host should be called, and whether names resolve to where connections come from. */

import os from 'node:os';
import { lookupAddresses } from '../../engine/net/address.js';
import { caution, good, wrong } from '../../model/finding.js';
import type { Finding } from '../../model/finding.js';
import { nearest } from '../../model/nearest.js';

/** What a name resolves to here; empty when it does not. */
export interface Resolved {
  readonly name: string;
  readonly addresses: readonly string[];
}

/** Milliseconds. */
const LOOKUP_DEADLINE = 5_000;

/** Looks names up, all at once. */
export function resolveNames(names: readonly string[]): Promise<readonly Resolved[]> {
  return Promise.all(
    names.map(async (name) => {
      const found = await lookupAddresses(name, { deadline: LOOKUP_DEADLINE }).catch(() => []);
      return { name, addresses: found.map((each) => each.address) };
    }),
  );
}

/** The addresses of this machine's interfaces. All of 127.0.0.0/8 is this machine too (`isOwn`). */
export function ownAddresses(): readonly string[] {
  return Object.values(os.networkInterfaces()).flatMap((all) => (all ?? []).map((each) => each.address));
}

export function isOwn(address: string, own: readonly string[]): boolean {
  return isLoopback(address) || own.includes(address);
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}

/** This host is in no group: which of the listed hosts is it? `listed` with what they resolve to. */
export function judgeHostName(host: string, listed: readonly Resolved[], own: readonly string[]): Finding {
  const short = (name: string): string => name.split('.')[0] ?? name;
  const byName = listed.filter(({ name }) => short(name) === short(host));
  const byAddress = listed.filter(({ addresses }) => addresses.some((each) => own.includes(each) && !isLoopback(each)));
  const byLoopback = listed.filter(({ addresses }) => addresses.some(isLoopback));
  const near = nearest(
    host,
    listed.map(({ name }) => name),
  );
  const meant =
    single(byName) ?? single(byAddress) ?? near ?? (byAddress.length === 0 ? single(byLoopback) : undefined);
  const all = listed.map(({ name }) => name).join(', ');
  return wrong(
    'name',
    `This host calls itself ${host}, and no group lists it${all === '' ? '' : ` (listed: ${all})`}.`,
    meant === undefined
      ? `Add ${host} to a host statement, on every host; or say with -N which of the listed hosts this one is.`
      : `It seems to be ${meant}: say -N ${meant} (or set CSX_HOSTNAME=${meant}), or write ${host} in the host statement, on every host.`,
  );
}

function single(list: readonly Resolved[]): string | undefined {
  return list.length === 1 ? list[0]?.name : undefined;
}

/** Whether the names of this host and its peers resolve, and to what can be right. `me`: this host's own. */
export function judgeAddresses(
  me: readonly Resolved[],
  peers: readonly Resolved[],
  own: readonly string[],
): readonly Finding[] {
  const abroad = peers.some(({ addresses }) => addresses.some((each) => !isLoopback(each)));
  return [...me.map((each) => judgeOwn(each, own, abroad)), ...peers.map((each) => judgePeer(each, me))];
}

function judgeOwn({ name, addresses }: Resolved, own: readonly string[], abroad: boolean): Finding {
  if (addresses.length === 0) {
    return wrong(
      'addresses',
      `This host's name ${name} does not resolve.`,
      `Add it to /etc/hosts or DNS, on every host.`,
    );
  }
  const shown = addresses.join(', ');
  if (!addresses.some((each) => isOwn(each, own))) {
    return wrong(
      'addresses',
      `This host's name ${name} resolves to ${shown}, which is no address of this host.`,
      'Correct /etc/hosts or DNS: peers refuse whoever does not come from the address of the name.',
    );
  }
  if (abroad && addresses.every(isLoopback)) {
    return caution(
      'addresses',
      `This host's name ${name} resolves to ${shown} here, an address that no peer sees.`,
      `Give it its real address in /etc/hosts (Debian writes 127.0.1.1 there).`,
    );
  }
  return good('addresses', `${name}, this host, resolves to ${shown}.`);
}

function judgePeer({ name, addresses }: Resolved, me: readonly Resolved[]): Finding {
  if (addresses.length === 0) {
    return wrong('addresses', `The peer ${name} does not resolve.`, `Add ${name} to /etc/hosts or DNS, on every host.`);
  }
  const mine = me.find((each) => each.name !== name && each.addresses.some((one) => addresses.includes(one)));
  if (mine !== undefined) {
    return wrong(
      'addresses',
      `The peer ${name} resolves to ${addresses.join(', ')}, as this host's own name ${mine.name} does.`,
      'Correct /etc/hosts or DNS: two hosts need two addresses.',
    );
  }
  return good('addresses', `${name} resolves to ${addresses.join(', ')}.`);
}
