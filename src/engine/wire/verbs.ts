/**
 * THE protocol table: one row for each verb, with its arguments, what the daemon checks before it and does besides it, and
 * the form of its answer. Client, daemon, tests and documentation are made from it.
 * Source: reference/wire-protocol.md, "Commands".
 */

import type { FileName } from '../../model/names.js';
import { MAX_LOOK, MAX_PACK } from './limits.js';

/**
 * What an argument holds. `text`: any byte string. `name`: the same, possibly empty. `file`: a canonical file name.
 * `decimal`: a whole number, possibly negative.
 */
export type ArgumentType = 'text' | 'name' | 'file' | 'decimal';

/** Every argument travels URL-encoded. */
export interface Argument {
  readonly name: string;
  readonly type: ArgumentType;
  /** May be missing at the end of the line. */
  readonly optional?: true;
  /** Takes all words that are left. */
  readonly rest?: true;
  /** A file argument that may also be `-`: all files. */
  readonly orAll?: true;
}

/**
 * The form of a verb's answer where it succeeds; where it fails it is always one line.
 *
 * - `line`: `OK (...).`
 * - `signature`: SIG's: head line, check text, counted signature, closing line
 * - `send-data`: PATCH's: `OK (send_data).` and the counted signature; the body then goes out and a `line` comes back
 * - `decimal`: `OK (data_follows).` and one number; nothing closes it
 * - `content`: `OK (data_follows).` and raw bytes until the daemon closes
 * - `rows`: any number of rows, then a line
 * - `counted`: `OK (data_follows).` and counted bytes
 */
export type AnswerShape = 'line' | 'signature' | 'send-data' | 'decimal' | 'content' | 'rows' | 'counted';

export interface VerbRow {
  readonly arguments: readonly Argument[];
  /** False: allowed before HELLO has succeeded. */
  readonly needsHello: boolean;
  /** P: `key` and `file` must belong to a group that lists the client; `compare`: compare patterns count as well. */
  readonly permission: 'group' | 'compare' | undefined;
  /** D: the file is checked on the daemon's disk first; `refuse`: a dirty one is refused; `check`: only checked. */
  readonly dirty: 'refuse' | 'check' | undefined;
  /** U: what is removed from the path first: a file or empty directory, or anything but a regular file. */
  readonly clears: 'anything' | 'non-regular' | undefined;
  /** R: the file's row is refreshed from disk and its dirty row for the client goes. */
  readonly records: boolean;
  /** A: matching actions are scheduled. */
  readonly actions: boolean;
  /** A regular file at the path is backed up first. */
  readonly backup: boolean;
  readonly answer: AnswerShape;
  /** Longest body that follows the command at once, whatever is answered; undefined: none does. */
  readonly body: number | undefined;
  /** For documentation. */
  readonly effect: string;
}

const KEY = { name: 'key', type: 'text' } as const;
const FILE = { name: 'file', type: 'file' } as const;

const OPENING = {
  needsHello: false,
  permission: undefined,
  dirty: undefined,
  clears: undefined,
  records: false,
  actions: false,
  backup: false,
  answer: 'line',
  body: undefined,
} as const;

const QUERY = { ...OPENING, needsHello: true, permission: 'group' } as const;
const ATTRIBUTE = { ...QUERY, dirty: 'refuse', records: true } as const;
const CREATION = { ...ATTRIBUTE, clears: 'anything', actions: true } as const;

