/** PACK and LOOK: many names in one command; from raw commands, and between two csx hosts. */

import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAX_PACK } from '../../../src/engine/wire/limits.js';
import { runCsx } from '../../support/csx.js';
import { readTree } from '../../support/tree.js';
import { startCsx } from './csx-daemon.js';
import type { CsxHost } from './csx-daemon.js';
import { literalDelta, RawClient } from './raw-client.js';

const KEY = 'a'.repeat(64);
const [CLIENT, SERVER] = ['127.35.100.1', '127.35.100.2'];
const UNKNOWN = 'Unknown command!\n';

let base = '';
let host: CsxHost;
let client: RawClient;
const there = (name: string): string => `${base}/${SERVER}/${name}`;

beforeEach(async () => {
  base = fs.mkdtempSync(path.join(fs.realpathSync(tmpdir()), 'csx-pack-'));
  for (const name of [CLIENT, SERVER]) fs.mkdirSync(`${base}/${name}`);
  host = await startCsx({ address: SERVER, config: config(), keys: { k: KEY } });
  client = await RawClient.introduced(SERVER, CLIENT);
});
afterEach(async () => {
  client.close();
  await host.stop();
  fs.rmSync(base, { recursive: true, force: true });
});

function config(): string {
  return `nossl * *; prefix p { on ${CLIENT}: ${base}/${CLIENT}; on ${SERVER}: ${base}/${SERVER}; }
    group g { host ${SERVER} ${CLIENT}; key k; include %p%; exclude *.secret; }`;
}

interface Entry {
  readonly name: string;
  /** Undefined: a directory. */
  readonly content?: string;
  readonly attributes?: string;
  readonly digest?: string;
}

function bodyOf(entries: readonly Entry[]): string {
  const lines = entries.map(({ name, content, attributes = '0 0 33184 500', digest }) => {
    const line = `${content === undefined ? 'd' : 'f'} %25p%25/${name} ${attributes}`;
    return content === undefined ? line : `${line} ${String(content.length)} ${digest ?? sha256(content)}`;
  });
  return `${lines.join('\n')}\n\n${entries.map(({ content }) => content ?? '').join('')}`;
}

function sha256(content: string): string {
  return createHash('sha256').update(content, 'latin1').digest('hex');
}

/** The command, its body, and a command that nobody knows behind it: nothing of the body may be taken for one. */
function command(verb: string, body: string, key = KEY): Promise<string> {
  return client.say(`${verb} ${key}\noctet-stream ${String(body.length)}\n${body}BLANK`, true);
}
const pack = (entries: readonly Entry[], key = KEY): Promise<string> => command('PACK', bodyOf(entries), key);

/** The whole answer, with what became of each entry that was not made. */
function refused(...lines: readonly string[]): string {
  const text = lines.map((line) => `${line}\n`).join('');
  return `OK (data_follows).\noctet-stream ${String(text.length)}\n${text}${UNKNOWN}`;
}

