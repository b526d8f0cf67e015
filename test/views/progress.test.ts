import { spawn } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { Event } from '../../src/model/events.js';
import type { Bytes } from '../../src/model/names.js';
import type { ActionInvocation } from '../../src/model/plan.js';
import { plainLines } from '../../src/views/progress/plain.js';
import { createProgress } from '../../src/views/progress/progress.js';
import type { Progress } from '../../src/views/progress/progress.js';
import { newRate } from '../../src/views/progress/rate.js';
import { newProgress, roundOf, sentTo, take } from '../../src/views/progress/state.js';
import { peersWords, peerWords } from '../../src/views/progress/words.js';
import type { Output } from '../../src/views/terminal.js';
import { name, peer } from '../support/sample-plan.js';
import { FakeScreen } from '../support/screen.js';

const refused = {
  severity: 'error',
  code: 'PEER_UNREACHABLE',
  summary: 'Connecting to web3 (10.0.0.3, port 30865) failed: connection refused.',
} as const;
const action: ActionInvocation = {
  host: peer('web1'),
  group: 'web',
  command: 'newaliases\x1b[2J' as Bytes,
  logfile: '' as Bytes,
  when: 'local',
  triggeredBy: [],
};

/** `peers` peers, each third of them down, in the middle of an apply. */
function applying(peers: number): Event[] {
  const names = Array.from({ length: peers }, (_, index) => peer(`web${String(index + 2)}`));
  return [
    { type: 'scan_start', known: 33_042 },
    { type: 'scan_progress', entries: 12_000, at: name('/etc/\x1b[31mhosts') },
    { type: 'scan_complete', entries: 33_100, drift: 12 },
    ...names.flatMap((each, index): Event[] =>
      index % 3 === 1
        ? [
            { type: 'peer_connecting', peer: each, address: '10.0.0.3' },
            { type: 'peer_unreachable', peer: each, problem: refused },
          ]
        : [
            { type: 'apply_start', peer: each, changes: 60, bytes: 60_000 },
            { type: 'peer_connecting', peer: each, address: '10.0.0.2' },
            { type: 'peer_connected', peer: each, tls: true },
            { type: 'change_complete', peer: each, path: name('/etc/a'), action: 'update', bytes: 1_000 },
            { type: 'change_errored', peer: each, path: name('/etc/b'), action: 'update', problem: refused },
            { type: 'apply_progress', peer: each, path: name('/etc/c'), bytes: 500 },
          ],
    ),
  ];
}

const open: Progress[] = [];
afterEach(() => {
  for (const progress of open.splice(0)) progress.stop();
});

function onScreen(columns: number, rows: number): { screen: FakeScreen; progress: Progress } {
  const screen = new FakeScreen(columns, rows);
  const output: Output = {
    write: (text) => {
      screen.write(text);
    },
    columns,
    rows,
    isTTY: true,
    color: 1,
  };
  const progress = createProgress('auto', output);
  open.push(progress);
  return { screen, progress };
}

/** Waits until the screen shows it; the deadline is the test's. */
async function until(screen: FakeScreen, text: string | RegExp): Promise<void> {
  while (!screen.text().match(text)) await sleep(20);
}

