import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeConfig } from '../../src/config/describe.js';
import { checkConfig, loadConfig } from '../../src/config/load.js';
import { Selection } from '../../src/config/selection.js';
import type { FileName } from '../../src/model/names.js';
import { SystemDirectory } from './configure.js';

const HOST = 'web1';

let system: SystemDirectory;
beforeEach(() => {
  system = new SystemDirectory();
});
afterEach(() => {
  system.remove();
});

const load = (text: string, host = HOST): ReturnType<typeof loadConfig> =>
  system.load(Buffer.from(text, 'utf8').toString('latin1'), host, 'csx.yaml');

/** `line:column summary | hint` of everything there is to say. */
async function problems(text: string): Promise<string[]> {
  system.write('csx.yaml', Buffer.from(text, 'utf8').toString('latin1'));
  const check = await checkConfig({ systemDirectory: system.path, host: HOST });
  return check.problems.map(
    ({ range, summary, hint }) => `${range?.line ?? '-'}:${range?.column ?? '-'} ${summary} | ${hint ?? ''}`,
  );
}

const group = (items: string): string => `version: 1\ngroups:\n  web:\n    hosts: [web1, web2]\n    key: k\n${items}`;

describe('csx.yaml', () => {
  it('says all that the documentation shows', async () => {
    const config = await load(`# yaml-language-server: $schema=./csx.schema.json
version: 1
groups:
  web:
    hosts: [web1, "web2@web2-net", { name: mirror, slave: true }]
    key: k                    # relative to this directory
    files:                    # in order; the last match of each kind decides, as in csync2
      - include: /etc/apache2
      - exclude: [/etc/apache2/envvars, /etc/apache2/ssl]
      - exclude: ["*~", ".*.swp"]
    conflicts: younger
    backup: { directory: /var/backups/csync2, generations: 3 }
    actions:
      - when: [/etc/apache2/sites-available/*]
        run: apache2ctl graceful
        log: /var/log/csync2_action.log
        on: peers             # peers | everywhere | here   (plain, do-local, do-local-only)
        timeout: 60s
    max-delete: 25%
    sensitive: [/etc/apache2/ssl/**]

prefixes:
  homedir: { "host[12]": /export/users, "*": /home }

plaintext: [{ from: "*-sync", to: "*-sync" }]
ignore: [uid, gid]
database: /var/lib/csync2
lock-timeout: 12s
`);
    const { files, config_hash, ...told } = describeConfig(config);
    expect(files).toEqual([path.join(system.path, 'csx.yaml')]);
    expect(config_hash).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.parse(JSON.stringify(told).replaceAll(system.path, ''))).toMatchInlineSnapshot(`
      {
        "database": "/var/lib/csync2",
        "groups": [
          {
            "actions": [
              {
                "commands": [
                  "apache2ctl graceful",
                ],
                "logfile": "/var/log/csync2_action.log",
                "on": "peers",
                "patterns": [
                  "/etc/apache2/sites-available/*",
                ],
                "timeout": 60,
              },
            ],
            "backup": {
              "directory": "/var/backups/csync2",
              "generations": 3,
            },
            "conflicts": "younger",
            "declared": "/csx.yaml:4",
            "key_file": "/k",
            "max_delete": "25%",
            "me": "web1",
            "members": [
              {
                "host": "web1",
                "name": "web1",
                "slave": false,
              },
              {
                "host": "web2",
                "name": "web2-net",
                "slave": false,
              },
              {
                "host": "mirror",
                "name": "mirror",
                "slave": true,
              },
            ],
            "name": "web",
            "patterns": [
              {
                "declared": "/csx.yaml:8",
                "kind": "include",
                "pattern": "/etc/apache2",
              },
              {
                "declared": "/csx.yaml:9",
                "kind": "exclude",
                "pattern": "/etc/apache2/envvars",
              },
              {
                "declared": "/csx.yaml:9",
                "kind": "exclude",
                "pattern": "/etc/apache2/ssl",
              },
              {
                "declared": "/csx.yaml:10",
                "kind": "exclude",
                "pattern": "*~",
              },
              {
                "declared": "/csx.yaml:10",
                "kind": "exclude",
                "pattern": ".*.swp",
              },
            ],
            "sensitive": [
              "/etc/apache2/ssl/**",
            ],
            "slave": false,
          },
        ],
        "host": "web1",
        "ignore": [
          "uid",
          "gid",
        ],
        "lock_timeout": 12,
        "other_groups": [],
        "peers": [
          {
            "groups": [
              "web",
            ],
            "name": "web2-net",
          },
          {
            "groups": [
              "web",
            ],
            "name": "mirror",
          },
        ],
        "plaintext": [
          {
            "from": "*-sync",
            "to": "*-sync",
          },
        ],
        "prefixes": [
          {
            "name": "homedir",
            "path": "/home",
          },
        ],
        "temporary_directory": null,
      }
    `);
    expect(config.groups[0]).toMatchObject({
      maxDelete: { value: 25, unit: 'percent' },
      sensitive: ['/etc/apache2/ssl/**'],
      actions: [{ timeout: 60 }],
      range: { line: 4, column: 3 },
      patterns: [{ range: { line: 8, column: 18 } }, { range: { line: 9, column: 19 } }, {}, {}, {}],
    });
    const selection = new Selection(config);
    expect(selection.includes('/etc/apache2/a' as FileName)).toBe(true);
    expect(selection.includes('/etc/apache2/ssl/a' as FileName)).toBe(false);
  });

  it('keeps the order of groups and of host patterns, whatever their names', async () => {
    const config = await load(`version: 1
groups:
  z: { hosts: [web1], key: k }
  2: { hosts: [web1], key: k }
  1: { hosts: [web1], key: k }
  true: { hosts: [web1], key: k }
  __proto__: { hosts: [web1], key: k }
prefixes: { 9: { "web*": /a, 1: /b }, 8: { 1: /b, web1: /c, "*": /d } }
`);
    expect(config.groups.map(({ name }) => name)).toEqual(['z', '2', '1', 'true', '__proto__']);
    expect(config.prefixes.map(({ name, path: where }) => [name, where])).toEqual([
      ['9', '/a'],
      ['8', '/c'],
    ]);
  });

  it('takes names as bytes and durations in any unit', async () => {
    const config = await load(
      `${group('    files: [{ include: /ä }]\n    action-timeout: 2m\n    actions: [{ run: a }, { run: [b, c], timeout: 1h }]\n    max-delete: 7')}\nlock-timeout: 5`,
    );
    expect(config.lockTimeout).toBe(5);
    expect(config.groups[0]).toMatchObject({
      maxDelete: { value: 7, unit: 'files' },
      actions: [{ timeout: 120 }, { timeout: 3600, commands: ['b', 'c'] }],
      patterns: [{ text: '/\xc3\xa4' }],
    });
  });

  it('takes host names apart at the @, and objects as they are', async () => {
    const config = await load(
      'version: 1\ngroups: { g: { key: k, hosts: [WEB1@Net, { name: a@b }, { name: c, via: d, slave: true }, "@x"] } }',
    );
    expect(config.groups[0]!.members.map(({ host, name, slave }) => [host, name, slave])).toEqual([
      ['web1', 'net', false],
      ['a@b', 'a@b', false],
      ['c', 'd', true],
      ['@x', '@x', false],
    ]);
  });
});

