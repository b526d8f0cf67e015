/**
 * The transcripts in fixtures/wire are what the real csync2 daemon says: each is held again with the daemon that is installed
 * here. `CSX_RECORD=1 vitest run test/engine/wire/transcript.interop.test.ts` writes them anew.
 */

import {
  chmodSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startCsync2 } from '../../support/csync2-daemon.js';
import type { Csync2Host } from '../../support/csync2-daemon.js';
import { DIRECTORY, formatTranscript, readTranscripts } from './transcript.js';
import type { Step } from './transcript.js';

const KEY = 'k'.repeat(64);
const OTHER = 'x'.repeat(64);
const [ME, PEER] = ['127.22.2.1', '127.22.2.2'];
const OPEN = `CONFIG \nHELLO ${ME}\n`;
const f = (verb: string, name: string, ...rest: string[]): string =>
  [verb, KEY, `%25d%25/${name}`, ...rest].join(' ') + '\n';

/** A delta that makes `text` of nothing. */
function literal(text: string): string {
  return `rs\x02\x36${String.fromCharCode(text.length)}${text}\0`;
}

function body(delta: string): string {
  return `octet-stream ${delta.length}\n${delta}`;
}

/** What each conversation sends, in steps; after each step the daemon's answers are awaited. */
const CONVERSATIONS: Readonly<Record<string, { readonly comment: string; readonly sends: readonly string[] }>> = {
  opening: {
    comment: 'Commands before CONFIG and HELLO, wrong names, unknown verbs, a second GROUP.',
    sends: [
      'config\n',
      f('SIG', 'file') + 'HELLO nobody.invalid\n',
      `GROUP g,h\nGROUP g\nhello\t${ME}\nFOO bar\nSSL\n\n \t\n${f('SIG', 'file').trim()}\r\nBYE now\n`,
    ],
  },
  'not-csync2': { comment: 'Anything but SSL or CONFIG first.', sends: ['GET / HTTP/1.0\n'] },
  signatures: {
    comment: 'SIG of all that a path can be.',
    sends: [
      OPEN,
      [
        'file',
        'empty',
        'a%20name%09with%25%C3%A4\xff',
        'dir',
        'link',
        'absent',
        'nodir/absent',
        'link/inside',
        'file/below',
      ]
        .map((name) => f('SIG', name))
        .join(''),
      `SIG ${OTHER} %25d%25/file\nSIG ${KEY} /outside\nSIG\nSIG ${KEY}\n`,
      `BYE\n`,
    ],
  },
  queries: {
    comment: 'GETTM, GETSZ, MARK, FLUSH, LIST with one key that counts and one that does not.',
    sends: [
      OPEN,
      ['file', 'link', 'absent'].map((name) => f('GETTM', name) + f('GETSZ', name)).join(''),
      f('MARK', 'file') + f('SETMOD', 'file', '33188') + f('FLUSH', 'file') + f('SETMOD', 'file', '33188'),
      `LIST ${PEER} - ${OTHER} ${KEY}\nLIST ${PEER} - ${OTHER}\nBYE\n`,
    ],
  },
  creations: {
    comment: 'MKDIR, MKFIFO, MKLINK, MKSOCK, attributes, DEL, and their refusals.',
    sends: [
      OPEN,
      f('MKDIR', 'new') +
        f('SETOWN', 'new', '0', '0') +
        f('SETMOD', 'new', '16877') +
        f('MKDIR', 'new') +
        f('MKDIR', 'no/where'),
      f('MKFIFO', 'new/fifo') + f('MKLINK', 'new/link', 'some%20target') + f('MKSOCK', 'new/sock') + f('DEL', 'new'),
      f('SETOWN', 'absent', '0', '0') + f('SETMOD', 'absent', '33188') + f('SETIME', 'absent', '1000000000'),
      f('DEL', 'new/fifo') + f('DEL', 'new/link') + f('DEL', 'absent') + 'BYE\n',
    ],
  },
  patches: {
    comment: 'PATCH accepted, refused, without a delta, with a bad one; what follows leaves with the body.',
    sends: [
      OPEN + f('PATCH', 'new'),
      body(literal('first content')) +
        f('SETMOD', 'new', '33188') +
        f('SETIME', 'new', '1000000000') +
        f('PATCH', 'new'),
      'ERROR\n' + f('SIG', 'new') + f('PATCH', 'new'),
      'octet-stream -1\n' + `PATCH ${OTHER} %25d%25/new\n` + f('PATCH', 'file'),
      f('PATCH', 'new'),
      body('no delta') + f('GETSZ', 'new') + 'BYE\n',
    ],
  },
  content: {
    comment: 'TYPE, refused and allowed; it ends with the connection.',
    sends: [OPEN + `TYPE ${OTHER} %25d%25/file\n`, f('TYPE', 'file')],
  },
};

