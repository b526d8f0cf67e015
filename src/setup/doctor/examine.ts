/** `csx doctor` from top to bottom: every check in the order in which causes precede effects. Changes nothing. */

import type { LoadOptions } from '../../config/load.js';
import { Selection } from '../../config/selection.js';
import type { Config } from '../../model/config.js';
import type { Finding } from '../../model/finding.js';
import type { PeerName } from '../../model/names.js';
import { isOwn, judgeAddresses, judgeHostName, ownAddresses, resolveNames } from './addresses.js';
import type { Resolved } from './addresses.js';
import { examineOwnCertificate } from './certificates.js';
import { judgeClocks } from './clock.js';
import { readConfiguration } from './configuration.js';
import { examineDatabase } from './database.js';
import { clockOf, judgePeer, sightingsOf } from './peer.js';
import { judgePort, listenersOn, relevant } from './port.js';
import { probePeer } from './probe.js';
import type { Probe } from './probe.js';
import { judgeSubjects } from './subjects.js';
import { examineTrees } from './trees.js';
import { csync2Version, judgePeerVersions, judgeVersions } from './versions.js';

export interface DoctorOptions {
  readonly place: LoadOptions;
  /** `-D` */
  readonly database: string | undefined;
  readonly port: number;
  /** The name given with -N: connections come from its address. */
  readonly bind: string | undefined;
  readonly groups: readonly string[];
  readonly peers: readonly string[];
  /** Contact nobody. */
  readonly offline: boolean;
  /** Milliseconds to wait for a peer. */
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
  readonly csxVersion: string;
  /** Unix milliseconds. */
  readonly now: () => number;
}

export async function examine(options: DoctorOptions): Promise<readonly Finding[]> {
  const versions = judgeVersions({
    csx: options.csxVersion,
    node: process.versions.node,
    csync2: await csync2Version('csync2'),
  });
  const { config, listed, strange, findings } = await readConfiguration(options.place);
  const own = ownAddresses();
  if (config === undefined) {
    const { host, systemDirectory } = options.place;
    const name = strange ? [judgeHostName(host, await resolveNames(listed), own)] : [];
    const certificate = await examineOwnCertificate(systemDirectory, false, options.now());
    const wrongs = certificate.findings.filter((each) => each.status !== 'ok');
    return [...versions, ...findings, ...name, ...wrongs];
  }
  return [...versions, ...findings, ...(await examineHost(config, own, options))];
}

async function examineHost(
  config: Config,
  own: readonly string[],
  options: DoctorOptions,
): Promise<readonly Finding[]> {
  const { place, now } = options;
  const selection = new Selection(config, { groups: options.groups, peers: options.peers });
  const peers = selection.peersOfGroups(selection.groups);
  const names = await resolveNames([...new Set(selection.groups.map((each) => each.me))]);
  const others = await resolveNames(peers.map((each) => each.peer));
  const database = await examineDatabase({
    database: options.database ?? config.database,
    host: config.host,
    configName: place.configName,
  });
  const plain = (peer: PeerName): boolean => selection.plaintextAllowed(config.host, peer);
  const needed = peers.some((each) => !plain(each.peer));
  const certificate = await examineOwnCertificate(config.systemDirectory, needed, now());
  const reachable = peers.filter((each) =>
    others.some(({ name, addresses }) => name === each.peer && addresses.length > 0),
  );
  const probes = await Promise.all(
    options.offline
      ? []
      : reachable.map(({ peer, me, groups }) =>
          probePeer({
            peer,
            me,
            groups,
            selection,
            port: options.port,
            bind: options.bind,
            configName: place.configName,
            plain: plain(peer),
            pair: certificate.pair,
            pinned: database.pins.find((row) => row.peer === peer)?.certificate,
            timeout: options.timeout,
            signal: options.signal,
            now,
          }),
        ),
  );
  const listeners = relevant(listenersOn(options.port), listenedOn(names, own, options.bind));
  return [
    ...judgeAddresses(names, others, own),
    ...certificate.findings,
    ...database.findings,
    ...examineTrees(selection),
    ...judgePort(listeners, options.port),
    ...(await judgeSubjects(certificate.pair?.der, listeners, probes)),
    ...probes.flatMap((probe) => judgePeer(probe, addressesOf(probe, names), now())),
    ...judgePeerVersions(options.csxVersion, probes),
    ...judgeClocks(probes.flatMap(clockOf), probes.flatMap(sightingsOf), now()),
  ];
}

function addressesOf({ me }: Probe, names: readonly Resolved[]): readonly string[] {
  return names.find(({ name }) => name === me)?.addresses ?? [];
}

/** Where a daemon of this host may listen: at its names' addresses and, when it was not called by a name, anywhere here. */
function listenedOn(names: readonly Resolved[], own: readonly string[], bind: string | undefined): readonly string[] {
  const named = names.flatMap(({ addresses }) => addresses.filter((each) => isOwn(each, own)));
  return bind === undefined ? [...named, ...own] : named;
}
