import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkConfig, loadConfig } from '../../src/config/load.js';
import type { Problem } from '../../src/model/errors.js';
import { SystemDirectory } from './configure.js';

const HOST = '127.20.0.1';

let system: SystemDirectory;
beforeAll(() => {
  system = new SystemDirectory();
});
afterAll(() => {
  system.remove();
});

async function check(text: string, host = HOST): Promise<readonly Problem[]> {
  system.write('csync2.cfg', text);
  return (await checkConfig({ systemDirectory: system.path, host })).problems;
}

/** `line:column summary | hint` of the errors. */
async function errors(text: string, host = HOST): Promise<string[]> {
  return (await check(text, host))
    .filter(({ severity }) => severity === 'error')
    .map(({ range, summary, hint }) => `${range?.line ?? '-'}:${range?.column ?? '-'} ${summary} | ${hint ?? ''}`);
}

/** Whether csync2 refuses the text as well. */
function csync2Refuses(text: string): boolean {
  system.write('csync2.cfg', text);
  const run = spawnSync('csync2', ['-N', HOST, '-D', path.join(system.path, 'db'), '-M'], {
    env: { ...process.env, CSYNC2_SYSTEM_DIR: system.path },
    encoding: 'latin1',
  });
  return run.status === 1;
}

const GOOD = `group g { host ${HOST} b; key k; include /a; }`;

describe('errors that csync2 has too', () => {
  it.each([
    ['an unknown statement', `foo bar; ${GOOD}`, /^1:1 Expected a statement, found "foo"/],
    ['a misspelled statement', `grop g { }\n${GOOD}`, /^1:1 .*Did you mean group\?/],
    ['a brace that sticks to a word', `group g{ host ${HOST}; key k; }`, /^1:10 Expected \{ .*space before it/],
    [
      'a missing semicolon',
      `group g { host ${HOST}; key k\n include /a; }`,
      /^2:2 Expected ;, found the keyword include/,
    ],
    ['a missing brace', `group g { host ${HOST}; key k;\n${GOOD}`, /^2:1 group cannot stand here.*outside of groups/],
    ['an open group at the end', `group g {\n host ${HOST};\n key k;`, /^3:8 The group that begins in line 1 is never/],
    [
      'a keyword as a word',
      `group g { host ${HOST} auto; key k; }`,
      /^1:27 Expected ;, found the keyword auto.*"auto"/,
    ],
    ['an @ in a pattern', `group g { host ${HOST}; key k; include /a@b; }`, /^1:45 Expected ;, found @.*quoted/],
    ['a colon at the end of a word', `group g { host ${HOST}; key k; include /a: /b; }`, /^1:45 .*found :/],
    ['nested parentheses', `group g { host ((${HOST})); key k; }`, /^1:17 Expected a host name or \)/],
    ['a second @', `group g { host ${HOST}@x@y; key k; }`, /^1:28 Expected ;, found @/],
    ['an unclosed quotation', `group g { host ${HOST}; key k; include "/a; }`, /^1:43 This quotation mark/],
    ['no key', `group g { host ${HOST}; }`, /^1:1 The group g has no key/],
    ['no key in another group', `group h { host x; }\n${GOOD}`, /^1:1 The group h has no key/],
    ['two keys', `group g { host ${HOST}; key k;\n key k; }`, /^2:6 The group g has more than one key/],
    ['two methods', `group g { host ${HOST}; key k; auto none;\n auto first; }`, /^2:7 .*more than one auto/],
    [
      'an unknown method',
      `group g { host ${HOST}; key k; auto youngr; }`,
      /^1:40 There is no auto method youngr.*younger\?/,
    ],
    ['a method in capitals', `group g { host ${HOST}; key k; auto First; }`, /^1:40 There is no auto method First/],
    ['an unknown property', `ignore uid size; ${GOOD}`, /^1:12 ignore does not know size/],
    ['a relative prefix', `prefix p { on *: srv; } ${GOOD}`, /^1:18 The path of a prefix, srv, is not an absolute/],
    ['a prefix without a space', `prefix p { on *:/srv; } ${GOOD}`, /^1:21 Expected : \(with a space/],
    ['Cygwin', `no-cygwin-lowercase; ${GOOD}`, /^1:1 no-cygwin-lowercase/],
    ['one nossl pattern', `nossl a; ${GOOD}`, /^1:8 Expected a second host pattern, found ;/],
    ['a stray semicolon', `${GOOD};`, /^1:\d+ Expected a statement, found ;/],
    [
      'an empty statement in a group',
      `group g { ; host ${HOST}; key k; }`,
      /^1:11 Expected a statement of the group or \}/,
    ],
    ['a statement of a group outside', `include /a; ${GOOD}`, /^1:1 include cannot stand here.*inside a group/],
    [
      'a statement of an action in a group',
      `group g { host ${HOST}; key k; exec a; }`,
      /^1:35 exec cannot stand here.*inside an action/,
    ],
    [
      'a logfile without a name',
      `group g { host ${HOST}; key k; action { logfile; } }`,
      /^1:51 Expected the name of a file/,
    ],
    [
      'a file that is not there',
      `config nowhere.cfg;\n${GOOD}`,
      /^1:8 The configuration file .*nowhere.cfg does not exist/,
    ],
    ['a file that includes itself', `config SELF/csync2.cfg; ${GOOD}`, /^1:8 The config statements are nested/],
    [
      'a host that is nowhere',
      `group g { host ${HOST}0 b; key k; }`,
      /^-:- This host, 127.20.0.1, is in none.*-N 127.20.0.10\?/,
    ],
  ])('%s', async (_, text, message) => {
    const whole = text.replace('SELF', system.path);
    expect(csync2Refuses(whole)).toBe(true);
    expect((await errors(whole))[0]).toMatch(message);
  });
});