export const VERBS = {
  SSL: { ...OPENING, arguments: [], effect: 'starts TLS on the same socket after the answer' },
  CONFIG: {
    ...OPENING,
    arguments: [{ name: 'name', type: 'name', optional: true }],
    effect: 'loads a configuration; the empty name is the default one',
  },
  GROUP: {
    ...OPENING,
    arguments: [{ name: 'groups', type: 'name' }],
    effect: 'restricts the session to the named groups, separated by commas; once',
  },
  HELLO: {
    ...OPENING,
    arguments: [{ name: 'name', type: 'text' }],
    effect: 'identifies the client; may be sent again to change identity',
  },
  SIG: {
    ...QUERY,
    arguments: [KEY, FILE],
    answer: 'signature',
    effect: 'tells the check text, without its mtime, and the signature of what the daemon has',
  },
  FLUSH: { ...QUERY, arguments: [KEY, FILE], dirty: 'check', effect: 'deletes every dirty row of the file' },
  MARK: {
    ...QUERY,
    arguments: [KEY, FILE],
    effect: 'marks the file dirty on the daemon for the groups the client is in',
  },
  PATCH: {
    ...CREATION,
    arguments: [KEY, FILE],
    clears: 'non-regular',
    backup: true,
    answer: 'send-data',
    effect: 'applies a delta to the file, or to nothing',
  },
  // reference/wire-protocol.md says no to actions; csync2's daemon was seen to run them.
  DEL: {
    ...ATTRIBUTE,
    arguments: [KEY, FILE],
    backup: true,
    actions: true,
    effect: 'removes a file or an empty directory',
  },
  MKDIR: { ...CREATION, arguments: [KEY, FILE], effect: 'makes a directory of mode 0700; one that exists is no error' },
  MKFIFO: { ...CREATION, arguments: [KEY, FILE], effect: 'makes a named pipe' },
  MKCHR: {
    ...CREATION,
    arguments: [KEY, FILE, { name: 'device', type: 'decimal', optional: true }],
    effect: 'makes a character device; csync2 never sends the device number, which is 0 then',
  },
  MKBLK: {
    ...CREATION,
    arguments: [KEY, FILE, { name: 'device', type: 'decimal', optional: true }],
    effect: 'makes a block device; csync2 never sends the device number, which is 0 then',
  },
  MKLINK: {
    ...CREATION,
    arguments: [KEY, FILE, { name: 'target', type: 'text' }],
    effect: 'makes a symbolic link to the target, as stored in the link',
  },
  MKSOCK: { ...CREATION, arguments: [KEY, FILE], effect: 'creates nothing' },
  SETOWN: {
    ...ATTRIBUTE,
    arguments: [KEY, FILE, { name: 'uid', type: 'decimal' }, { name: 'gid', type: 'decimal' }],
    effect: 'sets owner and group, of a link itself',
  },
  SETMOD: {
    ...ATTRIBUTE,
    arguments: [KEY, FILE, { name: 'mode', type: 'decimal' }],
    effect: 'sets the mode, given as the whole st_mode; never sent for links',
  },
  SETIME: {
    ...QUERY,
    arguments: [KEY, FILE, { name: 'mtime', type: 'decimal' }],
    records: true,
    effect: 'sets atime and mtime to whole seconds; never sent for links',
  },
  GETTM: { ...QUERY, arguments: [KEY, FILE], answer: 'decimal', effect: 'tells the mtime, -1 if there is no file' },
  GETSZ: { ...QUERY, arguments: [KEY, FILE], answer: 'decimal', effect: 'tells the size, -1 if there is no file' },
  TYPE: {
    ...QUERY,
    arguments: [KEY, FILE],
    permission: 'compare',
    answer: 'content',
    effect: 'sends the content and closes; an absent file is empty',
  },
  LIST: {
    ...QUERY,
    arguments: [
      { name: 'peer', type: 'text' },
      { ...FILE, orAll: true },
      { name: 'keys', type: 'text', rest: true },
    ],
    permission: undefined,
    answer: 'rows',
    effect: 'tells the rows of the file table that lie in groups with one of the keys',
  },
  DIGEST: {
    ...QUERY,
    arguments: [
      { name: 'peer', type: 'text' },
      { name: 'keys', type: 'text', rest: true },
    ],
    permission: undefined,
    answer: 'rows',
    effect: 'csx alone: tells what LIST would tell in blocks (blocks.ts): a row is `v` and a digest, and the last name',
  },
  ROWS: {
    ...QUERY,
    arguments: [
      { name: 'peer', type: 'text' },
      { name: 'after', type: 'text' },
      { name: 'until', type: 'text' },
      { name: 'keys', type: 'text', rest: true },
    ],
    permission: undefined,
    answer: 'rows',
    effect:
      'csx alone: those rows of LIST whose stored names lie behind `after`, up to and with `until`; `-`: from the start, to the end',
  },
  CSX: {
    ...OPENING,
    needsHello: true,
    arguments: [{ name: 'extension', type: 'text' }],
    effect:
      'csx alone: `group-commit` lets answers go before the changes are durable, SYNC tells when they are; `pack` asks for PACK and LOOK; `verify` lets the body of a PATCH end with the digest of the new content; `about` for version and clock',
  },
  SYNC: {
    ...OPENING,
    needsHello: true,
    arguments: [],
    effect: 'csx alone: answers when everything before it is durable, or that some of it could not be made so',
  },
  AGREED: {
    ...QUERY,
    arguments: [KEY, FILE],
    effect:
      'csx alone: OK when the file is as this host and the client last agreed on it, so that nobody has changed it here since',
  },
  PACK: {
    ...QUERY,
    arguments: [KEY],
    body: MAX_PACK,
    records: true,
    actions: true,
    answer: 'counted',
    effect:
      'csx alone: makes the files and directories of the body where nothing stands and nothing is known, durably; the body follows at once',
  },
  LOOK: {
    ...QUERY,
    arguments: [KEY],
    body: MAX_LOOK,
    answer: 'counted',
    effect: 'csx alone: tells which names of the body are free; the body follows at once',
  },
  BYE: { ...OPENING, arguments: [], effect: 'ends the session; pending actions run' },
} as const satisfies Readonly<Record<string, VerbRow>>;

