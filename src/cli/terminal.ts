/** stdout, stderr and the environment as views take them; and how a failure is told on them. */

import type { WriteStream } from 'node:tty';
import { CsxError } from '../model/errors.js';
import { problemView } from '../views/human/problem.js';
import { errorDocument } from '../views/json/document.js';
import { outputTo, print } from '../views/terminal.js';
import type { ColorLevel, Output } from '../views/terminal.js';

export interface TerminalOptions {
  readonly color: boolean;
}

/** stdout as an output. */
export function standardOutput(options: TerminalOptions): Output {
  return outputTo(process.stdout, colorLevel(process.stdout, options.color));
}

/** stderr as an output. */
export function standardError(options: TerminalOptions): Output {
  return outputTo(process.stderr, colorLevel(process.stderr, options.color));
}

/** Colours a stream may be written in: none off a terminal unless FORCE_COLOR says so, none under NO_COLOR. */
function colorLevel(stream: WriteStream, wanted: boolean): ColorLevel {
  const forced = process.env['FORCE_COLOR'];
  if (!wanted || (process.env['NO_COLOR'] ?? '') !== '') return 0;
  if (forced !== undefined && forced !== '' && forced !== '0') return forced === '3' ? 3 : forced === '2' ? 2 : 1;
  if (!stream.isTTY || forced === '0') return 0;
  const depth = stream.getColorDepth();
  return depth >= 24 ? 3 : depth >= 8 ? 2 : depth >= 4 ? 1 : 0;
}

/** Tells why a command failed: JSON on stdout under `--json`, sentences on stderr otherwise. */
export async function printFailure(thrown: unknown, argv: readonly string[]): Promise<void> {
  const flags = flagsIn(argv);
  const options: TerminalOptions = { color: !flags.includes('--no-color') };
  const error = asCsxError(thrown);
  if (asksForJson(argv)) await print(standardOutput(options), errorDocument(error));
  else
    await print(
      standardError(options),
      problemView(standardError(options), error, { verbose: flags.includes('-v') || flags.includes('--verbose') }),
    );
}

/** Whether a command line that may not even be valid asks for JSON. */
export function asksForJson(argv: readonly string[]): boolean {
  return flagsIn(argv).includes('--json');
}

function flagsIn(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf('--');
  return end < 0 ? argv : argv.slice(0, end);
}

/** What was thrown, as the error it is told as. */
export function asCsxError(thrown: unknown): CsxError {
  return thrown instanceof CsxError ? thrown : internalError(thrown);
}

/** A fault of csx itself: the stack is what a report of it needs. */
function internalError(thrown: unknown): CsxError {
  const message = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  return new CsxError('INTERNAL', `csx failed in a way it should not: ${message}`, {
    hint: 'Nothing that was not yet confirmed by a peer counts as sent. Please report this, with the command line.',
    cause: thrown,
  });
}
