/**
 * Where a view writes: an output as commands describe it, and the screen derived from it (colours, width, time zone).
 * A view is a generator of text pieces; `print` writes them in chunks and waits where the reader is slow, so that a plan
 * of a million changes needs no more memory than its plan. Views read no environment: all of it comes from here.
 */

import { setImmediate as turn } from 'node:timers/promises';
import { Chalk } from 'chalk';
import type { ChalkInstance } from 'chalk';

/** 0: no colour, 1: sixteen, 2: 256, 3: all. */
export type ColorLevel = 0 | 1 | 2 | 3;

/** A place to write to, as the commands describe it. */
export interface Output {
  /** Writes text; a promise that is returned is waited for before more is written. Must not reject. */
  readonly write: (text: string) => void | Promise<void>;
  /** Width in columns; undefined when it is not a terminal. */
  readonly columns: number | undefined;
  /** Height in rows, of a terminal. */
  readonly rows?: number | undefined;
  readonly isTTY: boolean;
  readonly color: ColorLevel;
  /** IANA name of the time zone times are shown in; undefined: this host's. */
  readonly timeZone?: string | undefined;
}

/** What a view needs to know of its output. */
export interface Screen {
  readonly paint: ChalkInstance;
  /** Columns that prose and tables are laid out for: 40 to 200; 80 where there is no terminal. */
  readonly width: number;
  /** Only then may a table shorten what does not fit: a pipe gets everything. */
  readonly isTTY: boolean;
  readonly timeZone: string | undefined;
}

const MIN_WIDTH = 40;
const MAX_WIDTH = 200;
const PIPE_WIDTH = 80;
const CHUNK = 16 * 1024;
/** Pieces between two turns of the event loop. */
const PIECES = 250;

/** The screen of an output. */
export function screenOf(output: Output): Screen {
  const columns = output.isTTY ? (output.columns ?? PIPE_WIDTH) : PIPE_WIDTH;
  return {
    paint: new Chalk({ level: output.color }),
    width: Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, columns)),
    isTTY: output.isTTY,
    timeZone: output.timeZone,
  };
}

/** The part of a Node stream that an output is made of. */
export interface WritableLike {
  write(text: string): boolean;
  once(event: string, listener: () => void): unknown;
  off(event: string, listener: () => void): unknown;
  readonly destroyed?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  readonly isTTY?: boolean;
}

/** The output of a stream. A closed one (`csx plan | head`) swallows what follows; its `error` event is the command's. */
export function outputTo(stream: WritableLike, color: ColorLevel, timeZone?: string): Output {
  return {
    write: (text) => {
      if (stream.destroyed === true || stream.write(text)) return;
      return new Promise((resolve) => {
        const settle = () => {
          for (const event of SETTLING) stream.off(event, settle);
          resolve();
        };
        for (const event of SETTLING) stream.once(event, settle);
      });
    },
    get columns() {
      return stream.columns;
    },
    get rows() {
      return stream.rows;
    },
    isTTY: stream.isTTY === true,
    color,
    timeZone,
  };
}

const SETTLING = ['drain', 'close', 'error'];

/**
 * Writes the pieces of a view, in chunks of about 16 kB, with a turn of the event loop after each, and after as many pieces: what a
 * view only works out (an empty piece, model/paced.ts) does not hold up timers and signals either.
 * @throws the signal's reason, once it has fired: what was written until then stays
 */
export async function print(
  output: Output,
  pieces: Iterable<string> | AsyncIterable<string>,
  stop?: AbortSignal,
): Promise<void> {
  let chunk = '';
  let count = 0;
  for await (const piece of pieces) {
    chunk += piece;
    count += piece === '' ? PIECES : 1;
    if (chunk.length < CHUNK && count < PIECES) continue;
    if (chunk.length >= CHUNK) {
      await output.write(chunk);
      chunk = '';
    }
    count = 0;
    await turn();
    stop?.throwIfAborted();
  }
  if (chunk !== '') await output.write(chunk);
}
