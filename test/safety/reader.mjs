// A reader that polls files as fast as it can and prints every state it sees for the first time, as a line of JSON. What it reads
// of one file it reads through one descriptor, as any program would. Ends when its standard input ends.
import { createHash } from 'node:crypto';
import fs from 'node:fs';

const paths = process.argv.slice(2);
const seen = new Map(paths.map((path) => [path, new Set()]));

function stateOf(path) {
  let descriptor;
  try {
    const stats = fs.lstatSync(path);
    if (stats.isSymbolicLink()) return `link ${fs.readlinkSync(path)}`;
    if (!stats.isFile()) return stats.isDirectory() ? 'directory' : 'special';
    descriptor = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
    const opened = fs.fstatSync(descriptor);
    if (!opened.isFile()) return undefined;
    const hash = createHash('sha256').update(fs.readFileSync(descriptor)).digest('hex');
    const after = fs.fstatSync(descriptor);
    return `file ${(after.mode & 0o7777).toString(8)} ${after.uid}:${after.gid} ${Math.floor(after.mtimeMs / 1000)} ${hash}`;
  } catch (error) {
    if (error.code === 'ENOENT') return 'absent';
    // Replaced between two calls by something of another type: the next look tells.
    if (['ELOOP', 'EINVAL', 'ENXIO', 'EISDIR', 'ENOTDIR'].includes(error.code)) return undefined;
    throw error;
  } finally {
    if (descriptor !== undefined) fs.closeSync(descriptor);
  }
}

let ended = false;
process.stdin.on('end', () => (ended = true));
process.stdin.resume();
process.stdout.write('"ready"\n');
while (!ended) {
  for (const path of paths) {
    const state = stateOf(path);
    const states = seen.get(path);
    if (state === undefined || states.has(state)) continue;
    states.add(state);
    process.stdout.write(`${JSON.stringify([path, state])}\n`);
  }
  await new Promise((resolve) => setTimeout(resolve, 1));
}
