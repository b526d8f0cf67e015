/**
 * Every scenario runs against csync2's own daemon and against csx: the answers are the same byte for byte, and so are the disk
 * and the database afterwards (read with csync2 itself in both cases).
 */

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCsx } from '../engine/daemon/csx-daemon.js';
import type { CsxHost } from '../engine/daemon/csx-daemon.js';
import { literalDelta, RawClient } from '../engine/daemon/raw-client.js';
import { startCsync2 } from '../support/csync2-daemon.js';
import type { Csync2Host } from '../support/csync2-daemon.js';

const KEY = 'a'.repeat(64);
const OTHER_KEY = 'b'.repeat(64);
const CLIENT = '127.25.2.1';
const SLAVE = '127.25.2.9';
const STRANGER = '127.25.2.8';
const THEIRS = '127.25.2.2';
const OURS = '127.25.2.3';

/** One daemon under test. */
interface Subject {
  readonly address: string;
  readonly tree: string;
  readonly host: Csync2Host | CsxHost;
}

function configuration(me: string, tree: string): string {
  return `nossl * *;
    prefix d { on *: ${tree}/p; }
    group g {
      host ${me} ${CLIENT} (${SLAVE});
      key k;
      include ${tree}/t; include %d%; exclude *~; compare ${tree}/compared;
      action { pattern ${tree}/t/act*; exec "echo ran >> ${tree}/ran"; }
    }
    group h { host ${me} 127.25.2.7; key other; include ${tree}/h; }`;
}

let subjects: readonly Subject[] = [];
const trees: string[] = [];

beforeAll(async () => {
  const made: Subject[] = [];
  for (const [address, start] of [
    [THEIRS, startCsync2],
    [OURS, startCsx],
  ] as const) {
    const tree = fs.mkdtempSync(path.join(fs.realpathSync(tmpdir()), 'csx-answers-'));
    trees.push(tree);
    const config = configuration(address, tree);
    made.push({ address, tree, host: await start({ address, config, keys: { k: KEY, other: OTHER_KEY } }) });
  }
  subjects = made;
});

afterAll(async () => {
  for (const { host } of subjects) await host.stop();
  for (const tree of trees) fs.rmSync(tree, { recursive: true, force: true });
});

class Stage {
  readonly subject: Subject;
  readonly transcript: string[] = [];
  #client: RawClient | undefined;

  constructor(subject: Subject) {
    this.subject = subject;
  }

  get t(): string {
    return `${this.subject.tree}/t`;
  }

  get p(): string {
    return `${this.subject.tree}/p`;
  }

  /** What the disk is before anything is sent; known to the database. */
  scan(): void {
    this.csync2('-cIr', '/');
  }

  csync2(...args: string[]): string {
    const { host, address } = this.subject;
    const run = spawnSync('/usr/sbin/csync2', ['-N', address, '-D', host.databaseDirectory, ...args], {
      env: { ...process.env, CSYNC2_SYSTEM_DIR: host.systemDirectory },
      encoding: 'latin1',
    });
    return run.stdout;
  }

  async connect(from = CLIENT, introduced = true): Promise<void> {
    await this.#leave();
    const { address } = this.subject;
    this.#client = introduced ? await RawClient.introduced(address, from) : await RawClient.open(address, from);
  }

