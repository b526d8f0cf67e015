/** The log of an action, opened so that nobody can make csx write somewhere else through it (promise 16). */

import fs from 'node:fs';
import { CsxError } from '../../model/errors.js';
import type { Problem } from '../../model/errors.js';
import type { Bytes } from '../../model/names.js';
import { display, isCanonical } from '../../model/names.js';
import { checkOperatorFile } from '../../operator/operator-file.js';
import { within } from './confined.js';
import { writeFailure } from './failure.js';

export interface OpenLog {
  /** Open for appending; undefined for /dev/null and when it cannot be used. */
  readonly descriptor: number | undefined;
  /** Where new output begins. */
  readonly start: number;
  readonly problem: Problem | undefined;
}

/** Opens a log for appending and makes it when it is missing: mode 0640 (csync2 lets all read it). Never throws. */
export function openLog(logfile: Bytes): OpenLog {
  if (logfile === '/dev/null') return { descriptor: undefined, start: 0, problem: undefined };
  try {
    return { ...open(logfile), problem: undefined };
  } catch (error) {
    const failure = writeFailure(error, logfile);
    const problem: Problem = {
      severity: 'warning',
      code: failure.code,
      summary: `The action's output is not logged: ${failure.message}`,
      hint: failure.hint,
      path: display(logfile),
    };
    return { descriptor: undefined, start: 0, problem };
  }
}

function open(logfile: Bytes): { descriptor: number; start: number } {
  if (!isCanonical(logfile) || !logfile.startsWith('/')) {
    throw refused(logfile, 'it is no absolute path', 'Write the whole path in the logfile statement.');
  }
  const real = checkOperatorFile(logfile, { what: 'log file', guarded: true });
  const { O_RDWR, O_APPEND, O_CREAT } = fs.constants;
  const descriptor = within(real, (directory, name) => directory.open(name, O_RDWR | O_APPEND | O_CREAT, 0o640));
  try {
    const stats = fs.fstatSync(descriptor);
    if (!stats.isFile()) throw refused(logfile, 'it is no regular file', 'Name a regular file or /dev/null.');
    const owner = process.geteuid?.();
    if (owner === 0 && stats.uid !== 0) {
      throw refused(logfile, `it belongs to user ${stats.uid}`, `Run: chown root ${display(real)}`);
    }
    if (owner === 0 && stats.nlink > 1) throw refused(logfile, 'it has a second name', 'Remove the hard link.');
    return { descriptor, start: stats.size };
  } catch (error) {
    fs.closeSync(descriptor);
    throw error;
  }
}

function refused(logfile: Bytes, why: string, hint: string): CsxError {
  return new CsxError('FILE_UNSAFE', `The log file ${display(logfile)} was not opened: ${why}.`, { hint });
}
