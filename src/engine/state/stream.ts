/** Hands out batches that are read within one transaction, so that they show one moment, without keeping others waiting. */

import { setImmediate as turn } from 'node:timers/promises';
import type { Connection } from './connection.js';

export interface Source<T> {
  /** A connection of the stream's own, in a transaction that sees the moment. Closed by the stream. */
  readonly connection: Connection;
  readonly batches: Iterator<T>;
  /**
   * Milliseconds after which the rest is read into memory and the transaction ended. Needed where there is no WAL: there, whoever
   * reads keeps writers from committing. Undefined: as long as it takes.
   */
  readonly patience: number | undefined;
}

/** Ends the transaction and closes the connection when it is read to the end, left early, or fails. */
export async function* stream<T>(source: Source<T>): AsyncGenerator<T> {
  const { connection, batches, patience } = source;
  const spool: T[] = [];
  const state: { drained: boolean; failure?: { readonly error: unknown } } = { drained: false };
  const drain = (): void => {
    if (state.drained) return;
    state.drained = true;
    try {
      for (let next = batches.next(); next.done !== true; next = batches.next()) spool.push(next.value);
    } catch (error) {
      state.failure = { error };
    } finally {
      connection.close();
    }
  };
  const timer = patience === undefined ? undefined : setTimeout(drain, patience);
  timer?.unref();
  try {
    if (patience === 0) drain();
    for (;;) {
      const next = takeNext(spool, batches, state.drained);
      if (next === undefined) break;
      yield next.value;
      await turn();
    }
    if (state.failure !== undefined) throw state.failure.error;
  } finally {
    clearTimeout(timer);
    if (!state.drained) connection.close();
  }
}

function takeNext<T>(spool: T[], batches: Iterator<T>, drained: boolean): { readonly value: T } | undefined {
  const value = spool.shift();
  if (value !== undefined) return { value };
  if (drained) return undefined;
  const next = batches.next();
  return next.done === true ? undefined : { value: next.value };
}
