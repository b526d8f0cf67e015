import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromText } from '../../src/model/names.js';
import { expandCommand } from '../../src/model/shell.js';

const hostile = [
  '; touch OWNED',
  '$(touch OWNED)',
  '`touch OWNED`',
  "'; touch OWNED; '",
  '"; touch OWNED; "',
  'a\nb',
  '*',
];

describe('expandCommand', () => {
  it.each([
    ['reload', ['/etc/a'], 'reload'],
    ['reload %%', ['/etc/b', '/etc/a', '/etc/b'], 'reload /etc/a /etc/b'],
    ['reload %% && log %%', ['%d%/a'], 'reload %d%/a && log %d%/a'],
    ['reload %%', ["/a b'c"], "reload '/a b'\\''c'"],
    ['reload "x" \'y\' %%', ['/a b'], "reload \"x\" 'y' '/a b'"],
    ['reload "%%"', ['/a b'], 'reload "/a%20b"'],
    ["su -c 'reload %%'", ['/a;b', '/c'], "su -c 'reload /a%3Bb /c'"],
    ['reload $(f %%)', ['/a b'], 'reload $(f /a%20b)'],
    ['reload `f %%`', ['/a b'], 'reload `f /a%20b`'],
    ['cat <<E\n%%\nE', ['/a b'], 'cat <<E\n/a%20b\nE'],
    ['reload \\%%', ['/a b'], 'reload \\/a%20b'],
    ['reload < in "$HOME" $1 %%', ['/a b'], 'reload < in "$HOME" $1 \'/a b\''],
  ])('%j for %j', (command, files, expected) => {
    expect(expandCommand(fromText(command), files)).toBe(expected);
  });

  it.each([
    'printf "<%s>" %%',
    'printf "<%s>" "%%"',
    'sh -c \'printf "<%s>" %%\'',
    'echo $(echo %%)',
    ': %% #',
    'eval \'echo "%%"\'',
  ])('lets no name run as a command in %j', (command) => {
    for (const name of hostile) {
      const run = spawnSync('/bin/sh', [
        '-c',
        `touch() { echo RAN; }; ${expandCommand(fromText(command), [`/x/${name}`])}`,
      ]);
      expect(run.stdout.toString(), name).not.toContain('RAN');
      expect(run.stderr.toString(), name).toBe('');
    }
  });

  it('hands any name to the shell as one word, unchanged', () => {
    const name = fc.array(fc.integer({ min: 1, max: 127 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(name, (codes) => {
        const file = `/${String.fromCharCode(...codes)}`;
        const run = spawnSync('/bin/sh', ['-c', expandCommand(fromText("printf '%s|' %%"), [file])]);
        return run.stdout.toString('latin1') === `${file}|`;
      }),
      { numRuns: 60 },
    );
  });
});
