/** Which commands make which change. */

import { describe, expect, it } from 'vitest';
import { stepsOf } from '../../../src/engine/update/steps.js';
import { parseCheckText } from '../../../src/model/checktxt.js';
import type { CheckText } from '../../../src/model/checktxt.js';
import type { Aspect, Change, ChangeAction, SideState } from '../../../src/model/plan.js';
import { change } from '../../support/sample-plan.js';

const RAW = { uid: 7, gid: 8, mtime: 99 };
const FILE = 'v1:mtime=12:mode=33188:uid=1:gid=2:type=reg:size=3';
const DIRECTORY = 'v1:mode=16877:uid=1:gid=2:type=dir';

function sideOf(text: string): SideState {
  const entry = parseCheckText(text);
  if (entry === undefined) throw new Error(`no check text: ${text}`);
  return { entry, checktxt: text as CheckText, digest: undefined, signature: undefined };
}

function steps(
  action: ChangeAction,
  after: string | undefined,
  aspects: readonly Aspect[] = [],
  force = false,
): readonly string[] {
  const made: Change = {
    ...change('peer', '/file', action, undefined, undefined),
    aspects,
    force,
    after: after === undefined ? undefined : sideOf(after),
  };
  return stepsOf(made, RAW).map((step) => (step.kind === 'content' ? 'PATCH' : [step.verb, ...step.rest].join(' ')));
}

describe('stepsOf', () => {
  it.each<[string, ChangeAction, string | undefined, readonly Aspect[], readonly string[]]>([
    ['a new file', 'create', FILE, [], ['PATCH', 'SETOWN 1 2', 'SETMOD 33188', 'SETIME 12']],
    ['new content', 'update', FILE, ['content'], ['PATCH', 'SETOWN 1 2', 'SETMOD 33188', 'SETIME 12']],
    [
      'a new mode, which sets off actions as new content does',
      'update',
      FILE,
      ['mode'],
      ['PATCH', 'SETOWN 1 2', 'SETMOD 33188', 'SETIME 12'],
    ],
    ['a new time alone', 'update', FILE, ['mtime'], ['SETIME 12']],
    ['an equal file', 'no-op', FILE, [], ['SETIME 12']],
    ['a new directory', 'create', DIRECTORY, [], ['MKDIR', 'SETOWN 1 2', 'SETMOD 16877', 'SETIME 99']],
    ['an equal directory, to have it recorded', 'no-op', DIRECTORY, [], ['SETIME 99']],
    [
      'a directory in place of a file',
      'update',
      DIRECTORY,
      ['type'],
      ['MKDIR', 'SETOWN 1 2', 'SETMOD 16877', 'SETIME 99'],
    ],
    ['a new link', 'create', 'v1:mode=41471:uid=1:gid=2:type=lnk:target=a%20b', [], ['MKLINK a b', 'SETOWN 1 2']],
    ['an equal link', 'no-op', 'v1:mode=41471:uid=1:gid=2:type=lnk:target=x', [], []],
    [
      'a pipe',
      'create',
      'v1:mtime=1:mode=4516:uid=0:gid=0:type=fifo',
      [],
      ['MKFIFO', 'SETOWN 0 0', 'SETMOD 4516', 'SETIME 1'],
    ],
    [
      'a device',
      'create',
      'v1:mtime=1:mode=8630:uid=0:gid=0:type=chr:dev=259',
      [],
      ['MKCHR 259', 'SETOWN 0 0', 'SETMOD 8630', 'SETIME 1'],
    ],
    ['a socket, which is never sent', 'create', 'v1:mtime=1:mode=49645:uid=0:gid=0:type=sock', [], []],
    ['a removal', 'delete', undefined, [], ['DEL']],
    ['something gone on both sides', 'no-op', undefined, [], []],
    ['what nobody could foresee', 'unknown', FILE, [], []],
    ['a file under ignore uid gid mod', 'create', 'v1:mtime=12:type=reg:size=3', [], ['PATCH', 'SETIME 12']],
    [
      'a file under ignore uid: the real number fills the gap',
      'create',
      'v1:mtime=12:mode=33188:gid=2:type=reg:size=3',
      [],
      ['PATCH', 'SETOWN 7 2', 'SETMOD 33188', 'SETIME 12'],
    ],
  ])('%s', (_, action, after, aspects, expected) => {
    expect(steps(action, after, aspects)).toEqual(expected);
  });

  it('forced, the peer is made to forget its own change first, also of what is equal', () => {
    expect(steps('delete', undefined, [], true)).toEqual(['FLUSH', 'DEL']);
    expect(steps('update', FILE, ['content'], true)[0]).toBe('FLUSH');
    expect(steps('no-op', FILE, [], true)).toEqual(['FLUSH', 'SETIME 12']);
  });
});
