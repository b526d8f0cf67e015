/**
 * The plan as Markdown, for a pull request or a chat: the summary, a table of counts for each peer, checks, conflicts,
 * the changes peer by peer (deletions first), actions, what is deferred. With a limit, rows are cut where they matter
 * least: conflicts and deletions stay longest, headings and counts always, and the last line says what was cut.
 */

import { display } from '../../model/names.js';
import { eachPaced } from '../../model/paced.js';
import type { Change, Plan, Tally } from '../../model/plan.js';
import { actionGroups } from '../action-groups.js';
import {
  describeChange,
  describeConflict,
  describePeer,
  describeResolution,
  describeSide,
  isDestructive,
  markOf,
  SYMBOLS,
} from '../describe.js';
import { sectionsOf } from '../group.js';
import type { PeerSection } from '../group.js';
import { count, list, plural, size, time } from '../quantity.js';
import { askedHeading, summaryLine } from '../summary.js';
import { budgetOf } from './budget.js';
import { code, prose, tableRow } from './escape.js';

export interface MarkdownOptions {
  /** At most so many characters (UTF-16 units); undefined: all of it. At least 1,000 to say anything of use. */
  readonly maxChars?: number | undefined;
  /** One table for all peers instead of one for each. */
  readonly flat?: boolean;
}

/** Kinds of rows, what is dearest first. */
const CLASSES = ['conflict', 'check', 'destructive', 'action', 'peer', 'diagnostic', 'change', 'deferred'] as const;
type Class = (typeof CLASSES)[number];

/** A row to be cut or kept, or a fixed part; `lead` stands before the first row of a table that is shown. */
type Piece = string | { readonly of: Class; readonly text: string };

export function* planMarkdown(plan: Plan, options: MarkdownOptions = {}): Generator<string> {
  const { maxChars } = options;
  const sections = options.flat === true ? undefined : yield* sectionsOf(plan);
  const all = (): Generator<Piece> => pieces(plan, sections);
  if (maxChars === undefined) {
    yield* texts(all());
    return;
  }
  const needs = new Map<Class, number>(CLASSES.map((of) => [of, 0]));
  let fixed = 0;
  yield* eachPaced(all(), (piece) => {
    if (typeof piece === 'string') fixed += piece.length;
    else needs.set(piece.of, (needs.get(piece.of) ?? 0) + piece.text.length);
  });
  const rows = [...needs.values()].reduce((sum, need) => sum + need, 0);
  if (fixed + rows <= maxChars) {
    yield* texts(all());
    return;
  }
  const room = maxChars - fixed - cutNote(maxChars, Number.MAX_SAFE_INTEGER).length;
  if (room < 0) {
    // The headings alone of many unlike peers can take all the room: then no headings by peer.
    if (options.flat === true) yield* shortest(plan, maxChars);
    else yield* planMarkdown(plan, { ...options, flat: true });
    return;
  }
  const budget = budgetOf(
    CLASSES.map((of) => [of, needs.get(of) ?? 0] as const),
    room,
  );
  for (const piece of all()) {
    if (typeof piece === 'string') yield piece;
    else if (budget.take(piece.of, piece.text.length)) yield piece.text;
    else if (budget.left() % 250 === 0) yield '';
  }
  yield cutNote(maxChars, budget.left());
}

function* texts(all: Iterable<Piece>): Generator<string> {
  for (const piece of all) yield typeof piece === 'string' ? piece : piece.text;
}

function cutNote(maxChars: number, left: number): string {
  return `\n> **Cut to ${count(maxChars)} characters: ${plural(left, 'row')} left out.** The counts above are complete; \`csx plan --full\` shows all.\n`;
}

/** Not even the headings fit: the summary alone, and if need be its beginning. */
function* shortest(plan: Plan, maxChars: number): Generator<string> {
  const rows = plan.changes.length + plan.conflicts.length + plan.actions.length + plan.deferred.length;
  yield (`**${prose(summaryLine(plan))}**\n` + cutNote(maxChars, rows)).slice(0, maxChars);
}

/** @param sections undefined: one table for all peers */
function* pieces(plan: Plan, sections: readonly PeerSection[] | undefined): Generator<Piece> {
  yield `## csx plan for ${code(display(plan.host))}\n\n**${prose(summaryLine(plan))}**\n`;
  if (plan.options.offline) yield '\nMade offline: no peer was asked.\n';
  yield* diagnostics(plan);
  yield* peerTable(plan);
  yield* checks(plan);
  yield* conflicts(plan);
  if (sections === undefined) yield* flatChanges(plan);
  else for (const section of sections) if (section.changes.length > 0) yield* changes(section);
  yield* actions(plan);
  yield* deferred(plan);
  yield `\n<sub>${plan.id === '' ? '' : `Plan ${prose(plan.id)}, `}made ${time(Date.parse(plan.timestamp), 'UTC')} UTC by csx ${prose(plan.csxVersion)}</sub>\n`;
}

function* diagnostics(plan: Plan): Generator<Piece> {
  if (plan.diagnostics.length === 0) return;
  yield `\n### ${plural(plan.diagnostics.length, 'problem')} met\n\n`;
  for (const problem of plan.diagnostics) {
    const hint = problem.hint === undefined ? '' : ` ${prose(problem.hint)}`;
    yield { of: 'diagnostic', text: `- **${problem.severity}**: ${prose(problem.summary)}${hint}\n` };
  }
}

