import { describe, expect, it } from 'vitest';
import { CsxError } from '../../src/model/errors.js';
import type { Bytes, PeerName, StoredName } from '../../src/model/names.js';
import type { CheckText } from '../../src/model/checktxt.js';
import type { DirtyRow, FileRow } from '../../src/model/store.js';
import { configCheckView } from '../../src/views/human/config.js';
import { actionsView, conflictsView, dirtyView, filesView, hintsView, trustView } from '../../src/views/human/lists.js';
import { problemView } from '../../src/views/human/problem.js';
import { eachRow, table } from '../../src/views/human/table.js';
import { screenOf } from '../../src/views/terminal.js';
import { expectGolden, fakeOutput, textOf } from '../support/golden.js';
import { name, peer, samplePlan } from '../support/sample-plan.js';
import { sampleStatus } from '../support/sample-result.js';

const row = (stored: string, checktxt: string, target?: string): FileRow => ({
  stored: stored as StoredName,
  checktxt: checktxt as CheckText,
  stamp: undefined,
  target: target as Bytes | undefined,
  digest: undefined,
});

const LONG = '/etc/a/really/long/path/that/does/not/fit/onto/the/line/of/a/terminal/file.conf';
const dirty: DirtyRow[] = [
  {
    file: name('/etc/hosts'),
    peer: peer('web2'),
    me: peer('web1'),
    forced: false,
    since: undefined,
    refused: undefined,
    foreseen: undefined,
  },
  {
    file: name(LONG),
    peer: peer('web3'),
    me: peer('web1'),
    forced: true,
    since: 1_000,
    refused: undefined,
    foreseen: undefined,
  },
];

async function files(): Promise<string> {
  const rows = [
    row('/etc/ho%20sts%0A', 'v1:mtime=1700000000:mode=33188:uid=0:gid=0:type=reg:size=123456'),
    row('%25home%25/x', 'v1:mode=41471:type=lnk:target=', '/foo'),
    row('/etc/dir', 'v1:mode=16877:uid=1000:gid=1000:type=dir'),
    row('/bad', '--\x1b[31m-'),
  ];
  let text = '';
  for await (const piece of filesView(fakeOutput(), [rows])) text += piece;
  return text;
}

describe('lists', () => {
  it('look as they did', async () => {
    const parts = [
      await files(),
      textOf(dirtyView(fakeOutput(), dirty, 500_000)),
      textOf(hintsView(fakeOutput(), [{ file: name('/etc'), recursive: true }])),
      textOf(actionsView(fakeOutput(), sampleStatus().actions)),
      textOf(
        trustView(fakeOutput(), [
          {
            peer: 'web2' as PeerName,
            fingerprint: 'AB:'.repeat(32).slice(0, -1),
            subject: 'CN=web2',
            notAfter: 1.9e12,
            since: undefined,
          },
        ]),
      ),
      textOf(conflictsView(fakeOutput(), samplePlan().conflicts, { verbose: true })),
      textOf(conflictsView(fakeOutput(), [])),
    ];
    expectGolden(parts.join('\n'), 'lists.txt');
  });

  it.each(['refused', 'foreseen'])('tell since when there is a conflict, where there is one: %s', (how) => {
    const text = textOf(dirtyView(fakeOutput(160), [dirty[0]!, { ...dirty[1]!, [how]: 200_000 }], 500_000));
    expect(text).toBe(
      [
        'Peer  Forced  Marked         Conflict       File',
        'web2  no      by csync2                     /etc/hosts',
        `web3  yes     8 minutes ago  5 minutes ago  ${LONG}`,
        '',
      ].join('\n'),
    );
  });

  it('shorten a long name on a terminal, never in a pipe', () => {
    expect(textOf(dirtyView(fakeOutput(80, 0, true), dirty, 0))).not.toContain(LONG);
    expect(textOf(dirtyView(fakeOutput(80, 0, false), dirty, 0))).toContain(LONG);
  });

  it('lay rows out only as they are written', () => {
    let made = 0;
    const rows = eachRow(
      Array.from({ length: 50_000 }, (_, index) => index),
      (index) => {
        made += 1;
        return [String(index)];
      },
    );
    const pieces = table([{ title: 'Number', align: 'right' }], rows, screenOf(fakeOutput()));
    pieces.next();
    expect(made).toBeLessThan(2_000);
    expect(Array.from(pieces).at(-1)).toBe(' 49999\n');
  });
});

