/**
 * What a run leaves for `csx status`: when a run last did all it was to do, and whether each peer answered when it was last asked,
 * and since when that is so. Every run carries on what the one before it left, so the latest tells all. JSON within a run's summary.
 */

import { CsxError } from './errors.js';
import type { Problem } from './errors.js';
import { JsonValue, bytesMember } from './json-value.js';
import type { Document } from './json-value.js';
import type { PeerName } from './names.js';
import { readProblem } from './plan-item-read.js';
import { diagnosticJson } from './plan-json.js';
import type { PlanPeer } from './plan.js';
import type { PeerResult } from './result.js';

/** Times are Unix milliseconds. */
export interface Contact {
  readonly peer: PeerName;
  readonly reached: boolean;
  /** When it was last asked. */
  readonly at: number;
  /** When it was first found so, without having been found otherwise in between. */
  readonly since: number;
  /** Why it was not reached. */
  readonly problem: Problem | undefined;
  /** When the latest run ended that left nothing undone or undecided with it; undefined: none did. */
  readonly succeededAt: number | undefined;
}

export interface Standing {
  /** When the latest run ended that did all; undefined: none did. Unix milliseconds. */
  readonly succeededAt: number | undefined;
  readonly contacts: readonly Contact[];
}

export const NO_STANDING: Standing = { succeededAt: undefined, contacts: [] };

/** What one run adds. Peers it had nothing to do with stand as they did. */
export function nextStanding(
  before: Standing,
  run: {
    readonly planned: readonly PlanPeer[];
    readonly results: readonly PeerResult[];
    /** When the plan was made, and when it had been carried out. Unix milliseconds. */
    readonly plannedAt: number;
    readonly finishedAt: number;
    readonly succeeded: boolean;
    /** Peers that answered and with which nothing is left undone or undecided. */
    readonly complete: ReadonlySet<PeerName>;
  },
): Standing {
  const contacts = new Map(before.contacts.map((contact) => [contact.peer, contact]));
  const put = (peer: PeerName, reached: boolean, at: number, problem: Problem | undefined): void => {
    const last = contacts.get(peer);
    // A saved plan may be older than what another run has seen since.
    if (last !== undefined && last.at > at) return;
    const since = last?.reached === reached ? last.since : at;
    const succeededAt = last?.succeededAt;
    contacts.set(peer, { peer, reached, at, since, problem: reached ? undefined : problem, succeededAt });
  };
  for (const { name, reachable, problem } of run.planned) {
    if (reachable !== 'unknown') put(name, reachable, run.plannedAt, problem);
  }
  for (const { name, reached, problem } of run.results) {
    // Not reached, and no word why: it was not tried, because the run was interrupted or the plan says why.
    if (reached === true || (reached === false && problem !== undefined)) put(name, reached, run.finishedAt, problem);
  }
  for (const peer of run.complete) {
    const contact = contacts.get(peer);
    if (contact !== undefined) contacts.set(peer, { ...contact, succeededAt: run.finishedAt });
  }
  return {
    succeededAt: run.succeeded ? run.finishedAt : before.succeededAt,
    contacts: [...contacts.values()],
  };
}

export function standingJson(standing: Standing): object {
  return {
    succeeded: standing.succeededAt ?? null,
    contacts: standing.contacts.map(({ peer, reached, at, since, problem, succeededAt }) => ({
      ...bytesMember('peer', peer),
      reached,
      at,
      since,
      succeeded: succeededAt ?? null,
      error: problem === undefined ? null : diagnosticJson(problem),
    })),
  };
}

const DOCUMENT: Document = {
  name: "The run's record",
  code: 'STATE_CORRUPT',
  hint: 'The next csx apply writes it anew.',
};

/** Out of a run's summary; nothing is known where the run is of an earlier csx, or damaged. */
export function readStanding(summary: string): Standing {
  try {
    const value = new JsonValue(JSON.parse(summary), DOCUMENT).member('standing');
    return {
      succeededAt: value.member('succeeded').nullable((each) => each.integer()),
      contacts: value
        .member('contacts')
        .elements()
        .map((each) => ({
          peer: each.bytes('peer') as string as PeerName,
          reached: each.member('reached').boolean(),
          at: each.member('at').integer(),
          since: each.member('since').integer(),
          problem: each.member('error').nullable(readProblem),
          succeededAt: each.member('succeeded').nullable((time) => time.integer()),
        })),
    };
  } catch (error) {
    // Anything but what JSON and its reader complain of is a fault.
    if (error instanceof SyntaxError || error instanceof CsxError) return NO_STANDING;
    throw error;
  }
}
