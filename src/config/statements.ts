/** A configuration as it is written: what csync2.cfg and csx.yaml have in common before anything is resolved. */

import type { SourceRange } from '../model/errors.js';
import type { Bytes } from '../model/names.js';

export interface Word {
  readonly text: Bytes;
  readonly range: SourceRange;
}

export type Statement =
  | GroupStatement
  | PrefixStatement
  | { readonly kind: 'nossl'; readonly from: Word; readonly to: Word }
  | { readonly kind: 'database'; readonly value: Word }
  | { readonly kind: 'tempdir'; readonly value: Word }
  | { readonly kind: 'ignore'; readonly properties: readonly Word[] }
  | { readonly kind: 'lock-timeout'; readonly value: Word }
  | { readonly kind: 'no-cygwin-lowercase'; readonly range: SourceRange };

export interface GroupStatement {
  readonly kind: 'group';
  /** Undefined: to be called group_N. */
  readonly name: Word | undefined;
  readonly range: SourceRange;
  readonly items: readonly GroupItem[];
}

export type GroupItem =
  | { readonly kind: 'host'; readonly members: readonly MemberWord[] }
  | { readonly kind: 'key'; readonly file: Word }
  | { readonly kind: 'include' | 'exclude' | 'compare'; readonly patterns: readonly Word[] }
  | { readonly kind: 'auto'; readonly method: Word }
  | { readonly kind: 'backup-directory'; readonly value: Word }
  | { readonly kind: 'backup-generations'; readonly value: Word }
  | ActionItem
  /** csx only. `value`: a number of files, or a percentage with its sign. */
  | { readonly kind: 'max-delete'; readonly value: Word }
  /** csx only. */
  | { readonly kind: 'sensitive'; readonly patterns: readonly Word[] }
  /** csx only: the timeout of the group's actions that have none of their own. */
  | { readonly kind: 'action-timeout'; readonly value: Word };

export interface MemberWord {
  readonly host: Word;
  /** After the `@`. */
  readonly name: Word | undefined;
  readonly slave: boolean;
}

export interface ActionItem {
  readonly kind: 'action';
  readonly range: SourceRange;
  readonly patterns: readonly Word[];
  readonly commands: readonly Word[];
  readonly logfile: Word | undefined;
  readonly where: 'peers' | 'everywhere' | 'here';
  /** csx only: a duration. */
  readonly timeout: Word | undefined;
}

export interface PrefixStatement {
  readonly kind: 'prefix';
  readonly name: Word;
  readonly range: SourceRange;
  readonly paths: readonly { readonly host: Word; readonly path: Word }[];
}
