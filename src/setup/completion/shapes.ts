/** What a command line of csx may look like, as completion needs to know it. */

/**
 * What a value is. peers, groups, files: of the configuration. paths, directories: of the disk, which the shell completes by
 * itself. nothing: it cannot be known.
 */
export type ValueKind = 'peers' | 'groups' | 'files' | 'paths' | 'directories' | 'nothing';

export interface ValueShape {
  readonly kind: ValueKind;
  /** The only values there are. */
  readonly options: readonly string[];
  readonly multiple: boolean;
}

export interface FlagShape {
  /** Without dashes. */
  readonly name: string;
  readonly char: string | undefined;
  readonly summary: string;
  /** Undefined: it takes none. */
  readonly value: (ValueShape & { readonly commas: boolean }) | undefined;
}

export interface VerbShape {
  /** `trust`, `list` */
  readonly words: readonly string[];
  readonly summary: string;
  readonly flags: readonly FlagShape[];
  readonly args: readonly ValueShape[];
}

/** What is to be offered for the last word of a command line. */
export type Offer =
  | { readonly kind: 'words'; readonly words: readonly Candidate[] }
  | { readonly kind: 'paths' | 'directories' }
  | {
      readonly kind: 'values';
      readonly of: 'peers' | 'groups' | 'files';
      readonly start: string;
      readonly prefix: string;
    };

export interface Candidate {
  readonly word: string;
  readonly summary: string;
}
