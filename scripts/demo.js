// `npm start`: a small cluster on loopback addresses, with this machine's world-readable /etc as the tree of its first host.
// Shows the plan, applies it, shows that the next plan is empty, and says what to try next. Everything lies in one
// temporary directory and is removed at the end; nothing outside it is written.

import { spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const CSX = path.relative(process.cwd(), path.join(import.meta.dirname, '..', 'bin', 'csx'));
const ADDRESSES = ['127.86.0.1', '127.86.0.2', '127.86.0.3'];
const [FIRST, SECOND] = ADDRESSES;
const CSYNC2 = '/usr/sbin/csync2';

const colour = process.stdout.isTTY && !process.env.NO_COLOR;
const bold = (text) => (colour ? `\u001b[1m${text}\u001b[0m` : text);
const dim = (text) => (colour ? `\u001b[2m${text}\u001b[0m` : text);

const root = mkdtempSync(path.join(tmpdir(), 'csx-demo-'));
const daemons = [];
const programs = new Map();

try {
  await main();
} catch (error) {
  console.error(`The demonstration failed: ${error.message}`);
  for (const address of programs.keys()) process.stderr.write(readFileSync(logOf(address)));
  process.exitCode = 1;
} finally {
  for (const daemon of daemons) daemon.kill();
  rmSync(root, { recursive: true, force: true });
}

async function main() {
  const tree = path.join(root, FIRST, 'etc-copy');
  for (const address of ADDRESSES) {
    mkdirSync(path.join(root, address, 'system'), { recursive: true });
    mkdirSync(path.join(root, address, 'state'));
    mkdirSync(path.join(root, address, 'etc-copy'));
  }
  copyReadable('/etc', tree);
  const hosts = ADDRESSES.map((address) => `    on ${address}: ${path.join(root, address, 'etc-copy')};`).join('\n');
  const config = `# One file for all hosts; %etc% is another directory on each of them.
prefix etc {
${hosts}
}

group demo {
    host ${ADDRESSES.join(' ')};
    key csync2.key;
    include %etc%;
    exclude *.bak *~;
    action {
        pattern %etc%/hosts;
        exec "echo reloaded because of %%";
        logfile ${path.join(root, 'actions.log')};
    }
}
`;
  const key = path.join(root, FIRST, 'system', 'csync2.key');
  run(['keygen', key, '--quiet']);
  for (const address of ADDRESSES) {
    const system = path.join(root, address, 'system');
    writeFileSync(path.join(system, 'csync2.cfg'), config);
    if (address !== FIRST) cpSync(key, path.join(system, 'csync2.key'));
    as(address);
    run(['cert', '--create', '--quiet', '-N', address]);
  }
  await startPeers();

  say(`Three hosts on loopback addresses, all below ${root}:`);
  for (const [address, program] of programs) {
    const who = address === FIRST ? 'you' : 'a peer';
    say(`  ${address}  ${who}, served by ${program === 'csync2' ? 'the real csync2' : program}`);
  }
  say(`Yours holds a copy of this machine's world-readable /etc; the others are empty. They talk over TLS.`);
  const where = ['-N', FIRST];
  as(FIRST);

  const plan = path.join(root, 'first.plan');
  step('What would be done? A plan changes nothing; this one is saved.');
  show(['plan', '--out', plan, ...where]);
  step('Do exactly that.');
  show(['apply', plan, ...where]);
  step('And again: there is nothing left to do.');
  show(['plan', ...where]);
  step('A change on another host comes back the same way.');
  appendFileSync(path.join(root, SECOND, 'etc-copy', 'hosts'), '192.0.2.7 new-host\n');
  say(dim(`(a line was added to etc-copy/hosts of ${SECOND})`));
  as(SECOND);
  show(['apply', '--auto-approve', '-N', SECOND]);
  as(FIRST);

  const differing = ADDRESSES.slice(1).filter((address) => differs(tree, path.join(root, address, 'etc-copy')));
  if (differing.length > 0) throw new Error(`the trees of ${differing.join(', ')} differ from the first`);
  say('diff -r finds the three trees equal.');
  await tryNext(tree);
}

/** Makes csx act as this host. */
function as(address) {
  process.env.CSYNC2_SYSTEM_DIR = path.join(root, address, 'system');
  process.env.CSYNC2_DATABASE = path.join(root, address, 'state');
}

/** Copies what everybody may read; anything else (keys, shadow) stays where it is. */
function copyReadable(from, to) {
  cpSync(from, to, {
    recursive: true,
    verbatimSymlinks: true,
    preserveTimestamps: true,
    filter: (source) => {
      const stats = lstatSync(source);
      if (stats.isDirectory()) return (stats.mode & 0o005) === 0o005;
      return stats.isSymbolicLink() || (stats.isFile() && (stats.mode & 0o004) !== 0);
    },
  });
}

/** Every host is served by csx, but the last by the real csync2 where it is installed, to show that both get along. */
async function startPeers() {
  for (const [index, address] of ADDRESSES.entries()) {
    const env = { ...process.env, CSYNC2_SYSTEM_DIR: path.join(root, address, 'system') };
    const state = path.join(root, address, 'state');
    const csync2 = index === ADDRESSES.length - 1 && existsSync(CSYNC2);
    const [program, args] = csync2 ? [CSYNC2, ['-ii']] : [path.resolve(CSX), ['daemon', '--quiet']];
    programs.set(address, csync2 ? 'csync2' : 'csx daemon');
    const log = openSync(logOf(address), 'w');
    daemons.push(spawn(program, [...args, '-N', address, '-D', state], { env, stdio: ['ignore', 'ignore', log] }));
    closeSync(log);
    await listening(address);
  }
}

/** What the daemon of a host says; shown when the demonstration fails. */
function logOf(address) {
  return path.join(root, address, 'daemon.log');
}

async function listening(address) {
  for (let attempt = 0; attempt < 200; attempt++) {
    const open = await new Promise((resolve) => {
      const socket = connect(30865, address);
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (open) return;
    await sleep(25);
  }
  throw new Error(
    `the daemon of ${address} does not listen; is port 30865 in use, or csync2 not installed (apt-get install csync2)?`,
  );
}

function run(args) {
  const done = spawnSync(CSX, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  if (done.status !== 0) throw new Error(`csx ${args[0]} ended with status ${done.status}`);
}

function show(args) {
  console.log(dim(`$ ${CSX} ${args.join(' ')}`));
  const done = spawnSync(CSX, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (done.status !== 0) throw new Error(`csx ${args[0]} ended with status ${done.status}`);
  console.log();
}

function differs(a, b) {
  return spawnSync('diff', ['-rq', '--no-dereference', a, b], { stdio: 'inherit' }).status !== 0;
}

function say(text) {
  console.log(text);
}

function step(text) {
  console.log(`\n${bold(text)}`);
}

/** On a terminal the cluster stays up for the reader's own tries. */
async function tryNext(tree) {
  const stays = process.stdin.isTTY && process.stdout.isTTY;
  step(
    stays
      ? 'Try next, as the first host'
      : "The cluster goes now; on a terminal 'npm start' keeps it for tries like these",
  );
  const lines = [
    `export CSYNC2_SYSTEM_DIR=${process.env.CSYNC2_SYSTEM_DIR} CSYNC2_DATABASE=${process.env.CSYNC2_DATABASE} CSX_HOSTNAME=${FIRST}`,
    `echo '127.0.0.1 demo' >> ${tree}/hosts; rm ${tree}/issue`,
    `${CSX} plan`,
    `${CSX} apply`,
    `${CSX} --help`,
  ];
  for (const line of lines) say(`  ${line}`);
  if (!stays) return;
  say(dim('\nThe cluster stays up: use another terminal, then press Enter here to remove it.'));
  await new Promise((resolve) => {
    process.stdin.once('data', resolve);
    process.once('SIGINT', resolve);
  });
  process.stdin.pause();
}
