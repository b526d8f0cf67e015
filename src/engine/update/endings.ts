/**
 * What became of the changes of one transfer, told as soon as it is certain: a change that is done toward a peer that groups its
 * commits is done when a SYNC behind it was answered.
 */

import { CsxError } from '../../model/errors.js';
import type { Problem } from '../../model/errors.js';
import type { Report } from '../../model/events.js';
import { display } from '../../model/names.js';
import type { Change } from '../../model/plan.js';
import type { ChangeResult } from '../../model/result.js';
import type { Connection } from '../net/connection.js';
import type { ContentDigests } from './content.js';
import type { End } from './send-change.js';
import { unsynced } from './trouble.js';

export interface EndingsOptions {
  readonly connection: Connection;
  /** The peer answers before it has made changes durable; SYNC asks for that. */
  readonly grouped: boolean;
  readonly report: Report;
  /** Called once for each change, in the order in which the peer answered. Undefined digests: no content was read. */
  readonly finished: (result: ChangeResult, digests: ContentDigests | undefined, refused: boolean) => void;
}

/** Changes that one SYNC makes durable: half of what the daemon commits at most together. */
const GROUP = 128;

export class Endings {
  readonly #options: EndingsOptions;
  /** Changes whose answers were lost because csx itself gave the connection up. */
  readonly #again: Change[] = [];
  /** Answered, but not durable yet. */
  #unsynced: { readonly change: Change; readonly end: End }[] = [];
  /** SYNCs under way. */
  readonly #syncing = new Set<Promise<void>>();
  /** SYNCs sent. */
  #syncs = 0;
  /** Up to this SYNC none proves anything any more. */
  #doubtful = 0;

  constructor(options: EndingsOptions) {
    this.#options = options;
  }

  /** Takes a change that the peer has answered. */
  add(change: Change, end: End): void {
    if (!this.#options.grouped || end.status !== 'done') {
      this.#conclude(change, end);
      return;
    }
    this.#unsynced.push({ change, end });
    if (this.#unsynced.length >= GROUP) this.#sync();
  }

  /** Takes a change that the peer has answered durably. */
  addDurable(change: Change, end: End): void {
    this.#conclude(change, end);
  }

  /** Takes a change that ended with an exception: the connection's, or trouble with the file here. */
  fail(change: Change, error: unknown): void {
    if (!(error instanceof CsxError)) throw error;
    if (error.code === 'PEER_CLOSED' && this.#options.connection.failure?.code === 'CHANGED_MEANWHILE') {
      this.#again.push(change);
      return;
    }
    const problem: Problem = {
      severity: 'error',
      code: error.code,
      summary: error.message,
      hint: error.hint,
      path: display(change.path),
      peer: change.peer,
    };
    this.add(change, { status: error.code === 'CHANGED_MEANWHILE' ? 'skipped' : 'failed', problem, bytes: 0 });
  }

  /** Resolves, with the changes that have to be begun again over another connection, when all the others have been told. */
  async all(): Promise<readonly Change[]> {
    this.#sync();
    await Promise.all(this.#syncing);
    return this.#again;
  }

  /**
   * Asks the peer to make durable what it has answered so far. A peer that could not do so has tried with everything that came before
   * the SYNC, also with what was sent but not answered when the SYNC left: what waits then for later SYNCs is in doubt as well.
   */
  #sync(): void {
    const group = this.#unsynced;
    if (group.length === 0) return;
    this.#unsynced = [];
    this.#syncs += 1;
    const number = this.#syncs;
    const bytes = group.reduce((sum, { end }) => sum + end.bytes, 0);
    const work = this.#options.connection.request('SYNC', {}, bytes).then(
      (answer) => {
        if (answer.kind === 'error') this.#doubtful = Math.max(this.#doubtful, this.#syncs + 1);
        const text = answer.kind === 'error' ? answer.text : undefined;
        for (const { change, end } of group) {
          const doubted = number <= this.#doubtful;
          this.#conclude(change, doubted ? { status: 'failed', problem: unsynced(change, text), bytes: 0 } : end);
        }
      },
      (error: unknown) => {
        for (const { change } of group) this.fail(change, error);
      },
    );
    const tracked = work.finally(() => this.#syncing.delete(tracked));
    this.#syncing.add(tracked);
  }

  #conclude(change: Change, end: End): void {
    const { report, finished } = this.#options;
    const { status, problem, bytes } = end;
    const place = { peer: change.peer, path: change.path, action: change.action };
    if (status === 'done') report({ type: 'change_complete', ...place, bytes });
    else if (problem !== undefined)
      report({ type: status === 'failed' ? 'change_errored' : 'change_skipped', ...place, problem });
    finished({ change, status, problem, bytes }, end.digests, end.refused === true);
  }
}
