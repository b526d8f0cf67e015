/** The thread that makes files beside the daemon's own (maker.ts starts it). It knows neither peers nor the database. */

import { parentPort } from 'node:worker_threads';
import { flattenError, makeAll } from './making.js';
import type { FromMaker, ToMaker } from './making.js';

parentPort?.on('message', (message: ToMaker) => {
  void work(message);
});

async function work({ number, making, body }: ToMaker): Promise<void> {
  const made = await makeAll(making);
  const answer: FromMaker = {
    number,
    body,
    made: made.map(({ state, error }) => ({ state, error: flattenError(error) })),
  };
  parentPort?.postMessage(answer, [body]);
}
