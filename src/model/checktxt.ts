/**
 * The check text: csync2's one-line description of a file's state, as its database and its protocol carry it.
 *
 *   v1[:mtime=SECONDS][:mode=DECIMAL][:uid=N][:gid=N]:type=TYPE
 *   TYPE = reg:size=N | dir | chr:dev=N | blk:dev=N | fifo | lnk:target=URL-ENCODED | sock
 *
 * mtime is left out for links and directories; mode, uid and gid when the configuration ignores them. The text is the
 * decoded form; in the database and in LIST the whole text is URL-encoded once more. Source: reference/behaviour.md.
 */

import { decodeUrl, encodeUrl } from './encoding.js';
import type { Entry, FileType } from './entry.js';
import type { Bytes } from './names.js';

/** A decoded check text. */
export type CheckText = string & { readonly checktxt: unique symbol };

/** What of an entry a check text leaves out or blurs. */
export interface CheckTextForm {
  /** Write `mtime=0`, as SIG answers do. */
  readonly zeroMtime?: boolean;
  /** Write an empty link target, as csync2 2.0 does for every file below a prefix. */
  readonly emptyTarget?: boolean;
}

/** Writes the check text of an entry. */
export function formatCheckText(entry: Entry, form: CheckTextForm = {}): CheckText {
  let text = 'v1';
  if (entry.mtime !== undefined) text += `:mtime=${String(form.zeroMtime === true ? 0 : entry.mtime)}`;
  if (entry.mode !== undefined) text += `:mode=${String(entry.mode)}`;
  if (entry.uid !== undefined) text += `:uid=${String(entry.uid)}`;
  if (entry.gid !== undefined) text += `:gid=${String(entry.gid)}`;
  return (text + typeText(entry, form)) as CheckText;
}

function typeText(entry: Entry, form: CheckTextForm): string {
  switch (entry.type) {
    case 'file':
      return `:type=reg:size=${String(entry.size ?? 0)}`;
    case 'directory':
      return ':type=dir';
    case 'link':
      return `:type=lnk:target=${form.emptyTarget === true ? '' : encodeUrl(entry.target ?? '')}`;
    case 'fifo':
      return ':type=fifo';
    case 'character-device':
      return `:type=chr:dev=${String(entry.device ?? 0)}`;
    case 'block-device':
      return `:type=blk:dev=${String(entry.device ?? 0)}`;
    case 'socket':
      return ':type=sock';
  }
}

const TYPES: Readonly<Record<string, FileType>> = {
  reg: 'file',
  dir: 'directory',
  lnk: 'link',
  fifo: 'fifo',
  chr: 'character-device',
  blk: 'block-device',
  sock: 'socket',
};

const GRAMMAR =
  /^v1(?::mtime=(-?\d{1,16}))?(?::mode=(\d{1,10}))?(?::uid=(\d{1,10}))?(?::gid=(\d{1,10}))?:type=(?:(reg):size=(\d{1,16})|(dir|fifo|sock)|(chr|blk):dev=(\d{1,16})|(lnk):target=([^\0]{0,12288}))$/;

/** Reads a decoded check text; undefined when it is not one (a row written by hand, a peer's `---`). */
export function parseCheckText(text: string): Entry | undefined {
  const match = GRAMMAR.exec(text);
  if (match === null) return undefined;
  const [, mtime, mode, uid, gid, reg, size, plain, dev, device, lnk, target] = match;
  const type = TYPES[reg ?? plain ?? dev ?? lnk ?? ''];
  if (type === undefined) return undefined;
  return {
    type,
    mode: number(mode),
    uid: number(uid),
    gid: number(gid),
    mtime: number(mtime),
    size: number(size),
    target: target === undefined ? undefined : (decodeUrl(target) as Bytes),
    device: number(device),
  };
}

function number(digits: string | undefined): number | undefined {
  return digits === undefined ? undefined : Number(digits);
}

/** The text with `mtime=0` in place of its mtime: the form in which SIG compares. */
export function withoutMtime(text: CheckText): CheckText {
  return text.replace(/^(v1:mtime=)-?\d+/, '$10') as CheckText;
}