  async #leave(): Promise<void> {
    const client = this.#client;
    if (client === undefined) return;
    if (!client.ended) {
      client.write('BYE\n');
      await client.until(() => false);
    }
    client.close();
  }

  /** Commands; `@` stands for the tree under test, `KEY` for the key; one the daemon does not know begins with `?`. */
  async say(...lines: string[]): Promise<void> {
    if (this.#client === undefined) await this.connect();
    for (const given of lines) {
      const line = given.replace(/^\?/, '');
      this.#note(line, await this.#client!.say(this.#resolve(line), line !== given));
    }
  }

  async patch(line: string, body: Buffer | 'ERROR'): Promise<void> {
    if (this.#client === undefined) await this.connect();
    this.#note(line, await this.#client!.patch(this.#resolve(line), body));
  }

  note(what: string): void {
    this.#note('note', what);
  }

  #resolve(line: string): string {
    return line
      .replaceAll('@', this.t)
      .replaceAll('KEY', KEY)
      .replace(/\bME\b/g, this.subject.address);
  }

  #note(line: string, answer: string): void {
    const plain = answer
      .replaceAll(this.subject.tree, 'TREE')
      .replaceAll(this.subject.address, 'ME')
      // Times of this moment differ between the two runs.
      .replace(/mtime(=|%3D)(1[6-9]|2)\d{8}/g, 'mtime=NOW');
    this.transcript.push(`${line.replaceAll(this.subject.tree, 'TREE')} -> ${plain}`);
  }

  /** Disk and database at the end. csync2's daemon commits when a session ends, and closes then. */
  async finish(): Promise<readonly string[]> {
    await this.#leave();
    for (const name of fs.readdirSync(this.subject.tree, { recursive: true, encoding: 'latin1' }).sort()) {
      if (/(^|\/)(fed|bak)/.test(name)) continue;
      const stats = fs.lstatSync(Buffer.from(`${this.subject.tree}/${name}`, 'latin1'));
      const kind = (stats.mode & 0o170000).toString(8);
      const content = stats.isFile()
        ? fs.readFileSync(Buffer.from(`${this.subject.tree}/${name}`, 'latin1'), 'latin1')
        : stats.isSymbolicLink()
          ? fs.readlinkSync(`${this.subject.tree}/${name}`)
          : '';
      this.#note('disk', `${name} ${kind} ${stats.uid} ${content}`);
    }
    this.#note('rows', this.csync2('-L'));
    this.#note('dirty', this.csync2('-M'));
    return this.transcript;
  }
}

/** Runs a scenario on both and compares. Each starts with empty trees and an empty database. */
async function compare(scenario: (stage: Stage) => Promise<void>): Promise<readonly string[]> {
  const transcripts: (readonly string[])[] = [];
  for (const subject of subjects) {
    for (const name of ['t', 'p', 'h']) {
      fs.rmSync(path.join(subject.tree, name), { recursive: true, force: true });
      fs.mkdirSync(path.join(subject.tree, name));
    }
    fs.writeFileSync(path.join(subject.tree, 'compared'), 'compared');
    fs.rmSync(path.join(subject.tree, 'ran'), { force: true });
    const stage = new Stage(subject);
    stage.scan();
    // Rows of the scenario before: the removals were recorded by the scan; what is dirty goes with a new mark of nothing.
    stage.csync2('-R');
    spawnSync('sqlite3', [
      path.join(subject.host.databaseDirectory, `${subject.address}.db3`),
      '.timeout 5000',
      'delete from dirty',
    ]);
    await scenario(stage);
    transcripts.push(await stage.finish());
  }
  const [theirs, ours] = transcripts;
  expect(ours).toEqual(theirs);
  return ours ?? [];
}

describe('the opening', () => {
  it('takes nothing but SSL and CONFIG first', async () => {
    await compare(async (stage) => {
      for (const line of ['BYE', `HELLO ${CLIENT}`, 'SIG KEY @/f', 'nonsense']) {
        await stage.connect(CLIENT, false);
        await stage.say(line);
      }
    });
  });

  it('answers nothing before HELLO, and identifies by look-up of the name', async () => {
    await compare(async (stage) => {
      await stage.connect(CLIENT, false);
      await stage.say('CONFIG', 'SIG KEY @/f', 'LIST ME - KEY', '?nonsense', 'GROUP a,b', 'GROUP c', 'HELLO');
      await stage.say(`HELLO ${CLIENT}`, `HELLO ${STRANGER}`, 'SIG KEY @/f', 'SIG', '?SSL', '?CONFIG', 'GROUP g', '');
      await stage.say('HELLO nosuch.invalid', `hello ${CLIENT}`, 'sig KEY @/f', 'BYE');
      await stage.connect(CLIENT, false);
      await stage.say('CONFIG ../x');
    });
  });
});

