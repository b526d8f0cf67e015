/** The diffs of `--diff`, below the list of changes. */

import { createHash } from 'node:crypto';
import type { FileDiff, FileDiffs } from '../../model/file-diff.js';
import { display, toBuffer } from '../../model/names.js';
import type { Bytes } from '../../model/names.js';
import { diffHeading, diffView } from '../diff.js';
import type { DiffSide } from '../diff.js';
import { plural, size } from '../quantity.js';
import { screenOf } from '../terminal.js';
import type { Output, Screen } from '../terminal.js';
import { paragraph } from './paragraph.js';

export function* fileDiffsView(output: Output, diffs: FileDiffs): Generator<string> {
  const screen = screenOf(output);
  for (const file of diffs.files) {
    yield* fileDiff(output, file, screen);
    yield '\n';
  }
  if (diffs.left > 0) {
    const text = `${plural(diffs.left, 'more file')} would be changed; name some as PATH or with --peer to see their diffs`;
    yield* paragraph(text, screen, { paint: screen.paint.dim });
    yield '\n';
  }
}

function* fileDiff(output: Output, file: FileDiff, screen: Screen): Generator<string> {
  const [there, here] = [`${file.peer}:${file.path}`, `${file.me}:${file.path}`];
  switch (file.kind) {
    case 'contents':
      if (file.there === file.here) yield* paragraph(`${display(there)} is the same by now`, screen);
      else yield* diffView(output, sideOf(there, file.there), sideOf(here, file.here));
      break;
    case 'created':
      yield* diffView(output, NOTHING, sideOf(here, file.here));
      break;
    case 'masked':
      yield* diffView(
        output,
        sideOf(there, '' as Bytes),
        { label: here, content: undefined, digest: undefined },
        { masked: true },
      );
      break;
    case 'large':
      yield* diffHeading(screen, file.there === undefined ? NOTHING.label : there, here);
      yield file.there === undefined
        ? `New, and too large to be shown: ${size(file.here)}.\n`
        : `The contents differ and are too large to be shown: ${size(file.there)} there, ${size(file.here)} here.\n`;
      break;
    case 'unknown':
      yield* diffHeading(screen, there, here);
      yield* paragraph(`Not shown: ${file.why}`, screen);
  }
}

/** As diff names a file that does not exist. */
const NOTHING: DiffSide = { label: '/dev/null', content: undefined, digest: undefined };

function sideOf(label: string, content: Bytes): DiffSide {
  return { label, content, digest: createHash('sha256').update(toBuffer(content)).digest('hex') };
}
