/** Why a change was not made, in words: what was attempted, what stood in the way, what to do next. */

import type { Problem } from '../../model/errors.js';
import { display } from '../../model/names.js';
import type { Change } from '../../model/plan.js';
import type { Answer } from '../wire/response.js';

/** The file here is not the one the plan saw. `what` completes "..., because". */
export function staleHere(change: Change, what: string): Problem {
  return about(
    change,
    'PLAN_STALE',
    `was not sent to ${display(change.peer)}: ${what} here since the plan was made`,
    'Plan again to see what is to be done now.',
  );
}

/** The peer's file is not the one the plan was told of. */
export function staleThere(change: Change, what: string): Problem {
  return about(
    change,
    'PLAN_STALE',
    `was left alone on ${display(change.peer)}: ${what} since the plan was made`,
    'Plan again to see what is to be done now.',
  );
}

/** A directory stands there that would have to give way, and is not empty. */
export function heldThere(change: Change): Problem {
  const peer = display(change.peer);
  return about(
    change,
    'PARTIAL',
    `was left alone on ${peer}: it is a directory there, and holds what csx was not told of`,
    `Look into it on ${peer} (it may hold what the configuration excludes), empty it, then plan again: it stays marked.`,
  );
}

/** The peer refused. */
export function refusalProblem(change: Change, answer: Extract<Answer, { kind: 'error' }>): Problem {
  const peer = display(change.peer);
  switch (answer.refusal.kind) {
    case 'marked-dirty':
      return about(
        change,
        'CONFLICTS',
        `was changed on ${peer} too, which therefore refused it`,
        `Plan again: the conflict is known now, and the group's method or you decide it.`,
      );
    case 'denied':
      return about(
        change,
        'PEER_REFUSED',
        `was refused by ${peer}: no group there has this key, this host and this file`,
        `Make the configurations and keys of both hosts the same.`,
      );
    case 'denied-slave':
      return about(
        change,
        'PEER_REFUSED',
        `was refused by ${peer}: this host is a slave there and may only receive`,
        `Change the file on a host that is no slave.`,
      );
    case 'parent-missing':
      return about(
        change,
        'PEER_REFUSED',
        `could not be made on ${peer}: the directory it lies in does not exist there`,
        `Make the directory there, or include it in the group.`,
      );
    case 'damaged':
      return about(
        change,
        'PEER_REFUSED',
        `did not arrive on ${peer} as it was sent, nor when it was sent again; nothing was changed there`,
        `The file stays marked: apply again. If it happens again, look at the network; with encryption (no nossl) damage ends the connection.`,
      );
    default:
      return about(
        change,
        'PEER_REFUSED',
        `failed on ${peer}: ${display(answer.text)}`,
        advice(change, answer.refusal.errno),
      );
  }
}

/** The peer answered OK, but could not make durable all that came with it; which files that is true of it cannot say. */
export function unsynced(change: Change, text: string | undefined): Problem {
  const peer = display(change.peer);
  const why = text === undefined ? '' : `: ${display(text)}`;
  return about(
    change,
    'PEER_REFUSED',
    `may not be kept by ${peer}, which could not make all of its group of changes durable${why}`,
    `The log of ${peer} says more. The file stays marked; the next run finds what is there already.`,
  );
}

function advice(change: Change, errno: string | undefined): string {
  switch (errno) {
    case 'ENOTEMPTY':
      return 'It holds files that nobody has scanned there yet: scan there (csync2 -cr), then plan again and decide about them; or remove them.';
    case 'ENOSPC':
    case 'EDQUOT':
      return 'Make room there, then apply again: what was not acknowledged stays marked.';
    case 'EROFS':
      return 'The file system is read-only there.';
    case 'EACCES':
    case 'EPERM':
      return 'The daemon there may not do that: does it run as root?';
    default:
      return `The log of ${display(change.peer)} says more. The file stays marked.`;
  }
}

function about(change: Change, code: Problem['code'], what: string, hint: string): Problem {
  return {
    severity: code === 'PEER_REFUSED' ? 'error' : 'warning',
    code,
    summary: `${display(change.path)} ${what}.`,
    hint,
    path: display(change.path),
    peer: change.peer,
  };
}
