/** What a recording scan did: the changes, what could not be read, and one summary line. */

import { display } from '../../model/names.js';
import type { ScanResult } from '../../model/result.js';
import type { RootFinding } from '../../model/scan.js';
import { describeDrift, driftMark } from '../describe.js';
import { count, plural } from '../quantity.js';
import { screenOf } from '../terminal.js';
import type { Output } from '../terminal.js';
import { nextLines } from './next.js';
import { paragraph } from './paragraph.js';
import { humanProblems } from './problem.js';
import { nameColumn, row } from './row.js';

const SHOWN = 50;

export function* scanView(
  output: Output,
  result: ScanResult,
  options: { readonly full?: boolean } = {},
): Generator<string> {
  const screen = screenOf(output);
  const shown = options.full === true ? result.shown : result.shown.slice(0, SHOWN);
  if (result.problems.length > 0) {
    yield* humanProblems(result.problems, screen);
    yield '\n';
  }
  const nameWidth = nameColumn(
    shown.map((each) => display(each.file)),
    screen,
  );
  for (const each of shown)
    yield* row(driftMark(each), display(each.file), describeDrift(each), { indent: 2, nameWidth }, screen);
  const total = result.new + result.changed + result.removed;
  if (total > shown.length)
    yield* paragraph(`... and ${count(total - shown.length)} more`, screen, { indent: 2, paint: screen.paint.dim });
  if (shown.length > 0) yield '\n';
  for (const root of result.roots) yield* paragraph(describeRoot(root), screen, { paint: screen.paint.red });
  yield `${screen.paint.bold(scanLine(result))}\n`;
  if (result.marked && total > 0) yield* nextLines(['csx plan shows what would be sent'], screen);
}

/** The one line scripts and people look for. */
export function scanLine(result: ScanResult): string {
  const changes = `${count(result.new)} new, ${count(result.changed)} changed, ${count(result.removed)} removed`;
  return `Scanned: ${plural(result.entries, 'file')}, ${changes}${result.marked ? '' : ', nothing marked'}.`;
}

function describeRoot(root: RootFinding): string {
  const what = { missing: 'is missing', emptied: 'is empty', retyped: 'is no directory any more' }[root.state];
  return `${display(root.file)} ${what}, though ${plural(root.known, 'file')} below it ${root.known === 1 ? 'is' : 'are'} known: not taken for removed. Mount or restore it, or remove the files from the configuration.`;
}
