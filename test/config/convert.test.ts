import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { convertConfig } from '../../src/config/convert.js';
import { loadConfig } from '../../src/config/load.js';
import type { Config } from '../../src/model/config.js';
import { SystemDirectory } from './configure.js';

const HOST = '127.20.0.1';
const FIXTURES = path.join(import.meta.dirname, '../../fixtures/configurations');

let system: SystemDirectory;
beforeEach(() => {
  system = new SystemDirectory();
});
afterEach(() => {
  system.remove();
});

/** The meaning, without places: what must survive. The hash covers all but keys and lock timeout. */
function meaning(config: Config): unknown {
  return [config.hash, config.groups.map(({ key }) => key.file), config.lockTimeout, config.otherGroups.length];
}

/** Loads csync2.cfg, its YAML, and the csync2.cfg of that. */
async function thereAndBack(text: string, host: string): Promise<{ readonly yaml: string; readonly back: string }> {
  const options = { systemDirectory: system.path };
  const first = await system.load(text, host);
  const yaml = await convertConfig(options, 'yaml');
  rmSync(path.join(system.path, 'csync2.cfg'));
  const second = await system.load(yaml.text, host, 'csx.yaml');
  expect(meaning(second)).toEqual(meaning(first));
  const back = await convertConfig(options, 'csync2');
  expect(back.lost).toEqual([]);
  rmSync(path.join(system.path, 'csx.yaml'));
  expect(meaning(await system.load(back.text, host))).toEqual(meaning(first));
  return { yaml: yaml.text, back: back.text };
}

describe('there and back', () => {
  it.each(readdirSync(FIXTURES))('the configuration %s means the same', async (name) => {
    const directory = path.join(FIXTURES, name);
    for (const entry of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
      if (!entry.endsWith('.cfg')) continue;
      const text = readFileSync(path.join(directory, entry), 'latin1')
        .replaceAll(/\/etc\/csync2\/(?=c[so])/g, `${system.path}/`)
        .replaceAll(/\bkey (?:"([^"]*)"|([^\s";]+));/g, 'key k;');
      system.write(entry, text);
    }
    const { host } = JSON.parse(readFileSync(path.join(directory, 'expected.json'), 'utf8')) as { host: string };
    await thereAndBack(readFileSync(path.join(system.path, 'csync2.cfg'), 'latin1'), host);
  });

  it('any configuration means the same', async () => {
    const letters = fc.constantFrom(
      ...'ab1 *:{}@;()#\n/%.~-'.split(''),
      'key',
      'é',
      'true',
      '!',
      '&',
      '|',
      ',',
      '[',
      ']',
      "'",
    );
    const word = fc
      .array(letters, { minLength: 1, maxLength: 5 })
      .map((parts) => `"${Buffer.from(parts.join(''), 'utf8').toString('latin1')}"`);
    const place = word.map((text) => `"/a${text.slice(1).replaceAll(/[/.]/g, '_')}`);
    const words = fc.array(word, { maxLength: 3 }).map((list) => list.join(' '));
    const member = fc.oneof(
      word,
      fc.tuple(word, word).map(([host, via]) => `${host}@${via}`),
      word.map((host) => `(${host})`),
    );
    const item = fc.oneof(
      fc.array(member, { maxLength: 3 }).map((list) => `host ${list.join(' ')};`),
      fc.tuple(fc.constantFrom('include', 'exclude', 'compare'), words).map(([kind, list]) => `${kind} ${list};`),
      place.map((text) => `backup-directory ${text};`),
      fc.nat(99).map((count) => `backup-generations ${count};`),
      fc
        .tuple(words, words, word, fc.constantFrom('', 'do-local;', 'do-local-only;'))
        .map(([patterns, run, log, local]) => `action { pattern ${patterns}; exec ${run}; logfile ${log}; ${local} }`),
    );
    const group = fc
      .tuple(fc.array(item, { maxLength: 5 }), fc.constantFrom('', 'auto left;', 'auto none;'))
      .map(([items, auto]) => `{ host ${HOST} b; key k; ${items.join(' ')} ${auto} }`);
    const on = fc
      .tuple(fc.oneof(word, fc.constantFrom('*', HOST, '1*')), place)
      .map(([host, to]) => `on ${host} : ${to};`);
    const prefix = fc
      .tuple(fc.constantFrom('p', '"q 1"', '7'), fc.array(on, { maxLength: 4 }))
      .map(([name, list]) => `prefix ${name} { ${list.join(' ')} }`);
    const statement = fc.oneof(
      prefix,
      fc.tuple(word, word).map(([from, to]) => `nossl ${from} ${to};`),
      fc.constantFrom(
        'ignore uid;',
        'ignore mod gid;',
        'ignore;',
        'lock-timeout 7;',
        'database /d;',
        'tempdir "/t t";',
      ),
    );
    const file = fc.tuple(fc.array(group, { minLength: 1, maxLength: 4 }), fc.array(statement, { maxLength: 5 }));
    await fc.assert(
      fc.asyncProperty(file, async ([groups, statements]) => {
        // Names that JavaScript objects would reorder, and groups without one.
        const named = groups.map((body, index) => `group ${['', '2', '"1"', '"true"'][index] ?? ''} ${body}`);
        await thereAndBack([...statements, ...named].join('\n'), HOST);
      }),
      { numRuns: 150 },
    );
  });
});

