/**
 * Puts what peers acknowledged into the state, in groups: a transaction that is made durable costs as much as hundreds of
 * rows in it. What is added is written after `DELAY` at the latest, so that a kill loses little, and lost rows cost
 * nothing but asking again: a dirty row that outlives its transfer is found equal by the next run.
 */

import type { ChangeResult } from '../../model/result.js';
import type { Store, Write } from '../../model/store.js';
import type { ContentDigests } from './content.js';

/** Writes of one transaction at most. */
const LIMIT = 4000;
/** Milliseconds an acknowledged change may wait for its transaction, which may keep the event loop from a peer that waits. */
const DELAY = 500;

export class Settlement {
  readonly #store: Store;
  #waiting: Write[] = [];
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Takes writes that belong together: they go into one transaction. */
  add(writes: readonly Write[]): void {
    this.#waiting.push(...writes);
    if (this.#waiting.length >= LIMIT) this.#start();
    else
      this.#timer ??= setTimeout(() => {
        this.#start();
      }, DELAY);
  }

  /** Resolves when all that was added is written. Throws what any of the transactions failed with (STATE_LOCKED, NO_SPACE, ...). */
  async flush(): Promise<void> {
    this.#start();
    await this.#writing;
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** True when a transaction has failed: nothing more should be sent, since it could not be remembered. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  #start(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const writes = this.#waiting;
    if (writes.length === 0) return;
    this.#waiting = [];
    this.#writing = this.#writing.then(async () => {
      if (this.#failure !== undefined) return;
      try {
        await this.#store.write(writes);
      } catch (error) {
        this.#failure = { error };
      }
    });
  }
}

/** What an acknowledged change leaves in the state: no dirty row, and what both sides agree on now. */
export function settle(
  result: ChangeResult,
  digests: ContentDigests | undefined,
  at: number,
  refused: boolean,
): readonly Write[] {
  const { change, status } = result;
  const place = { file: change.path, peer: change.peer };
  if (refused) return [{ kind: 'refused', ...place, at }];
  if (status !== 'done') return [];
  const local = change.precondition.local;
  // A directory made anew with the same attributes is no change and leaves its row as it is: only its inode, and so its stamp, is another.
  const stamp = change.after?.entry.type === 'directory' ? undefined : local?.stamp;
  const settled: Write = { kind: 'settle', ...place, checktxt: local?.checktxt, stamp };
  if (change.after === undefined || local === undefined) {
    // That both have no such file is a state agreed on too: one that is made there later is the peer's own.
    const gone = { checktxt: undefined, target: undefined, digest: undefined, signature: undefined };
    return [settled, { kind: 'put-baseline', baseline: { ...place, ...gone, at } }];
  }
  // Equal content on the peer has the signature it showed.
  const signature = digests?.signature ?? (change.aspects.includes('content') ? undefined : change.before?.signature);
  const digest =
    digests?.digest ?? change.after.digest ?? (change.aspects.includes('content') ? undefined : change.before?.digest);
  return [
    settled,
    {
      kind: 'put-baseline',
      baseline: { ...place, checktxt: local.checktxt, target: change.after.entry.target, digest, signature, at },
    },
  ];
}
