/** The judgement of operator files by its former name, for rooms that may import config but not operator. */

import type { SourceRange } from '../model/errors.js';
import { checkOperatorFile } from '../operator/operator-file.js';

/** Fails with FILE_UNSAFE as `checkOperatorFile` does, for the process of the user `uid`. */
export function requireOperatorFile(file: string, uid: number, what: string, range?: SourceRange): void {
  checkOperatorFile(file, { what, uid, range });
}
