// Swaps a directory for a link to another place and back, as fast as it can, until it is killed. The directory is aside meanwhile.
import fs from 'node:fs';

const [directory, target] = process.argv.slice(2);
const aside = `${directory}-aside`;
const pause = new Int32Array(new SharedArrayBuffer(4));
process.stdout.write('ready\n');
for (;;) {
  try {
    fs.renameSync(directory, aside);
    fs.symlinkSync(target, directory);
    fs.unlinkSync(directory);
    fs.renameSync(aside, directory);
    // Long enough for the other process to begin, of any length so that it is met at every step.
    Atomics.wait(pause, 0, 0, Math.random() * 0.6);
  } catch {
    // The other process came between: put right what can be, and go on.
    try {
      if (fs.lstatSync(directory).isSymbolicLink()) fs.unlinkSync(directory);
    } catch {
      // Nothing stands there.
    }
    try {
      fs.renameSync(aside, directory);
    } catch {
      // It is back already.
    }
  }
}
