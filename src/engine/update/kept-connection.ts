/**
 * A connection that outlives its uses. csync2's client serves a peer in one session, and a peer that takes one connection alone
 * (`csync2 -iii`) or runs its pending commands whenever a session ends counts on it: so asking and sending share theirs.
 */

import type { CsxError } from '../../model/errors.js';
import { Connection } from '../net/connection.js';

export class KeptConnection extends Connection {
  /** Kept for the next use: `end` says BYE. */
  override bye(): Promise<void> {
    return Promise.resolve();
  }

  /** A connection in good order is kept; one with answers due, or lost, is dropped. */
  override destroy(reason?: CsxError): void {
    if (reason !== undefined || this.failure !== undefined || this.outstanding > 0) super.destroy(reason);
  }

  /** Ends the session in order. Never rejects. */
  async end(): Promise<void> {
    await super.bye();
    super.destroy();
  }
}
