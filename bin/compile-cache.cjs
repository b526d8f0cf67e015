// Keeps the compiled form of csx's code beside the code, so that a start need not compile it again. Load it before all else.
//
// V8 runs what lies in the cache: whoever can write there could run code as whoever starts csx. So it lies in the installation
// itself, whose owner can change the code anyway, in a directory that belongs to this user and that nobody else can write or enter;
// where that cannot be, there is no cache.
'use strict';
const { lstatSync, mkdirSync } = require('node:fs');
const { enableCompileCache } = require('node:module');
const path = require('node:path');

const directory = path.join(__dirname, '..', '.cache');

if (isOurs()) enableCompileCache?.(directory);

function isOurs() {
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if (error.code !== 'EEXIST') return false;
  }
  const stats = lstatSync(directory, { throwIfNoEntry: false });
  return stats?.isDirectory() === true && stats.uid === process.geteuid() && (stats.mode & 0o077) === 0;
}