describe('questions', () => {
  it('SIG of every kind of thing', async () => {
    await compare(async (stage) => {
      fs.writeFileSync(`${stage.t}/f`, 'hello');
      fs.writeFileSync(`${stage.t}/big`, Buffer.alloc(10_000, 'abc'));
      fs.writeFileSync(`${stage.t}/empty`, '');
      fs.symlinkSync('f', `${stage.t}/link`);
      fs.mkdirSync(`${stage.t}/dir`);
      fs.writeFileSync(`${stage.t}/dir/x`, '');
      fs.symlinkSync('dir', `${stage.t}/dirlink`);
      spawnSync('mkfifo', [`${stage.t}/fifo`]);
      fs.writeFileSync(`${stage.p}/f`, 'below');
      fs.symlinkSync('f', `${stage.p}/link`);
      for (const name of [
        'f',
        'big',
        'empty',
        'link',
        'dir',
        'none',
        'none/x',
        'dirlink/x',
        'f/x',
        'fifo',
        'x~',
        'a%0Ab',
      ]) {
        await stage.say(`SIG KEY @/${name}`);
      }
      await stage.say('SIG KEY %25d%25', 'SIG KEY %25d%25/f', 'SIG KEY %25d%25/link', 'SIG KEY %25d%25/none');
      await stage.say(
        'SIG wrong @/f',
        `SIG ${OTHER_KEY} ${stage.subject.tree}/h`,
        `SIG KEY ${stage.subject.tree}/compared`,
        'SIG KEY',
        'SIG KEY /etc/passwd',
      );
    });
  });

  it('GETTM and GETSZ', async () => {
    await compare(async (stage) => {
      fs.writeFileSync(`${stage.t}/f`, 'hello');
      fs.utimesSync(`${stage.t}/f`, 1000, 1000.9);
      fs.symlinkSync('f', `${stage.t}/link`);
      for (const verb of ['GETTM', 'GETSZ']) {
        await stage.say(`${verb} KEY @/f`, `${verb} KEY @/none`, `${verb} KEY @/none/x`, `${verb} KEY @/x~`);
      }
      await stage.say('GETSZ KEY @/link');
    });
  });

  it.each(['f', 'empty', 'none', 'dir', 'none/x', 'x~', '../compared'])('TYPE of %s', async (name) => {
    await compare(async (stage) => {
      fs.writeFileSync(`${stage.t}/f`, 'hello\nworld');
      fs.writeFileSync(`${stage.t}/empty`, '');
      fs.mkdirSync(`${stage.t}/dir`);
      await stage.say(name.startsWith('..') ? `TYPE KEY ${path.dirname(stage.t)}/compared` : `TYPE KEY @/${name}`);
    });
  });

  it('LIST', async () => {
    await compare(async (stage) => {
      fs.writeFileSync(`${stage.t}/f`, 'hello');
      fs.writeFileSync(`${stage.t}/a b`, '');
      fs.symlinkSync('a b', `${stage.t}/link`);
      fs.writeFileSync(`${stage.p}/f`, '');
      fs.writeFileSync(`${stage.subject.tree}/h/f`, '');
      stage.scan();
      await stage.say(
        'LIST ME - KEY',
        'LIST ME - wrong',
        `LIST ME - ${OTHER_KEY}`,
        'LIST other - KEY',
        'LIST ME @/f KEY',
      );
      await stage.say('LIST ME @ wrong KEY', 'LIST ME @/none KEY');
      // Without a key, a file or a name for this host there is nothing to tell, which is no error.
      await stage.say('LIST ME -', 'LIST ME @/f', 'LIST ME', 'LIST');
      await stage.connect(SLAVE);
      await stage.say('LIST ME @/f KEY');
      await stage.connect(STRANGER);
      await stage.say('LIST ME - KEY');
    });
  });
});

