/**
 * What delta.ts measures of csx: one signature, delta or patch of a file, as a process. JavaScript, so that no time goes into
 * stripping types.
 *
 *   node bench/delta-worker.js signature OLD SUMS | delta SUMS NEW CHANGES | patch OLD CHANGES RESULT
 */

import { openSync, readFileSync, readSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { DeltaPlanner, encodeDelta } from '../build/engine/delta/delta.js';
import { DeltaParser } from '../build/engine/delta/patch.js';
import { SignatureBuilder, parseSignature } from '../build/engine/delta/signature.js';

const CHUNK = 256 * 1024;

const [verb, ...files] = process.argv.slice(2);
if (verb === 'signature') signature(files);
else if (verb === 'delta') delta(files);
else if (verb === 'patch') patch(files);
else throw new Error(`${verb} is none of signature, delta, patch.`);

function signature([old, output]) {
  const builder = new SignatureBuilder();
  each(old, (chunk) => {
    builder.update(chunk);
  });
  writeFileSync(output, builder.finish());
}

function delta([sums, content, output]) {
  const planner = new DeltaPlanner(parseSignature(readFileSync(sums)));
  each(content, (chunk) => {
    planner.update(chunk);
  });
  const from = openSync(content, 'r');
  const to = openSync(output, 'w');
  const buffer = Buffer.allocUnsafe(CHUNK);
  for (const segment of encodeDelta(planner.finish())) {
    if (segment.kind === 'bytes') writeSync(to, segment.bytes);
    else copy(from, segment.offset, segment.length, to, buffer);
  }
}

function patch([old, changes, output]) {
  const parser = new DeltaParser({ oldSize: statSync(old).size });
  const from = openSync(old, 'r');
  const to = openSync(output, 'w');
  const buffer = Buffer.allocUnsafe(CHUNK);
  each(changes, (chunk) => {
    for (const command of parser.push(chunk)) {
      if (command.kind === 'literal') writeSync(to, command.bytes);
      else copy(from, command.start, command.length, to, buffer);
    }
  });
  parser.end();
}

function each(file, use) {
  const input = openSync(file, 'r');
  const buffer = Buffer.allocUnsafe(CHUNK);
  for (;;) {
    const length = readSync(input, buffer);
    if (length === 0) return;
    use(buffer.subarray(0, length));
  }
}

function copy(from, offset, length, to, buffer) {
  for (let done = 0; done < length;) {
    const read = readSync(from, buffer, 0, Math.min(length - done, buffer.length), offset + done);
    if (read === 0) throw new Error('The file became shorter.');
    writeSync(to, buffer, 0, read);
    done += read;
  }
}
