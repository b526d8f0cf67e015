/** Column R of the protocol table: what is written for a change that a peer has made here, and column A, the actions it sets off. */

import type { Digest, SignatureDigest } from '../../model/entry.js';
import type { FileName, PeerName } from '../../model/names.js';
import type { LocalState } from '../../model/scan.js';
import type { ActionRow, Write } from '../../model/store.js';
import { putFile } from '../scan/record.js';
import type { Opened } from './served.js';

/** A change that was made. */
export interface Made {
  readonly file: FileName;
  readonly peer: PeerName;
  /** What stands there now; undefined: nothing. */
  readonly state: LocalState | undefined;
  readonly digest: Digest | undefined;
  readonly signature: SignatureDigest | undefined;
  readonly actions: boolean;
  /** Unix milliseconds. */
  readonly at: number;
}

export interface Recorded {
  readonly writes: readonly Write[];
  /** Those among the writes. */
  readonly actions: readonly ActionRow[];
}

/** The row as the disk is, the peer's mark gone, what both sides agree on now, and the actions. */
export function recordChange({ selection }: Opened, made: Made): Recorded {
  const { file, peer, state, digest, signature, at } = made;
  const actions = made.actions ? actionsFor(selection, file) : [];
  return {
    writes: [
      state === undefined ? { kind: 'remove-file', file } : putFile(file, { ...state, digest }),
      { kind: 'clear-dirty', file, peer },
      {
        kind: 'put-baseline',
        baseline: { file, peer, checktxt: state?.checktxt, target: state?.entry.target, digest, signature, at },
      },
      ...actions.map((action): Write => ({ kind: 'put-action', action })),
    ],
    actions,
  };
}

function actionsFor(selection: Opened['selection'], file: FileName): ActionRow[] {
  return selection.groupsOf(file).flatMap((group) =>
    selection
      .actionRules(file, group)
      .filter((rule) => rule.where !== 'here')
      .flatMap((rule) => rule.commands.map((command) => ({ file, command, logfile: rule.logfile }))),
  );
}