describe('changes', () => {
  it('PATCH of new and old files with all attributes', async () => {
    await compare(async (stage) => {
      for (const content of ['hello', 'hello again', '']) {
        await stage.patch('PATCH KEY @/new', literalDelta(content));
        await stage.say('SETOWN KEY @/new 12 34', 'SETMOD KEY @/new 33261', 'SETIME KEY @/new 5000', 'SIG KEY @/new');
      }
      await stage.patch('PATCH KEY @/caf%E9%25%20', literalDelta('x'));
      await stage.say(
        'SETOWN KEY @/caf%E9%25%20 0 0',
        'SETMOD KEY @/caf%E9%25%20 33188',
        'SETIME KEY @/caf%E9%25%20 1',
      );
      await stage.say('LIST ME - KEY');
    });
  });

  it('PATCH that is left undressed is there after BYE', async () => {
    await compare(async (stage) => {
      await stage.patch('PATCH KEY @/new', literalDelta('hello'));
      await stage.say('BYE');
    });
  });

  it('PATCH over an empty directory, a link, a FIFO; refused ones change nothing', async () => {
    await compare(async (stage) => {
      fs.mkdirSync(`${stage.t}/dir`);
      fs.symlinkSync('nowhere', `${stage.t}/link`);
      spawnSync('mkfifo', [`${stage.t}/fifo`]);
      stage.scan();
      for (const name of ['dir', 'link', 'fifo']) {
        await stage.patch(`PATCH KEY @/${name}`, literalDelta(name));
        await stage.say(`SETOWN KEY @/${name} 0 0`, `SETMOD KEY @/${name} 33188`, `SETIME KEY @/${name} 5000`);
      }
      await stage.patch('PATCH KEY @/none', 'ERROR');
      await stage.patch('PATCH wrong @/none', literalDelta('x'));
      await stage.say('SIG KEY @/none', 'SIG KEY @/fifo');
    });
  });

  it('directories, links, special files', async () => {
    await compare(async (stage) => {
      fs.mkdirSync(`${stage.t}/full`);
      fs.writeFileSync(`${stage.t}/full/x`, '');
      fs.mkdirSync(`${stage.t}/empty`);
      fs.writeFileSync(`${stage.t}/f`, '');
      stage.scan();
      await stage.say('MKDIR KEY @/new', 'SETOWN KEY @/new 1 2', 'SETMOD KEY @/new 16877', 'SETIME KEY @/new 5');
      await stage.say('MKDIR KEY @/full', 'MKDIR KEY @/f', 'MKDIR KEY @/none/x');
      await stage.say(
        'MKLINK KEY @/l1 tar%20get',
        'SETOWN KEY @/l1 7 8',
        'MKLINK KEY @/full t',
        'MKLINK KEY @/empty t',
      );
      await stage.say('MKLINK KEY @/none/l t', 'MKLINK KEY @/l1 other');
      for (const verb of ['MKFIFO', 'MKCHR', 'MKBLK']) {
        await stage.say(
          `${verb} KEY @/${verb} 259`,
          `SETMOD KEY @/${verb} 420`,
          `${verb} KEY @/full`,
          `${verb} KEY @/none/x`,
        );
        await stage.say(`SETIME KEY @/${verb} 99`);
      }
      await stage.say('MKCHR KEY @/c0', 'SETMOD KEY @/c0 8630', 'SETIME KEY @/c0 99', 'MKSOCK KEY @/s');
      await stage.say('SIG KEY @/MKCHR', 'SIG KEY @/c0', 'SIG KEY @/l1', 'SIG KEY @/new');
    });
  });

  it('DEL', async () => {
    await compare(async (stage) => {
      fs.mkdirSync(`${stage.t}/full`);
      fs.writeFileSync(`${stage.t}/full/x`, '');
      fs.writeFileSync(`${stage.t}/f`, 'gone');
      fs.symlinkSync('f', `${stage.t}/l`);
      stage.scan();
      await stage.say(
        'DEL KEY @/full',
        'DEL KEY @/full/x',
        'DEL KEY @/full',
        'DEL KEY @/f',
        'DEL KEY @/f',
        'DEL KEY @/l',
      );
      await stage.say('DEL KEY @/none/x', 'DEL KEY @/x~', 'SIG KEY @/f');
    });
  });

  it('attributes of what is there, and of what is not', async () => {
    await compare(async (stage) => {
      fs.writeFileSync(`${stage.t}/f`, 'content', { mode: 0o444 });
      stage.scan();
      await stage.say('SETOWN KEY @/f 5 6', 'SETMOD KEY @/f 35309', 'SETIME KEY @/f 77', 'SIG KEY @/f');
      await stage.say(
        'SETOWN KEY @/none 1 1',
        'SETMOD KEY @/none 420',
        'SETIME KEY @/none 1',
        'SETOWN KEY @/none/x 1 1',
      );
    });
  });
});

