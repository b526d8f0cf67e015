/** What `--diff` shows of one file: both sides' contents, or why they are not shown. Never part of a plan or its JSON. */

import type { Bytes, FileName, PeerName } from './names.js';

interface Place {
  readonly peer: PeerName;
  /** This host's name toward it. */
  readonly me: PeerName;
  readonly path: FileName;
}

export type FileDiff =
  | (Place & { readonly kind: 'contents'; readonly there: Bytes; readonly here: Bytes })
  /** The peer is to get a file it does not have. */
  | (Place & { readonly kind: 'created'; readonly here: Bytes })
  /** A `sensitive` pattern matches it: the contents were not even fetched. */
  | (Place & { readonly kind: 'masked' })
  /** Bytes on either side; undefined: there is none. */
  | (Place & { readonly kind: 'large'; readonly there: number | undefined; readonly here: number })
  /** `why`: a sentence. */
  | (Place & { readonly kind: 'unknown'; readonly why: string });

export interface FileDiffs {
  readonly files: readonly FileDiff[];
  /** Files that differ, or are new, too and were not looked at, because there are so many. */
  readonly left: number;
}
