/** The questions of csx resolve in a real terminal, on the keyboard alone. */

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { put, startCluster } from '../support/cluster.js';
import type { Cluster } from '../support/cluster.js';
import { textWidth } from '../../src/views/width.js';
import { startTerminal } from '../support/terminal.js';
import type { Terminal } from '../support/terminal.js';

const CSX = fileURLToPath(new URL('../../bin/csx', import.meta.url));
/** The question, not answered yet: nothing was typed behind it. */
const PROMPT = /l p b m d s L P q:\s*$/;

describe('the questions about conflicts', () => {
  let cluster: Cluster;
  let here: string;
  let there: string;
  let terminal: Terminal | undefined;

  beforeAll(async () => {
    cluster = await startCluster({ block: '127.32.2', peers: 1 });
    [here, there] = cluster.trees as [string, string];
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) put(`${here}/${name}`, 'common\n');
    expect((await cluster.csx('apply', '--auto-approve')).status).toBe(0);
  });
  afterEach(() => {
    terminal?.kill();
  });
  afterAll(async () => {
    await cluster.stop();
  });

  function conflict(...names: readonly string[]): void {
    for (const name of names) {
      writeFileSync(`${here}/${name}`, `first\nhere ${name}\n`);
      writeFileSync(`${there}/${name}`, `first\nover there ${name}\n`);
    }
  }

  function start(columns: number, env: Record<string, string> = {}, verb = 'resolve'): Terminal {
    const place = ['-N', cluster.hosts[0]!, '-D', cluster.databaseDirectory];
    terminal = startTerminal([CSX, verb, ...place], {
      columns,
      rows: 24,
      env: { CSYNC2_SYSTEM_DIR: cluster.systemDirectory, ...env },
    });
    return terminal;
  }

  /** No line is wider than the window; but a path is never cut, and the result stays one line for those who look for it. */
  function fits(person: Terminal, columns: number): void {
    const wide = person
      .lines()
      .filter((line) => textWidth(line) > columns && !line.includes(cluster.root) && !line.startsWith('Applied: '));
    expect(wide).toEqual([]);
  }

  const read = (root: string, name: string): string => readFileSync(`${root}/${name}`, 'utf8');

  it('ask one after the other, show a diff, and carry out what was answered', async () => {
    conflict('a', 'b', 'c', 'd');
    const person = start(80);
    const first = await person.until(PROMPT);
    expect(first).toContain('Conflict 1 of 4: %t%/a');
    expect(first).toMatch(/l\s+keep local \(127\.32\.2\.2 gets this version\)/);
    expect(first).toMatch(/here\s+13 bytes/);
    person.type('d\r');
    const diff = await person.until(PROMPT);
    expect(diff).toContain('-over there a');
    expect(diff).toContain('+here a');
    person.type('x\r');
    await person.until(/One of l p b m d s L P q/);
    person.type('p\r');
    expect(await person.until(PROMPT)).toContain('Conflict 2 of 4: %t%/b');
    person.type('l\r');
    expect(await person.until(PROMPT)).toContain('Conflict 3 of 4: %t%/c');
    person.type('b\r');
    expect(await person.until(PROMPT)).toContain('Conflict 4 of 4: %t%/d');
    person.type('s\r');
    expect(await person.exit()).toBe(3);
    fits(person, 80);
    expect([read(here, 'a'), read(there, 'a')]).toEqual(Array(2).fill('first\nover there a\n'));
    expect([read(here, 'b'), read(there, 'b')]).toEqual(Array(2).fill('first\nhere b\n'));
    expect([read(here, 'c'), read(there, 'c')]).toEqual(Array(2).fill('first\nhere c\n'));
    expect(read(here, 'c.from-127.32.2.2')).toBe('first\nover there c\n');
    expect([read(here, 'd'), read(there, 'd')]).toEqual(['first\nhere d\n', 'first\nover there d\n']);
  });

  it('fit a window that is made narrower, and take one answer for all that remain', async () => {
    conflict('e', 'f');
    const person = start(80);
    await person.until(PROMPT);
    person.resize(48, 24);
    // The answer to this comes when the new size is known.
    person.type('x\r');
    await person.until(/One of l p b m d s L P q/);
    person.type('s\r');
    await person.until(/Conflict 2 of 3[^]*l p b m d s L P q:\s*$/);
    fits(person, 48);
    person.type('P\r');
    expect(await person.exit()).toBe(3);
    expect([read(here, 'e'), read(here, 'f')]).toEqual(['first\nover there e\n', 'first\nover there f\n']);
    expect(read(here, 'd')).toBe('first\nhere d\n');
  });

  it('merge in the editor, and stop without doing anything', async () => {
    const editor = path.join(cluster.root, 'editor');
    writeFileSync(editor, '#!/bin/sh\ngrep -v "^[<=>]" "$1" > "$1.new"; mv "$1.new" "$1"\n', { mode: 0o755 });
    const first = start(80, { VISUAL: editor });
    await first.until(PROMPT);
    first.type('q\r');
    expect(await first.exit()).toBe(8);
    expect(read(there, 'd')).toBe('first\nover there d\n');
    const second = start(80, { VISUAL: editor });
    await second.until(PROMPT);
    second.type('m\r');
    expect(await second.exit()).toBe(0);
    expect([read(here, 'd'), read(there, 'd')]).toEqual(Array(2).fill('first\nhere d\nover there d\n'));
  });

  it('take L for all that remain, from the first on', async () => {
    conflict('e', 'f');
    const person = start(80);
    await person.until(PROMPT);
    person.type('L\r');
    expect(await person.exit()).toBe(0);
    expect([read(there, 'e'), read(there, 'f')]).toEqual(['first\nhere e\n', 'first\nhere f\n']);
  });

  it('come before csx apply shows the plan, which then holds the answers, and is approved as a whole', async () => {
    conflict('a');
    writeFileSync(`${here}/b`, 'changed here only\n');
    const person = start(80, {}, 'apply');
    expect(await person.until(PROMPT)).toContain('%t%/a');
    person.type('p\r');
    const shown = await person.until(/Only 'yes' is accepted/);
    expect(shown.replaceAll(/\s+/g, ' ')).toContain("127.32.2.2's version comes here");
    expect(read(here, 'a')).toBe('first\nhere a\n');
    person.type('yes\r');
    expect(await person.exit()).toBe(0);
    expect([read(here, 'a'), read(there, 'a')]).toEqual(Array(2).fill('first\nover there a\n'));
    expect(read(there, 'b')).toBe('changed here only\n');
  });
});
