/** Promises 13, 15 and 16 with the programs as they are run: hostile names, keys that stay secret, operator files that others can write. */

import fs from 'node:fs';
import path from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { put } from '../support/cluster.js';
import { readTree } from '../support/tree.js';
import { KEY, startHosts, stopHosts } from './hosts.js';
import type { Host } from './hosts.js';

let hosts: Host[] | undefined;
let root = '';

afterEach(async () => {
  await stopHosts(hosts);
  hosts = undefined;
});

async function pair(block: string, group = '', silent: readonly number[] = [0]): Promise<[Host, Host]> {
  root = fs.mkdtempSync(path.join(fs.realpathSync('/dev/shm'), 'csx-secrets-'));
  hosts = await startHosts({ block, kinds: ['csx', 'csx'], silent, root, group: group.replaceAll('ROOT', root) });
  return hosts as [Host, Host];
}

const NAMES = [
  '; touch PWNED',
  '$(touch PWNED)',
  '`touch PWNED`',
  "' ; touch PWNED ; '",
  '" ; touch PWNED ; "',
  '-rf',
  '* ?',
  '| touch PWNED',
  '&& touch PWNED',
  'new\nline; touch PWNED',
  'back\\slash',
  '\x1b[31mred\x07',
  'caf\xe9 \xff',
  '%%',
];

it('promise 13: no name reaches a shell unquoted: actions see exactly the names, and nothing of them runs', async () => {
  const [sender, receiver] = await pair(
    '127.34.33',
    `action { exec "cd ROOT && printf '%s\\0' %% >> ROOT/seen"; logfile "ROOT/log"; do-local; }`,
  );
  const strange = NAMES.map((name) => name.replaceAll('PWNED', `${root}/PWNED`.replaceAll('/', '')));
  for (const name of strange) put(`${sender.tree}/${name}`, name);
  const applied = await sender.apply();
  expect(applied.status, applied.stdout + applied.stderr).toBe(0);
  expect(readTree(receiver.tree)).toEqual(readTree(sender.tree));
  for (let wait = 0; wait < 100 && seen().length < 2 * strange.length; wait += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  for (const name of strange) {
    expect(seen().filter((each) => each.endsWith(`/${name}`)).length, JSON.stringify(name)).toBeGreaterThanOrEqual(1);
  }
  const everything = fs.readdirSync(root, { recursive: true, encoding: 'latin1' });
  expect(
    everything.filter((name) => path.basename(name).endsWith('PWNED') && !strange.includes(path.basename(name))),
  ).toEqual([]);
  // Nor does a name reach a terminal or a log as it is.
  for (const text of [applied.stdout, applied.stderr, receiver.log]) expect(text).not.toMatch(/\x1b\[31mred|\x07/);
});

function seen(): string[] {
  const file = `${root}/seen`;
  return fs.existsSync(file) ? fs.readFileSync(file, 'latin1').split('\0') : [];
}

it('promise 15: the key is in no output, log, plan, database or argument list, and must be readable by its owner alone', async () => {
  const [sender, receiver] = await pair('127.34.34');
  put(`${sender.tree}/file`, 'content');
  const plan = `${sender.directory}/plan`;
  const lines: string[] = [];
  const runs = [
    await sender.run(['config', 'check', '-v'], { started: (child) => lines.push(argumentsOf(child.pid)) }),
    await sender.run(['plan', '-v', '--out', plan], { started: (child) => lines.push(argumentsOf(child.pid)) }),
    await sender.run(['plan', '--json']),
    await sender.run(['show', plan, '--json']),
    await sender.run(['apply', plan, '-v']),
    await sender.run(['status', '--json']),
  ];
  expect(runs.map((run) => run.status)).toEqual([0, 0, 0, 0, 0, 0]);
  // With a wrong key on one side errors are told; they tell no key either.
  fs.writeFileSync(`${receiver.systemDirectory}/k`, `${'x'.repeat(64)}\n`, { mode: 0o600 });
  put(`${sender.tree}/file`, 'changed');
  runs.push(await sender.apply({ flags: ['-v'] }));
  expect(runs.at(-1)?.status).toBe(4);
  for (const run of runs) expect(run.stdout + run.stderr).not.toContain(KEY);
  expect(lines.join('\n') + receiver.log).not.toContain(KEY);
  expect(receiver.log).not.toContain('x'.repeat(64));
  for (const host of [sender, receiver]) {
    for (const name of fs.readdirSync(host.databaseDirectory)) {
      expect(fs.readFileSync(`${host.databaseDirectory}/${name}`, 'latin1')).not.toContain(KEY);
    }
  }
  expect(fs.statSync(plan).mode & 0o777).toBe(0o600);
  fs.chmodSync(`${sender.systemDirectory}/k`, 0o644);
  const refused = await sender.run(['plan']);
  expect(refused.status).toBe(1);
  expect(refused.stderr.replaceAll(/\s+/g, ' ')).toContain('chmod 600');
});

function argumentsOf(pid: number | undefined): string {
  return fs.readFileSync(`/proc/${String(pid)}/cmdline`, 'latin1');
}

it('promise 16: operator files that another user can write, own or redirect are refused by root', async () => {
  const [sender] = await pair('127.34.35', '', [0, 1]);
  put(`${sender.tree}/file`, 'content');
  expect((await sender.run(['scan'])).status).toBe(0);
  const config = `${sender.systemDirectory}/csync2.cfg`;
  const key = `${sender.systemDirectory}/k`;
  const cases: readonly (readonly [string, () => void, () => void])[] = [];
  const add = (what: string, spoil: () => void, mend: () => void): void => {
    (cases as (readonly [string, () => void, () => void])[]).push([what, spoil, mend]);
  };
  for (const file of [config, key, sender.database]) {
    const { mode } = fs.statSync(file);
    add(
      `${file} is writable by all`,
      () => {
        fs.chmodSync(file, mode | 0o002);
      },
      () => {
        fs.chmodSync(file, mode);
      },
    );
    add(
      `${file} belongs to another`,
      () => {
        fs.chownSync(file, 1234, 0);
      },
      () => {
        fs.chownSync(file, 0, 0);
      },
    );
    add(
      `${file} is a link of another's`,
      () => {
        fs.renameSync(file, `${file}.real`);
        fs.symlinkSync(`${file}.real`, file);
        fs.lchownSync(file, 1234, 1234);
      },
      () => {
        fs.unlinkSync(file);
        fs.renameSync(`${file}.real`, file);
      },
    );
  }
  for (const directory of [sender.systemDirectory, sender.databaseDirectory]) {
    add(
      `${directory} is writable by all`,
      () => {
        fs.chmodSync(directory, 0o777);
      },
      () => {
        fs.chmodSync(directory, 0o755);
      },
    );
  }
  for (const [what, spoil, mend] of cases) {
    spoil();
    const refused = await sender.run(['scan']);
    mend();
    expect(refused.status, `${what}: ${refused.stdout}`).toBe(1);
    expect(refused.stderr.replaceAll(/\s+/g, ' '), what).toMatch(/not safe|other users|can be written|belongs to/);
  }
  expect((await sender.run(['scan'])).status).toBe(0);
});
