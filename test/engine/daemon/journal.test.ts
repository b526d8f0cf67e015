/** What a daemon that died has left behind, and what the next one makes of it: its own work is recorded, a person's is not. */

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkBeforeChange } from '../../../src/engine/daemon/check.js';
import { Journal } from '../../../src/engine/daemon/journal.js';
import type { Opened } from '../../../src/engine/daemon/served.js';
import { digestOf } from '../../../src/engine/scan/digest.js';
import type { CheckText } from '../../../src/model/checktxt.js';
import type { DiskPath, FileName, PeerName } from '../../../src/model/names.js';
import type { Intent } from '../../../src/model/store.js';
import { prepareCsx } from './csx-daemon.js';

const PEER = 'client' as PeerName;

let directory = '';
let tree = '';
let opened: Opened;

beforeEach(async () => {
  const prepared = prepareCsx({
    address: 'server',
    config: 'nossl * *; group g { host server client; key k; include /TREE/t; action { exec "true"; } }',
    keys: { k: 'a'.repeat(64) },
  });
  directory = prepared.directory;
  tree = path.join(directory, 't');
  fs.mkdirSync(tree);
  const file = path.join(prepared.systemDirectory, 'csync2.cfg');
  fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('/TREE/t', tree));
  opened = await prepared.open();
});

afterEach(async () => {
  await opened.store.close();
  fs.rmSync(directory, { recursive: true, force: true });
});

function at(name: string): FileName & DiskPath {
  return `${tree}/${name}` as FileName & DiskPath;
}

function intent(name: string, checktxt: string | undefined, more: Partial<Intent> = {}): Intent {
  return {
    file: at(name),
    checktxt: checktxt as CheckText | undefined,
    digest: undefined,
    signature: undefined,
    actions: false,
    ...more,
  };
}

/** Tells the intents as a process that is dead by now. */
async function leftBehind(...intents: Intent[]): Promise<void> {
  await opened.store.write([{ kind: 'intend', batch: 'b', peer: PEER, intents }]);
  const { pid } = spawnSync('true');
  const db = new Database(opened.store.location);
  db.prepare('UPDATE csx_intent SET pid = ?').run(pid);
  db.close();
}

/** Whether the file counts as changed here once the journal is settled. */
async function countsAsLocal(name: string): Promise<boolean> {
  await new Journal(opened, () => 1).settle();
  expect(await opened.store.intents()).toEqual([]);
  return checkBeforeChange(opened, at(name), at(name), 2);
}

describe('is recorded', () => {
  it('a directory, whatever its attributes have become', async () => {
    await leftBehind(intent('d', 'v1:type=dir'));
    fs.mkdirSync(at('d'), { mode: 0o750 });
    expect(await countsAsLocal('d')).toBe(false);
  });

  it('a link to the very place', async () => {
    await leftBehind(intent('l', 'v1:type=lnk:target=some%2520where'), intent('m', 'v1:type=lnk:target=here'));
    fs.symlinkSync('some%20where', at('l'));
    fs.symlinkSync('elsewhere', at('m'));
    expect([await countsAsLocal('l'), await countsAsLocal('m')]).toEqual([false, true]);
  });

  it('a FIFO', async () => {
    await leftBehind(intent('p', 'v1:type=fifo'));
    spawnSync('mkfifo', [at('p')]);
    expect(await countsAsLocal('p')).toBe(false);
  });

  it('a removal', async () => {
    await opened.store.write([
      {
        kind: 'put-file',
        file: at('f'),
        checktxt: 'v1:type=fifo' as CheckText,
        stamp: undefined,
        target: undefined,
        digest: undefined,
      },
    ]);
    await leftBehind(intent('f', undefined));
    expect(await countsAsLocal('f')).toBe(false);
    expect((await opened.store.file([at('f')])).size).toBe(0);
  });

  it('a file with the very content, and the actions it sets off', async () => {
    fs.writeFileSync(at('f.act'), 'content');
    fs.utimesSync(at('f.act'), 5, 5);
    const digest = await digestOf(at('f.act'));
    await leftBehind(intent('f.act', 'v1:mtime=5:type=reg:size=7', { digest, actions: true }));
    expect(await countsAsLocal('f.act')).toBe(false);
    expect(await opened.store.actions()).toMatchObject([{ file: at('f.act'), command: 'true' }]);
    expect((await opened.store.baselines(PEER, [at('f.act')])).get(at('f.act'))).toMatchObject({ digest, at: 1 });
  });

  it('what the last of several commands has told, or one before it', async () => {
    await leftBehind(
      intent('x', 'v1:type=dir'),
      intent('x', undefined),
      intent('y', undefined),
      intent('y', 'v1:type=fifo'),
    );
    fs.mkdirSync(at('x'));
    spawnSync('mkfifo', [at('y')]);
    expect([await countsAsLocal('x'), await countsAsLocal('y')]).toEqual([false, false]);
  });
});

describe('is not recorded', () => {
  it('a file of another content, size, time or type', async () => {
    for (const name of ['a', 'b', 'c']) fs.writeFileSync(at(name), 'content');
    for (const name of ['a', 'b', 'c']) fs.utimesSync(at(name), 5, 5);
    fs.mkdirSync(at('d'));
    const digest = await digestOf(at('a'));
    fs.writeFileSync(at('a'), 'CONTENT');
    fs.utimesSync(at('a'), 5, 5);
    const told = { digest, actions: true };
    await leftBehind(
      intent('a', 'v1:mtime=5:type=reg:size=7', told),
      intent('b', 'v1:mtime=5:type=reg:size=8', told),
      intent('c', 'v1:mtime=6:type=reg:size=7', told),
      intent('d', 'v1:mtime=5:type=reg:size=7', told),
    );
    for (const name of ['a', 'b', 'c', 'd']) expect(await countsAsLocal(name), name).toBe(true);
    expect(await opened.store.actions()).toEqual([]);
  });

  it('what another live process is about to do', async () => {
    await opened.store.write([{ kind: 'intend', batch: 'b', peer: PEER, intents: [intent('d', 'v1:type=dir')] }]);
    fs.mkdirSync(at('d'));
    await new Journal(opened, () => 1).settle();
    expect(await opened.store.intents()).toHaveLength(1);
    expect((await opened.store.file([at('d')])).size).toBe(0);
  });

  it('what nobody could have told', async () => {
    await leftBehind(intent('d', 'v1:type=dir'));
    const db = new Database(opened.store.location);
    db.exec(`UPDATE csx_intent SET intents = '[["../etc","v1:type=dir",null,null,0],7,[null]]'`);
    db.exec(`INSERT INTO csx_intent (batch, pid, peername, intents) VALUES ('c', 0, 'client', 'no JSON')`);
    db.close();
    fs.mkdirSync(at('d'));
    expect(await countsAsLocal('d')).toBe(true);
  });

  it('a file that no group holds any more', async () => {
    const file = '/elsewhere' as FileName;
    await leftBehind({ ...intent('x', undefined), file });
    await new Journal(opened, () => 1).settle();
    expect(await opened.store.intents()).toEqual([]);
    expect((await opened.store.baselines(PEER, [file])).size).toBe(0);
  });
});