describe('the tree', () => {
  it('shows phases and peers, and is gone when it is stopped', async () => {
    const { screen, progress } = onScreen(80, 24);
    screen.write('$ csx apply\n');
    for (const event of applying(3)) progress.report(event);
    expect(screen.text()).toBe('$ csx apply');
    await until(screen, /web4/);
    const lines = screen.text().split('\n');
    expect(lines.slice(0, 3)).toEqual([
      '$ csx apply',
      '✔ Scanned 33,100 files, 12 changed',
      expect.stringMatching(/^❯ Applying: 1 of 3 peers done/),
    ]);
    expect(lines[3]).toMatch(/^ {2}\S web2 {2}2 of 60 changes, 1\.5 kB of 60\.0 kB, 1 failed/);
    expect(lines[4]).toMatch(/^ {2}✖ web3 {2}not reached: Connecting to web3 \(10\.0\.0\.3, port 30865\) failed: .*…$/);
    expect(screen.cursorVisible).toBe(false);
    progress.report({ type: 'action_start', action });
    await until(screen, /Running: newaliases\\x1b\[2J on web1/);
    progress.report({ type: 'interrupt', signal: 'SIGINT' });
    await until(screen, /Stopping after what is under way/);
    progress.stop();
    expect(screen.text()).toBe('$ csx apply');
    expect(screen.cursorVisible).toBe(true);
    await sleep(250);
    expect(screen.text()).toBe('$ csx apply');
    expect(screen.cursorVisible).toBe(true);
  });

  it.each([
    [80, 24, 60],
    [60, 8, 20],
    [40, 5, 20],
    [80, 3, 4],
    [20, 10, 7],
  ])('never grows past a window of %i columns and %i rows with %i peers', async (columns, rows, peers) => {
    const { screen, progress } = onScreen(columns, rows);
    for (const event of applying(peers)) progress.report(event);
    await until(screen, /Appl/);
    progress.report({ type: 'action_start', action });
    progress.report({ type: 'interrupt', signal: 'SIGINT' });
    await until(screen, /Stopp/);
    expect(screen.scrolled).toBe(0);
    expect(screen.highest).toBeLessThan(rows);
    progress.stop();
    expect(screen.text()).toBe('');
  });

  it('counts the peers that have no row of their own, those under way come first', async () => {
    const { screen, progress } = onScreen(80, 9);
    for (const event of applying(30)) progress.report(event);
    await until(screen, /more/);
    expect(screen.text()).toMatch(/web2 .*\n.*web4 .*\n.*web5 .*\n +\.\.\. and 27 more: 17 under way, 10 done/);
  });

  it('leaves the terminal to a prompt while it is paused', async () => {
    const { screen, progress } = onScreen(80, 24);
    for (const event of applying(3)) progress.report(event);
    await until(screen, /web2/);
    progress.pause();
    expect(screen.text()).toBe('');
    expect(screen.cursorVisible).toBe(true);
    screen.write('Overwrite? y\n');
    progress.report({ type: 'change_complete', peer: peer('web2'), path: name('/x'), action: 'update', bytes: 5 });
    await sleep(250);
    expect(screen.text()).toBe('Overwrite? y');
    progress.resume();
    await until(screen, /^Overwrite\? y\n✔ Scanned[^]*web2 {2}3 of 60/);
    progress.stop();
    expect(screen.text()).toBe('Overwrite? y');
  });

  it('writes nothing at all where the work ends within half a second', async () => {
    const { screen, progress } = onScreen(80, 24);
    for (const event of applying(3)) progress.report(event);
    await sleep(100);
    progress.stop();
    await sleep(700);
    expect(screen.highest).toBe(0);
  });

  it('stops cleanly at whatever moment of its start', async () => {
    const moments = [480, 495, 500, 502, 505, 510, 520, 540].map(async (moment) => {
      const { screen, progress } = onScreen(80, 24);
      progress.report({ type: 'scan_start', known: 5 });
      await sleep(moment);
      progress.stop();
      const atOnce = [screen.text(), screen.cursorVisible];
      await sleep(150);
      expect([moment, ...atOnce, screen.text(), screen.cursorVisible]).toEqual([moment, '', true, '', true]);
    });
    await Promise.all(moments);
  });

  it('works in a real terminal, does not keep the process alive, and brings the cursor back', async () => {
    const root = path.join(import.meta.dirname, '../../build/views');
    const program = `
      import { createProgress } from '${root}/progress/progress.js';
      import { outputTo } from '${root}/terminal.js';
      const progress = createProgress('auto', outputTo(process.stderr, 1));
      progress.report({ type: 'scan_start', known: 5 });
      setTimeout(() => { progress.report({ type: 'scan_progress', entries: 3, at: '/etc/hosts' }); }, 900);
      setTimeout(() => { process.stdout.isTTY || process.exit(3); if (process.argv[1] === 'stop') progress.stop(); console.log('END'); }, 1300);
    `;
    for (const how of ['stop', 'leave']) {
      const child = spawn(
        'script',
        ['-qec', `stty cols 70 rows 10; exec "$CSX_NODE" --input-type=module -e "$CSX_PROGRAM" ${how}`, '/dev/null'],
        {
          env: { ...process.env, CSX_NODE: process.execPath, CSX_PROGRAM: program, TERM: 'xterm' },
          stdio: ['ignore', 'pipe', 'inherit'],
          timeout: 20_000,
        },
      );
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      const status = await new Promise((resolve) => child.once('close', resolve));
      expect([how, status]).toEqual([how, 0]);
      expect(text).toContain('Scanning: 3 of about 5 files');
      expect(text.lastIndexOf('\x1b[?25h')).toBeGreaterThan(text.lastIndexOf('\x1b[?25l'));
      if (how === 'stop') expect(text).toMatch(/\x1b\[\?25hEND\r?\n(?:\x1b\[\?25h)?$/);
    }
  });
});

describe('plain lines', () => {
  /** Runs a script of [milliseconds, events] with a tick every quarter of a second; returns the lines. */
  function lines(script: readonly (readonly [number, readonly Event[]])[], end: number): string[] {
    const state = newProgress();
    const written: string[] = [];
    let now = 0;
    const output = {
      write: (text: string) => void written.push(text),
      columns: undefined,
      isTTY: false,
      color: 0,
    } as const;
    const plain = plainLines(state, output, () => now);
    for (; now <= end; now += 250) {
      for (const [at, events] of script)
        if (at >= now && at < now + 250) for (const event of events) take(state, event, now);
      plain.tick();
    }
    return written;
  }

  it('say what goes on ever more rarely, and that it is over', () => {
    const scan: Event[] = [{ type: 'scan_start', known: 33_042 }];
    const written = lines(
      [
        [0, scan],
        [250, [{ type: 'scan_progress', entries: 1_000, at: name('/etc') }]],
        [99_000, [{ type: 'scan_complete', entries: 33_100, drift: 0 }]],
      ],
      120_000,
    );
    expect(written).toEqual([
      'csx: Scanning: 1,000 of about 33,042 files (1.0 s)\n',
      'csx: Scanning: 1,000 of about 33,042 files (2.0 s)\n',
      'csx: Scanning: 1,000 of about 33,042 files (4.0 s)\n',
      'csx: Scanning: 1,000 of about 33,042 files (8.0 s)\n',
      'csx: Scanning: 1,000 of about 33,042 files (16 s)\n',
      'csx: Scanning: 1,000 of about 33,042 files (32 s)\n',
      'csx: Scanning: 1,000 of about 33,042 files (1 min 2 s)\n',
      'csx: Scanning: 1,000 of about 33,042 files (1 min 32 s)\n',
      'csx: Scanned 33,100 files, 0 changed (1 min 39 s)\n',
    ]);
  });

  it('say nothing of what is quick, and name a peer that is down once', () => {
    const written = lines([[0, applying(3)]], 900);
    expect(written).toEqual([
      'csx: web3 not reached: Connecting to web3 (10.0.0.3, port 30865) failed: connection refused.\n',
    ]);
  });

  it('name some of the peers that are under way', () => {
    expect(lines([[0, applying(7)]], 1_000).at(-1)).toBe(
      'csx: Applying: 2 of 7 peers done (1.0 s); web2: 2 of 60 changes, 1.5 kB of 60.0 kB, 1 failed; ' +
        'web4: 2 of 60 changes, 1.5 kB of 60.0 kB, 1 failed; web5: 2 of 60 changes, 1.5 kB of 60.0 kB, 1 failed; 2 more under way\n',
    );
  });

  it('are written by createProgress where stderr is no terminal, and none are with none', async () => {
    const written: string[] = [];
    const output = {
      write: (text: string) => void written.push(text),
      columns: undefined,
      isTTY: false,
      color: 0,
    } as const;
    const none = createProgress('none', output);
    none.report({ type: 'lock_waiting', owner: { pid: 1, command: 'csx apply', since: 0 } });
    const progress = createProgress('auto', output);
    open.push(progress);
    progress.report({ type: 'lock_waiting', owner: { pid: 4711, command: 'csx apply', since: 0 } });
    while (written.length === 0) await sleep(50);
    progress.stop();
    none.stop();
    expect(written[0]).toMatch(/^csx: Waiting for csx apply \(process 4711\) to finish \(1\.\d s\)\n$/);
  });
});

describe('the state', () => {
  it('adds up what was sent, also of files under way', () => {
    const state = newProgress();
    for (const event of applying(1)) take(state, event, 0);
    const one = state.peers.get(peer('web2'))!;
    expect(sentTo(one)).toBe(1_500);
    take(state, { type: 'apply_progress', peer: one.name, path: name('/etc/c'), bytes: 900 }, 0);
    expect(sentTo(one)).toBe(1_900);
    take(state, { type: 'change_complete', peer: one.name, path: name('/etc/c'), action: 'update', bytes: 950 }, 0);
    expect(sentTo(one)).toBe(1_950);
    take(state, { type: 'apply_complete', peer: one.name, changes: 60, bytes: 59_000 }, 9);
    expect([sentTo(one), one.ended]).toEqual([59_000, 9]);
  });

  it('starts the clock of a peer anew when it is applied to after it was asked, and counts only those applied to', () => {
    const state = newProgress();
    for (const each of ['web2', 'web3'].map(peer)) {
      take(state, { type: 'refresh_start', peer: each, files: 5 }, 0);
      take(state, { type: 'refresh_complete', peer: each, files: 5 }, 1_000);
    }
    expect(roundOf(state)).toHaveLength(2);
    take(state, { type: 'apply_start', peer: peer('web2'), changes: 1, bytes: 1 }, 60_000);
    expect(roundOf(state).map((each) => [each.name, each.since, each.ended])).toEqual([['web2', 60_000, undefined]]);
  });

  it('counts changes over every connection that an apply makes: it starts before the first of them', () => {
    const state = newProgress();
    const web2 = peer('web2');
    const words = (): string => [peersWords(roundOf(state)), peerWords(state.peers.get(web2)!, undefined)].join('; ');
    take(state, { type: 'apply_start', peer: web2, changes: 3, bytes: 0 }, 0);
    for (const [done, path] of ['/etc/a', '/etc/b'].entries()) {
      take(state, { type: 'peer_connecting', peer: web2, address: '10.0.0.2' }, 0);
      expect(words()).toBe('Applying: 0 of 1 peer done; connecting to 10.0.0.2');
      take(state, { type: 'peer_connected', peer: web2, tls: true }, 0);
      take(state, { type: 'change_complete', peer: web2, path: name(path), action: 'update', bytes: 0 }, 0);
      expect(words()).toBe(`Applying: 0 of 1 peer done; ${done + 1} of 3 changes`);
    }
    take(state, { type: 'peer_unreachable', peer: web2, problem: refused }, 0);
    take(state, { type: 'apply_complete', peer: web2, changes: 2, bytes: 0 }, 0);
    expect(words()).toBe(`Connecting: 1 of 1 peer done; not reached: ${refused.summary}`);
    // What is asked afterwards is asked, not applied.
    take(state, { type: 'peer_connecting', peer: web2, address: '10.0.0.2' }, 0);
    take(state, { type: 'peer_connected', peer: web2, tls: true }, 0);
    expect(words()).toBe('Connecting: 0 of 1 peer done; connected');
  });

  it('forgets the wait for a lock as soon as anything else happens', () => {
    const state = newProgress();
    take(state, { type: 'lock_waiting', owner: { pid: 1, command: 'x', since: 0 } }, 5);
    take(state, { type: 'lock_waiting', owner: { pid: 2, command: 'y', since: 0 } }, 9);
    expect(state.lock).toEqual({ owner: { pid: 2, command: 'y', since: 0 }, since: 5 });
    take(state, { type: 'scan_start', known: 1 }, 10);
    expect(state.lock).toBeUndefined();
  });

  it('measures a rate over the last seconds only', () => {
    const rate = newRate();
    rate.sample(0, 0);
    expect(rate.value()).toBeUndefined();
    for (let at = 0; at <= 20_000; at += 100) rate.sample(at < 10_000 ? at : 10_000 + (at - 10_000) * 3, at);
    expect(rate.value()).toBeCloseTo(3_000, -1);
    rate.sample(0, 21_000);
    expect(rate.value()).toBeUndefined();
  });
});
