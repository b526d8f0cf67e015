/** Saved plans: gzipped JSON (model/plan-text.ts), mode 0600, put in place whole. */

import { createReadStream, createWriteStream } from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { StringDecoder } from 'node:string_decoder';
import { createGunzip, createGzip } from 'node:zlib';
import { CsxError, errnoOf } from '../model/errors.js';
import { inTurns } from '../model/paced.js';
import type { Plan } from '../model/plan.js';
import { planText } from '../model/plan-text.js';
import { PlanTextReader } from '../model/plan-text-read.js';

/** Bytes of unpacked JSON at most: a small file must not fill the memory. */
const MOST = 4 * 1024 ** 3;

/** Characters of JSON written at once. */
const BLOCK = 256 * 1024;

/** Writes a plan. A file of that name is replaced, in one step. Throws CsxError WRITE_FAILED. */
export async function writePlanFile(file: string, plan: Plan): Promise<void> {
  const staged = path.join(path.dirname(file), `.${path.basename(file)}.${randomBytes(6).toString('hex')}`);
  try {
    await pipeline(
      Readable.from(inBlocks(planText(plan))),
      createGzip(),
      createWriteStream(staged, { flags: 'wx', mode: 0o600 }),
    );
    const handle = await open(staged, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(staged, file);
  } catch (error) {
    await unlink(staged).catch(() => undefined);
    throw new CsxError(
      'WRITE_FAILED',
      `Cannot save the plan as ${file}: ${WRITE_REASONS[errnoOf(error) ?? ''] ?? messageOf(error)}.`,
      {
        hint: 'Name a file in a directory you may write to, on a disk with room.',
        data: { path: file },
        cause: error,
      },
    );
  }
}

/** In blocks, since each that goes to gzip costs a turn of a thread. */
function* inBlocks(pieces: Iterable<string>): Generator<string> {
  let block = '';
  for (const piece of pieces) {
    block += piece;
    if (block.length < BLOCK) continue;
    yield block;
    block = '';
  }
  yield block;
}

/** Reads a saved plan. Throws CsxError PLAN_INVALID, or READ_FAILED when there is no such file. */
export async function readPlanFile(file: string): Promise<Plan> {
  const reader = new PlanTextReader();
  const decoder = new StringDecoder('utf8');
  let length = 0;
  try {
    await pipeline(createReadStream(file), createGunzip(), async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        length += chunk.length;
        if (length > MOST)
          throw new CsxError('PLAN_INVALID', `The plan in ${file} unpacks to more than ${MOST} bytes.`);
        reader.push(decoder.write(chunk));
      }
    });
    reader.push(decoder.end());
    return await inTurns(reader.finish(), turn);
  } catch (error) {
    if (error instanceof CsxError) throw error;
    throw unreadable(file, error);
  }
}

function unreadable(file: string, error: unknown): CsxError {
  const code = errnoOf(error) ?? '';
  const rest = { data: { path: file, errno: code }, cause: error };
  if (code.startsWith('Z_')) {
    // What gzip begins with is there, and then it breaks off or is garbled.
    const damaged = code !== 'Z_DATA_ERROR' || !/header/.test(messageOf(error));
    return damaged
      ? new CsxError('PLAN_INVALID', `The saved plan ${file} is damaged: it was cut short, or changed on its way.`, {
          hint: 'Copy it again from where it was made, or make a new one with csx plan --out FILE.',
          ...rest,
        })
      : new CsxError('PLAN_INVALID', `${file} is no saved plan: it is not what csx plan --out writes.`, {
          hint: 'Check the name; csx plan --out FILE makes one.',
          ...rest,
        });
  }
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new CsxError('READ_FAILED', `There is no saved plan ${file}.`, {
      hint: 'Check the name; csx plan --out FILE makes one.',
      ...rest,
    });
  }
  const why = READ_REASONS[code] ?? messageOf(error);
  return new CsxError('READ_FAILED', `Cannot read the saved plan ${file}: ${why}.`, {
    hint:
      code === 'EACCES'
        ? 'Saved plans are for the user who made them: run csx as that user.'
        : 'Name the file that csx plan --out FILE made.',
    ...rest,
  });
}

const READ_REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not read it',
  EISDIR: 'it is a directory',
  EIO: 'the disk reports an error',
  ELOOP: 'its links lead in a circle',
  ENAMETOOLONG: 'the name is too long',
};

const WRITE_REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such directory',
  ENOTDIR: 'a part of the name is no directory',
  EACCES: 'this user may not write there',
  EISDIR: 'a directory of that name exists',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota is used up',
  EROFS: 'the filesystem is read-only',
  EIO: 'the disk reports an error',
  ENAMETOOLONG: 'the name is too long',
};

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
