/** Unified diffs as csync2 prints them: by diff(1) itself, with both contents given through pipes. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { openSource } from '../engine/files/source.js';
import { CsxError, errnoOf } from '../model/errors.js';
import { fromBuffer, isAscii, toBuffer } from '../model/names.js';
import type { DiskPath } from '../model/names.js';
import { lstatSync } from 'node:fs';
import type { Voice } from './voice.js';

export interface DiffRequest {
  /** The peer's content. */
  readonly there: AsyncIterable<readonly Buffer[]>;
  /** The file here; what is absent or no regular file counts as empty. */
  readonly disk: DiskPath;
  /** The peer's name for the file, and this host's. */
  readonly labels: readonly [there: string, here: string];
  readonly voice: Voice;
}

const CHUNK = 256 * 1024;
/** Stand for labels that an argument cannot carry: Node's arguments are text, file names bytes. */
const STAND_INS = ['csx-there', 'csx-here'] as const;

/** Prints what `diff -Nus` has to say. Fails as the content does, and with INTERNAL when there is no diff(1). */
export async function printDiff({ there, disk, labels, voice }: DiffRequest): Promise<void> {
  if (lstatSync(toBuffer(disk), { throwIfNoEntry: false })?.isDirectory() === true) {
    for await (const _ of there);
    voice.say(0, `${labels[1]} is a directory: there are no lines to compare.`);
    return;
  }
  const plain = labels.every(isAscii);
  const [first, second] = plain ? labels : STAND_INS;
  const diff = spawn('diff', ['-Nus', '--label', first, '--label', second, '-', '/dev/fd/3'], {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  });
  const output: Buffer[] = [];
  const complaints: Buffer[] = [];
  diff.stdout.on('data', (bytes: Buffer) => output.push(bytes));
  diff.stderr.on('data', (bytes: Buffer) => complaints.push(bytes));
  const [input, file] = [diff.stdin, diff.stdio[3] as Writable];
  // diff may end before it has read everything.
  for (const pipe of [input, file]) pipe.on('error', () => undefined);
  const ended = once(diff, 'close').catch((error: unknown) => {
    throw new CsxError('INTERNAL', `Could not run diff: ${errnoOf(error) ?? String(error)}.`, {
      hint: 'Install the package diffutils.',
    });
  });
  ended.catch(() => undefined);
  try {
    await Promise.all([pour(there, input), pour(contentOf(disk), file)]);
  } finally {
    input.end();
    file.end();
  }
  await ended;
  const text = fromBuffer(Buffer.concat(output));
  voice.print(plain ? text : withLabels(text, labels));
  if (complaints.length > 0) voice.say(0, fromBuffer(Buffer.concat(complaints)).trimEnd());
}

async function pour(
  content: AsyncIterable<readonly Buffer[]> | Iterable<readonly Buffer[]>,
  pipe: Writable,
): Promise<void> {
  for await (const batch of content) {
    for (const bytes of batch) {
      if (pipe.destroyed || pipe.write(bytes)) continue;
      await Promise.race([once(pipe, 'drain'), once(pipe, 'close')]);
    }
  }
  pipe.end();
}

function* contentOf(disk: DiskPath): Generator<readonly Buffer[]> {
  if (lstatSync(toBuffer(disk), { throwIfNoEntry: false })?.isFile() !== true) return;
  const source = openSource(disk);
  try {
    for (const chunk of source.chunks(CHUNK)) yield [Buffer.from(chunk)];
  } finally {
    source.close();
  }
}

/** Labels stand in the two lines of the head, or in the one line that says that files are identical or binary. */
function withLabels(text: string, labels: readonly [string, string]): string {
  const lines = text.split('\n');
  const head = text.startsWith('---') ? 2 : 1;
  const named = lines
    .slice(0, head)
    .map((line) => STAND_INS.reduce((said, stand, index) => said.replace(stand, () => labels[index] ?? ''), line));
  return [...named, ...lines.slice(head)].join('\n');
}