export type Verb = keyof typeof VERBS;

export const VERB_NAMES = Object.keys(VERBS) as readonly Verb[];

/** The row of a verb in its general form. */
export function verbRow(verb: Verb): VerbRow {
  return VERBS[verb];
}

/** Finds a verb as it came, in any case; undefined when csync2 would not know it either. */
export function findVerb(word: string): Verb | undefined {
  const verb = word.toUpperCase();
  return Object.hasOwn(VERBS, verb) ? (verb as Verb) : undefined;
}

type ValueOf<A extends Argument> = A extends { readonly rest: true }
  ? readonly string[]
  : A['type'] extends 'decimal'
    ? number
    : A extends { readonly orAll: true }
      ? FileName | '-'
      : A['type'] extends 'file'
        ? FileName
        : string;

type ArgumentOf<V extends Verb> = (typeof VERBS)[V]['arguments'][number];
type RequiredOf<V extends Verb> = Exclude<ArgumentOf<V>, { readonly optional: true }>;
type OptionalOf<V extends Verb> = Extract<ArgumentOf<V>, { readonly optional: true }>;

/** The arguments of a verb by name, decoded: `{ key, file }` for SIG. Byte strings; numbers for decimals. */
export type Arguments<V extends Verb> = V extends Verb
  ? { readonly [A in RequiredOf<V> as A['name']]: ValueOf<A> } & {
      readonly [A in OptionalOf<V> as A['name']]?: ValueOf<A>;
    }
  : never;

/** One command of a client. */
export type Request = { readonly [V in Verb]: { readonly verb: V; readonly args: Arguments<V> } }[Verb];

/** The verbs whose answers are matched by `Connection.request`: all but those that need a call of their own. */
export type PlainVerb = Exclude<
  Verb,
  'SSL' | 'CONFIG' | 'GROUP' | 'HELLO' | 'PATCH' | 'PACK' | 'LOOK' | 'TYPE' | 'BYE' | RowsVerb
>;

/** The verbs that are answered in rows. */
export type RowsVerb = 'LIST' | 'DIGEST' | 'ROWS';
