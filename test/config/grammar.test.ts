import { spawnSync } from 'node:child_process';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { tokenize } from '../../src/config/lexer.js';
import { checkConfig } from '../../src/config/load.js';
import { SystemDirectory } from './configure.js';

const HOST = '127.20.0.1';

let system: SystemDirectory;
beforeAll(() => {
  system = new SystemDirectory();
  system.write('items.cfg', 'include /x; exclude y;');
});
afterAll(() => {
  system.remove();
});

async function accepted(text: string): Promise<boolean> {
  system.write('csync2.cfg', text);
  const { problems } = await checkConfig({ systemDirectory: system.path, host: HOST });
  return !problems.some(({ severity }) => severity === 'error');
}

function acceptedByCsync2(text: string): boolean {
  system.write('csync2.cfg', text);
  const run = spawnSync('csync2', ['-N', HOST, '-D', path.join(system.path, 'db'), '-M'], {
    env: { ...process.env, CSYNC2_SYSTEM_DIR: system.path },
    encoding: 'latin1',
  });
  expect([1, 2]).toContain(run.status);
  return run.status === 2;
}

/** csync2 takes `config ;` for nothing at all, and wants the keys of groups this host is not in. */
function differsOnPurpose(text: string): boolean {
  const keys = [...text.matchAll(/\bkey"?\s*"?([^\s;"@()#]+)/g)].map(([, name]) => name);
  return /\bconfig"?\s*(?:""\s*)*;/.test(text) || keys.some((name) => name !== 'k');
}

const statement = fc.constantFrom(
  `group g { host ${HOST} b; key k; include /a; }`,
  `group { host (${HOST}@x b) c ; key "k" ; exclude *~ .* ; auto first ; }`,
  'group other { host x; key k; compare /a:b {c} }d; }',
  `group g { host ${HOST} ; key k ; action { pattern /a ; exec "x y" z ; logfile /l ; do-local ; } }`,
  'prefix p { on a* : /x ; on * : "/y z" ; }',
  'nossl * "b c" ;',
  'ignore uid mod ;',
  'database /d ;',
  '# comment {\n',
  'config SELF/items.cfg ;',
);
const noise = fc.constantFrom(
  ...[
    '{',
    '}',
    '(',
    ')',
    ';',
    ':',
    '@',
    '"',
    '""',
    '#',
    '\n',
    ' ',
    'x',
    'x:',
    '{x',
    'group',
    'host',
    'on',
    '"key"',
    'é',
  ],
);

it('accepts what csync2 accepts, and nothing else', async () => {
  const mistakes = fc.array(fc.tuple(fc.nat(), fc.constantFrom('insert', 'remove', 'replace'), noise), {
    maxLength: 2,
  });
  const texts = fc
    .sample(fc.tuple(fc.array(statement, { minLength: 1, maxLength: 3 }), mistakes), 150)
    .map(([statements, changes]) => {
      // White space survives as pieces, so that joining gives the text back.
      const pieces = statements.join(' ').split(/(\s+|(?=[;@(){}"])|(?<=[;@(){}"]))/);
      for (const [at, change, piece] of changes) {
        const index = at % pieces.length;
        if (change === 'insert') pieces.splice(index, 0, piece);
        else pieces[index] = change === 'remove' ? '' : piece;
      }
      return pieces.join('').replaceAll('SELF', system.path);
    });
  const answers: boolean[] = [];
  for (const text of texts) answers.push(await accepted(text));
  const wrong = texts.filter((text, index) => !differsOnPurpose(text) && acceptedByCsync2(text) !== answers[index]);
  expect(wrong).toEqual([]);
  expect(answers.filter(Boolean).length).toBeGreaterThan(15);
  expect(answers.filter((answer) => !answer).length).toBeGreaterThan(15);
});

it('survives any text, in bounded time', async () => {
  const piece = fc.oneof(noise, statement, fc.string({ maxLength: 5 }));
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 30 }), async (pieces) => {
      await accepted(pieces.join('').replaceAll('SELF', system.path));
    }),
    { numRuns: 300 },
  );
  await accepted('group '.repeat(20_000));
  await accepted(`${'group g { action { '.repeat(2_000)} ${'}'.repeat(4_000)}`);
  await accepted(`"${'a'.repeat(1_000_000)}`);
});

it('gives the same tokens for any spacing', () => {
  const read = (text: string): string[] =>
    [...tokenize('f', () => text, [])].map((token) => `${token.kind}:${token.text}`);
  expect(read('group "a b"{x:y z: ;w}#c"\n\t@(v)"k""key"key\r\n""')).toEqual(
    [
      'keyword:group',
      'word:a b',
      'word:{x:y',
      'word:z',
      '::::',
      ';:;',
      'word:w}',
      '@:@',
      '(:(',
      'word:v',
      '):)',
      'word:k',
      'word:key',
      'keyword:key',
      'end:',
    ].map((token) => (token === '::::' ? ':::' : token)),
  );
});