describe('errors that csync2 does not see', () => {
  it.each([
    ['a number that is none', `lock-timeout soon; ${GOOD}`, /^1:14 lock-timeout needs a number of seconds, not soon/],
    [
      'a negative number',
      `group g { host ${HOST}; key k; backup-generations -1; }`,
      /^1:54 backup-generations needs a whole/,
    ],
    [
      'a relative backup directory',
      `group g { host ${HOST}; key k; backup-directory b; }`,
      /^1:52 .*not an absolute path/,
    ],
    ['dots in a directory', `tempdir /a/../b; ${GOOD}`, /^1:9 The temporary directory, \/a\/..\/b, is not/],
  ])('%s', async (_, text, message) => {
    expect(csync2Refuses(text)).toBe(false);
    expect((await errors(text))[0]).toMatch(message);
  });
});

describe('an error', () => {
  it('shows the line, counts characters, and makes names readable', async () => {
    const text = Buffer.from('# ä\nignore "ä€" \u001b[1m;', 'utf8').toString('latin1');
    const [problem, second] = await check(text);
    expect(problem).toMatchObject({
      summary: 'ignore does not know ä€.',
      range: { file: path.join(system.path, 'csync2.cfg'), line: 2, column: 8, text: 'ignore "ä€" \u001b[1m;' },
    });
    expect(second).toMatchObject({ summary: 'ignore does not know \\x1b[1m.', range: { line: 2, column: 13 } });
    expect((await check('group g {\n\t\xffhost'))[0]).toMatchObject({
      range: { line: 2, column: 3, text: '\\t\\xffhost' },
    });
  });

  it('names the included file it is in', async () => {
    const file = system.write('part.cfg', '\n  bar;');
    expect((await check(`config part.cfg;\n${GOOD}`))[0]).toMatchObject({ range: { file, line: 2, column: 3 } });
  });

  it('does not hide the next one', async () => {
    const found = await errors(`
        foo { bar { baz; } }
        group a { host x key k; includ /a; auto foo; }
        prefix p { on : /x; on *: y; }
        group b { host ${HOST}; key k; action { exc a; logfile; } auto nine; }`);
    expect(found.map((line) => line.replace(/ \|.*/, ''))).toEqual([
      '2:9 Expected a statement, found "foo".',
      '3:26 Expected ;, found the keyword key.',
      '3:33 Expected a statement of the group or }, found "includ".',
      '4:23 Expected a host pattern, found :.',
      '5:52 Expected a statement of the action or }, found "exc".',
      '5:66 Expected the name of a file, found ;.',
    ]);
  });

  it('is thrown by loading, which says how many more there are', async () => {
    system.write('csync2.cfg', 'foo;\nbar;\nbaz;');
    await expect(loadConfig({ systemDirectory: system.path, host: HOST })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: 'Expected a statement, found "foo".',
      hint: expect.stringContaining('shows 2 more errors') as string,
      range: { line: 1, column: 1 },
    });
  });
});

describe('warnings', () => {
  it.each([
    ['/', 'include /;', /matches nothing: csync2 drops/],
    ['a relative path', 'include /a; exclude b/c;', /without \/ or % at its start/],
    ['doubled slashes', 'include /a//b;', /no empty component/],
    ['dots', 'include /a/../b;', /no empty component/],
    ['an unknown prefix', 'include %homdir%/a;', /%homdir% is declared nowhere.*%homedir%\?/],
    ['half a prefix', 'include %homedir;', /no prefix in front/],
    ['no includes', 'include *.c;', /holds no file/],
    ['an action pattern with a slash at its end', 'include /a; action { pattern /a/; exec b; }', /ends with a slash/],
    ['an action pattern on base names', 'include /a; action { pattern *.conf; exec b; }', /Write \*\*\/\*\.conf/],
    ['an action pattern without a slash', 'include /a; action { pattern a.conf; exec b; }', /start with \/ or %/],
    ['an action that runs nothing', 'include /a; action { pattern /a; }', /runs nothing/],
    ['a command without quotes', 'include /a; action { exec systemctl reload; }', /every word after exec/],
  ])('%s', async (_, items, message) => {
    const problems = await check(`prefix homedir { on *: /h; } group g { host ${HOST} b; key k; ${items} }`);
    expect(problems.map(({ severity }) => severity)).not.toContain('error');
    expect(problems.map(({ summary, hint }) => `${summary} ${hint ?? ''}`).join('\n')).toMatch(message);
  });

  it('are not given for what is right', async () => {
    const text = `prefix p { on *: /h; } group g { host ${HOST} b; key k; include /a %p%/b %*%/c; exclude *.o .*;
      action { pattern /a/b %p% **.c; exec "a b" "c d"; exec /bin/true; } }`;
    expect(await check(text)).toEqual([]);
  });
});
