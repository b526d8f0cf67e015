/** Two hosts set up with nothing but what `csx init` prints; and init as it asks. */

import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { put } from '../support/cluster.js';
import { runCsx } from '../support/csx.js';
import type { CsxResult } from '../support/csx.js';
import { runAnswering } from '../support/answers.js';
import { readTree } from '../support/tree.js';

const PROGRAM = fileURLToPath(new URL('../../bin/csx', import.meta.url));
const [ONE, TWO] = ['127.33.3.1', '127.33.3.2'];

let root: string;
let daemons: ChildProcess[];

beforeEach(() => {
  // Two machines on one disk: what is below 1/ on the first is below 2/ on the second.
  root = mkdtempSync(path.join(tmpdir(), 'csx-init-'));
  for (const name of ['1/tree', '2/tree']) mkdirSync(path.join(root, name), { recursive: true });
  daemons = [];
});

afterEach(async () => {
  for (const daemon of daemons) {
    daemon.kill('SIGKILL');
    if (daemon.exitCode === null && daemon.signalCode === null)
      await new Promise((resolve) => daemon.once('exit', resolve));
  }
  rmSync(root, { recursive: true, force: true });
});

/** The indented lines below a heading. */
function below(heading: string, printed: string): readonly string[] {
  const lines = printed.split('\n');
  const start = lines.indexOf(heading) + 1;
  expect(start, printed).toBeGreaterThan(0);
  const end = lines.findIndex((line, index) => index >= start && !line.startsWith('  '));
  return lines.slice(start, end < 0 ? undefined : end).map((line) => line.trim());
}

/** A command as typed on the second machine. */
const onTwo = (command: string): string => command.replaceAll(`${root}/1`, `${root}/2`);

function wordsOf(command: string): readonly string[] {
  const [program, ...words] = command.split(' ');
  expect(program).toBe('csx');
  return words;
}

const run = (command: string): Promise<CsxResult> => runCsx(wordsOf(command));

async function startDaemon(command: string, address: string): Promise<void> {
  const daemon = spawn(PROGRAM, wordsOf(command), { stdio: ['ignore', 'ignore', 'pipe'] });
  daemons.push(daemon);
  let log = '';
  daemon.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
  for (let tries = 0; !(await answers(address)); tries++) {
    expect(daemon.exitCode, log).toBeNull();
    expect(tries, log).toBeLessThan(500);
    await sleep(20);
  }
}

function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(30865, address);
    const settle = (value: boolean) => (): void => {
      socket.destroy();
      resolve(value);
    };
    socket.once('connect', settle(true)).once('error', settle(false));
  });
}

it('two hosts converge with nothing but what init prints', async () => {
  put(`${root}/1/tree/index.html`, 'hello');
  put(`${root}/1/tree/sub/page`, 'page');
  put(`${root}/1/tree/index.html~`, 'backup');
  const made = await runCsx([
    ...['init', '--host', ONE, '--host', TWO, '--include', '%www%', '--exclude', '*~', '--group', 'www'],
    ...['--prefix', `www@${ONE}=${root}/1/tree`, '--prefix', `www@${TWO}=${root}/2/tree`],
    ...['--system-dir', `${root}/1/etc`, '-N', ONE, '-D', `${root}/1/db/`],
  ]);
  expect(made).toMatchObject({ status: 0, stderr: '' });

  // Copies, as printed: ssh and scp are functions that reach the second machine's directory.
  const copies = below(`Copy to ${TWO}`, made.stdout);
  expect(copies).toHaveLength(2);
  const shell = `
    there() { printf '%s' "\${1/${root.replaceAll('/', '\\/')}\\/1/${root.replaceAll('/', '\\/')}\\/2}"; }
    ssh() { [ "$1" = root@${TWO} ] && sh -c "$(there "$2")"; }
    scp() { shift; local to="\${@: -1}"; [ "\${to%%:*}" = root@${TWO} ] && cp -p "\${@:1:$#-1}" "$(there "\${to#*:}")"; }`;
  execFileSync('bash', ['-euc', `${shell}\n${copies.join('\n')}`]);
  expect(existsSync(`${root}/2/etc/csync2_ssl_key.pem`)).toBe(false);

  const [join, serve, ...noMore] = below(`Then on ${TWO}`, made.stdout).map(onTwo);
  expect(noMore).toEqual([]);
  const joined = await run(join!);
  expect(joined).toMatchObject({ status: 0, stderr: '' });
  expect(joined.stdout).toContain(`${TWO} is ready.`);
  await startDaemon(serve!, TWO);

  const [daemon, plan, apply] = below('Here', made.stdout);
  await startDaemon(daemon!, ONE);
  const planned = await run(plan!);
  expect(planned.status).toBe(0);
  expect(planned.stdout).toMatch(/Plan: \d to create, 0 to update, 0 to delete, 0 conflicts/);
  expect(Object.keys(readTree(`${root}/2/tree`))).toEqual(['.']);
  const applied = await runAnswering(wordsOf(apply!), [{ question: "Only 'yes' is accepted:", answer: 'yes' }]);
  expect(applied.status, applied.screen).toBe(0);
  expect(readFileSync(`${root}/2/tree/index.html`, 'utf8')).toBe('hello');
  expect(readFileSync(`${root}/2/tree/sub/page`, 'utf8')).toBe('page');
  expect(existsSync(`${root}/2/tree/index.html~`)).toBe(false);

  // And back: the second host sends what was changed there.
  writeFileSync(`${root}/2/tree/sub/page`, 'changed there');
  const back = await run(`${onTwo(apply!).replace(`-N ${ONE}`, `-N ${TWO}`)} --auto-approve`);
  expect(back.status, back.stderr).toBe(0);
  expect(readFileSync(`${root}/1/tree/sub/page`, 'utf8')).toBe('changed there');

  const doctor = await run(apply!.replace('apply', 'doctor'));
  expect(doctor.stdout).toMatch(/\nNothing is wrong\.\n$/);
});

