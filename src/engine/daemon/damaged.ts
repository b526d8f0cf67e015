/** The refusal of a content whose digest is not the one its sender gave. */

import { CsxError } from '../../model/errors.js';
import { display } from '../../model/names.js';
import type { FileName } from '../../model/names.js';
import { REFUSED } from '../wire/answers.js';

/** What arrived for the file is not what was sent, or was not sent for what stands here. */
export function damaged(file: FileName): CsxError {
  return new CsxError('DELTA_INVALID', REFUSED.damaged, { data: { path: display(file) } });
}
