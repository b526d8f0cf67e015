/**
 * Merges the two versions of a conflicting file with the person's editor or merge tool. What comes out becomes this host's file, which
 * is then sent as any other; what was here is kept as with a version taken from the peer.
 */

import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Dialer } from '../engine/update/dial.js';
import { peek } from '../engine/update/peek.js';
import { replaceContent, standing } from '../engine/update/replace-content.js';
import { CsxError } from '../model/errors.js';
import { display, fromBuffer, toBuffer } from '../model/names.js';
import type { Bytes, FileName } from '../model/names.js';
import type { Conflict } from '../model/plan.js';
import { quoteWord } from '../model/shell.js';
import { isBinary } from '../views/diff.js';
import { hasMarkers, mergeText } from '../views/merge.js';
import type { Workspace } from './workspace.js';

export interface MergeOptions {
  readonly workspace: Workspace;
  readonly dialer: Dialer;
  /** `--merge-tool`: called as `CMD LOCAL REMOTE MERGED`. Undefined: $VISUAL or $EDITOR with MERGED alone. */
  readonly tool: string | undefined;
}

/**
 * Merges one file with one peer's version, or with several one after the other, and puts the result in its place here.
 * @param conflicts over the same file, one for each version
 * @throws CsxError USAGE where there is nothing to merge line by line; DECLINED when the editor failed or markers are left. Then
 *   nothing is changed
 */
export async function mergeVersions(conflicts: readonly Conflict[], options: MergeOptions): Promise<void> {
  const [first] = conflicts;
  if (first === undefined) return;
  const { workspace } = options;
  for (const { path: file, local, remote } of conflicts)
    if (local?.entry.type !== 'file' || remote?.entry.type !== 'file') throw unmergeable(file);
  const place = { config: workspace.config, store: workspace.store, selection: workspace.everything };
  const before = standing(first, place);
  let merged: Bytes | undefined;
  for (const conflict of conflicts) merged = await mergeOne(conflict, merged, options);
  if (merged !== undefined) await replaceContent(first, toBuffer(merged), before, place);
}

/** @param here this host's version, as merged with other peers' so far; undefined: as it stands on the disk */
async function mergeOne(conflict: Conflict, here: Bytes | undefined, options: MergeOptions): Promise<Bytes> {
  const { workspace, dialer, tool } = options;
  const versions = await peek(conflict, { dialer, selection: workspace.everything });
  const mine = versions.here === undefined ? undefined : (here ?? versions.here);
  const { there } = versions;
  if (mine === undefined || there === undefined || isBinary(mine) || isBinary(there)) {
    throw unmergeable(conflict.path);
  }
  const directory = await mkdtemp(path.join(os.tmpdir(), 'csx-merge-'));
  try {
    const name = path.basename(display(conflict.path)).replaceAll(/[^A-Za-z0-9._-]/g, '_');
    const file = (part: string): string => path.join(directory, `${part}.${name}`);
    const [local, remote, merged] = [file('LOCAL'), file('REMOTE'), file('MERGED')];
    const both = mergeText(mine, there, { here: 'here', there: display(conflict.peer) });
    for (const [each, content] of [
      [local, mine],
      [remote, there],
      [merged, both],
    ] as const) {
      await writeFile(each, toBuffer(content), { mode: 0o600 });
    }
    await run(tool ?? editor(), tool === undefined ? [merged] : [local, remote, merged]);
    const result = fromBuffer(await readFile(merged));
    if (hasMarkers(result)) {
      throw new CsxError('DECLINED', `${display(conflict.path)} was not merged: conflict markers are left in it.`, {
        hint: 'Nothing was changed. Merge again, and leave no line that begins with <<<<<<< or >>>>>>>.',
      });
    }
    return result;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function unmergeable(file: FileName): CsxError {
  return new CsxError('USAGE', `${display(file)} cannot be merged: it is not a text file on both sides.`, {
    hint: 'Keep one of the versions, or both.',
  });
}

function editor(): string {
  const [visual, plain] = [process.env['VISUAL'] ?? '', process.env['EDITOR'] ?? ''];
  return visual !== '' ? visual : plain !== '' ? plain : 'vi';
}

/** The command is a line for the shell, as EDITOR is everywhere; the files are words of their own. */
function run(command: string, files: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', `${command} ${files.map(quoteWord).join(' ')}`], { stdio: 'inherit' });
    const failed = (how: string): CsxError =>
      new CsxError('DECLINED', `The editor (${command}) ${how}; nothing was changed.`, {
        hint: 'Set EDITOR to the editor you use, or give --merge-tool.',
      });
    child.once('error', (error) => {
      reject(failed(`could not be started: ${error.message}`));
    });
    child.once('exit', (status, signal) => {
      if (status === 0) resolve();
      else reject(failed(signal === null ? `ended with status ${String(status)}` : `was ended by ${signal}`));
    });
  });
}
