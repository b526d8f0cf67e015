/**
 * A look at a peer: connects, identifies, asks what it is (CSX about, which csync2 does not know) and for the time of one file of
 * each group (GETTM: checks the key, changes nothing), and
 * tries how the peer takes plain text. As after any session, a csync2 daemon then runs what actions it has pending, and pins
 * this host's certificate if it has none.
 */

import type { Selection } from '../../config/selection.js';
import { Connection } from '../../engine/net/connection.js';
import { dial } from '../../engine/net/dial.js';
import { encrypt } from '../../engine/net/encrypt.js';
import type { CertificatePair } from '../../engine/net/certificate.js';
import type { Group } from '../../model/config.js';
import { CsxError } from '../../model/errors.js';
import type { FileName, PeerName } from '../../model/names.js';
import { askAbout } from './about.js';
import type { Told } from './about.js';

export interface ProbeOptions {
  readonly peer: PeerName;
  /** This host's name toward it. */
  readonly me: PeerName;
  /** The groups both are in. */
  readonly groups: readonly Group[];
  readonly selection: Selection;
  readonly port: number;
  readonly bind: string | undefined;
  readonly configName: string | undefined;
  /** Whether nossl covers the way from here to the peer. */
  readonly plain: boolean;
  readonly pair: CertificatePair | undefined;
  readonly pinned: Buffer | undefined;
  /** Milliseconds. */
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
  /** Unix milliseconds. */
  readonly now: () => number;
}

export interface Probe {
  readonly peer: PeerName;
  readonly me: PeerName;
  readonly plain: boolean;
  readonly pinned: boolean;
  /** `10.0.0.2:30865`; undefined: no connection came about. */
  readonly address: string | undefined;
  /** The address this host's connection came from. */
  readonly from: string | undefined;
  /** Why no session came about. */
  readonly failure: CsxError | undefined;
  /** DER of what the peer presented. */
  readonly certificate: Buffer | undefined;
  /** Only knocked at: this host would have to encrypt, and has no certificate. */
  readonly knocked: boolean;
  /**
   * How it takes HELLO in plain text, where this host would encrypt; undefined: not tried or not told. stranger: its answer to
   * CONFIG was none of csync2's.
   */
  readonly inPlain: 'accepted' | 'ssl-expected' | 'identification-failed' | 'stranger' | undefined;
  readonly groups: readonly GroupProbe[];
  /** undefined: no session came about. */
  readonly told: Told | undefined;
}

export interface GroupProbe {
  readonly group: Group;
  /** What was asked for; undefined: nothing could be asked, for `why`. */
  readonly file: FileName | undefined;
  readonly why: 'slave' | 'no-key' | 'no-file' | undefined;
  /** undefined: the session ended before. */
  readonly answer: 'agreed' | 'denied' | undefined;
  /** The file's mtime there, Unix seconds. */
  readonly mtime: number | undefined;
}

type OnDialled = (address: string, from: string | undefined) => void;

interface Session {
  readonly connection: Connection;
  readonly certificate: Buffer | undefined;
}

/** Never fails: failures are what it looks for. */
export async function probePeer(options: ProbeOptions): Promise<Probe> {
  const found: { -readonly [K in keyof Probe]: Probe[K] } = {
    peer: options.peer,
    me: options.me,
    plain: options.plain,
    pinned: options.pinned !== undefined,
    address: undefined,
    from: undefined,
    failure: undefined,
    certificate: undefined,
    knocked: !options.plain && options.pair === undefined,
    inPlain: undefined,
    groups: [],
    told: undefined,
  };
  const onDialled: OnDialled = (address, from) => {
    found.address = address;
    found.from = from;
  };
  try {
    if (!options.plain && options.pair === undefined) {
      await knock(options, onDialled);
      return found;
    }
    const { connection, certificate } = await open(options, options.plain, onDialled);
    found.certificate = certificate;
    found.told = await askAbout(connection, options.now);
    found.groups = await askGroups(connection, options);
    await connection.bye();
  } catch (error) {
    if (!(error instanceof CsxError)) throw error;
    found.failure = error;
  }
  const code = found.failure?.code;
  if (
    !options.plain &&
    !found.knocked &&
    (code === undefined || code === 'IDENTIFICATION_FAILED' || code === 'TLS_FAILED')
  ) {
    found.inPlain = await tryPlain(options);
  }
  return found;
}

