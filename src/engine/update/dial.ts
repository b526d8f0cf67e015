/** Reaches peers as the configuration says: which name, which address to come from, encrypted or not, which pin. */

import type { Selection } from '../../config/selection.js';
import type { Config } from '../../model/config.js';
import type { Problem } from '../../model/errors.js';
import type { PeerName } from '../../model/names.js';
import type { Store } from '../../model/store.js';
import { certificateProblems, loadCertificatePair } from '../net/certificate.js';
import type { CertificatePair } from '../net/certificate.js';
import { connect } from '../net/connect.js';
import type { Connected } from '../net/connect.js';

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
  readonly now: () => number;
}

/** Milliseconds for a TCP connection to come about, unless `timeout` is shorter. */
const CONNECT_DEADLINE = 15_000;

export class Dialer {
  readonly #options: DialOptions;
  #pair: Promise<CertificatePair> | undefined;
  #pins: Promise<ReadonlyMap<PeerName, Buffer>> | undefined;

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

  /** Connects and says hello. Throws CsxError. */
  async dial(peer: PeerName, me: PeerName): Promise<Connected> {
    const { port, bind, configName, groups, timeout, signal } = this.#options;
    const tls = this.isPlain(peer) ? undefined : await this.#certificate();
    const pinned = tls === undefined ? undefined : (await this.#pinned()).get(peer);
    return connect({
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
    });
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
