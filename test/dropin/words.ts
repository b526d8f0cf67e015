/** csync2's words on stderr, as far as csx says them too. */

/** Without csync2's traces of SQL, patterns, the walk, signatures and backups (docs/differences.md), and without ports. */
export function wordsOf(stderr: string): readonly string[] {
  return stderr
    .replace(/:\d+(?=\.$| )/gm, ':PORT')
    .split('\n')
    .filter((line) => !TRACE.test(line));
}

const TRACE = new RegExp(
  `^(${[
    'SQL',
    'Match ',
    "Don't check",
    'Checking ',
    'Opening shared',
    'Reading symbols',
    'Upgrading database',
    'Prefix matched',
    'While syncing',
    '>>> ',
    'Signature size',
    'Found diff',
    'File (.* )?is different on peer',
    'Fetched tuple',
    'End of query',
    // The daemon's.
    'Running check for %',
    'backup ',
    'directory. Skip',
    'mkdir ',
    'Stating ',
    'Changing ',
    'renaming ',
    'Copying ',
    // csx's reasons, which csync2 does not tell.
    'Changed here, and on',
    '.* refuses connections',
  ].join('|')})`,
);
