/** The questions of csx resolve in a real terminal where it is not plain sailing: three versions, a failing editor, Ctrl-C, a window that changes. */

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { textWidth } from '../../src/views/width.js';
import { put, startCluster } from '../support/cluster.js';
import type { Cluster } from '../support/cluster.js';
import { startTerminal } from '../support/terminal.js';
import type { Terminal } from '../support/terminal.js';

const CSX = fileURLToPath(new URL('../../bin/csx', import.meta.url));
/** The question, not answered yet: nothing was typed behind it. */
const PROMPT = /l 1 2 b m d s L P q:\s*$/;
/** The same again, after the reason why the last answer was none. */
const REFUSED = /(then Enter|its number)\.\s[^]*l 1 2 b m d s L P q:\s*$/;
const VERSIONS = ['first\nhere\n', 'first\non the second\n', 'first\non the third\n'];

let cluster: Cluster;
let terminal: Terminal | undefined;

beforeAll(async () => {
  cluster = await startCluster({ block: '127.32.40', peers: 2 });
  put(`${cluster.trees[0]!}/file`, 'common\n');
  expect((await cluster.csx('apply', '--auto-approve')).status).toBe(0);
});
beforeEach(() => {
  for (const [index, tree] of cluster.trees.entries()) writeFileSync(`${tree}/file`, VERSIONS[index]!);
});
afterEach(() => {
  terminal?.kill();
});
afterAll(async () => {
  await cluster.stop();
});

function resolve(columns = 80, env: Readonly<Record<string, string>> = {}): Terminal {
  terminal = startTerminal([CSX, 'resolve', '-N', cluster.hosts[0]!, '-D', cluster.databaseDirectory], {
    columns,
    rows: 24,
    env: { CSYNC2_SYSTEM_DIR: cluster.systemDirectory, ...env },
  });
  return terminal;
}

const contents = (): readonly string[] => cluster.trees.map((tree) => readFileSync(`${tree}/file`, 'utf8'));

/** No line is wider than the window; but the result stays one line for those who look for it. */
function fits(person: Terminal, columns: number): void {
  expect(person.lines().filter((line) => textWidth(line) > columns && !/^(@\/dev|Applied: )/.test(line))).toEqual([]);
}

async function stop(person: Terminal): Promise<void> {
  person.type('q\r');
  expect([await person.exit(), contents()]).toEqual([8, VERSIONS]);
}

// In order: the last one settles it.
describe('the question about three versions', () => {
  it('shows all of them on 80 columns, with a number for each that can be taken', async () => {
    const person = resolve();
    const [, second, third] = cluster.hosts as [string, string, string];
    const shown = await person.until(PROMPT);
    for (const side of ['here', second, third]) expect(shown).toMatch(new RegExp(`^ {2}${side} .*bytes`, 'm'));
    expect(shown).toMatch(new RegExp(`^ {2}1 +take ${second}'s version`, 'm'));
    expect(shown).toMatch(new RegExp(`^ {2}2 +take ${third}'s version`, 'm'));
    person.type('d\r');
    const differences = await person.until(PROMPT);
    expect(differences).toContain('-on the second');
    expect(differences).toContain('-on the third');
    fits(person, 80);
    await stop(person);
  });

  it('says why a key is no answer, and waits for another', async () => {
    const person = resolve();
    await person.until(PROMPT);
    for (const [typed, why] of [
      ['', 'One of l 1 2 b m d s L P q, then Enter.'],
      ['3', 'One of l 1 2 b m d s L P q, then Enter.'],
      ['P', 'The peers hold different versions: take one of them by its number.'],
      ['p', 'One of l 1 2 b m d s L P q, then Enter.'],
    ] as const) {
      person.type(`${typed}\r`);
      expect(await person.until(REFUSED)).toContain(why);
    }
    fits(person, 80);
    await stop(person);
  });

  it('comes again when the editor fails, and nothing was decided', async () => {
    const person = resolve(80, { VISUAL: 'exit 1; :' });
    await person.until(PROMPT);
    person.type('m\r');
    const said = await person.until(PROMPT);
    expect(said.replaceAll(/\s+/g, ' ')).toContain('ended with status 1; nothing was changed.');
    fits(person, 80);
    await stop(person);
  });

  it('is left by Ctrl-C, in the middle of an answer too, and by Ctrl-D: nothing was changed', async () => {
    const person = resolve();
    await person.until(PROMPT);
    person.type('1\x03');
    expect([await person.exit(), contents()]).toEqual([130, VERSIONS]);
    expect(person.text()).toContain('nothing was changed');
    expect(person.text()).not.toContain('    at ');
    const other = resolve();
    await other.until(PROMPT);
    other.type('\x04');
    expect([await other.exit(), contents()]).toEqual([8, VERSIONS]);
  });

  it('goes on after Ctrl-Z, when csx is in the foreground again', async () => {
    const person = resolve();
    await person.until(PROMPT);
    const before = person.text().length;
    person.type('\x1a');
    // No shell does it here, and without one Ctrl-Z stops nothing: csx is continued as often as it takes to have come to that.
    const pid = Number(/@(\d+)@/.exec(person.text())?.[1]);
    await expect
      .poll(
        () => {
          process.kill(pid, 'SIGCONT');
          return person.text().slice(before);
        },
        { timeout: 20_000 },
      )
      .toMatch(PROMPT);
    await stop(person);
  });

  it('is what it was when the window is made narrower and wider while an answer is typed', async () => {
    const person = resolve(120);
    await person.until(PROMPT);
    person.type('9');
    await person.until(/q: 9/);
    person.resize(44, 24);
    person.type('9');
    await person.until(/q: 99/);
    // Taken back again, one by one.
    person.type('\x7f\x7fP\r');
    const refused = await person.until(REFUSED);
    expect(refused).toContain('The peers hold different versions: take one\nof them by its number.');
    fits(person, 44);
    person.resize(80, 24);
    person.type('d\r');
    const shown = await person.until(PROMPT);
    expect(shown).toContain('-on the third');
    fits(person, 80);
    person.type('2\r');
    expect(await person.exit()).toBe(0);
    expect(contents()).toEqual(Array(3).fill(VERSIONS[2]));
  });
});