/** The counts of each peer; with hundreds of peers this table is cut like the others. */
function* peerTable(plan: Plan): Generator<Piece> {
  if (plan.peers.length === 0) return;
  yield '\n| Peer | Create | Update | Delete | Conflicts | Equal | Deferred | To send |\n|---|--:|--:|--:|--:|--:|--:|--:|\n';
  for (const peer of plan.peers) {
    const tally: Tally | undefined = plan.summary.byPeer[peer.name];
    const down = peer.reachable === false ? ' (not reached)' : '';
    const figures = (['create', 'update', 'delete', 'conflict', 'noOp', 'deferred'] as const).map((key) =>
      count(tally?.[key] ?? 0),
    );
    yield {
      of: 'peer',
      text: tableRow([code(display(peer.name)) + down, ...figures, size(tally?.bytes ?? 0)]),
    };
  }
}

function* checks(plan: Plan): Generator<Piece> {
  const told = [
    ...plan.checks.filter((check) => check.status === 'fail'),
    ...plan.checks.filter((check) => check.status === 'warn'),
  ];
  if (told.length === 0) return;
  yield '\n### Checks\n\n';
  for (const check of told) {
    const word = check.status === 'fail' ? '**FAIL**' : 'warning';
    yield { of: 'check', text: `- ${word} ${prose(check.name)}: ${prose(check.message)}\n` };
  }
}

function* conflicts(plan: Plan): Generator<Piece> {
  if (plan.conflicts.length === 0) return;
  yield `\n### Conflicts\n\n| File | Peer | What | Here | There | Outcome |\n|---|---|---|---|---|---|\n`;
  for (const conflict of plan.conflicts) {
    const cells = [
      code(display(conflict.path)),
      code(display(conflict.peer)),
      prose(describeConflict(conflict)),
      prose(describeSide(conflict.local, 'UTC')),
      prose(describeSide(conflict.remote, 'UTC')),
      prose(`${describeResolution(conflict)}. ${conflict.because}`),
    ];
    yield { of: 'conflict', text: tableRow(cells) };
  }
}

function* changes(section: PeerSection): Generator<Piece> {
  const [peer, ...others] = section.peers;
  if (peer === undefined) return;
  const names = list(section.peers.map((each) => code(display(each.name))));
  const facts = prose(describePeer(peer, { address: others.length === 0 }));
  const same = others.length === 0 ? '' : ', the same on each';
  yield `\n### ${names}: ${plural(section.changes.length, 'change')}${same}\n\n${facts}\n\n`;
  yield '<details open><summary>Changes</summary>\n\n| | File | What changes |\n|---|---|---|\n';
  for (const change of section.changes) if (isDestructive(markOf(change))) yield changeRow('destructive', change);
  for (const change of section.changes) if (!isDestructive(markOf(change))) yield changeRow('change', change);
  yield '\n</details>\n';
}

function* flatChanges(plan: Plan): Generator<Piece> {
  const doing = plan.changes.filter((change) => change.action !== 'no-op');
  if (doing.length === 0) return;
  yield '\n### Changes\n\n| | Peer | File | What changes |\n|---|---|---|---|\n';
  for (const destructive of [true, false]) {
    for (const change of doing) {
      if (isDestructive(markOf(change)) !== destructive) continue;
      const cells = [
        `\`${SYMBOLS[markOf(change)]}\``,
        code(display(change.peer)),
        code(display(change.path)),
        prose(describeChange(change, 'UTC')),
      ];
      yield { of: destructive ? 'destructive' : 'change', text: tableRow(cells) };
    }
  }
}

function changeRow(of: Class, change: Change): Piece {
  const text = tableRow([
    `\`${SYMBOLS[markOf(change)]}\``,
    code(display(change.path)),
    prose(describeChange(change, 'UTC')),
  ]);
  return { of, text };
}

function* actions(plan: Plan): Generator<Piece> {
  if (plan.actions.length === 0) return;
  yield '\n### Commands that will run\n\n';
  for (const { action, hosts } of actionGroups(plan.actions)) {
    const place = action.when === 'local' ? 'on this host' : `on ${list(hosts.map(code), 12)}`;
    const files = list(
      action.triggeredBy.map((path) => code(display(path))),
      3,
    );
    yield {
      of: 'action',
      text: `- ${code(display(action.command))} ${place}${files === '' ? '' : `, because of ${files}`}\n`,
    };
  }
}

function* deferred(plan: Plan): Generator<Piece> {
  if (plan.deferred.length === 0) return;
  yield `\n### ${askedHeading(plan)}\n\n`;
  const problems = new Map(plan.peers.map((peer) => [peer.name, peer.problem]));
  for (const [peer, waiting] of Map.groupBy(plan.deferred, (change) => change.peer)) {
    const problem = problems.get(peer);
    const why = problem === undefined ? '' : ` ${prose(problem.summary)}`;
    yield { of: 'peer', text: `- ${code(display(peer))}: ${plural(waiting.length, 'change')} waiting.${why}\n` };
    for (const change of waiting) {
      yield { of: 'deferred', text: `  - \`${SYMBOLS[markOf(change)]}\` ${code(display(change.path))}\n` };
    }
  }
}
