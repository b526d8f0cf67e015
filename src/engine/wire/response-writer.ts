/**
 * A daemon's answers, written. Each function makes one whole answer (or, for TYPE and LIST, one part of it) as bytes; see
 * response.ts for the grammar and answers.ts for the texts. Every text that comes from outside is kept to one line.
 */

import type { CheckText } from '../../model/checktxt.js';
import { encodeUrl } from '../../model/encoding.js';
import type { StoredName } from '../../model/names.js';
import { writeAbout } from './about.js';
import type { About } from './about.js';
import { OK } from './answers.js';

/** Success of a command that has nothing to tell: `OK (cmd_finished).`, or another of the OK texts. */
export function writeOkResponse(text: (typeof OK)[keyof typeof OK] = OK.finished): Buffer {
  return line(text);
}

/** `CSX about`: see about.ts. */
export function writeAboutResponse(about: About): Buffer {
  return line(writeAbout(about));
}

/** Any refusal: one of REFUSED, `identifyFirst(address)` or `strerror(errno)`. A client takes it for one whatever it says. */
export function writeErrorResponse(text: string): Buffer {
  const flat = text.replace(/[\0\r\n]+/g, ' ');
  return line(flat === '' || flat.startsWith('OK (') ? `Error: ${flat}` : flat);
}

/** SIG, something stands there. `signature`: empty unless it is a regular file; undefined: it could not be read. */
export function writePresentResponse(checktxt: CheckText, signature: Buffer | undefined): Buffer {
  const head = `${OK.dataFollows}\n${checktxt}\n`;
  return signatureResponse(head, signature, `${OK.finished}\n`);
}

/** SIG, nothing stands there (`path-not-found`), or a link is among the parents (`not-found`). */
export function writeAbsentResponse(kind: 'path-not-found' | 'not-found'): Buffer {
  const head = `${kind === 'not-found' ? OK.notFound : OK.pathNotFound}\n---\n`;
  return signatureResponse(head, Buffer.alloc(0), `${OK.finished}\n`);
}

/** PATCH accepted: the signature of what is there now (for nothing: the fixed one of an absent file). */
export function writeSendDataResponse(signature: Buffer | undefined): Buffer {
  return signatureResponse(`${OK.sendData}\n`, signature, '');
}

/** GETTM, GETSZ; undefined: there is no such file. */
export function writeDecimalResponse(value: number | undefined): Buffer {
  return line(`${OK.dataFollows}\n${String(value ?? -1)}`);
}

/** TYPE: what goes before the raw content. */
export function writeContentResponse(): Buffer {
  return line(OK.dataFollows);
}

/** LIST, ROWS, DIGEST: some rows; after the last ones `writeOkResponse()`. */
export function writeRows(rows: readonly { readonly checktxt: CheckText; readonly stored: StoredName }[]): Buffer {
  let text = '';
  for (const { checktxt, stored } of rows) text += `${encodeUrl(checktxt)}\t${stored}\n`;
  return Buffer.from(text, 'latin1');
}

/** PACK, LOOK: what pack.ts or look.ts has written. */
export function writeCountedResponse(bytes: Buffer): Buffer {
  return signatureResponse(`${OK.dataFollows}\n`, bytes, '');
}

function signatureResponse(head: string, signature: Buffer | undefined, tail: string): Buffer {
  const start = Buffer.from(`${head}octet-stream ${String(signature?.length ?? -1)}\n`, 'latin1');
  return Buffer.concat([start, signature ?? Buffer.alloc(0), Buffer.from(tail, 'latin1')]);
}

function line(text: string): Buffer {
  return Buffer.from(`${text}\n`, 'latin1');
}
