/**
 * The plan as one page that stands alone: no script, no request to anywhere, light and dark. Written piece by piece.
 * Every text in it goes through `escapeHtml`; the content security policy would stop what slipped through.
 */

import { display } from '../../model/names.js';
import type { Change, Conflict, Plan } from '../../model/plan.js';
import { actionGroups } from '../action-groups.js';
import {
  describeChange,
  describeConflict,
  describeDrift,
  describePeer,
  describeResolution,
  describeSide,
  driftMark,
  isDestructive,
  markOf,
  SYMBOLS,
} from '../describe.js';
import type { Mark } from '../describe.js';
import { sectionsOf } from '../group.js';
import type { PeerSection } from '../group.js';
import { safe } from '../human/problem.js';
import { count, list, plural, size, time } from '../quantity.js';
import { askedHeading, summaryLine } from '../summary.js';
import { escapeHtml } from './escape.js';
import { STYLE } from './style.js';

/** Peers with more changes than this start folded. */
const OPEN_UP_TO = 200;

export function* planPage(plan: Plan): Generator<string> {
  const host = text(display(plan.host));
  yield `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>csx plan for ${host}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>csx plan for ${host}</h1>
<p class="soft">Made ${time(Date.parse(plan.timestamp), 'UTC')} UTC by csx ${text(plan.csxVersion)}${plan.options.offline ? ', offline: no peer was asked' : ''}</p>
<p class="summary${plan.checks.some((check) => check.status === 'fail') ? ' blocked' : ''}">${text(summaryLine(plan))}</p>
`;
  yield* problems(plan);
  yield* checks(plan);
  yield* peerTable(plan);
  yield* conflicts(plan);
  yield* changes(plan);
  yield* actions(plan);
  yield* deferred(plan);
  yield* drift(plan);
  yield `<p class="soft">Plan <code>${text(plan.id)}</code>, hash <code>${text(plan.hash)}</code></p>\n</body>\n</html>\n`;
}

/** Text that may hold anything. */
function text(value: string): string {
  return escapeHtml(safe(value));
}

function file(path: string): string {
  return `<span class="file">${escapeHtml(display(path))}</span>`;
}

function mark(of: Mark): string {
  return `<td class="mark ${of}">${escapeHtml(SYMBOLS[of])}</td>`;
}

function* problems(plan: Plan): Generator<string> {
  if (plan.diagnostics.length === 0) return;
  yield '<h2>Problems met</h2>\n<ul>\n';
  for (const problem of plan.diagnostics) {
    const kind = problem.severity === 'error' ? 'fail' : 'warn';
    yield `<li><b class="${kind}">${problem.severity}</b> ${text(problem.summary)} ${text(problem.hint ?? '')}</li>\n`;
  }
  yield '</ul>\n';
}

function* checks(plan: Plan): Generator<string> {
  if (plan.checks.length === 0) return;
  yield '<h2>Checks</h2>\n<table>\n';
  for (const status of ['fail', 'warn', 'pass'] as const) {
    for (const check of plan.checks.filter((each) => each.status === status)) {
      yield `<tr><td class="mark ${status}">${status}</td><td>${text(check.name)}</td><td>${text(check.message)}</td></tr>\n`;
    }
  }
  yield '</table>\n';
}

function* peerTable(plan: Plan): Generator<string> {
  if (plan.peers.length === 0) return;
  const heads = ['Create', 'Update', 'Delete', 'Conflicts', 'Equal', 'Deferred', 'To send'];
  yield `<h2>Peers</h2>\n<table>\n<tr><th>Peer</th>${heads.map((head) => `<th class="number">${head}</th>`).join('')}</tr>\n`;
  for (const peer of plan.peers) {
    const tally = plan.summary.byPeer[peer.name];
    const figures = (['create', 'update', 'delete', 'conflict', 'noOp', 'deferred'] as const).map((key) =>
      count(tally?.[key] ?? 0),
    );
    const cells = [...figures, size(tally?.bytes ?? 0)].map((figure) => `<td class="number">${figure}</td>`).join('');
    const facts = describePeer(peer, { address: true });
    const down = peer.problem === undefined ? '' : `<br><span class="fail">${text(peer.problem.summary)}</span>`;
    yield `<tr><td><b>${escapeHtml(display(peer.name))}</b> <span class="soft">${escapeHtml(facts)}</span>${down}</td>${cells}</tr>\n`;
  }
  yield '</table>\n';
}