describe('PACK', () => {
  it('makes files and directories with owner, mode and time, records them, and answers once', async () => {
    const entries = [
      { name: 'd', attributes: '1 2 16872 300' },
      { name: 'd/f', content: 'content', attributes: '12 34 36333 500' },
      { name: 'empty', content: '' },
    ];
    expect(await pack(entries)).toBe(refused());
    expect(fs.readFileSync(there('d/f'), 'utf8')).toBe('content');
    const { uid, gid, mode, mtimeMs } = fs.statSync(there('d/f'));
    expect([uid, gid, mode & 0o7777, mtimeMs]).toEqual([12, 34, 0o6755, 500_000]);
    const directory = fs.statSync(there('d'));
    expect([directory.uid, directory.gid, directory.mode & 0o7777]).toEqual([1, 2, 0o750]);
    const rows = await client.say(`LIST ${SERVER} - ${KEY}`);
    expect(rows.match(/%25p%25/g)).toHaveLength(3);
    expect(rows).toContain('mtime=500');
    expect(fs.readdirSync(there('d'))).toEqual(['f']);
  });

  it('leaves what is `-`, and takes what comes in any pieces', async () => {
    const body = bodyOf([{ name: 'slow', content: 'x'.repeat(100_000), attributes: '- - - -' }]);
    client.write(`PACK ${KEY}\noctet-str`);
    client.write(`eam ${String(body.length)}\n`);
    client.write(body.slice(0, 70_000));
    expect(client.pending).toBe('');
    client.write(body.slice(70_000));
    const answer = await client.until((received) => received.includes('octet-stream 0\n'));
    expect(answer).toBe('OK (data_follows).\noctet-stream 0\n');
    expect(fs.statSync(there('slow'))).toMatchObject({ size: 100_000, uid: 0 });
    expect(fs.statSync(there('slow')).mode & 0o7777).toBe(0o600);
  });

  it('refuses single entries, and makes the others', async () => {
    fs.writeFileSync(there('old'), 'local');
    fs.mkdirSync(there('directory'));
    fs.symlinkSync('/etc', there('link'));
    const entries = [
      { name: 'new', content: 'new' },
      { name: 'old', content: 'other' },
      { name: 'directory' },
      { name: 'x.secret', content: 'x' },
      { name: 'link/passwd', content: 'x' },
      { name: 'none/file', content: 'x' },
      { name: 'damaged', content: 'damaged', digest: sha256('otherwise') },
      { name: 'old/below', content: 'x' },
      { name: 'last', content: 'last' },
    ];
    const answer = await pack(entries);
    expect(answer).toBe(
      refused(
        '1 File exists',
        '2 File exists',
        '3 Permission denied!',
        '4 Not a directory',
        '5 No such file or directory',
        '6 The content is not the one that was sent.',
        '7 Not a directory',
      ),
    );
    expect(fs.readdirSync(there('')).sort()).toEqual(['directory', 'last', 'link', 'new', 'old']);
    expect(fs.readFileSync(there('old'), 'utf8')).toBe('local');
    expect(fs.existsSync('/etc/passwd/x')).toBe(false);
  });

  it('makes nothing of what is known: a file that was removed here is a change of this host', async () => {
    expect(await pack([{ name: 'gone', content: 'first' }])).toBe(refused());
    fs.rmSync(there('gone'));
    expect(await pack([{ name: 'gone', content: 'second' }])).toBe(refused('0 File exists'));
    expect(fs.existsSync(there('gone'))).toBe(false);
    await client.say(`MARK ${KEY} %25p%25/marked`);
    expect(await pack([{ name: 'marked', content: 'x' }])).toBe(refused('0 File exists'));
    expect(fs.existsSync(there('marked'))).toBe(false);
  });

  it('makes a name that comes twice once', async () => {
    const twice = [
      { name: 'twice', content: 'first' },
      { name: 'twice', content: 'second' },
    ];
    expect(await pack(twice)).toBe(refused('1 File exists'));
    expect(fs.readFileSync(there('twice'), 'utf8')).toBe('first');
  });

  it.each([
    ['another key', bodyOf([{ name: 'new', content: 'x' }]), 'b'.repeat(64), refused('0 Permission denied!')],
    ['a name with ..', bodyOf([{ name: '../new', content: 'x' }]), KEY, `Permission denied!\n${UNKNOWN}`],
    ['what is no pack', `MKDIR ${KEY} %25p%25/smuggled\n`, KEY, `Permission denied!\n${UNKNOWN}`],
  ])('refuses %s, and reads over the body', async (_, body, key, answer) => {
    expect(await command('PACK', body, key)).toBe(answer);
    expect(fs.readdirSync(`${base}/${SERVER}`)).toEqual([]);
  });

  it('reads over the body also before HELLO, and cuts off where it is too long', async () => {
    const stranger = await RawClient.open(SERVER, CLIENT);
    await stranger.say('CONFIG ');
    const body = `MKDIR ${KEY} %25p%25/smuggled\n`;
    const line = `PACK ${KEY}\noctet-stream ${String(body.length)}\n${body}BLANK`;
    expect(await stranger.say(line, true)).toBe(`Dear ${CLIENT}, please identify first.\n${UNKNOWN}`);
    stranger.close();
    client.write(`PACK ${KEY}\noctet-stream ${String(MAX_PACK + 1)}\n`);
    await client.until(() => false);
    expect(client.ended).toBe(true);
    expect(fs.readdirSync(`${base}/${SERVER}`)).toEqual([]);
  });

  it('comes behind a PATCH that waited for attributes, and into a directory that was just made', async () => {
    await client.say('CSX group-commit');
    await client.say(`MKDIR ${KEY} %25p%25/d`);
    const patched = await client.patch(`PATCH ${KEY} %25p%25/first`, literalDelta('1'));
    expect(patched.endsWith('OK (cmd_finished).\n')).toBe(true);
    expect(await pack([{ name: 'd/second', content: '2' }])).toBe(refused());
    expect([fs.readFileSync(there('first'), 'utf8'), fs.readFileSync(there('d/second'), 'utf8')]).toEqual(['1', '2']);
    expect(await client.say('SYNC')).toBe('OK (cmd_finished).\n');
  });

  it.each([3, 200])('takes packs of %i files that follow each other, and what comes behind them', async (files) => {
    const packOf = (directory: string): string => {
      const names = Array.from({ length: files }, (_, index) => `${directory}/f${String(index)}`);
      const body = bodyOf([{ name: directory }, ...names.map((name) => ({ name, content: name }))]);
      return `PACK ${KEY}\noctet-stream ${String(body.length)}\n${body}`;
    };
    // Each lies in the one before; the fourth makes nothing new, and the last two lie in nothing.
    const directories = ['d', 'd/d', 'd/d/d', 'd/d', 'd/d/d/d/d', 'e/e'];
    const told = await client.say(`${directories.map(packOf).join('')}GETSZ ${KEY} %25p%25/d/d/d/f0`);
    const made = 'OK (data_follows).\noctet-stream 0\n';
    const refusals = (text: string): string => {
      const lines = Array.from({ length: files + 1 }, (_, index) => `${String(index)} ${text}\n`).join('');
      return `OK (data_follows).\noctet-stream ${String(lines.length)}\n${lines}`;
    };
    const nowhere = refusals('No such file or directory');
    expect(told).toBe(`${made.repeat(3)}${refusals('File exists')}${nowhere}${nowhere}OK (data_follows).\n8\n`);
    const rows = await client.say(`LIST ${SERVER} - ${KEY}`);
    expect(rows.match(/\t%25p%25/g)).toHaveLength(3 * (files + 1));
    expect(fs.readFileSync(there('d/d/d/f2'), 'utf8')).toBe('d/d/d/f2');
    expect(fs.readdirSync(there('d/d')).sort()).toEqual([...fs.readdirSync(there('d/d/d')), 'd'].sort());
    expect(fs.readdirSync(there(''))).toEqual(['d']);
  });

  it('brings packs to their end when the client has gone', async () => {
    const names = Array.from({ length: 300 }, (_, index) => `f${String(index)}`);
    const body = bodyOf(names.map((name) => ({ name, content: name })));
    client.socket.end(`PACK ${KEY}\noctet-stream ${String(body.length)}\n${body}`, 'latin1');
    expect(await client.until(() => false)).toBe('OK (data_follows).\noctet-stream 0\n<closed>');
    expect(fs.readdirSync(there('')).sort()).toEqual(names.toSorted());
  });

  it('carries a tree from csx to csx', async () => {
    const here = `${base}/${CLIENT}`;
    for (let index = 0; index < 700; index++) {
      fs.mkdirSync(`${here}/d${index % 7}/e${index % 3}`, { recursive: true, mode: 0o751 });
      fs.writeFileSync(`${here}/d${index % 7}/e${index % 3}/file ${index}`, 'c'.repeat(index * 3), {
        mode: 0o600 + (index % 8),
      });
    }
    fs.writeFileSync(`${here}/large`, Buffer.alloc(600_000, 'large'));
    fs.writeFileSync(`${here}/empty`, '');
    fs.symlinkSync('empty', `${here}/link`);
    fs.writeFileSync(`${here}/both`, 'the same');
    fs.copyFileSync(`${here}/both`, there('both'));
    const system = `${base}/system`;
    fs.mkdirSync(system);
    fs.writeFileSync(`${system}/csync2.cfg`, config());
    fs.writeFileSync(`${system}/k`, `${KEY}\n`, { mode: 0o600 });
    const place = ['-N', CLIENT, '-D', `${base}/database`];
    fs.mkdirSync(`${base}/database`);
    const env = { CSYNC2_SYSTEM_DIR: system };
    const applied = await runCsx(['apply', '--auto-approve', ...place], { env });
    expect(applied, applied.stdout + applied.stderr).toMatchObject({ status: 0 });
    expect(readTree(`${base}/${SERVER}`)).toEqual(readTree(here));
    const again = await runCsx(['plan', '--detailed-exitcode', ...place], { env });
    expect(again, again.stdout + again.stderr).toMatchObject({ status: 0 });
  });
});

describe('LOOK', () => {
  it('tells what is free, and of all else that it must be asked for', async () => {
    fs.writeFileSync(there('old'), 'x');
    fs.symlinkSync('/etc', there('link'));
    await client.say(`MARK ${KEY} %25p%25/marked`);
    const names = ['new', 'none/x', 'none/x/y', 'old', 'old/x', 'link', 'link/x', 'marked', 'x.secret', '../up'];
    const body = names.map((name) => `%25p%25/${name}\n`).join('');
    const answer = (letters: string): string =>
      `OK (data_follows).\noctet-stream ${letters.length}\n${letters}${UNKNOWN}`;
    expect(await command('LOOK', body)).toBe(answer('app???????'));
    expect(await command('LOOK', body, 'b'.repeat(64))).toBe(answer('??????????'));
    expect(await command('LOOK', 'no end')).toBe(`Permission denied!\n${UNKNOWN}`);
  });
});
