/** A thread that helps a scan (scan-crew.ts starts it): merges the parts it is given on a reader of the database of its own. Writes nothing. */

import { parentPort, workerData } from 'node:worker_threads';
import { Selection } from '../../config/selection.js';
import { CsxError } from '../../model/errors.js';
import type { Stretch } from '../../model/store.js';
import { chooseCuts } from '../scan/crew.js';
import { flatten, transferable } from '../scan/flat-findings.js';
import { Merge } from '../scan/merge.js';
import { SqliteStore } from '../state/store.js';
import type { FlatError, FromThread, ThreadData, ToThread } from './scan-messages.js';

/** Batches under way that nobody has taken, at most. */
const MOST_UNTAKEN = 40;

const { config, ignore, scopes, location, lockTimeout } = workerData as ThreadData;
const selection = new Selection(config);
let orphans = false;
const store = new SqliteStore({
  location,
  access: 'read',
  lockTimeout,
  now: Date.now,
  report: () => undefined,
  onOrphan: () => (orphans = true),
});
const stopping = new AbortController();
let untaken = 0;
let goOn: () => void = () => undefined;
let toCut: number | undefined;
let work: Promise<void> = Promise.resolve();

parentPort?.on('message', (message: ToThread) => {
  switch (message.kind) {
    case 'part':
      work = work.then(() => merge(message.part, message.stretch));
      return;
    case 'cut':
      toCut = message.part;
      return;
    case 'taken':
      untaken--;
      goOn();
      return;
    case 'stop':
      stopping.abort();
      goOn();
      void work.then(() => store.close()).then(() => parentPort?.close());
  }
});

function tell(message: FromThread, handedOver: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, handedOver);
}

async function merge(part: number, stretch: Stretch): Promise<void> {
  const { signal } = stopping;
  try {
    const onSlice = (running: Merge): void => {
      tell({ part, kind: 'reached', entries: running.entries });
      if (toCut === part) cut(part, running);
    };
    const files = store.files.bind(store);
    const merging = new Merge({ selection, files, ignore, scopes, signal, stretch, onSlice });
    for await (const found of merging.run()) {
      const batch = flatten(found);
      tell({ part, kind: 'found', batch }, transferable(batch));
      untaken++;
      while (untaken >= MOST_UNTAKEN && !signal.aborted) {
        await new Promise<void>((resolve) => {
          goOn = resolve;
        });
      }
    }
    tell({ part, kind: 'done', totals: merging.totals(), orphans });
  } catch (error) {
    if (!signal.aborted) tell({ part, kind: 'failed', error: flat(error) });
  }
}

function cut(part: number, running: Merge): void {
  toCut = undefined;
  const names = chooseCuts(running.cuts());
  const [first] = names;
  if (first !== undefined) running.endBefore(first);
  tell({ part, kind: 'cut', names });
}

function flat(error: unknown): FlatError {
  if (!(error instanceof CsxError)) return { code: 'INTERNAL', message: String(error), details: {} };
  const { code, message, hint, range, data } = error;
  return { code, message, details: { hint, range, data } };
}