let tree: string;
let host: Csync2Host;

beforeEach(async () => {
  tree = mkdtempSync(path.join(tmpdir(), 'csx-transcript-'));
  const put = (name: string, content: string): void => {
    writeFileSync(path.join(tree, name), content);
  };
  put('file', 'version 1\n');
  put('empty', '');
  mkdirSync(path.join(tree, 'dir'));
  put('dir/inside', 'in');
  symlinkSync('dir', path.join(tree, 'link'));
  const odd = Buffer.concat([Buffer.from(`${tree}/`), Buffer.from('a name\twith%\xc3\xa4\xff', 'latin1')]);
  writeFileSync(odd, 'odd');
  const time = new Date(1_000_000_000_000);
  for (const name of ['file', 'empty', 'dir', 'dir/inside']) {
    chmodSync(path.join(tree, name), name === 'dir' ? 0o755 : 0o644);
    utimesSync(path.join(tree, name), time, time);
  }
  chmodSync(odd, 0o644);
  utimesSync(odd, time, time);
  lutimesSync(path.join(tree, 'link'), time, time);
  const config = `nossl * *; prefix d { on *: ${tree}; } group g { host ${ME} ${PEER}; key k; include %d%; exclude %d%/a*; }
    group h { host ${ME} ${PEER}; key k; include %d%/a*; }`;
  host = await startCsync2({ address: PEER, config, keys: { k: KEY } });
  // The files are known and clean, but `file` is dirty for the peer.
  await host.run(['-cIr', tree]);
  await host.run(['-m', `${tree}/file`]);
});

afterEach(async () => {
  await host.stop();
  rmSync(tree, { recursive: true, force: true });
});

/** Sends step after step; goes on when as much has come as was recorded, or (recording) when nothing has come for a while. */
async function hold(sends: readonly string[], expected: readonly Step[] | undefined): Promise<readonly Step[]> {
  const socket: Socket = connect({ host: PEER, port: 30865, localAddress: ME });
  let received = '';
  const end = new AbortController();
  socket.on('data', (chunk) => (received += chunk.toString('latin1')));
  socket.once('close', () => {
    end.abort();
  });
  socket.on('error', () => undefined);
  const steps: Step[] = [];
  try {
    for (const [index, sent] of sends.entries()) {
      received = '';
      socket.write(Buffer.from(sent, 'latin1'));
      const wanted = expected?.[index]?.answered.length ?? Infinity;
      for (let quiet = 0, seen = 0; quiet < 100 && received.length < wanted && !end.signal.aborted; quiet += 1) {
        await sleep(10);
        if (received.length > seen) quiet = 0;
        seen = received.length;
      }
      steps.push({ sent, answered: received });
    }
  } finally {
    socket.destroy();
  }
  return steps;
}

if (process.env['CSX_RECORD'] === undefined) {
  test.each(readTranscripts())('csync2 still says what $name says', async ({ name, steps }) => {
    expect(steps.map((step) => step.sent)).toEqual(CONVERSATIONS[name]?.sends);
    expect(
      await hold(
        steps.map((step) => step.sent),
        steps,
      ),
    ).toEqual(steps);
  });

  test('every conversation is recorded', () => {
    expect(readTranscripts().map((one) => one.name)).toEqual(Object.keys(CONVERSATIONS).sort());
  });
} else {
  test.each(Object.entries(CONVERSATIONS))('record %s', async (name, { comment, sends }) => {
    const steps = await hold(sends, undefined);
    expect(steps.some((step) => step.answered !== '')).toBe(true);
    writeFileSync(path.join(DIRECTORY, `${name}.txt`), formatTranscript(comment, steps));
  });
}
