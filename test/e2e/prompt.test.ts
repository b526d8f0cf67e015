/** The question of csx apply, in a real terminal: what it shows, what it takes for yes, and when it does not come at all. */

import { existsSync, readFileSync, unlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { put, startCluster } from '../support/cluster.js';
import type { Cluster } from '../support/cluster.js';
import { startTerminal } from '../support/terminal.js';
import type { Terminal } from '../support/terminal.js';
import { readTree } from '../support/tree.js';

const CSX = fileURLToPath(new URL('../../bin/csx', import.meta.url));
const QUESTION = /Only 'yes' is accepted:\s*$/;

let cluster: Cluster;
let here: string;
let there: string;
let person: Terminal | undefined;

beforeAll(async () => {
  cluster = await startCluster({ block: '127.36.4', peers: 1, group: 'auto younger;' });
  [here, there] = cluster.trees as [string, string];
  for (let index = 0; index < 60; index++) put(`${here}/old/${index}`, 'old');
  put(`${here}/kept`, 'kept');
  for (let index = 0; index < 60; index++) put(`${here}/stays/${index}`, 'stays');
  expect((await cluster.csx('apply', '--auto-approve')).status).toBe(0);
  for (let index = 0; index < 60; index++) unlinkSync(`${here}/old/${index}`);
  put(`${here}/kept`, 'changed');
});
afterEach(() => {
  person?.kill();
});
afterAll(async () => {
  await cluster.stop();
});

function apply(...args: string[]): Terminal {
  const place = ['-N', cluster.hosts[0]!, '-D', cluster.databaseDirectory];
  person = startTerminal([CSX, 'apply', ...args, ...place], {
    columns: 100,
    rows: 30,
    env: { CSYNC2_SYSTEM_DIR: cluster.systemDirectory },
  });
  return person;
}

const untouched = (): boolean => existsSync(`${there}/old/0`) && readFileSync(`${there}/kept`, 'utf8') === 'kept';

// In order: the last one carries it out.
describe('the question of apply', () => {
  it.each(['no', 'y', 'YES', 'yes please', ''])('takes %j for no', async (answer) => {
    const terminal = apply();
    await terminal.until(QUESTION);
    terminal.type(`${answer}\r`);
    expect([await terminal.exit(), untouched()]).toEqual([8, true]);
    expect(terminal.text()).toContain('Declined. Nothing was changed.');
  });

  it('is left by Ctrl-C as anything else is, and by the end of input', async () => {
    const terminal = apply();
    await terminal.until(QUESTION);
    terminal.type('\x03');
    expect([await terminal.exit(), untouched()]).toEqual([130, true]);
    expect(terminal.text()).toContain('nothing was changed');
    expect(terminal.text()).not.toContain('    at ');
    const other = apply();
    await other.until(QUESTION);
    other.type('\x04');
    expect([await other.exit(), untouched()]).toEqual([8, true]);
  });

  it('shows what will be destroyed, by name, and with yes it is done', async () => {
    const terminal = apply();
    const shown = await terminal.until(QUESTION);
    expect(shown).toContain('60 files will be deleted:');
    expect(shown.match(/:%t%\/old\/\d+/g)?.length).toBeGreaterThanOrEqual(20);
    expect(shown).toContain('... and 40 more');
    terminal.type('yes\r');
    expect(await terminal.exit()).toBe(0);
    expect(readTree(there)).toEqual(readTree(here));
  });

  it('does not come when there is nothing to do', async () => {
    const terminal = apply();
    expect(await terminal.exit()).toBe(0);
    expect(terminal.text()).not.toContain('accepted');
  });

  it('does not come with --auto-approve, and with --no-input it is an error that names the flag', async () => {
    put(`${here}/kept`, 'changed again');
    const refused = apply('--no-input');
    expect(await refused.exit()).toBe(64);
    expect(refused.text()).toContain('--auto-approve');
    const terminal = apply('--auto-approve');
    expect(await terminal.exit()).toBe(0);
    expect(terminal.text()).not.toContain('accepted');
    expect(readTree(there)).toEqual(readTree(here));
  });
});
