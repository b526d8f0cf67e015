/** CSX: what a csx client asks for beyond csync2's protocol (docs/extensions.md). */

import { CSX_VERSION } from '../../model/version.js';
import { REFUSED } from '../wire/answers.js';
import { writeAboutResponse, writeErrorResponse, writeOkResponse } from '../wire/response-writer.js';

/** Those that hold for the rest of the session. */
const LASTING: ReadonlySet<string> = new Set(['group-commit', 'pack', 'verify']);

/** Adds an extension to those agreed on, if there is such a one; the answer. `now`: Unix milliseconds. */
export function agreeOn(extension: string, agreed: Set<string>, now: number): Buffer {
  if (extension === 'about') return writeAboutResponse({ version: CSX_VERSION, at: now });
  if (!LASTING.has(extension)) return writeErrorResponse(REFUSED.unknownCommand);
  agreed.add(extension);
  return writeOkResponse();
}