describe('conflicts', () => {
  it.each([
    'DEL KEY @/f',
    'MKDIR KEY @/f',
    'MKLINK KEY @/f x',
    'MKFIFO KEY @/f',
    'SETOWN KEY @/f 1 1',
    'SETMOD KEY @/f 420',
    'PATCH KEY @/f',
    'SIG KEY @/f',
    'GETTM KEY @/f',
    'SETIME KEY @/f 100',
  ])('a local edit that nobody scanned: %s', async (line) => {
    await compare(async (stage) => {
      fs.writeFileSync(`${stage.t}/f`, 'old');
      fs.utimesSync(`${stage.t}/f`, 1000, 1000);
      stage.scan();
      fs.writeFileSync(`${stage.t}/f`, 'new content');
      fs.utimesSync(`${stage.t}/f`, 2000, 2000);
      if (line.startsWith('PATCH')) await stage.patch(line, literalDelta('theirs'));
      else await stage.say(line);
    });
  });

  it('a local removal and a local creation that nobody scanned', async () => {
    await compare(async (stage) => {
      fs.writeFileSync(`${stage.t}/f`, 'old');
      stage.scan();
      fs.unlinkSync(`${stage.t}/f`);
      fs.writeFileSync(`${stage.t}/mine`, 'mine');
      await stage.patch('PATCH KEY @/f', literalDelta('theirs'));
      await stage.patch('PATCH KEY @/mine', literalDelta('theirs'));
      await stage.say('DEL KEY @/f', 'MKDIR KEY @/mine');
    });
  });

  it('FLUSH settles it, and so does MARK the other way', async () => {
    await compare(async (stage) => {
      fs.writeFileSync(`${stage.t}/f`, 'mine');
      await stage.patch('PATCH KEY @/f', literalDelta('theirs'));
      await stage.say('FLUSH KEY @/f');
      await stage.patch('PATCH KEY @/f', literalDelta('theirs'));
      await stage.say('SETOWN KEY @/f 0 0', 'SETMOD KEY @/f 33188', 'SETIME KEY @/f 3000', 'FLUSH KEY @/none');
      await stage.say('MARK KEY @/f', 'MARK KEY @/none', 'DEL KEY @/f');
    });
  });

  it('a slave may write nothing', async () => {
    await compare(async (stage) => {
      fs.writeFileSync(`${stage.t}/f`, 'mine');
      stage.scan();
      await stage.connect(SLAVE);
      for (const verb of ['SIG', 'DEL', 'FLUSH', 'MARK', 'MKDIR', 'GETTM', 'TYPE']) await stage.say(`${verb} KEY @/f`);
      await stage.patch('PATCH KEY @/f', literalDelta('theirs'));
    });
  });

  it('a host that is in no group may do nothing', async () => {
    await compare(async (stage) => {
      fs.writeFileSync(`${stage.t}/f`, 'mine');
      await stage.connect(STRANGER);
      for (const verb of ['SIG', 'DEL', 'FLUSH', 'MARK', 'MKDIR', 'GETTM', 'TYPE']) await stage.say(`${verb} KEY @/f`);
    });
  });
});
