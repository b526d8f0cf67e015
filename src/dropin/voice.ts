/**
 * What a run says: csync2's words on stdout and stderr, at its levels of -v, with its time stamps (-t, -s), or to syslog (-l), and
 * the number of errors it ends with.
 */

import { appendFileSync } from 'node:fs';
import { toBuffer } from '../model/names.js';

/** Where words go. Byte strings: one char a byte. */
export interface Streams {
  readonly out: (bytes: Buffer) => void;
  readonly err: (bytes: Buffer) => void;
  /** -l: takes one line without its end, and the level it was said at; undefined: no syslog. */
  readonly syslog: ((level: number, line: string) => void) | undefined;
}

export interface VoiceOptions {
  readonly streams: Streams;
  /** -v, counted. */
  readonly verbose: number;
  readonly timestamps: boolean;
  readonly timestampFile: string | undefined;
  /** Goes before every message, as daemons print their process id. */
  readonly prefix: string;
  readonly pid: number;
  /** Unix milliseconds. */
  readonly now: () => number;
}

export class Voice {
  errors = 0;
  readonly verbose: number;
  readonly #options: VoiceOptions;
  readonly #began: number;

  constructor(options: VoiceOptions) {
    this.#options = options;
    this.verbose = options.verbose;
    this.#began = options.now();
    if (this.#stamped) this.#stamp(`TIMESTAMP: ${dateText(this.#began)}`);
  }

  /** A message for those who asked for at least so many -v. A byte string. */
  say(level: number, message: string): void {
    this.#say(level, message, this.#options.prefix);
  }

  /** The same before anybody is served, without the prefix. */
  announce(level: number, message: string): void {
    this.#say(level, message, '');
  }

  #say(level: number, message: string, prefix: string): void {
    if (level > this.#options.verbose) return;
    const { streams, timestamps, now } = this.#options;
    if (streams.syslog !== undefined) {
      streams.syslog(level, message);
      return;
    }
    const stamp = timestamps ? `[${timeText(new Date(now()))}] ` : '';
    streams.err(toBuffer(`${prefix}${stamp}${message}\n`));
  }

  /** A message that everybody gets, and that makes the run fail. */
  error(message: string): void {
    this.errors += 1;
    this.say(0, message);
  }

  /** A part of the result, on stdout. A byte string. */
  print(text: string): void {
    this.#options.streams.out(toBuffer(text));
  }

  /** The last words; without errors only with -v. */
  end(): void {
    if (this.errors > 0 || this.verbose > 0) {
      this.say(1, 'Connection closed.');
      this.say(0, `Finished with ${this.errors} errors.`);
    }
    if (!this.#stamped) return;
    const now = this.#options.now();
    const seconds = Math.floor((now - this.#began) / 1000);
    const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
    this.#stamp(`TIMESTAMP: ${dateText(now)}`);
    this.#stamp(`TOTALTIME: ${hours}:${two(minutes)}:${two(seconds % 60)}`);
  }

  get #stamped(): boolean {
    return this.#options.timestamps || this.#options.timestampFile !== undefined;
  }

  /** To stderr with -t, to the file with -s. */
  #stamp(line: string): void {
    const { streams, timestamps, timestampFile, pid } = this.#options;
    if (timestamps) streams.err(toBuffer(`${line}\n`));
    if (timestampFile !== undefined) appendFileSync(timestampFile, `<${pid}> ${line}\n`);
  }
}

/** `2026-11-22 14:13:24 UTC (GMT+0000)`, in the machine's own time zone. */
function dateText(milliseconds: number): string {
  const date = new Date(milliseconds);
  const minutes = -date.getTimezoneOffset();
  const hours = Math.floor(Math.abs(minutes) / 60);
  const offset = `${minutes < 0 ? '-' : '+'}${two(hours)}${two(Math.abs(minutes) % 60)}`;
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const zone = new Intl.DateTimeFormat('en-GB', { timeZoneName: 'short' })
    .formatToParts(date)
    .find((part) => part.type === 'timeZoneName')?.value;
  return `${day} ${timeText(date)} ${zone ?? 'UTC'} (GMT${offset})`;
}

function timeText(date: Date): string {
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
