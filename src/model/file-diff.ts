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
  /** A `sensitive` pattern matches it: the contents were not even fetched. */
  | (Place & { readonly kind: 'masked' })
  /** Bytes on either side. */
  | (Place & { readonly kind: 'large'; readonly there: number; readonly here: number })
  /** `why`: a sentence. */
  | (Place & { readonly kind: 'unknown'; readonly why: string });

export interface FileDiffs {
  readonly files: readonly FileDiff[];
  /** Files that differ too and were not fetched, because there are so many. */
  readonly left: number;
}
