/** The databases of this host and its peers against each other: one line a file, one column a peer. */

import type { ComparedFile, PeerComparison } from '../../model/comparison.js';
import { compareBytes, display } from '../../model/names.js';
import type { FileName } from '../../model/names.js';
import { size } from '../quantity.js';
import { plural } from '../quantity.js';
import { screenOf } from '../terminal.js';
import type { Output } from '../terminal.js';
import { nextLines } from './next.js';
import { humanProblems } from './problem.js';
import { table } from './table.js';

export interface ComparisonViewOptions {
  /** Rows marked for the next apply; undefined: not asked for. */
  readonly marked?: number | undefined;
}

export function* comparisonView(
  output: Output,
  comparisons: readonly PeerComparison[],
  options: ComparisonViewOptions = {},
): Generator<string> {
  const screen = screenOf(output);
  const problems = comparisons.flatMap(({ problem }) => problem ?? []);
  if (problems.length > 0) {
    yield* humanProblems(problems, screen);
    yield '\n';
  }
  const asked = comparisons.filter(({ problem }) => problem === undefined);
  const byPeer = asked.map(({ files }) => new Map(files.map((file) => [file.path, file])));
  const paths = [...new Set(byPeer.flatMap((files) => [...files.keys()]))].sort(compareBytes);
  if (paths.length > 0) {
    yield* table(
      [{ title: 'File', cut: 'middle' }, ...asked.map(({ peer }) => ({ title: display(peer) }))],
      rows(paths, byPeer),
      screen,
    );
    yield '\n';
  }
  yield `${screen.paint.bold(comparisonLine(asked, paths.length))}\n`;
  if (options.marked !== undefined) yield `Marked: ${plural(options.marked, 'row')}.\n`;
  if (options.marked !== undefined && options.marked > 0)
    yield* nextLines(['csx plan shows what would be sent'], screen);
  else if (paths.length > 0 && options.marked === undefined) {
    yield* nextLines(
      ["csx compare --mark schedules this host's version of what differs", 'csx diff PATH shows how contents differ'],
      screen,
    );
  }
}

/** The one line scripts and people look for. */
export function comparisonLine(asked: readonly PeerComparison[], files: number): string {
  if (asked.length === 0) return 'Compared: no peer could be asked.';
  const counts = { 'only-here': 0, 'only-there': 0, different: 0 };
  for (const { files: each } of asked) for (const { kind } of each) counts[kind] += 1;
  if (files === 0) return `Compared: all the same on ${plural(asked.length, 'peer')}.`;
  return `Compared: ${plural(files, 'file')}: ${counts.different} different, ${counts['only-here']} only here, ${counts['only-there']} only there, on ${plural(asked.length, 'peer')}.`;
}

function* rows(
  paths: readonly FileName[],
  byPeer: readonly ReadonlyMap<FileName, ComparedFile>[],
): Generator<readonly string[]> {
  for (const path of paths) yield [display(path), ...byPeer.map((files) => cell(files.get(path)))];
}

function cell(file: ComparedFile | undefined): string {
  if (file === undefined) return 'same';
  if (file.kind === 'only-here') return 'only here';
  if (file.kind === 'only-there') return 'only there';
  const bytes =
    file.here?.size !== undefined && file.there?.size !== undefined && file.here.size !== file.there.size
      ? ` (${size(file.here.size)} here, ${size(file.there.size)} there)`
      : '';
  return `${file.aspects.length === 0 ? 'different' : file.aspects.join(', ')}${bytes}`;
}
