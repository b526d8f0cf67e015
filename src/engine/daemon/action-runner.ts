/**
 * Runs the actions that are pending in the database, when a session ends: each distinct command once, one after the other.
 *
 * Rows go when their command has run, whatever its status; those of a crash are still there and run next time. A file that
 * asks for a command again while it runs keeps its row: the command runs once more for it.
 */

import type { Bytes } from '../../model/names.js';
import { display } from '../../model/names.js';
import type { ActionRow, Store, Write } from '../../model/store.js';
import { actionRun, groupActions, runAction } from '../files/actions.js';
import type { ActionJob, ActionResult } from '../files/actions.js';
import type { Log } from './log.js';

export interface ActionRunnerOptions {
  readonly store: Store;
  /** Seconds the command may take; undefined: the default. */
  readonly timeoutOf: (command: Bytes) => number | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  /** Unix milliseconds. */
  readonly now: () => number;
}

export class ActionRunner {
  readonly #options: ActionRunnerOptions;
  readonly #stop = new AbortController();
  /** Rows put while their command may be running. */
  readonly #again = new Set<string>();
  #running: Promise<void> | undefined;
  #wanted = false;

  constructor(options: ActionRunnerOptions) {
    this.#options = options;
  }

  /** Tells that the rows were written to the database. */
  scheduled(rows: Iterable<ActionRow>): void {
    if (this.#running === undefined) return;
    for (const row of rows) this.#again.add(identityOf(row));
  }

  /** Runs what is pending; resolves when nothing is any more. Never rejects. */
  async run(): Promise<void> {
    this.#wanted = true;
    this.#running ??= this.#loop();
    await this.#running;
  }

  /** Ends what is running, and runs nothing more: rows stay for the next time. */
  stop(): void {
    this.#stop.abort();
  }

  async #loop(): Promise<void> {
    try {
      do {
        this.#wanted = false;
        for (const job of groupActions(await this.#options.store.actions())) {
          if (this.#stop.signal.aborted) return;
          await this.#runOne(job);
        }
      } while (this.#isWanted());
    } catch (error) {
      this.#options.log({
        level: 'error',
        event: 'action',
        message: `Pending actions could not be run: ${error instanceof Error ? error.message : String(error)}`,
      });
    } finally {
      this.#running = undefined;
      this.#again.clear();
    }
  }

  #isWanted(): boolean {
    return this.#wanted && !this.#stop.signal.aborted;
  }

  async #runOne(job: ActionJob): Promise<void> {
    const { store, environment, log, timeoutOf, now } = this.#options;
    for (const row of job.rows) this.#again.delete(identityOf(row));
    const result = await runAction(job, {
      environment,
      timeout: timeoutOf(job.template),
      signal: this.#stop.signal,
    });
    report(result, log);
    // Ended because csx ends: it runs again next time.
    if (this.#stop.signal.aborted && result.signal !== undefined) return;
    const done = job.rows.filter((row) => !this.#again.has(identityOf(row)));
    await store.write([
      ...done.map((action): Write => ({ kind: 'remove-action', action })),
      { kind: 'put-action-run', run: actionRun(result, now()) },
    ]);
    if (done.length < job.rows.length) this.#wanted = true;
  }
}

function report(result: ActionResult, log: Log): void {
  const { job, status, signal, timedOut, milliseconds, output, problem } = result;
  if (problem !== undefined) {
    log({ level: problem.severity, event: 'action', message: problem.summary, command: display(job.template) });
  }
  const ended = timedOut
    ? 'ended at its time limit'
    : status === undefined
      ? `ended by ${signal ?? 'an error'}`
      : `exit status ${String(status)}`;
  log({
    level: status === 0 ? 'info' : 'error',
    event: 'action',
    message: `Action '${display(job.template)}': ${ended}`,
    status,
    milliseconds: Math.round(milliseconds),
    files: job.rows.length,
    output: status === 0 || output === '' ? undefined : display(output.slice(-500)),
  });
}

function identityOf(row: ActionRow): string {
  return `${row.file}\0${row.command}\0${row.logfile}`;
}
