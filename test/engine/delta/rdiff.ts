/** rdiff, librsync's own program, as the other side of the tests; and data for both. */

import { execFileSync } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DeltaPlanner, deltaOf } from '../../../src/engine/delta/delta.js';
import type { DeltaOps } from '../../../src/engine/delta/delta.js';
import { DeltaParser } from '../../../src/engine/delta/patch.js';
import { parseSignature } from '../../../src/engine/delta/signature.js';

/** Runs rdiff on files in a directory of its own. */
export class Rdiff {
  readonly #directory = mkdtempSync(path.join(tmpdir(), 'csx-delta-'));

  signature(old: Uint8Array, ...options: string[]): Buffer {
    return this.#run([...options, 'signature'], old);
  }

  /** csync2's kind. */
  csync2Signature(old: Uint8Array): Buffer {
    return this.signature(old, '-H', 'md4', '-R', 'rollsum', '-b', '2048', '-S', '16');
  }

  delta(signature: Uint8Array, content: Uint8Array): Buffer {
    return this.#run(['delta'], signature, content);
  }

  patch(old: Uint8Array, delta: Uint8Array): Buffer {
    return this.#run(['patch'], old, delta);
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #run(options: readonly string[], ...inputs: Uint8Array[]): Buffer {
    const files = inputs.map((bytes, index) => {
      const file = path.join(this.#directory, `input${index}`);
      writeFileSync(file, bytes);
      return file;
    });
    const output = path.join(this.#directory, 'output');
    rmSync(output, { force: true });
    execFileSync('rdiff', [...options, ...files, output], { stdio: ['ignore', 'ignore', 'pipe'] });
    return readFileSync(output);
  }
}

/** Bytes without any pattern, the same for the same seed. */
export function noise(length: number, seed: number): Buffer {
  const key = Buffer.alloc(16);
  key.writeUInt32LE(seed);
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

/** Lines of a log: few different bytes, much that looks alike. */
export function lines(length: number, seed: number): Buffer {
  const random = noise(Math.ceil(length / 8), seed);
  let text = '';
  for (let line = 0; text.length < length; line++) {
    text += `2024-01-01 host daemon[${random[line % random.length] ?? 0}]: request ${line} took ${random[(3 * line) % random.length] ?? 0} ms\n`;
  }
  return Buffer.from(text.slice(0, length), 'latin1');
}

/** Cuts data into pieces of these lengths, over and over. */
export function* cut(bytes: Uint8Array, lengths: readonly number[]): Generator<Uint8Array> {
  let at = 0;
  for (let piece = 0; at < bytes.length; piece++) {
    const length = Math.max(1, lengths[piece % lengths.length] ?? bytes.length);
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

export function planDelta(signature: Uint8Array, content: Uint8Array, lengths: readonly number[] = [65536]): DeltaOps {
  const planner = new DeltaPlanner(parseSignature(signature));
  for (const chunk of cut(content, lengths)) planner.update(chunk);
  return planner.finish();
}

export function makeDelta(signature: Uint8Array, content: Uint8Array, lengths?: readonly number[]): Buffer {
  return deltaOf(planDelta(signature, content, lengths), content);
}

export function applyDelta(old: Uint8Array, delta: Uint8Array, lengths: readonly number[] = [65536]): Buffer {
  const parser = new DeltaParser({ oldSize: old.length });
  const parts: Uint8Array[] = [];
  for (const chunk of cut(delta, lengths)) {
    for (const command of parser.push(chunk)) {
      parts.push(command.kind === 'copy' ? old.subarray(command.start, command.start + command.length) : command.bytes);
    }
  }
  parser.end();
  return Buffer.concat(parts);
}
