/** `csx explain PATH`: the verdict first, then what led to it, then state and peers. */

import type { SourceRange } from '../../model/errors.js';
import type { ExplainedGroup, ExplainedPeer, ExplainedState, Explanation } from '../../model/explanation.js';
import { parseCheckText } from '../../model/checktxt.js';
import { display } from '../../model/names.js';
import { describeSide } from '../describe.js';
import { time } from '../quantity.js';
import { screenOf } from '../terminal.js';
import type { Output, Screen } from '../terminal.js';
import { nextLines } from './next.js';
import { paragraph } from './paragraph.js';
import { safe } from './problem.js';

export function* explainView(output: Output, explanation: Explanation): Generator<string> {
  const screen = screenOf(output);
  const { paint } = screen;
  yield* paragraph(`${display(explanation.path)}: ${explanation.verdict}. ${safe(explanation.because)}`, screen, {});
  yield '\n';
  for (const group of explanation.groups) yield* groupLines(group, screen);
  for (const state of explanation.states) yield* stateLines(state, screen);
  if (explanation.peers.length > 0) {
    yield `${paint.bold('Peers')}\n`;
    for (const peer of explanation.peers) yield* peerLines(peer, screen);
    yield '\n';
  }
  if (explanation.actions.length > 0) {
    yield `${paint.bold('Actions')} a change of it runs\n`;
    const where = { peers: 'on peers', everywhere: 'on peers and here', here: 'here' } as const;
    for (const action of explanation.actions) {
      yield* paragraph(`${display(action.command)}  ${where[action.where]} (${place(action.range)})`, screen, {
        indent: 2,
      });
    }
    yield '\n';
  }
  yield* nextLines(nextAfter(explanation), screen);
}

function* groupLines(group: ExplainedGroup, screen: Screen): Generator<string> {
  const { paint } = screen;
  const says = group.included ? paint.green('holds it') : paint.dim('does not hold it');
  yield `${paint.bold(`Group ${display(group.group)}`)} ${says}: ${display(group.file)} (${place(group.range)})\n`;
  for (const tried of group.tried) {
    const mark = tried.decides ? '=>' : tried.matches ? ' +' : '  ';
    const agrees = (tried.kind !== 'exclude') === group.included;
    const beside = agrees ? 'matches too' : 'matches, but an exclude decides';
    const matching = tried.counts ? beside : 'matches, overruled by a later one';
    const how = tried.decides ? 'decides' : tried.matches ? matching : 'does not match';
    const what = tried.against === 'base' ? ' (last component)' : '';
    yield* paragraph(`${mark} ${tried.kind} ${display(tried.text)}  ${how}${what} (${place(tried.range)})`, screen, {
      indent: 2,
      hanging: 5,
    });
  }
  if (!group.tried.some((tried) => tried.matches)) yield '  no pattern matches\n';
  if (group.included) {
    const facts = [`key ${safe(group.key)}`, `auto ${group.auto}`];
    if (group.backup !== undefined) facts.push(`backups in ${display(group.backup)}`);
    if (group.slave) facts.push('this host only receives');
    yield* paragraph(facts.join(', '), screen, { indent: 2 });
  }
  yield '\n';
}

function* stateLines(state: ExplainedState, screen: Screen): Generator<string> {
  const { paint } = screen;
  yield `${paint.bold('Here')}  ${display(state.disk)}\n`;
  if (state.prefix !== undefined) {
    yield* paragraph(
      `prefix %${display(state.prefix.name)}% is ${display(state.prefix.path ?? 'nowhere')} (${place(state.prefix.range)})`,
      screen,
      { indent: 2 },
    );
  }
  yield* paragraph(`disk      ${hereText(state, screen)}`, screen, { indent: 2 });
  yield* paragraph(`database  ${checkText(state.row, screen)}`, screen, { indent: 2 });
  yield '\n';
}

function hereText(state: ExplainedState, screen: Screen): string {
  switch (state.here) {
    case 'absent':
      return 'nothing there';
    case 'behind-link':
      return 'behind a symbolic link: nothing to synchronise';
    case 'unreadable':
      return 'cannot be read';
    default:
      return checkText(state.here, screen);
  }
}

function checkText(text: ExplainedState['row'], screen: Screen): string {
  if (text === undefined) return 'not known';
  const entry = parseCheckText(text);
  if (entry === undefined) return display(text);
  return describeSide({ entry, checktxt: text, digest: undefined, signature: undefined }, screen.timeZone);
}

function* peerLines(peer: ExplainedPeer, screen: Screen): Generator<string> {
  const { marked, agreed } = peer;
  const facts: string[] = [];
  if (peer.receivesOnly) facts.push('gets nothing from here: this host is a slave');
  else if (marked === undefined) facts.push('nothing waits for it');
  else {
    const since = marked.since === undefined ? '' : ` since ${time(marked.since, screen.timeZone)}`;
    facts.push(`marked${since}${marked.forced ? ', forced' : ''}`);
    if (marked.refused !== undefined) facts.push(`refused it ${time(marked.refused, screen.timeZone)}`);
    else if (marked.foreseen !== undefined)
      facts.push(`a conflict was left undecided ${time(marked.foreseen, screen.timeZone)}`);
  }
  if (agreed === undefined) facts.push('what it last had is not known');
  else {
    const state = agreed.checktxt === undefined ? 'that it does not exist' : checkText(agreed.checktxt, screen);
    facts.push(`last agreed ${time(agreed.at, screen.timeZone)} on ${state}`);
  }
  yield* paragraph(
    `${display(peer.peer)}  (group ${display(peer.group)}, as ${display(peer.me)}) ${facts.join('; ')}`,
    screen,
    { indent: 2 },
  );
}

function place(range: SourceRange): string {
  return `${safe(range.file)}:${String(range.line)}`;
}

function nextAfter({ verdict, path }: Explanation): string[] {
  switch (verdict) {
    case 'conflicting':
      return [`csx resolve ${display(path)}`];
    case 'dirty':
      return [`csx plan --target ${display(path)}`];
    case 'outside':
    case 'clean':
      return [];
  }
}
