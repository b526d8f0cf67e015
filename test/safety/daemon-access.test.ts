/**
 * Promises 11 and 15, at the daemon: no command before identification, no file outside the groups, keys and hosts of the configuration, no
 * writing slave, and no key in any log line. Every command of the protocol's table, so that a new one cannot be forgotten.
 */

import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { VERB_NAMES, verbRow } from '../../src/engine/wire/verbs.js';
import type { Verb } from '../../src/engine/wire/verbs.js';
import { startCsx } from '../engine/daemon/csx-daemon.js';
import type { CsxHost } from '../engine/daemon/csx-daemon.js';
import { RawClient } from '../engine/daemon/raw-client.js';

const KEY = 'a'.repeat(64);
const OTHER_KEY = 'b'.repeat(64);
const SERVER = '127.25.20.1';
const CLIENT = '127.25.20.2';
const SLAVE = '127.25.20.3';
const STRANGER = '127.25.20.4';
const OTHER = '127.25.20.5';

let base = '';
let host: CsxHost;

beforeAll(async () => {
  base = fs.mkdtempSync(path.join(fs.realpathSync(tmpdir()), 'csx-access-'));
  const config = `nossl * *;
    group g { host ${SERVER} ${CLIENT} (${SLAVE}); key k; include ${base}/t; exclude *.secret; compare ${base}/c; }
    group h { host ${SERVER} ${OTHER}; key other; include ${base}/h; }`;
  host = await startCsx({ address: SERVER, config, keys: { k: KEY, other: OTHER_KEY } });
});

afterAll(async () => {
  await host.stop();
  fs.rmSync(base, { recursive: true, force: true });
});

beforeEach(() => {
  for (const name of ['t', 'h', 'c']) {
    fs.rmSync(`${base}/${name}`, { recursive: true, force: true });
    fs.mkdirSync(`${base}/${name}`);
    fs.writeFileSync(`${base}/${name}/f`, 'confidential');
    fs.writeFileSync(`${base}/${name}/f.secret`, 'confidential');
  }
});

function state(): string {
  return fs
    .readdirSync(base, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const { mode, uid, ino, mtimeMs, ctimeMs, size } = fs.lstatSync(`${base}/${name}`);
      return [name, mode, uid, ino, mtimeMs, ctimeMs, size].join(' ');
    })
    .join('\n');
}

/** A whole command, with arguments that would do something. */
function line(verb: Verb, key: string, file: string): string {
  if (verb === 'LIST') return `LIST ${SERVER} - ${key}`;
  const more: Partial<Record<Verb, string>> = {
    SETOWN: ' 1 1',
    SETMOD: ' 511',
    SETIME: ' 5',
    MKLINK: ' target',
    MKCHR: ' 259',
    MKBLK: ' 259',
  };
  if (verb === 'PACK') return counted(`PACK ${key}`, `d ${file} 1 1 511 5\n\n`);
  if (verb === 'LOOK') return counted(`LOOK ${key}`, `${file}\n`);
  return `${verb} ${key} ${file}${more[verb] ?? ''}`;
}

function counted(head: string, body: string): string {
  return `${head}\noctet-stream ${String(body.length)}\n${body}`;
}

/** The answer to what may not be: PACK and LOOK say it of each name, and tell a slave no more than that it must ask otherwise. */
function refusal(verb: Verb, slave: boolean): string {
  if (verb === 'LOOK') return counted('OK (data_follows).', '?');
  if (verb === 'PACK') return counted('OK (data_follows).', slave ? '0 File exists\n' : '0 Permission denied!\n');
  return slave ? 'Permission denied for slave!\n' : 'Permission denied!\n';
}

const guarded = VERB_NAMES.filter((verb) => verbRow(verb).needsHello);
/** About files, or their rows. */
const filing = guarded.filter((verb) => verbRow(verb).permission !== undefined || verb === 'LIST');

describe.each(guarded)('%s', (verb) => {
  it('does nothing before HELLO, nor after one that failed', async () => {
    const before = state();
    const client = await RawClient.open(SERVER, CLIENT);
    await client.say('CONFIG');
    const expected = `Dear ${CLIENT}, please identify first.\n`;
    expect(await client.say(line(verb, KEY, `${base}/t/f`))).toBe(expected);
    await client.say(`HELLO ${CLIENT}`);
    expect(await client.say(`HELLO ${STRANGER}`)).toBe('Identification failed!\n');
    expect(await client.say(line(verb, KEY, `${base}/t/f`))).toBe(expected);
    client.close();
    expect(state()).toBe(before);
  });
});

describe.each(filing)('%s', (verb) => {
  it.each([
    ['with a wrong key', CLIENT, 'c'.repeat(64), 't/f'],
    ['with an empty key', CLIENT, '%20', 't/f'],
    ["with another group's key", CLIENT, OTHER_KEY, 't/f'],
    ["in another group, with that group's key", CLIENT, OTHER_KEY, 'h/f'],
    ['to an excluded file', CLIENT, KEY, 't/f.secret'],
    ['to a file of no group', CLIENT, KEY, 'elsewhere'],
    ['by a host that is in no group', STRANGER, KEY, 't/f'],
    ['by a host of another group', OTHER, KEY, 't/f'],
    ['by a slave', SLAVE, KEY, 't/f'],
  ])('is refused %s', async (_, from, key, file) => {
    if (verb === 'LIST' && (from === SLAVE || (from === CLIENT && key === KEY))) {
      // LIST names no file, and slaves may compare: the rows are checked in the interop tests.
      return;
    }
    const before = state();
    const client = await RawClient.introduced(SERVER, from);
    const answer = await client.say(line(verb, key, `${base}/${file}`));
    client.close();
    if (verb === 'LIST') expect(answer).toBe('OK (cmd_finished).\n');
    else expect(answer).toBe(refusal(verb, from === SLAVE));
    expect(state()).toBe(before);
  });
});

it('compare patterns allow TYPE and nothing else', async () => {
  const before = state();
  for (const verb of filing) {
    if (verb === 'LIST') continue;
    const client = await RawClient.introduced(SERVER, CLIENT);
    const answer = await client.say(line(verb, KEY, `${base}/c/f`));
    client.close();
    if (verb === 'TYPE') expect(answer).toBe('OK (data_follows).\nconfidential<closed>');
    else expect(answer, verb).toBe(refusal(verb, false));
  }
  expect(state()).toBe(before);
});

it('no key, and no control character, is in the log after all that', async () => {
  const client = await RawClient.introduced(SERVER, CLIENT);
  await client.say(`DEL ${KEY} ${base}/t/%1B[31mred%07%E2%80%AE`);
  await client.say(`DEL ${KEY} ${base}/t/../x`);
  await client.say('HELLO %1B[2Jname');
  client.close();
  expect(host.log()).not.toContain('aaaaaaaa');
  expect(host.log()).not.toContain('bbbbbbbb');
  expect(host.log().replaceAll('\n', '')).not.toMatch(/[\x00-\x1f\x7f\u202e]/);
  expect(host.log()).toContain('red');
});
