/**
 * The plan on a terminal. Diagnostics first, then what the scan found, then peer by peer what would be done (conflicts,
 * then deletions and replacements, then the rest), actions, checks, peers that could not be asked; last the summary line,
 * whose words scripts may rely on (`summaryLine`), and what to type next.
 */

import { display } from '../../model/names.js';
import type { FileName } from '../../model/names.js';
import type { FileDiffs } from '../../model/file-diff.js';
import type { Plan } from '../../model/plan.js';
import type { Drift } from '../../model/scan.js';
import { describeDrift, describePeer, driftMark, markOf, SYMBOLS } from '../describe.js';
import type { Mark } from '../describe.js';
import { sectionsOf } from '../group.js';
import type { PeerSection } from '../group.js';
import { count, list, plural, time } from '../quantity.js';
import { hasWork, nextStep, summaryLine } from '../summary.js';
import type { NextStep } from '../summary.js';
import { screenOf } from '../terminal.js';
import type { Output, Screen } from '../terminal.js';
import { wrap } from '../width.js';
import { fileDiffsView } from './file-diffs.js';
import { nextLines } from './next.js';
import { nameAndFacts, paragraph } from './paragraph.js';
import { humanActions } from './plan-actions.js';
import { humanChanges } from './plan-changes.js';
import { humanChecks } from './plan-checks.js';
import { humanConflict } from './plan-conflicts.js';
import { humanDeferred } from './plan-deferred.js';
import { humanProblems } from './problem.js';
import { nameColumn, row } from './row.js';

export interface PlanViewOptions extends NextStep {
  /** Show every change, action and check instead of folding long lists. */
  readonly full?: boolean;
  /** The command that shows all, named where a list is folded. Default `csx plan --full`. */
  readonly fullCommand?: string;
  /** Digests of both sides of a conflict, passed checks one by one. */
  readonly verbose?: boolean;
  /** What `--diff` fetched. */
  readonly diffs?: FileDiffs | undefined;
}

/** How much of a long list is shown. */
export interface Fold {
  readonly perDirectory: number;
  readonly perPeer: number;
  readonly command: string;
}

const DRIFT_LIMIT = 20;
const PROBLEM_LIMIT = 20;

export function* planView(output: Output, plan: Plan, options: PlanViewOptions = {}): Generator<string> {
  const screen = screenOf(output);
  const { paint } = screen;
  const fold: Fold = {
    perDirectory: options.full === true ? Infinity : 10,
    perPeer: options.full === true ? Infinity : 100,
    command: options.fullCommand ?? 'csx plan --full',
  };
  if (plan.diagnostics.length > 0) {
    yield* humanProblems(plan.diagnostics, screen, options.full === true ? Infinity : PROBLEM_LIMIT);
    yield '\n';
  }
  yield* heading(plan, screen);
  yield* drift(plan, screen, fold);

  const sections = yield* sectionsOf(plan);
  const busy = sections.filter((section) => section.changes.length > 0 || section.conflicts.length > 0);
  yield* legend(plan, screen);
  for (const section of busy) yield* peerSection(section, screen, fold, options.verbose === true);
  if (hasWork(plan)) yield* quietPeers(sections, screen);
  yield* humanActions(plan, screen, fold);
  yield* humanDeferred(plan, screen, fold);
  yield* humanChecks(plan.checks, screen, options.verbose === true);
  if (options.diffs !== undefined) yield* fileDiffsView(output, options.diffs);
  yield `${paint.bold(summaryLine(plan))}\n`;
  if (options.savedTo !== undefined) yield `Saved to ${display(options.savedTo)}\n`;
  yield* nextLines(nextStep(plan, options), screen);
}

function* heading(plan: Plan, screen: Screen): Generator<string> {
  const peers = plural(plan.peers.length, 'peer');
  const text = `Plan of host ${display(plan.host)} for ${peers}, made ${time(Date.parse(plan.timestamp), screen.timeZone)}`;
  yield* paragraph(text, screen, { paint: screen.paint.bold });
  const { targets, excludes, groups, peers: only, offline } = plan.options;
  const limits = [
    ...(targets.length > 0 ? [`to ${list(targets, 5)}`] : []),
    ...(excludes.length > 0 ? [`without ${list(excludes, 5)}`] : []),
    ...(only.length > 0 ? [`to peers ${list(only, 5)}`] : []),
    ...(groups.length > 0 ? [`to groups ${list(groups, 5)}`] : []),
  ];
  if (limits.length > 0) yield* paragraph(`Limited ${limits.join(', ')}`, screen);
  if (offline) yield 'Made offline: no peer was asked\n';
  yield '\n';
}

