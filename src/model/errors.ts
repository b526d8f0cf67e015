/**
 * The one error type of csx.
 *
 * `message` says what was attempted, on which peer and path, and what went wrong; `hint` what to do next. `code` is stable: scripts
 * and tests may compare it. cli/exit-status.ts turns codes into exit statuses. Trouble with a single file is a result
 * (`Problem`), not an exception.
 */

export type ErrorCode =
  // configuration and arguments
  | 'CONFIG_NOT_FOUND'
  | 'CONFIG_INVALID'
  | 'CONFIG_AMBIGUOUS'
  | 'HOST_NOT_IN_GROUP'
  | 'KEY_UNREADABLE'
  | 'KEY_INVALID'
  | 'FILE_UNSAFE'
  | 'LOCKED_BY_FILE'
  | 'USAGE'
  | 'PATH_OUTSIDE'
  | 'UNKNOWN_TARGET'
  // state
  | 'STATE_UNREADABLE'
  | 'STATE_CORRUPT'
  | 'STATE_READ_ONLY'
  | 'STATE_LOCKED'
  | 'STATE_TOO_NEW'
  | 'STATE_UNSUPPORTED'
  // disk
  | 'READ_FAILED'
  | 'WRITE_FAILED'
  | 'NO_SPACE'
  | 'CHANGED_MEANWHILE'
  | 'PATH_UNSAFE'
  // peers
  | 'PEER_UNREACHABLE'
  | 'PEER_TIMEOUT'
  | 'PEER_CLOSED'
  | 'PEER_PROTOCOL'
  | 'PEER_REFUSED'
  | 'IDENTIFICATION_FAILED'
  | 'PLAINTEXT_REFUSED'
  | 'CERTIFICATE_CHANGED'
  | 'CERTIFICATE_UNREADABLE'
  /** Warnings about this host's own: a short key; an end of validity that is near or past. */
  | 'CERTIFICATE_WEAK'
  | 'CERTIFICATE_EXPIRES'
  | 'TLS_FAILED'
  // delta
  | 'DELTA_INVALID'
  | 'SIGNATURE_INVALID'
  // plans
  | 'PLAN_INVALID'
  | 'PLAN_MISMATCH'
  | 'PLAN_STALE'
  | 'CHECK_FAILED'
  // conduct
  | 'CONFLICTS'
  | 'PARTIAL'
  | 'DECLINED'
  | 'NEEDS_INPUT'
  | 'INTERRUPTED'
  | 'INTERNAL';

/** A place in a text file, both 1-based; `text` is the whole line. */
export interface SourceRange {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly text?: string;
}

export interface ErrorDetails {
  /** What to do next, a sentence. */
  readonly hint?: string | undefined;
  readonly range?: SourceRange | undefined;
  /** Machine-readable facts: path, peer, pid, ... Never secrets. */
  readonly data?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly cause?: unknown;
}

export class CsxError extends Error {
  override readonly name = 'CsxError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly range: SourceRange | undefined;
  readonly data: Readonly<Record<string, string | number | boolean | undefined>>;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
    this.range = details.range;
    this.data = details.data ?? {};
  }
}

/** Trouble with one file or one peer that does not end the work. */
export interface Problem {
  readonly severity: 'error' | 'warning';
  readonly code: ErrorCode;
  /** One sentence for a person. */
  readonly summary: string;
  readonly hint?: string | undefined;
  readonly path?: string | undefined;
  readonly peer?: string | undefined;
  readonly range?: SourceRange | undefined;
}

/** The errno name of a system error (`ENOENT`), or undefined. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) return undefined;
  const unnamed = 'errno' in error && typeof error.errno === 'number' ? UNNAMED.get(-error.errno) : undefined;
  return unnamed ?? error.code;
}

/** What a disk may answer with and Node has no name for: it says UNKNOWN, or "Unknown system error -122". */
const UNNAMED: ReadonlyMap<number, string> = new Map([
  [74, 'EBADMSG'],
  [116, 'ESTALE'],
  [117, 'EUCLEAN'],
  [122, 'EDQUOT'],
]);