describe('errors in csx.yaml', () => {
  it.each([
    [
      'a misspelled key',
      group('    file: []'),
      '6:5 groups.web does not know "file". | Did you mean files? It knows hosts',
    ],
    [
      'a misspelled key at the top',
      'version: 1\ngroup: {}',
      '2:1 The file does not know "group". | Did you mean groups?',
    ],
    ['a missing version', 'groups: {}', '1:1 The file has no version. | Add: version: ...'],
    ['another version', 'version: 2', '1:10 version must be 1, not 2.'],
    ['a wrong method', group('    conflicts: newest'), '6:16 groups.web.conflicts must be none, first, younger'],
    [
      'a nearly right method',
      group('    conflicts: yonger'),
      '6:16 groups.web.conflicts must be none, first, younger, older, bigger, smaller, left or right, not "yonger". | Did you mean younger?',
    ],
    [
      'a number where a text must be',
      group('    files: [{ include: 12 }]'),
      '6:24 groups.web.files[0].include must be a text or a list, not 12. | Quote it: "12".',
    ],
    [
      'two kinds in one step',
      group('    files: [{ include: /a, exclude: /b }]'),
      '6:13 groups.web.files[0] must hold one of include, exclude and compare.',
    ],
    [
      'a relative directory',
      group('    backup: { directory: b }'),
      '6:26 groups.web.backup.directory must be an absolute path, not "b".',
    ],
    [
      'a wrong share',
      group('    max-delete: 101%'),
      '6:17 groups.web.max-delete must be a number of files or a percentage up to 100%, not "101%".',
    ],
    [
      'a wrong duration',
      group('    action-timeout: 5 min'),
      '6:21 groups.web.action-timeout must be a number of seconds, or a number with s, m or h, not "5 min".',
    ],
    ['an action without a command', group('    actions: [{ when: /a }]'), '6:15 groups.web.actions[0] has no run.'],
    ['a list where a map must be', 'version: 1\ngroups: [web]', '2:9 groups must be a map, not a list.'],
    ['an empty group', 'version: 1\ngroups:\n  web:', '3:6 groups.web must be a map, not empty.'],
    ['a group without hosts', 'version: 1\ngroups:\n  web: { key: k }', '3:3 The group web has no hosts. | Add hosts'],
    ['an unknown property', 'version: 1\nignore: [uid, size]', '2:15 ignore[1] must be uid, gid or mod, not "size".'],
    [
      'a prefix name with a slash',
      'version: 1\nprefixes: { a/b: {} }',
      '2:13 "a/b" is no name that prefixes can hold.',
    ],
    ['a key that stands twice', 'version: 1\nversion: 1', '2:1 Duplicated mapping key.'],
    ['a key that stands twice in two ways', 'version: 1\ngroups: { 1: {}, "1": {} }', '2:18 Duplicated mapping key.'],
    [
      'a pattern that is no alias',
      group('    files: [{ exclude: *~ }]'),
      '6:24 Anchors and aliases are not supported. | Write the value out; a word that starts with *',
    ],
    ['a tag', 'version: !int 1', '1:10 Unknown scalar tag'],
    ['an alias', 'version: 1\ndatabase: &a x\ntempdir: *a', '3:10 Anchors and aliases are not supported.'],
    ['two documents', 'version: 1\n---\nversion: 1', '1:1 The file holds more than one document.'],
    ['an empty file', '# nothing\n', '1:1 The file is empty.'],
    ['a map as a key', 'version: 1\n? { a: b }\n: c', '2:3 A key must be a plain word.'],
    ['broken YAML', 'version: 1\ngroups: [a', '2:'],
    ['a tab', 'version: 1\ngroups:\n\tweb: 1', '3:1 Tab characters must not be used in indentation.'],
    ['a NUL', 'version: 1\ndatabase: "\\0"', '2:11 database must be free of NUL'],
    ['deep nesting', `version: ${'['.repeat(30)}`, '1:'],
    ['a missing member', 'version: 1\nplaintext: [{ from: a }]', '2:13 plaintext[0] has no to.'],
  ])('%s', async (_, text, message) => {
    const [first] = await problems(text);
    expect(first?.slice(0, message.length)).toBe(message);
  });

  it('are all told', async () => {
    expect((await problems('versio: 1\ngroups: { g: { a: 1, b: 2 } }\nignore: 7')).length).toBe(5);
  });

  it('in text that is not UTF-8 are told, too', async () => {
    await expect(system.load('version: 1\ndatabase: \xff', HOST, 'csx.yaml')).rejects.toThrow(/not UTF-8/);
  });

  it('count characters', async () => {
    expect((await problems('version: 1\nignore: ["ä€𝄞", 7]'))[0]).toMatch(/^2:10 ignore\[0\]/);
    expect((await problems('version: 1\nignore: ["ä€𝄞", 7]'))[1]).toMatch(/^2:17 ignore\[1\]/);
  });

  it('never come as anything but problems', async () => {
    const lines = fc.constantFrom(
      ...['version: 1', 'groups:', '  web:', '    hosts: [web1]', '    key: k', '    files:', '      - include: /a'],
      ...[
        '  - x',
        '    actions: [{run: a}]',
        '? a',
        ': b',
        '&x',
        '*x',
        '"',
        "'",
        '{',
        ']',
        '|',
        '>',
        '---',
        '...',
        '%TAG',
        '!!map',
        '\t',
      ],
    );
    const text = fc.array(fc.oneof({ weight: 5, arbitrary: lines }, fc.string({ maxLength: 8 })), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(text, async (parts) => {
        await problems(parts.join('\n'));
      }),
      { numRuns: 200 },
    );
  });
});

