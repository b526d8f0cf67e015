/**
 * Rows that neither csync2 nor csx can have written: skipped, and told once each. What a row's type allows is returned as it is (any
 * check text, any file name in csync2's encoding); a row is skipped when its key is no text, or not encoded as csync2 encodes, for
 * no command could then name or remove it.
 */

import { decodeUrl, encodeUrl } from '../../model/encoding.js';
import type { Problem } from '../../model/errors.js';
import { display, isCanonical, type Bytes, type FileName } from '../../model/names.js';

export type Report = (problem: Problem) => void;

export interface Damage {
  /** Tells that a row was skipped, or could not be read as what it should be. */
  row(table: string, key: Bytes | undefined, why: string): void;
}

/** At most this many rows are told one by one. */
const LIMIT = 100;

export function damageOf(location: string, report: Report): Damage {
  const told = new Set<string>();
  return {
    row(table, key, why) {
      const name = key === undefined ? 'without a name' : display(key);
      const row = `${table} ${name} ${why}`;
      if (told.has(row) || told.size > LIMIT) return;
      told.add(row);
      const last = told.size > LIMIT;
      report({
        severity: 'warning',
        code: 'STATE_CORRUPT',
        summary: last
          ? `The database ${location} has more damaged rows, which are skipped without being named.`
          : `The database ${location} has a damaged row, which is skipped: table ${table}, ${name}: ${why}.`,
        hint: `Look at it with: sqlite3 ${location} "SELECT rowid, * FROM ${table}"; after deleting it, "csx scan" records the file anew.`,
        path: key === undefined || last ? undefined : name,
      });
    },
  };
}

/** A stored name as csync2 would have written it. */
export function isEncoded(stored: string): boolean {
  return stored !== '' && !stored.includes('\0') && encodeUrl(decodeUrl(stored)) === stored;
}

/** The file name of a row; undefined, and told, where it has none that csx may use. */
export function usableName(stored: Bytes | undefined, table: string, damage: Damage): FileName | undefined {
  if (stored === undefined) {
    damage.row(table, undefined, 'its file name is NULL');
    return undefined;
  }
  const name = decodeUrl(stored);
  if (encodeUrl(name) === stored && isCanonical(name)) return name as FileName;
  damage.row(table, stored, 'its file name is none that csync2 or csx writes');
  return undefined;
}
