/**
 * Other processes of the tests: `node child.mjs JOB DATABASE ...`. Prints `ready` when its work is under way.
 *
 *   write FROM COUNT   that many transactions of one hint each
 *   lock NAME          takes the lock and keeps it until killed
 *   die FROM COUNT     transactions of ten hints and ten dirty rows each, until killed
 */

import { registerHooks } from 'node:module';
import process from 'node:process';

registerHooks({
  resolve(specifier, context, next) {
    const isSource = specifier.startsWith('.') && context.parentURL?.includes('/src/');
    return next(isSource ? specifier.replace(/\.js$/, '.ts') : specifier, context);
  },
});

const { openStore } = await import('../../../src/engine/state/open.ts');
const [, , job, database, first, second] = process.argv;
const store = await openStore({ database, host: 'child', access: 'write', lockTimeout: 20 });

if (job === 'lock') {
  await store.lock(first, { pid: process.pid, command: 'child holding a lock', since: 1_700_000_000_000 });
  process.stdout.write('ready\n');
  setInterval(() => undefined, 1000);
} else {
  process.stdout.write('ready\n');
  for (let index = 0; index < Number(second); index++) {
    const number = Number(first) + index;
    const writes = [{ kind: 'put-hint', file: `/h/${number}`, recursive: false }];
    if (job === 'die') {
      for (let each = 1; each < 10; each++)
        writes.push({ kind: 'put-hint', file: `/h/${number}/${each}`, recursive: true });
      for (let each = 0; each < 10; each++) {
        writes.push({ kind: 'mark', file: `/d/${number}/${each}`, peer: 'p', me: 'm', forced: false, since: 1 });
      }
    }
    await store.write(writes);
    if (job === 'die') process.stdout.write(`${number}\n`);
  }
  await store.close();
}