describe('csx.yaml beside csync2.cfg', () => {
  const CFG = `nossl a b; group web { host web1 web2; key k; include /a; action { exec x; } } group { host web1 c; key k; }`;

  it('adds its own settings to the groups there', async () => {
    const cfg = system.write('csync2.cfg', CFG);
    const config = await load(`version: 1
csync2: csync2.cfg
groups:
  web: { max-delete: 10%, sensitive: [/a/key], action-timeout: 30s }
  group_1: { max-delete: 3 }
lock-timeout: 20
`);
    expect(config.files).toEqual([path.join(system.path, 'csx.yaml'), cfg]);
    expect(config.lockTimeout).toBe(20);
    expect(config.nossl).toEqual([{ from: 'a', to: 'b' }]);
    expect(config.groups).toMatchObject([
      { name: 'web', maxDelete: { value: 10 }, sensitive: ['/a/key'], actions: [{ commands: ['x'], timeout: 30 }] },
      { name: 'group_1', maxDelete: { value: 3, unit: 'files' } },
    ]);
    expect(config.groups[0]!.range).toMatchObject({ file: cfg, line: 1 });
  });

  it('may not say what csync2 hosts would have to know', async () => {
    system.write('csync2.cfg', CFG);
    const found = await problems(`version: 1
csync2: csync2.cfg
groups:
  web: { files: [], max-delete: 1 }
  wbe: { max-delete: 1 }
ignore: [uid]
`);
    expect(found.map((line) => line.replace(/ \| Write it there.*/, ''))).toEqual([
      '4:10 files of the group web comes from the csync2.cfg that this file names.',
      '6:1 ignore comes from the csync2.cfg that this file names.',
      '5:3 The csync2.cfg that this file names has no group wbe. | Did you mean web?',
    ]);
  });

  it('names the place when that file has errors or is missing', async () => {
    system.write('csync2.cfg', 'foo');
    expect(await problems('version: 1\ncsync2: csync2.cfg')).toEqual([
      expect.stringMatching(/^1:1 Expected a statement, found "foo"/),
    ]);
    rmSync(path.join(system.path, 'csync2.cfg'));
    expect((await problems('version: 1\ncsync2: csync2.cfg'))[0]).toMatch(
      /^2:9 The configuration file .* does not exist/,
    );
  });

  it('that does not name it is one too many', async () => {
    system.write('csync2.cfg', CFG);
    const error = {
      code: 'CONFIG_AMBIGUOUS',
      hint: expect.stringContaining('csync2: csync2.cfg') as string,
    };
    await expect(load(group(''))).rejects.toMatchObject(error);
    system.write('other.cfg', CFG);
    await expect(load('version: 1\ncsync2: other.cfg')).rejects.toMatchObject(error);
    await expect(load('version: 1\ncsync2: ./csync2.cfg')).resolves.toBeDefined();
    await expect(
      loadConfig({ systemDirectory: system.path, host: HOST, file: path.join(system.path, 'csync2.cfg') }),
    ).resolves.toMatchObject({ files: [path.join(system.path, 'csync2.cfg')] });
    await expect(loadConfig({ systemDirectory: system.path, host: HOST, configName: 'two' })).rejects.toMatchObject({
      code: 'CONFIG_NOT_FOUND',
    });
    system.write('csx_two.yaml', group(''));
    await expect(loadConfig({ systemDirectory: system.path, host: HOST, configName: 'two' })).resolves.toBeDefined();
  });
});

describe('the schema', () => {
  it('knows every key with a description or a definition', () => {
    const schema = JSON.parse(
      readFileSync(path.join(import.meta.dirname, '../../schemas/config.schema.json'), 'utf8'),
    ) as { properties: Record<string, object> };
    for (const property of Object.values(schema.properties)) {
      expect(Object.keys(property)).toEqual(expect.arrayContaining(['description']));
    }
  });
});