it('asks on a terminal for what it was not told', async () => {
  const shown = await runAnswering(
    ['init', '--system-dir', `${root}/1/etc`, '-N', ONE, '-D', `${root}/1/db/`],
    [
      { question: 'Hosts, with spaces between them:', answer: `${ONE} ${TWO}` },
      { question: 'Directories and files to keep the same:', answer: 'relative' },
      { question: 'is no absolute path', answer: '/srv/www /srv/more' },
      { question: 'Leave out (patterns):', answer: '*.tmp' },
      { question: 'Name of the group:', answer: 'web' },
    ],
  );
  expect(shown.status, shown.screen).toBe(0);
  const config = readFileSync(`${root}/1/etc/csync2.cfg`, 'utf8');
  for (const line of [
    `host ${ONE} ${TWO};`,
    'include /srv/www;',
    'include /srv/more;',
    'exclude *.tmp;',
    'key csync2.key_web;',
  ]) {
    expect(config).toContain(line);
  }
});

it('writes nothing when it is interrupted at a question', async () => {
  const shown = await runAnswering(
    ['init', '--system-dir', `${root}/1/etc`, '-N', ONE, '-D', `${root}/1/db/`, '--host', `${ONE},${TWO}`],
    [{ question: 'Directories and files to keep the same:', answer: '\x03' }],
  );
  expect([shown.status, shown.screen.includes('nothing was changed')], shown.screen).toEqual([130, true]);
  expect(existsSync(`${root}/1/etc`)).toBe(false);
});

it('ends with a sentence when the input ends at a question, at the first one and behind a refused answer', async () => {
  const place = ['--system-dir', `${root}/1/etc`, '-N', ONE, '-D', `${root}/1/db/`];
  for (const answers of [
    [{ question: 'Directories and files to keep the same:', answer: '\x04' }],
    [
      { question: 'Directories and files to keep the same:', answer: 'relative' },
      // Ctrl-D ends the input on an empty line alone.
      { question: 'is no absolute path', answer: '\x15' },
      { question: 'Directories and files to keep the same:', answer: '\x04' },
    ],
  ]) {
    const shown = await runAnswering(['init', ...place, '--host', `${ONE},${TWO}`], answers);
    expect([shown.status, shown.screen.includes('nothing was written')], shown.screen).toEqual([130, true]);
    expect(shown.screen).not.toContain('unsettled');
    expect(existsSync(`${root}/1/etc`)).toBe(false);
  }
});

it('does not ask where nobody is, and says what it has to be told', async () => {
  const result = await runCsx(['init', '--system-dir', `${root}/1/etc`, '-N', ONE, '--host', ONE]);
  expect(result.status).toBe(64);
  expect(result.stderr).toContain('csx init --host web1 --host web2 --include /etc/apache2');
  expect(existsSync(`${root}/1/etc`)).toBe(false);
});

it('tells programs the same, and fails on what is there', async () => {
  const args = ['init', '--json', '--host', `${ONE},${TWO}`, '--include', '/srv', '--system-dir', `${root}/1/etc`];
  const all = [...args, '-N', ONE, '-D', `${root}/1/db/`];
  const made = JSON.parse((await runCsx(all)).stdout) as {
    other_hosts: { host: string; copy: string[] }[];
    files: { made: boolean }[];
  };
  expect(made.other_hosts[0]!.host).toBe(TWO);
  expect(made.files.every((file) => file.made)).toBe(true);
  const again = await runCsx(all);
  expect(again.status).toBe(1);
  expect(JSON.parse(again.stdout)).toMatchObject({ error: { code: 'WRITE_FAILED' } });
});
