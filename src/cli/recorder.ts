/**
 * The JSON Lines of an apply: on stdout under `--json`, in a file beside the human output with `--json-into`. The first record is
 * `version`, the last `result`, whatever happens in between.
 */

import { openSync, closeSync, writeSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { CsxError } from '../model/errors.js';
import type { Event } from '../model/events.js';
import { eventRecord } from '../model/events-json.js';
import { diagnosticRecord } from '../model/event-record.js';
import type { EventRecord } from '../model/event-record.js';
import type { Plan } from '../model/plan.js';
import type { ResultSummary } from '../model/result.js';
import { planRecords, resultRecord, resultSummaryJson, versionRecord } from '../model/run-records.js';
import { summaryLine } from '../views/summary.js';
import { jsonLine, jsonLines } from '../views/json/lines.js';
import type { JsonLines } from '../views/json/lines.js';
import type { Output } from '../views/terminal.js';

export interface RecorderOptions {
  /** stdout, under `--json`. */
  readonly out: Output | undefined;
  /** `--json-into FILE` */
  readonly file: string | undefined;
  readonly csxVersion: string;
}

/** Records of a plan between two turns of the event loop. */
const RECORDS = 100;

interface Sink {
  readonly lines: JsonLines;
  /** Writes text; at the end of the process too. */
  readonly write: (text: string) => void | Promise<void>;
}

export class Recorder {
  readonly #sinks: readonly Sink[];
  readonly #descriptor: number | undefined;
  readonly #onExit: (status: number) => void;

  constructor(options: RecorderOptions) {
    const descriptor = options.file === undefined ? undefined : openLines(options.file);
    this.#descriptor = descriptor;
    const writers = [
      ...(options.out === undefined ? [] : [options.out.write]),
      ...(descriptor === undefined ? [] : [(text: string): void => void writeSync(descriptor, text)]),
    ];
    this.#sinks = writers.map((write) => ({ lines: jsonLines({ write }), write }));
    // A second interrupt ends the process at once: the last record is `result` even then. Pipes and files are written at once.
    this.#onExit = (status) => {
      const last = jsonLine(resultRecord(status, undefined, now()));
      for (const { lines, write } of this.#sinks) void write(lines.rest() + last);
    };
    if (this.active) process.once('exit', this.#onExit);
    this.#write(versionRecord(options.csxVersion, now()));
  }

  /** Whether anybody reads it. */
  get active(): boolean {
    return this.#sinks.length > 0;
  }

  event(event: Event): void {
    if (!this.active) return;
    const record = eventRecord(event, now());
    if (record !== undefined) this.#write(record);
  }

  /** Written as fast as it is read: the records of a large plan take more room than the plan. */
  async plan(plan: Plan): Promise<void> {
    if (!this.active) return;
    let count = 0;
    for (const record of planRecords(plan, summaryLine(plan), now())) {
      this.#write(record);
      if (++count % RECORDS !== 0) continue;
      await turn();
      for (const { lines } of this.#sinks) await lines.flush();
    }
  }

  failure(error: CsxError): void {
    this.#write(
      diagnosticRecord({ severity: 'error', code: error.code, summary: error.message, hint: error.hint }, now()),
    );
  }

  /** The last record; closes the file. */
  async result(exitCode: number, summary: ResultSummary | undefined): Promise<void> {
    this.#write(resultRecord(exitCode, summary === undefined ? undefined : resultSummaryJson(summary), now()));
    process.off('exit', this.#onExit);
    for (const sink of this.#sinks) await sink.lines.flush();
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
  }

  #write(record: EventRecord): void {
    for (const sink of this.#sinks) sink.lines.write(record);
  }
}

function openLines(file: string): number {
  try {
    return openSync(file, 'w', 0o600);
  } catch (error) {
    throw new CsxError(
      'WRITE_FAILED',
      `Cannot write the records to ${file}: ${error instanceof Error ? error.message : String(error)}.`,
      {
        hint: 'Name a file in a directory you may write to.',
        cause: error,
      },
    );
  }
}

function now(): string {
  return new Date().toISOString();
}
