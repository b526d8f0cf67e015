/** Compares the certificate a peer shows with the one pinned for it. */

import { Dialer } from '../engine/update/dial.js';
import { fingerprintOf } from '../engine/net/certificate.js';
import { CsxError } from '../model/errors.js';
import type { PeerName } from '../model/names.js';
import type { PinVerdict } from '../views/json/certificates.js';
import type { NetworkFlags, PlaceFlags } from './flags.js';
import type { Workspace } from './workspace.js';

export async function verifyPin(
  peer: PeerName,
  workspace: Workspace,
  flags: PlaceFlags & NetworkFlags,
): Promise<PinVerdict> {
  const { config, everything, store } = workspace;
  const dialer = new Dialer({
    config,
    selection: everything,
    store,
    port: flags.port,
    bind: flags.hostname,
    configName: flags['config-name'],
    groups: undefined,
    timeout: flags.timeout * 1000,
    signal: undefined,
    now: Date.now,
  });
  const verdict = (status: PinVerdict['status'], message: string, certificate?: Buffer): PinVerdict => ({
    peer,
    status,
    fingerprint: certificate && fingerprintOf(certificate),
    message,
  });
  if (dialer.isPlain(peer))
    return verdict('plain', 'is talked to without encryption (nossl); no certificate is shown.');
  const me = config.groups.find((group) => group.members.some((member) => member.name === peer))?.me ?? peer;
  try {
    const { connection, certificate } = await dialer.dial(peer, me);
    await connection.bye();
    const pinned = (await store.certificates()).some((row) => row.peer === peer);
    return pinned
      ? verdict('same', 'shows the certificate that is pinned.', certificate)
      : verdict('new', 'shows a certificate, and none is pinned yet: the first csx apply pins it.', certificate);
  } catch (error) {
    if (!(error instanceof CsxError)) throw error;
    const status = error.code === 'CERTIFICATE_CHANGED' ? 'changed' : 'unreachable';
    return verdict(status, `${error.message}${error.hint === undefined ? '' : ` ${error.hint}`}`);
  }
}
