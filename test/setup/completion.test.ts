/** What is offered for which command line. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { offerFor, placeOf } from '../../src/setup/completion/offer.js';
import type { FlagShape, ValueKind, VerbShape } from '../../src/setup/completion/shapes.js';
import { valuesOf } from '../../src/setup/completion/values.js';

function flag(name: string, kind?: ValueKind, more: Partial<NonNullable<FlagShape['value']>> = {}): FlagShape {
  const value = kind === undefined ? undefined : { kind, options: [], multiple: false, commas: false, ...more };
  return { name, char: name === 'hostname' ? 'N' : undefined, summary: '', value };
}

const GLOBAL = [flag('json'), flag('config', 'paths'), flag('system-dir', 'directories'), flag('hostname', 'nothing')];
const PEER = flag('peer', 'peers', { multiple: true, commas: true });
const files = { kind: 'files', options: [], multiple: true } as const;
const one = { kind: 'peers', options: [], multiple: false } as const;
const verb = (words: string, flags: readonly FlagShape[], args: VerbShape['args'] = []): VerbShape => ({
  words: words.split(' '),
  summary: words,
  flags: [...GLOBAL, ...flags],
  args,
});
const VERBS = [
  verb('plan', [PEER, flag('format', 'nothing', { options: ['human', 'html'] })], [files]),
  verb('status', []),
  verb('trust list', []),
  verb('trust add', [], [one, { kind: 'paths', options: [], multiple: false }]),
  verb('db list', [], [{ kind: 'nothing', options: ['files', 'dirty'], multiple: false }]),
];

/** The words offered, or what else is. */
function offered(line: string): unknown {
  const offer = offerFor(line.split(' '), VERBS);
  if (offer.kind === 'words') return offer.words.map(({ word }) => word).join(' ');
  return offer.kind === 'values' ? [offer.of, offer.prefix, offer.start] : offer.kind;
}

describe('an offer', () => {
  it.each([
    ['', 'plan status trust db'],
    ['p', 'plan'],
    ['--json ', 'plan status trust db'],
    ['-N plan ', 'plan status trust db'],
    ['--config x st', 'status'],
    ['trust ', 'list add'],
    ['trust l', 'list'],
    ['nonsense ', ''],
    ['plan --p', '--peer'],
    ['status --p', ''],
    ['plan --json --j', ''],
    ['plan --peer a --p', '--peer'],
    ['plan -', '--json --config --system-dir --hostname --peer --format -N'],
    ['plan --peer ', ['peers', '', '']],
    ['plan --peer web1,we', ['peers', 'web1,', 'we']],
    ['plan --peer=we', ['peers', '--peer=', 'we']],
    ['plan --peer=web1,w', ['peers', '--peer=web1,', 'w']],
    ['plan --format ', 'human html'],
    ['plan --format=ht', '--format=html'],
    ['plan --config ', 'paths'],
    ['plan --system-dir ', 'directories'],
    ['plan -N ', ''],
    ['plan /e', ['files', '', '/e']],
    ['plan /etc /s', ['files', '', '/s']],
    ['plan -- -', ['files', '', '-']],
    ['trust add ', ['peers', '', '']],
    ['trust add web1 ', 'paths'],
    ['trust add web1 file ', ''],
    ['db list d', 'dirty'],
    ['status ', ''],
  ])('for "%s"', (line, expected) => {
    expect(offered(line)).toEqual(expected);
  });

  it('takes the place of the configuration from the line', () => {
    const place = placeOf('-Nweb1 plan --system-dir=/a --config b --system-dir /c --peer '.split(' '), VERBS);
    expect(Object.fromEntries(place)).toEqual({ hostname: 'web1', 'system-dir': '/c', config: 'b' });
  });
});

describe('values of the configuration', () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), 'csx-completion-'));
    for (const name of ['etc', 'tree/sub', 'tree/sülz', 'data/deep', 'other'])
      mkdirSync(path.join(root, name), { recursive: true });
    for (const name of ['tree/summary', 'tree/left~', 'tree/new\nline', 'data/deep/file'])
      writeFileSync(path.join(root, name), '');
    writeFileSync(path.join(root, 'etc/k'), 'k'.repeat(64), { mode: 0o600 });
    writeFileSync(
      path.join(root, 'etc/csync2.cfg'),
      `prefix data { on *: ${root}/data; } group web { host me peer1 peer2; key k; include ${root}/tree %data%; exclude *~; }`,
    );
  });

  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  const values = (kind: 'peers' | 'groups' | 'files', start: string, host = 'me'): Promise<readonly string[]> =>
    valuesOf(kind, start, { systemDirectory: path.join(root, 'etc'), host }, path.join(root, 'tree'));

  it('are peers and groups', async () => {
    expect(await values('peers', 'pe')).toEqual(['peer1', 'peer2']);
    expect(await values('peers', 'peer2')).toEqual(['peer2']);
    expect(await values('groups', '')).toEqual(['web']);
  });

  it('are files that are synchronised, or lead there', async () => {
    expect(await values('files', `${root}/`)).toEqual([`${root}/data/`, `${root}/tree/`]);
    expect(await values('files', `${root}/tree/s`)).toEqual([
      `${root}/tree/sub/`,
      `${root}/tree/summary`,
      `${root}/tree/sülz/`,
    ]);
    expect(await values('files', `${root}/tree/l`)).toEqual([]);
    expect(await values('files', `${root}/none/`)).toEqual([]);
  });

  it('are relative, and below prefixes', async () => {
    expect(await values('files', 'su')).toEqual(['sub/', 'summary']);
    expect(await values('files', '%')).toEqual(['%data%/']);
    expect(await values('files', '%data%/')).toEqual(['%data%/deep/']);
    expect(await values('files', '%data%/deep/f')).toEqual(['%data%/deep/file']);
    expect(await values('files', '%none%/')).toEqual([]);
  });

  it('are none where there is no configuration for this host', async () => {
    expect(await values('peers', '', 'stranger')).toEqual([]);
  });
});
