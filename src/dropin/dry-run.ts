/**
 * -d: what would be sent, one line each on stdout: `?M` or `!M` (forced) for what would be written, `?D` or `!D` for what would be
 * removed, `?S` for what the peer has already. Nothing is changed, neither there nor here.
 */

import { compareBytes } from '../model/names.js';
import type { FileName, PeerName } from '../model/names.js';
import type { Plan } from '../model/plan.js';
import { headline, inCsync2Order } from './transcript.js';
import type { Voice } from './voice.js';

interface Line {
  readonly peer: PeerName;
  readonly path: FileName;
  readonly removed: boolean;
  readonly forced: boolean;
  readonly same: boolean;
}

export function printDryRun(
  voice: Voice,
  plan: Plan,
  say: (peer: PeerName, level: number, text: string) => void,
): void {
  const lines = linesOf(plan);
  for (const peer of [...new Set(lines.map((line) => line.peer))].sort(compareBytes).reverse()) {
    const own = lines.filter((line) => line.peer === peer);
    for (const line of inCsync2Order(own, (line) => line.removed)) {
      say(peer, 1, headline(line, line.removed));
      const kind = line.same && !line.forced ? 'S' : line.removed ? 'D' : 'M';
      voice.print(`${line.forced ? '!' : '?'}${kind}: ${peer.padEnd(15)} ${line.path}\n`);
      if (kind === 'S') say(peer, 1, 'File is already up to date on peer.');
    }
  }
}

/** Every conflict counts as what would be tried: csync2's dry run does not look for any. */
function linesOf(plan: Plan): readonly Line[] {
  const lines = new Map<string, Line>();
  for (const { peer, path, after, force, reason, action, aspects } of plan.changes) {
    const times = action === 'update' && aspects.every((aspect) => aspect === 'mtime');
    lines.set(`${peer}\0${path}`, {
      peer,
      path,
      removed: after === undefined,
      forced: force && reason !== 'conflict-won',
      same: action === 'no-op' || times,
    });
  }
  for (const { peer, path, local } of plan.conflicts) {
    const known = lines.has(`${peer}\0${path}`);
    if (!known) lines.set(`${peer}\0${path}`, { peer, path, removed: local === undefined, forced: false, same: false });
  }
  return [...lines.values()];
}