describe('converting', () => {
  it('writes YAML that people can read', async () => {
    const { yaml, back } = await thereAndBack(
      `prefix home { on ${HOST}: /export; on *: /home; }
       nossl *-net *-net; ignore uid gid; lock-timeout 30;
       group web { host ${HOST} b@b-net (c d@d-net); key k; include /etc /srv/*; exclude *~ .*;
         action { pattern /etc/a; exec "a b"; logfile /l; do-local; } backup-directory /b; auto younger; }`,
      HOST,
    );
    expect(yaml).toMatchInlineSnapshot(`
      "# yaml-language-server: $schema=./csx.schema.json
      version: 1
      groups:
        web:
          hosts:
            - 127.20.0.1
            - b@b-net
            - name: c
              slave: true
            - name: d
              via: d-net
              slave: true
          key: k
          files:
            - include:
                - /etc
                - /srv/*
            - exclude:
                - '*~'
                - .*
          actions:
            - when:
                - /etc/a
              run: a b
              log: /l
              on: everywhere
          conflicts: younger
          backup:
            directory: /b
      prefixes:
        home:
          127.20.0.1: /export
          '*': /home
      plaintext:
        - from: '*-net'
          to: '*-net'
      ignore:
        - uid
        - gid
      lock-timeout: 30
      "
    `);
    expect(back).toMatchInlineSnapshot(`
      "group web
      {
      	host 127.20.0.1 b@b-net (c) (d@d-net);
      	key k;
      	include /etc /srv/*;
      	exclude *~ .*;
      	action
      	{
      		pattern /etc/a;
      		exec "a b";
      		logfile /l;
      		do-local;
      	}
      	auto younger;
      	backup-directory /b;
      }

      prefix home
      {
      	on 127.20.0.1 : /export;
      	on * : /home;
      }

      nossl *-net *-net;

      ignore uid gid;

      lock-timeout 30;
      "
    `);
  });

  it('says which of csx’s own settings csync2.cfg cannot hold', async () => {
    system.write(
      'csx.yaml',
      `version: 1
groups:
  web:
    hosts: [${HOST}]
    key: k
    max-delete: 25%
    action-timeout: 2m
    sensitive: [/etc/ssl/**, "*.key"]
    actions:
      - run: [a, b]
        timeout: 5s
`,
    );
    const { lost, text } = await convertConfig({ systemDirectory: system.path }, 'csync2');
    expect(lost).toEqual([
      'max-delete of the group web: 25%.',
      'action-timeout of the group web: 120.',
      'sensitive of the group web: /etc/ssl/**, *.key.',
      'The timeout of an action of the group web (a; b): 5 seconds.',
    ]);
    expect(text).toContain('exec a;');
  });

  it('refuses what the other form cannot say', async () => {
    system.write('csync2.cfg', 'group g { host a; key k; include "/\xff"; }');
    const options = { systemDirectory: system.path };
    await expect(convertConfig(options, 'yaml')).rejects.toMatchObject({
      message: 'YAML cannot hold a word that is not UTF-8: /\\xff',
      range: { line: 1, column: 34 },
    });
    system.write('csync2.cfg', 'group g { host a; key k; }\ngroup g { host b; key k; }');
    await expect(convertConfig(options, 'yaml')).rejects.toMatchObject({ range: { line: 2, column: 7 } });
    rmSync(path.join(system.path, 'csync2.cfg'));
    writeFileSync(
      path.join(system.path, 'csx.yaml'),
      `version: 1\ngroups:\n  g:\n    hosts: [a]\n    key: k\n    actions:\n      - run: echo "a"\n`,
      { mode: 0o600 },
    );
    await expect(convertConfig(options, 'csync2')).rejects.toMatchObject({
      message: expect.stringContaining('quotation mark: echo "a"') as string,
      range: { line: 7, column: 14 },
    });
    await expect(loadConfig({ ...options, host: 'a' })).resolves.toMatchObject({
      groups: [{ actions: [{ commands: ['echo "a"'] }] }],
    });
  });
});
