/** Reaches peers as the configuration says: which name, which address to come from, encrypted or not, which pin. */

import type { Selection } from '../../config/selection.js';
import type { Config } from '../../model/config.js';
import type { Problem } from '../../model/errors.js';
import type { PeerName } from '../../model/names.js';
import type { Store } from '../../model/store.js';
import { certificateProblems, loadCertificatePair } from '../net/certificate.js';
import type { CertificatePair } from '../net/certificate.js';
import { connect } from '../net/connect.js';
import { KeptConnection } from './kept-connection.js';
import type { Connected } from '../net/connect.js';
import type { DialStep } from '../net/dial.js';

export interface DialOptions {
  readonly config: Config;
  readonly selection: Selection;
  readonly store: Store;
  readonly port: number;
  /** The name given with -N: connections come from its address. */
  readonly bind: string | undefined;
  readonly configName: string | undefined;
  /** Sent as GROUP, so that the daemon too keeps to them. */
  readonly groups: readonly string[] | undefined;
  /** Milliseconds without progress before a peer is given up. */
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
  /** One connection for each peer, used again until `close`; otherwise each use has its own. */
  readonly keep?: boolean | undefined;
  readonly onStep?: ((peer: PeerName, step: DialStep) => void) | undefined;
  readonly now: () => number;
}

/** Milliseconds for a TCP connection to come about, unless `timeout` is shorter. */
const CONNECT_DEADLINE = 15_000;

export class Dialer {
  readonly #options: DialOptions;
  #pair: Promise<CertificatePair> | undefined;
  #pins: Promise<ReadonlyMap<PeerName, Buffer>> | undefined;
  readonly #kept = new Map<PeerName, Connected & { readonly connection: KeptConnection }>();

  constructor(options: DialOptions) {
    this.#options = options;
  }

  /** Whether the peer is talked to without encryption (`nossl`). */
  isPlain(peer: PeerName): boolean {
    return this.#options.selection.plaintextAllowed(this.#options.config.host, peer);
  }

  /** Warnings about this host's own certificate; empty when no peer needs one. */
  async certificateProblems(): Promise<readonly Problem[]> {
    if (this.#pair === undefined) return [];
    try {
      return certificateProblems(await this.#pair, this.#options.now());
    } catch {
      // Reported where a peer could not be reached for it.
      return [];
    }
  }

  /**
   * Connects and says hello. Throws CsxError.
   * @param interrupt what the signal does to the connection: `drops` it, or leaves it to the caller, who `finishes`
   */
  async dial(peer: PeerName, me: PeerName, interrupt: 'drops' | 'finishes' = 'drops'): Promise<Connected> {
    return (await this.#again(peer, me)) ?? this.#anew(peer, me, interrupt);
  }

  /** Ends the connections that were kept. */
  async close(): Promise<void> {
    await Promise.all([...this.#kept.values()].map(({ connection }) => connection.end()));
    this.#kept.clear();
  }

  /** The connection that is kept for the peer; undefined when there is none in good order. */
  async #again(peer: PeerName, me: PeerName): Promise<Connected | undefined> {
    const kept = this.#kept.get(peer);
    if (kept === undefined || kept.connection.failure !== undefined) return undefined;
    try {
      await kept.connection.hello(me);
      return kept;
    } catch {
      // The peer has closed it meanwhile, or does not know us by that name: a new one will tell.
      kept.connection.destroy();
      return undefined;
    }
  }

  async #anew(peer: PeerName, me: PeerName, interrupt: 'drops' | 'finishes'): Promise<Connected> {
    const { port, bind, configName, groups, timeout, signal, keep, onStep } = this.#options;
    const tls = this.isPlain(peer) ? undefined : await this.#certificate();
    const pinned = tls === undefined ? undefined : (await this.#pinned()).get(peer);
    let kept: KeptConnection | undefined;
    const connected = await connect({
      peer,
      me,
      port,
      bind,
      configName,
      groups,
      tls,
      pinned,
      deadlines: { connect: Math.min(timeout, CONNECT_DEADLINE), answer: timeout },
      signal,
      onStep: (step) => onStep?.(peer, step),
      // A connection that is kept is sent over as well.
      finishing: keep === true || interrupt === 'finishes',
      make: keep === true ? (socket, options) => (kept = new KeptConnection(socket, options)) : undefined,
    });
    if (kept !== undefined) this.#kept.set(peer, { ...connected, connection: kept });
    return connected;
  }

  #certificate(): Promise<CertificatePair> {
    this.#pair ??= loadCertificatePair(this.#options.config.systemDirectory);
    return this.#pair;
  }

  #pinned(): Promise<ReadonlyMap<PeerName, Buffer>> {
    this.#pins ??= this.#options.store
      .certificates()
      .then((rows) => new Map(rows.map((row) => [row.peer, row.certificate])));
    return this.#pins;
  }
}
