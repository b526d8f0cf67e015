/** Unified diffs as csync2 prints them: by diff(1) itself, with both contents given through pipes. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, fstatSync, lstatSync, openSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { within } from '../engine/files/confined.js';
import { CsxError, errnoOf } from '../model/errors.js';
import { fromBuffer, isAscii, toBuffer } from '../model/names.js';
import type { DiskPath } from '../model/names.js';
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
  const file = openHere(disk);
  const diff = spawn('diff', ['-Nus', '--label', first, '--label', second, '-', '/dev/fd/3'], {
    stdio: ['pipe', 'pipe', 'pipe', file],
  });
  closeSync(file);
  const output: Buffer[] = [];
  const complaints: Buffer[] = [];
  diff.stdout?.on('data', (bytes: Buffer) => output.push(bytes));
  diff.stderr?.on('data', (bytes: Buffer) => complaints.push(bytes));
  const input = diff.stdin as Writable;
  // diff may end before it has read everything.
  input.on('error', () => undefined);
  const ended = once(diff, 'close').catch((error: unknown) => {
    throw new CsxError('INTERNAL', `Could not run diff: ${errnoOf(error) ?? String(error)}.`, {
      hint: 'Install the package diffutils.',
    });
  });
  ended.catch(() => undefined);
  try {
    await pour(there, input);
  } finally {
    input.end();
  }
  await ended;
  const text = fromBuffer(Buffer.concat(output));
  voice.print(plain ? text : withLabels(text, labels));
  if (complaints.length > 0) voice.say(0, fromBuffer(Buffer.concat(complaints)).trimEnd());
}

async function pour(content: AsyncIterable<readonly Buffer[]>, pipe: Writable): Promise<void> {
  for await (const batch of content) {
    for (const bytes of batch) {
      if (pipe.destroyed || pipe.write(bytes)) continue;
      await new Promise<void>((resolve) => {
        for (const event of ['drain', 'close']) {
          pipe.once(event, () => {
            resolve();
          });
        }
      });
    }
  }
}

/** The file itself, so that diff can read it by its descriptor: no link is followed, here or above. */
function openHere(disk: DiskPath): number {
  try {
    const file = within(disk, (directory, name) => directory.open(name, constants.O_RDONLY | constants.O_NONBLOCK));
    if (fstatSync(file).isFile()) return file;
    closeSync(file);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== 'ENOENT' && errno !== 'ELOOP' && errno !== 'ENOTDIR' && errno !== 'ENXIO') throw error;
  }
  return openSync('/dev/null', 'r');
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