function* drift(plan: Plan, screen: Screen, fold: Fold): Generator<string> {
  if (plan.drift.length === 0) return;
  const marks = Map.groupBy(plan.drift, driftMark);
  const number = (mark: Mark) => marks.get(mark)?.length ?? 0;
  const parts = [
    [number('create'), 'new'],
    [number('update') + number('replace'), 'changed'],
    [number('delete'), 'removed'],
  ] as const;
  const words = parts.filter(([many]) => many > 0).map(([many, what]) => `${count(many)} ${what}`);
  yield* paragraph(
    `Changed on this host since the last scan: ${plural(plan.drift.length, 'file')} (${words.join(', ')})`,
    screen,
  );
  const full = fold.perPeer === Infinity;
  const listed = full ? plan.drift : untold(plan);
  if (!full && listed.length > 0 && listed.length < plan.drift.length) {
    yield* paragraph(
      `${plural(listed.length, 'file')} of these ${listed.length === 1 ? 'goes' : 'go'} to no peer:`,
      screen,
    );
  }
  const shown = listed.slice(0, full ? undefined : DRIFT_LIMIT);
  const place = {
    indent: 2,
    nameWidth: nameColumn(
      shown.map((each) => display(each.file)),
      screen,
      0.6,
    ),
  };
  for (const each of shown) yield* row(driftMark(each), display(each.file), describeDrift(each), place, screen);
  const left = listed.length - shown.length;
  if (left > 0) {
    const text = `... and ${count(left)} more (${fold.command} shows all)`;
    yield* paragraph(text, screen, { indent: 2, paint: screen.paint.dim });
  }
  yield '\n';
}

/** What goes to a peer, or waits for one, is listed there: the same list here would only push it out of sight. */
function untold(plan: Plan): readonly Drift[] {
  const told = new Set<FileName>();
  for (const list of [plan.changes, plan.conflicts, plan.deferred]) for (const each of list) told.add(each.path);
  return plan.drift.filter((each) => !told.has(each.file));
}

const MEANINGS: readonly (readonly [Mark, string])[] = [
  ['conflict', 'conflict'],
  ['delete', 'delete'],
  ['replace', 'replace by another type'],
  ['create', 'create'],
  ['update', 'update'],
  ['unknown', 'not known yet'],
];

/** Says what the symbols mean that follow, and no others. */
function* legend(plan: Plan, screen: Screen): Generator<string> {
  const used = new Set<Mark>();
  for (const change of plan.changes) used.add(markOf(change));
  for (const change of plan.deferred) used.add(markOf(change));
  if (plan.conflicts.length > 0) used.add('conflict');
  const parts = MEANINGS.filter(([mark]) => used.has(mark)).map(([mark, meaning]) => `${SYMBOLS[mark]} ${meaning}`);
  if (parts.length === 0) return;
  // A symbol stays with its meaning where the line breaks.
  const text = `Symbols: ${parts.map((part) => part.replaceAll(' ', NO_BREAK)).join(', ')}`;
  for (const line of wrap(text, screen.width)) yield `${screen.paint.dim(line.replaceAll(NO_BREAK, ' '))}\n`;
  yield '\n';
}

const NO_BREAK = '\u00a0';

function* peerSection(section: PeerSection, screen: Screen, fold: Fold, verbose: boolean): Generator<string> {
  yield* peerHeading(section, screen);
  for (const conflict of section.conflicts) yield* humanConflict(conflict, screen, { indent: 2, digests: verbose });
  yield* humanChanges(section.changes, screen, fold);
  if (section.noOp > 0) yield `  ${screen.paint.dim(`${count(section.noOp)} already equal`)}\n`;
  yield '\n';
}

/** `web2 (10.0.0.2, csync2 over TLS, group web)`; peers with the same changes share one. */
function* peerHeading(section: PeerSection, screen: Screen): Generator<string> {
  const { paint } = screen;
  const [only, ...others] = section.peers;
  if (only === undefined) return;
  if (others.length === 0) {
    yield* nameAndFacts(display(only.name), describePeer(only, { address: true }), screen);
    return;
  }
  const names = section.peers.map((peer) =>
    peer.address === undefined || peer.address === peer.name
      ? display(peer.name)
      : `${display(peer.name)} (${display(peer.address)})`,
  );
  yield* paragraph(list(names), screen, { paint: paint.bold });
  const facts = describePeer(only, { address: false });
  yield* paragraph(
    `the same on each of these ${count(section.peers.length)}${facts === '' ? '' : `: ${facts}`}`,
    screen,
    {
      indent: 2,
    },
  );
}

/** Peers that were asked and need nothing, in one line. */
function* quietPeers(sections: readonly PeerSection[], screen: Screen): Generator<string> {
  const quiet = sections.filter(
    (section) =>
      section.changes.length === 0 && section.conflicts.length === 0 && section.peers[0]?.reachable !== false,
  );
  const asked = quiet.flatMap((section) => section.peers.filter((peer) => peer.reachable === true));
  if (asked.length === 0) return;
  const equal = quiet.reduce((sum, section) => sum + section.noOp * section.peers.length, 0);
  const names = list(
    asked.map((peer) => display(peer.name)),
    12,
  );
  const text = `Nothing to do on ${names}${equal > 0 ? ` (${count(equal)} already equal)` : ''}`;
  yield* paragraph(text, screen);
  yield '\n';
}
