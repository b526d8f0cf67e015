/** Rows of the database whose names cannot be file names: no scan touches them, a person is told. */

import { fileName, storedName } from '../../model/encoding.js';
import type { Problem } from '../../model/errors.js';
import type { FileName, StoredName } from '../../model/names.js';
import { display, isCanonical } from '../../model/names.js';

/** Rows told one by one; the others are counted. */
const MOST = 100;

const HINT = 'csync2 never writes such a name. `csx db clean` removes the rows that no configuration selects.';

/** The name of a row; undefined when it is none. */
export function nameOf(stored: StoredName): FileName | undefined {
  const file = fileName(stored);
  return isCanonical(file) && storedName(file) === stored ? file : undefined;
}

/** What one scan tells of them. */
export class StrangeRows {
  #count = 0;

  /** What to tell of a row without a name, if it is to be told by itself. */
  tell(stored: StoredName): Problem | undefined {
    this.#count++;
    if (this.#count > MOST) return undefined;
    const summary = `The database knows a file by a name that cannot be one: ${display(stored)}. It is left alone.`;
    return { severity: 'warning', code: 'STATE_CORRUPT', summary, hint: HINT };
  }

  /** What to tell of those that were not. */
  tellRest(): Problem | undefined {
    if (this.#count <= MOST) return undefined;
    const summary = `${String(this.#count - MOST)} more names in the database cannot be file names. They are left alone.`;
    return { severity: 'warning', code: 'STATE_CORRUPT', summary, hint: HINT };
  }
}
