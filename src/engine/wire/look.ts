/**
 * LOOK: whether many names are free, in one command. csx alone; docs/extensions.md has the meaning.
 *
 *   body   = *( name LF )                               ; URL-encoded
 *   answer = "OK (data_follows)." LF "octet-stream " N LF *( "a" / "p" / "?" )      ; one for each name
 */

import { decodeUrl, encodeUrl } from '../../model/encoding.js';
import type { FileName } from '../../model/names.js';
import { isCanonical } from '../../model/names.js';
import { MAX_LOOK_NAMES } from './limits.js';

/** `absent`: nothing stands there, and no row tells of it. `parent-missing`: nor its directory. `ask`: SIG tells. */
export type Look = 'absent' | 'parent-missing' | 'ask';

export function writeLook(files: readonly FileName[]): Buffer {
  return Buffer.from(files.map((file) => `${encodeUrl(file)}\n`).join(''), 'latin1');
}

/** The names; one that cannot be is undefined. Undefined: it is no such body. */
export function parseLook(body: Buffer): readonly (FileName | undefined)[] | undefined {
  const names = body.toString('latin1').split('\n');
  if (names.pop() !== '' || names.length > MAX_LOOK_NAMES) return undefined;
  return names.map((encoded) => {
    const name = decodeUrl(encoded);
    return isCanonical(name) ? (name as FileName) : undefined;
  });
}

const LETTERS: Readonly<Record<Look, string>> = { absent: 'a', 'parent-missing': 'p', ask: '?' };
const LOOKS: Readonly<Record<string, Look>> = { a: 'absent', p: 'parent-missing', '?': 'ask' };

export function writeLookAnswer(looks: readonly Look[]): Buffer {
  return Buffer.from(looks.map((look) => LETTERS[look]).join(''), 'latin1');
}

/** The answer for `count` names; undefined: it is none. */
export function parseLookAnswer(bytes: Buffer, count: number): readonly Look[] | undefined {
  if (bytes.length !== count) return undefined;
  const looks = Array.from(bytes.toString('latin1'), (letter) => LOOKS[letter]);
  return looks.every((look) => look !== undefined) ? looks : undefined;
}