/** Connects and leaves: all that can be done without a certificate. */
async function knock(options: ProbeOptions, onDialled: OnDialled): Promise<void> {
  const { peer, port, bind, timeout, signal } = options;
  const { socket, address } = await dial({ peer, host: peer, port, bind, deadline: timeout, signal });
  onDialled(address, socket.localAddress);
  socket.destroy();
}

async function open(options: ProbeOptions, plain: boolean, onDialled: OnDialled): Promise<Session> {
  const { peer, port, bind, timeout, signal } = options;
  const dialled = await dial({ peer, host: peer, port, bind, deadline: timeout, signal });
  onDialled(dialled.address, dialled.socket.localAddress);
  let certificate: Buffer | undefined;
  let socket: ConstructorParameters<typeof Connection>[0] = dialled.socket;
  if (!plain && options.pair !== undefined) {
    const encrypted = await encrypt(dialled.socket, {
      label: { peer, address: dialled.address },
      pair: options.pair,
      pinned: options.pinned,
      deadline: timeout,
      signal,
      now: Date.now,
    });
    ({ certificate, socket } = encrypted);
  }
  const connection = new Connection(socket, { peer, address: dialled.address, answerDeadline: timeout, signal });
  try {
    await connection.config(options.configName ?? '');
    await connection.hello(options.me);
    return { connection, certificate };
  } catch (error) {
    connection.destroy();
    throw error;
  }
}

async function tryPlain(options: ProbeOptions): Promise<Probe['inPlain']> {
  try {
    const { connection } = await open(options, true, () => undefined);
    await connection.bye();
    return 'accepted';
  } catch (error) {
    if (!(error instanceof CsxError)) throw error;
    if (error.code === 'PLAINTEXT_REFUSED') return 'ssl-expected';
    if (error.code === 'IDENTIFICATION_FAILED') return 'identification-failed';
    return error.code === 'PEER_REFUSED' || error.code === 'PEER_PROTOCOL' ? 'stranger' : undefined;
  }
}

async function askGroups(connection: Connection, { groups, selection }: ProbeOptions): Promise<readonly GroupProbe[]> {
  const probes: GroupProbe[] = [];
  for (const group of groups) {
    const nothing = { group, file: undefined, answer: undefined, mtime: undefined };
    const key = group.key.secret();
    // A csync2 daemon marks the file of a slave that asks: that would be a change.
    if (group.slave) probes.push({ ...nothing, why: 'slave' });
    else if (key === '') probes.push({ ...nothing, why: 'no-key' });
    else {
      const file = sampleFile(group, selection);
      if (file === undefined) {
        probes.push({ ...nothing, why: 'no-file' });
        continue;
      }
      const answer = await connection.request('GETTM', { key, file });
      const denied = answer.kind === 'error';
      const mtime = answer.kind === 'decimal' ? answer.value : undefined;
      probes.push({ group, file, why: undefined, answer: denied ? 'denied' : 'agreed', mtime });
    }
  }
  return probes;
}

/** A name that the group holds, whether there is such a file or not: an include pattern with its wildcards filled in. */
export function sampleFile(group: Group, selection: Selection): FileName | undefined {
  for (const { kind, text } of group.patterns) {
    if (kind !== 'include' || !/^[/%]/.test(text)) continue;
    const filled = text.replace(/\[[^\]]*\]|[*?]+/g, 'x') as FileName;
    for (const file of [filled, `${filled === '/' ? '' : filled}/x` as FileName]) {
      if (selection.groupsOf(file).includes(group)) return file;
    }
  }
  return undefined;
}
