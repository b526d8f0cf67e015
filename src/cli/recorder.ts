/**
 * The JSON Lines of an apply: on stdout under `--json`, in a file beside the human output with `--json-into`. The first record is
 * `version`, the last `result`, whatever happens in between.
 */

import { openSync, closeSync, writeSync } from 'node:fs';
import { CsxError } from '../model/errors.js';
import type { Event } from '../model/events.js';
import { eventRecord } from '../model/events-json.js';
import { diagnosticRecord } from '../model/event-record.js';
import type { EventRecord } from '../model/event-record.js';
import type { Plan } from '../model/plan.js';
import type { ResultSummary } from '../model/result.js';
import { planRecords, resultRecord, resultSummaryJson, versionRecord } from '../model/run-records.js';
import { summaryLine } from '../views/summary.js';
import { jsonLines } from '../views/json/lines.js';
import type { JsonLines } from '../views/json/lines.js';
import type { Output } from '../views/terminal.js';

export interface RecorderOptions {
  /** stdout, under `--json`. */
  readonly out: Output | undefined;
  /** `--json-into FILE` */
  readonly file: string | undefined;
  readonly csxVersion: string;
}

export class Recorder {
  readonly #sinks: readonly JsonLines[];
  readonly #descriptor: number | undefined;

  constructor(options: RecorderOptions) {
    this.#descriptor = options.file === undefined ? undefined : openLines(options.file);
    const descriptor = this.#descriptor;
    this.#sinks = [
      ...(options.out === undefined ? [] : [jsonLines(options.out)]),
      ...(descriptor === undefined ? [] : [jsonLines({ write: (text) => void writeSync(descriptor, text) })]),
    ];
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

  plan(plan: Plan): void {
    if (!this.active) return;
    for (const record of planRecords(plan, summaryLine(plan), now())) this.#write(record);
  }

  failure(error: CsxError): void {
    this.#write(
      diagnosticRecord({ severity: 'error', code: error.code, summary: error.message, hint: error.hint }, now()),
    );
  }

  /** The last record; closes the file. */
  async result(exitCode: number, summary: ResultSummary | undefined): Promise<void> {
    this.#write(resultRecord(exitCode, summary === undefined ? undefined : resultSummaryJson(summary), now()));
    for (const sink of this.#sinks) await sink.flush();
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
  }

  #write(record: EventRecord): void {
    for (const sink of this.#sinks) sink.write(record);
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