describe('errors', () => {
  const error = new CsxError('CONFIG_INVALID', 'Reading csync2.cfg failed: "incude" is not a statement of a group.', {
    hint: 'Did you mean include?',
    range: { file: 'csync2.cfg', line: 12, column: 6, text: '\t\t   incude /etc/hosts;' },
    cause: new Error('inner', { cause: 'innermost' }),
  });
  const text = (thing: unknown, options = {}, columns = 80) => textOf(problemView(fakeOutput(columns), thing, options));

  it('look as they did', () => {
    const parts = [
      text(error),
      text(error, { verbose: true }, 40),
      text({ severity: 'warning', code: 'READ_FAILED', summary: 'Reading /etc/shadow failed: permission denied.' }),
      text(new Error('boom')),
      text('thrown text'),
    ];
    expectGolden(parts.join('\n'), 'problems.txt');
  });

  it('put the caret below the column, also in a long line and after wide characters', () => {
    for (const [before, columns] of [
      ['', 80],
      ['写真'.repeat(3), 80],
      ['x'.repeat(300), 60],
      ['x '.repeat(100), 200],
    ] as const) {
      const range = {
        file: 'f',
        line: 7,
        column: before.length + 1,
        text: `${before}HERE and more ${'y'.repeat(300)}`,
      };
      const lines = text(new CsxError('CONFIG_INVALID', 'No.', { range }), {}, columns).split('\n');
      const source = lines.find((line) => line.includes('HERE'))!;
      const caret = lines.find((line) => line.trimEnd().endsWith('^'))!;
      const wide = (part: string) => part.length + (part.match(/[写真]/g)?.length ?? 0);
      expect(caret.indexOf('^')).toBe(wide(source.slice(0, source.indexOf('HERE'))));
      expect(wide(source)).toBeLessThanOrEqual(columns);
    }
  });

  it('show the stack of a fault only when asked', () => {
    expect(text(new Error('boom'))).not.toContain(' at ');
    expect(text(new Error('boom'), { verbose: true })).toContain('lists.test.ts');
  });

  it('let no control character through', () => {
    const nasty = 'a\x1b]0;x\x07b\u202ec\nd\\e';
    const thing = new CsxError('USAGE', nasty, {
      hint: nasty,
      range: { file: nasty, line: 1, column: 3, text: nasty },
    });
    expect(text(thing, { verbose: true })).not.toMatch(/[^\n\P{Cc}]|\u202e/u);
    expect(text(thing)).toContain('\\x1b]0;x\\x07b\\u{202e}c\\nd\\e');
  });

  it('end with a cause that refers to itself', () => {
    const loop = new Error('loop');
    loop.cause = loop;
    expect(text(loop, { verbose: true }).match(/caused by/g)).toHaveLength(10);
  });
});

describe('a configuration check', () => {
  const problem = { severity: 'error', code: 'CONFIG_INVALID', summary: 'Group web has no key.' } as const;
  const text = (check: Parameters<typeof configCheckView>[1]) => textOf(configCheckView(fakeOutput(), check));

  it('says what is wrong', () => {
    expect(text({ config: undefined, files: ['csync2.cfg'], problems: [problem] })).toBe(
      'Error: Group web has no key.\n\ncsync2.cfg is not valid: 1 error.\n',
    );
  });

  it('says what it comes to', () => {
    const member = (host: string, self = false) => ({ host, name: peer(host), slave: false, self });
    const group = {
      name: 'web',
      range: { file: 'csync2.cfg', line: 1, column: 1 },
      me: peer('web1'),
      slave: false,
      members: [member('web1', true), member('web2'), member('web3')],
      key: { file: 'key', secret: () => 'never shown' },
      patterns: [],
      auto: 'younger',
      backup: undefined,
      actions: [],
      maxDelete: undefined,
      sensitive: [],
    } as const;
    const config = {
      host: 'web1',
      groups: [group],
      otherGroups: [],
      prefixes: [],
      nossl: [],
      ignore: { uid: false, gid: false, mod: false },
      database: undefined,
      temporaryDirectory: undefined,
      lockTimeout: 12,
      systemDirectory: '/etc',
      files: ['csync2.cfg'],
      hash: '',
    };
    const warning = { ...problem, severity: 'warning' } as const;
    expect(text({ config, files: ['csync2.cfg', 'more.cfg'], problems: [warning] })).toBe(
      [
        'Warning: Group web has no key.',
        '',
        'On web1 this comes to',
        '',
        'Group  This host  Peers          Patterns  Actions  Conflicts',
        'web    member     web2 and web3         0        0  younger',
        '',
        'csync2.cfg and more.cfg are valid: 1 group for this host, 1 warning.',
        '',
      ].join('\n'),
    );
  });
});
