/** `csx mark`, `force` and `hint` under --json (schemas/marking.schema.json), and `csx keygen` (schemas/keygen.schema.json). */

import { bytesListMember, bytesMember } from '../../model/json-value.js';
import type { FileName } from '../../model/names.js';
import type { Scope } from '../../model/store.js';

/** @param rows how many rows were written: one for each file and peer */
export function markedJson(files: readonly FileName[], rows: number): object {
  return { format_version: '1.0', ...bytesListMember('files', files), rows };
}

/** @param forced false: the force was taken back */
export function forcedJson(files: readonly FileName[], forced: boolean): object {
  return { format_version: '1.0', ...bytesListMember('files', files), forced };
}

export function hintedJson(scopes: readonly Scope[]): object {
  return {
    format_version: '1.0',
    paths: scopes.map((scope) => ({ ...bytesMember('path', scope.file), recursive: scope.recursive })),
  };
}

export function keyJson(file: string): object {
  return { format_version: '1.0', file };
}