function* conflicts(plan: Plan): Generator<string> {
  if (plan.conflicts.length === 0) return;
  yield `<h2>Conflicts</h2>\n<table>\n<tr><th></th><th>File</th><th>Here</th><th>There</th><th>Outcome</th></tr>\n`;
  for (const conflict of plan.conflicts) yield conflictRow(conflict);
  yield '</table>\n';
}

function conflictRow(conflict: Conflict): string {
  const what = `${file(conflict.path)}<br><span class="soft">${text(describeConflict(conflict))}</span>`;
  const sides = [conflict.local, conflict.remote].map((side) => `<td>${text(describeSide(side, 'UTC'))}</td>`).join('');
  const outcome = text(`${describeResolution(conflict)}. ${conflict.because}`);
  return `<tr>${mark('conflict')}<td>${what}</td>${sides}<td>${outcome}</td></tr>\n`;
}

function* changes(plan: Plan): Generator<string> {
  const sections = (yield* sectionsOf(plan)).filter((section) => section.changes.length > 0);
  if (sections.length > 0) yield '<h2>Changes</h2>\n';
  for (const section of sections) yield* peerChanges(section);
}

function* peerChanges(section: PeerSection): Generator<string> {
  const names = list(section.peers.map((peer) => escapeHtml(display(peer.name))));
  const same = section.peers.length > 1 ? ', the same on each' : '';
  const open = section.changes.length <= OPEN_UP_TO ? ' open' : '';
  yield `<details${open}><summary>${names}: ${plural(section.changes.length, 'change')}${same}</summary>\n<table>\n`;
  for (const change of section.changes) if (isDestructive(markOf(change))) yield changeRow(change);
  for (const change of section.changes) if (!isDestructive(markOf(change))) yield changeRow(change);
  yield '</table>\n</details>\n';
}

function changeRow(change: Change): string {
  return `<tr>${mark(markOf(change))}<td>${file(change.path)}</td><td>${text(describeChange(change, 'UTC'))}</td></tr>\n`;
}

function* actions(plan: Plan): Generator<string> {
  if (plan.actions.length === 0) return;
  yield '<h2>Commands that will run</h2>\n<table>\n<tr><th>Command</th><th>Where</th><th>Because of</th></tr>\n';
  for (const { action, hosts } of actionGroups(plan.actions)) {
    const files = list(action.triggeredBy.map(file), 10);
    const place = action.when === 'local' ? 'this host' : escapeHtml(list(hosts, 20));
    yield `<tr><td><code>${escapeHtml(display(action.command))}</code></td><td>${place}</td><td>${files}</td></tr>\n`;
  }
  yield '</table>\n';
}

function* deferred(plan: Plan): Generator<string> {
  if (plan.deferred.length === 0) return;
  yield `<h2>${askedHeading(plan)}</h2>\n`;
  for (const [peer, waiting] of Map.groupBy(plan.deferred, (change) => change.peer)) {
    yield `<details><summary>${escapeHtml(display(peer))}: ${plural(waiting.length, 'change')} waiting</summary>\n<table>\n`;
    for (const change of waiting) yield changeRow(change);
    yield '</table>\n</details>\n';
  }
}

function* drift(plan: Plan): Generator<string> {
  if (plan.drift.length === 0) return;
  yield `<h2>Changed on this host since the last scan</h2>\n<details><summary>${plural(plan.drift.length, 'file')}</summary>\n<table>\n`;
  for (const each of plan.drift) {
    yield `<tr>${mark(driftMark(each))}<td>${file(each.file)}</td><td>${text(describeDrift(each))}</td></tr>\n`;
  }
  yield '</table>\n</details>\n';
}
