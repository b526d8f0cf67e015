import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/engine/scan/digest.js';
import { isBehindLink, lookAt } from '../../../src/engine/scan/local-state.js';
import { scan } from '../../../src/engine/scan/scan.js';
import type { DiskPath, FileName } from '../../../src/model/names.js';
import { IGNORE, record, scanAll, selecting, Table, temporary } from './support.js';

/** Longer than the kernel's tick: a write after it gets another ctime. */
const tick = (): Promise<void> => sleep(15);

/** Writes without changing size or whole seconds, as two saves within one second do. */
function rewrite(file: string, content: string): void {
  const { atime, mtime } = fs.statSync(file);
  fs.writeFileSync(file, content);
  fs.utimesSync(file, atime, Math.floor(mtime.getTime() / 1000));
}

describe('a scan', () => {
  it('finds everything new, then nothing, then each kind of change', async () => {
    const root = temporary();
    fs.mkdirSync(`${root}/dir`);
    for (const name of ['content', 'mode', 'gone', 'type', 'dir/kept']) fs.writeFileSync(`${root}/${name}`, 'one');
    fs.symlinkSync('one', `${root}/link`);
    const selection = selecting({ roots: [root] });
    const table = new Table();
    const first = await scanAll(selection, table);
    expect(first.reasons).toEqual(
      ['', '/content', '/dir', '/dir/kept', '/gone', '/link', '/mode', '/type'].map((name) => `new ${root}${name}`),
    );
    record(table, first);
    expect((await scanAll(selection, table)).findings).toEqual([]);

    fs.writeFileSync(`${root}/content`, 'longer');
    fs.chmodSync(`${root}/mode`, 0o600);
    fs.chmodSync(`${root}/dir`, 0o700);
    fs.rmSync(`${root}/gone`);
    fs.rmSync(`${root}/type`);
    fs.mkdirSync(`${root}/type`);
    fs.rmSync(`${root}/link`);
    fs.symlinkSync('two', `${root}/link`);
    fs.writeFileSync(`${root}/added`, '');
    const second = await scanAll(selection, table);
    expect(second.reasons).toEqual([
      `new ${root}/added`,
      `content ${root}/content`,
      `attributes ${root}/dir`,
      `removed ${root}/gone`,
      `target ${root}/link`,
      `attributes ${root}/mode`,
      `type ${root}/type`,
    ]);
    expect(second.totals).toMatchObject({ entries: 8, known: 8, drift: 7, refreshed: 0, problems: 0 });
    record(table, second);
    expect((await scanAll(selection, table)).findings).toEqual([]);
  });

  it('notices a second change within the same second that keeps the size', async () => {
    const root = temporary();
    fs.writeFileSync(`${root}/f`, 'one');
    const selection = selecting({ roots: [root] });
    const table = new Table();
    record(table, await scanAll(selection, table));
    const before = table.rows.size;
    await tick();
    rewrite(`${root}/f`, 'two');
    fs.utimesSync(`${root}/f`, 1, Math.floor(fs.statSync(`${root}/f`).mtimeMs / 1000));
    const found = await scanAll(selection, table);
    expect(found.drift).toHaveLength(1);
    expect(found.drift[0]).toMatchObject({ reason: 'rewritten', before: found.drift[0]!.after!.checktxt });
    expect(before).toBe(2);
  });

  it('reads a file whose content is known before it calls it rewritten', async () => {
    const root = temporary();
    const file = `${root}/f`;
    fs.writeFileSync(file, 'one');
    const selection = selecting({ roots: [root] });
    const table = new Table();
    record(table, await scanAll(selection, table));
    const state = lookAt(file as DiskPath, file as FileName, IGNORE)!;
    const digest = (await digestOf(file as DiskPath))!;
    table.put(file, state.checktxt, { stamp: state.stamp, digest });
    await tick();
    fs.linkSync(file, `${root}/other`);
    fs.rmSync(`${root}/other`);
    const touched = await scanAll(selection, table);
    expect(touched.findings).toMatchObject([{ kind: 'refresh', state: { digest } }]);
    record(table, touched);
    expect((await scanAll(selection, table)).findings).toEqual([]);

    // Another time, the same content: only the time is sent.
    fs.utimesSync(file, 5, 5);
    expect((await scanAll(selection, table)).reasons).toEqual([`times ${file}`]);
    rewrite(file, 'two');
    expect((await scanAll(selection, table)).reasons).toEqual([`content ${file}`]);
  });

  it('takes over the rows csync2 wrote without marking anything', async () => {
    const root = temporary();
    fs.writeFileSync(`${root}/f`, 'one');
    fs.symlinkSync('f', `${root}/l`);
    const selection = selecting({ roots: ['%p%'], prefixes: { p: root } });
    const table = new Table();
    for (const name of ['', '/f', '/l']) {
      table.put(`%p%${name}`, lookAt((root + name) as DiskPath, `%p%${name}` as FileName, IGNORE)!.checktxt);
    }
    const found = await scanAll(selection, table);
    expect(found.findings.map((finding) => finding.kind)).toEqual(['refresh', 'refresh', 'refresh']);
    expect(found.totals).toMatchObject({ drift: 0, refreshed: 3 });
    record(table, found);
    expect((await scanAll(selection, table)).findings).toEqual([]);
  });

  it('notices a link below a prefix that was pointed elsewhere, though the check text holds no target', async () => {
    const root = temporary();
    fs.symlinkSync('one', `${root}/l`);
    const selection = selecting({ roots: ['%p%'], prefixes: { p: root } });
    const table = new Table();
    const first = await scanAll(selection, table);
    expect(first.drift[1]?.after?.checktxt).toBe('v1:mode=41471:uid=0:gid=0:type=lnk:target=');
    record(table, first);
    fs.rmSync(`${root}/l`);
    fs.symlinkSync('two', `${root}/l`);
    const second = await scanAll(selection, table);
    expect(second.drift).toMatchObject([{ reason: 'target', after: { entry: { target: 'two' } } }]);
    // The form with the target, as another version may have written it, means the same.
    table.put('%p%/l', 'v1:mode=41471:uid=0:gid=0:type=lnk:target=two');
    expect((await scanAll(selection, table)).findings).toMatchObject([{ kind: 'refresh', file: '%p%/l' }]);
  });

  it('takes an entry in a directory for no change of the directory', async () => {
    const root = temporary();
    const selection = selecting({ roots: [root] });
    const table = new Table();
    record(table, await scanAll(selection, table));
    await tick();
    fs.writeFileSync(`${root}/f`, '');
    expect((await scanAll(selection, table)).reasons).toEqual([`new ${root}/f`]);
  });

  it('compares again when the configuration ignores other attributes than before', async () => {
    const root = temporary();
    fs.writeFileSync(`${root}/f`, '');
    const selection = selecting({ roots: [root] });
    const table = new Table();
    record(table, await scanAll(selection, table));
    const found = await scanAll(selection, table, { ignore: { uid: true, gid: true, mod: false } });
    expect(found.drift.map((each) => each.reason)).toEqual(['attributes', 'attributes']);
    expect(found.drift[1]?.after?.checktxt).toMatch(/^v1:mtime=\d+:mode=33188:type=reg:size=0$/);
  });

  it('records sockets, fifos and times before 1970', async () => {
    const root = temporary();
    expect(spawnSync('mkfifo', [`${root}/fifo`]).status).toBe(0);
    fs.writeFileSync(`${root}/old`, '');
    expect(spawnSync('touch', ['-d', '1960-01-01 00:00:00.5', `${root}/old`]).status).toBe(0);
    const server = createServer().listen(`${root}/sock`);
    await new Promise((resolve) => server.once('listening', resolve));
    try {
      const table = new Table();
      const selection = selecting({ roots: [root] });
      const found = await scanAll(selection, table);
      expect(found.drift.map((each) => each.after?.entry.type)).toEqual(['directory', 'fifo', 'file', 'socket']);
      expect(found.drift[2]?.after?.checktxt).toContain(':mtime=-315619200:');
      record(table, found);
      expect((await scanAll(selection, table)).findings).toEqual([]);
    } finally {
      server.close();
    }
  });

  it('tells a row that is no check text from the file', async () => {
    const root = temporary();
    const table = new Table();
    table.put(root, 'v9:whatever');
    expect((await scanAll(selecting({ roots: [root] }), table)).reasons).toEqual([`content ${root}`]);
  });
});

describe('removals', () => {
  it('are files that are gone, not files the configuration no longer selects', async () => {
    const root = temporary();
    fs.writeFileSync(`${root}/kept`, '');
    fs.writeFileSync(`${root}/left-out`, '');
    const table = new Table();
    record(table, await scanAll(selecting({ roots: [root] }), table));
    table.put(`${root}/gone-and-left-out`, 'v1:type=fifo');
    table.put('/elsewhere/gone', 'v1:type=fifo');
    table.put('%unknown%/gone', 'v1:type=fifo');
    const selection = selecting({ roots: [root], exclude: [`${root}/left-out`, `${root}/gone-and-left-out`] });
    expect((await scanAll(selection, table)).findings).toEqual([]);
  });

  it('come one by one when a directory goes, and as behind-link when a link takes its place', async () => {
    const root = temporary();
    for (const name of ['gone', 'linked', 'filed']) {
      fs.mkdirSync(`${root}/${name}`);
      fs.writeFileSync(`${root}/${name}/f`, '');
    }
    const selection = selecting({ roots: [root] });
    const table = new Table();
    record(table, await scanAll(selection, table));
    fs.rmSync(`${root}/gone`, { recursive: true });
    fs.rmSync(`${root}/filed`, { recursive: true });
    fs.writeFileSync(`${root}/filed`, '');
    fs.renameSync(`${root}/linked`, `${root}/moved`);
    fs.symlinkSync('moved', `${root}/linked`);
    expect((await scanAll(selection, table)).reasons).toEqual([
      `type ${root}/filed`,
      `removed ${root}/filed/f`,
      `removed ${root}/gone`,
      `removed ${root}/gone/f`,
      `type ${root}/linked`,
      `behind-link ${root}/linked/f`,
      `new ${root}/moved`,
      `new ${root}/moved/f`,
    ]);
    expect(isBehindLink(`${root}/linked/f` as DiskPath)).toBe(true);
    expect(isBehindLink(`${root}/filed/f` as DiskPath)).toBe(true);
    expect(isBehindLink(`${root}/moved/f` as DiskPath)).toBe(false);
    expect(isBehindLink(`${root}/linked` as DiskPath)).toBe(false);
    expect(lookAt(`${root}/linked/f` as DiskPath, 'x' as FileName, IGNORE)).toBeUndefined();
  });

  it('keep to the scope', async () => {
    const root = temporary();
    for (const name of ['a', 'a/b', 'c']) fs.mkdirSync(`${root}/${name}`);
    const selection = selecting({ roots: [root] });
    const table = new Table();
    record(table, await scanAll(selection, table));
    fs.rmSync(`${root}/a`, { recursive: true });
    fs.rmSync(`${root}/c`, { recursive: true });
    fs.mkdirSync(`${root}/d`);
    const one = (file: string, recursive: boolean): { file: FileName; recursive: boolean } => ({
      file: `${root}/${file}` as FileName,
      recursive,
    });
    const reasons = async (...scopes: { file: FileName; recursive: boolean }[]): Promise<readonly string[]> =>
      (await scanAll(selection, table, { scopes })).reasons.map((reason) => reason.replace(`${root}/`, ''));
    expect(await reasons(one('a', false))).toEqual(['removed a']);
    expect(await reasons(one('a', true))).toEqual(['removed a', 'removed a/b']);
    expect(await reasons(one('a/b', false), one('d', true))).toEqual(['removed a/b', 'new d']);
    expect(await reasons(one('nothing', true))).toEqual([]);
    expect(await reasons({ file: path.dirname(root) as FileName, recursive: true })).toHaveLength(4);
  });

  it('never touch rows whose names cannot be', async () => {
    const root = temporary();
    const table = new Table();
    const names = [
      '',
      'rel/x',
      `${root}/../etc/x`,
      `${root}//x`,
      `${root}/.`,
      `${root}/${'x'.repeat(256)}`,
      `${root}/a\0b`,
    ];
    for (const name of names) table.put(name, 'v1:type=fifo');
    // Encoded as csync2 never does: it would be found under no name.
    table.rows.set(`${root}/%41` as never, {
      stored: `${root}/%41` as never,
      checktxt: 'v1:type=fifo' as never,
      stamp: undefined,
      target: undefined,
      digest: undefined,
    });
    const found = await scanAll(selecting({ roots: [root, 'rel'] }), table);
    expect(found.reasons).toEqual([`new ${root}`]);
    expect(found.problems).toEqual(Array(8).fill('STATE_CORRUPT '));
    for (let index = 0; index < 300; index++) table.put(`rel/${index}`, 'v1:type=fifo');
    const many = await scanAll(selecting({ roots: [root] }), table);
    expect(many.problems).toHaveLength(101);
    expect(many.totals.problems).toBe(101);
  });
});

describe('a root', () => {
  it('that is missing, emptied or retyped is told before the removals', async () => {
    const root = temporary();
    fs.mkdirSync(`${root}/t`);
    const selection = selecting({ roots: [`${root}/t`] });
    const table = new Table();
    for (const name of ['a', 'b']) fs.writeFileSync(`${root}/t/${name}`, '');
    record(table, await scanAll(selection, table));

    fs.rmSync(`${root}/t/a`);
    expect((await scanAll(selection, table)).findings).toMatchObject([{ kind: 'drift' }]);
    fs.rmSync(`${root}/t/b`);
    const emptied = await scanAll(selection, table);
    expect(emptied.findings[0]).toEqual({ kind: 'root', file: `${root}/t`, state: 'emptied', known: 2 });
    expect(emptied.reasons).toEqual([`removed ${root}/t/a`, `removed ${root}/t/b`]);

    fs.renameSync(`${root}/t`, `${root}/elsewhere`);
    const missing = await scanAll(selection, table);
    expect(missing.findings[0]).toEqual({ kind: 'root', file: `${root}/t`, state: 'missing', known: 3 });
    expect(missing.reasons).toHaveLength(3);
    // A part of it is as unbelievable as all of it.
    const part = await scanAll(selection, table, { scopes: [{ file: `${root}/t/a` as FileName, recursive: false }] });
    expect(part.findings).toMatchObject([
      { kind: 'root', state: 'missing', known: 1 },
      { kind: 'drift', drift: { reason: 'removed' } },
    ]);

    fs.symlinkSync('elsewhere', `${root}/t`);
    const retyped = await scanAll(selection, table);
    expect(retyped.findings[0]).toEqual({ kind: 'root', file: `${root}/t`, state: 'retyped', known: 3 });
    expect(retyped.reasons).toEqual([`type ${root}/t`, `behind-link ${root}/t/a`, `behind-link ${root}/t/b`]);
  });

  it('that a link above it took away is told too', async () => {
    const root = temporary();
    fs.mkdirSync(`${root}/a/t`, { recursive: true });
    fs.writeFileSync(`${root}/a/t/f`, '');
    const selection = selecting({ roots: [`${root}/a/t`] });
    const table = new Table();
    record(table, await scanAll(selection, table));
    fs.renameSync(`${root}/a`, `${root}/b`);
    fs.symlinkSync('b', `${root}/a`);
    const found = await scanAll(selection, table);
    expect(found.findings[0]).toEqual({ kind: 'root', file: `${root}/a/t`, state: 'retyped', known: 2 });
    expect(found.reasons).toEqual([`behind-link ${root}/a/t`, `behind-link ${root}/a/t/f`]);
  });

  it('that vanishes while the scan is under way is told at the end', async () => {
    const root = temporary();
    fs.mkdirSync(`${root}/t`);
    for (const name of ['a', 'b']) fs.writeFileSync(`${root}/t/${name}`, '');
    const selection = selecting({ roots: [`${root}/t`] });
    const table = new Table();
    record(table, await scanAll(selection, table));
    const files = (): ReturnType<Table['files']> => {
      fs.rmSync(`${root}/t`, { recursive: true, force: true });
      return table.files();
    };
    const { findings } = await scanAll(selection, { files });
    expect(findings.at(-1)).toEqual({ kind: 'root', file: `${root}/t`, state: 'missing', known: 3 });
    expect(findings).toHaveLength(4);
  });

  it('whose prefix has no path here is told once, and its files are left alone', async () => {
    const root = temporary();
    const table = new Table();
    for (const name of ['a', 'b', 'c']) table.put(`%gone%/${name}`, 'v1:type=fifo');
    const plain = selecting({ roots: [root] });
    const selection = { ...plain, includes: () => true };
    const found = await scanAll(selection, table);
    expect(found.reasons).toEqual([`new ${root}`]);
    expect(found.problems).toEqual(['CONFIG_INVALID %gone%/a']);
  });

  it('that lies behind a link holds nothing, and a person is told why', async () => {
    const root = temporary();
    fs.mkdirSync(`${root}/real/t`, { recursive: true });
    fs.symlinkSync('real', `${root}/link`);
    const found = await scanAll(selecting({ roots: [`${root}/link/t`] }), new Table());
    expect(found.drift).toEqual([]);
    expect(found.findings).toMatchObject([
      { kind: 'problem', problem: { severity: 'warning', code: 'PATH_UNSAFE', path: `${root}/link/t` } },
    ]);
  });

  it('that is a single file may be removed, and an unknown one may be missing', async () => {
    const root = temporary();
    fs.writeFileSync(`${root}/f`, '');
    const selection = selecting({ roots: [`${root}/f`, `${root}/never`] });
    const table = new Table();
    record(table, await scanAll(selection, table));
    fs.rmSync(`${root}/f`);
    expect((await scanAll(selection, table)).findings).toMatchObject([{ kind: 'drift', drift: { reason: 'removed' } }]);
  });
});

describe('what cannot be read', () => {
  it('is a problem, and nothing below it counts as removed', async () => {
    const root = temporary();
    fs.chmodSync(root, 0o755);
    for (const name of ['open', 'shut', 'blind']) {
      fs.mkdirSync(`${root}/${name}/sub`, { recursive: true });
      fs.writeFileSync(`${root}/${name}/sub/f`, '');
    }
    const table = new Table();
    const selection = selecting({ roots: [root] });
    record(table, await scanAll(selection, table));
    // What is known but not there any more is not known to be gone as long as nobody can look.
    for (const name of ['open', 'shut', 'blind']) fs.rmSync(`${root}/${name}/sub/f`);
    fs.chmodSync(`${root}/shut`, 0);
    fs.chmodSync(`${root}/blind`, 0o644);
    const found = await asNobody(() => scanAll(selection, table));
    expect(found.reasons).toEqual([
      `attributes ${root}/blind`,
      `removed ${root}/open/sub/f`,
      `attributes ${root}/shut`,
    ]);
    expect(found.problems).toEqual([`READ_FAILED ${root}/blind/sub`, `READ_FAILED ${root}/shut`]);
    await asNobody(() => {
      expect(() => lookAt(`${root}/shut/sub` as DiskPath, 'x' as FileName, IGNORE)).toThrow(
        `Cannot look at ${root}/shut/sub: EACCES: permission denied.`,
      );
      return Promise.resolve();
    });
    // An unreadable root is no missing one.
    const inner = await asNobody(() => scanAll(selecting({ roots: [`${root}/shut/sub`] }), table));
    expect(inner.findings).toMatchObject([{ kind: 'problem', problem: { code: 'READ_FAILED' } }]);
  });

  it('can be a path that is too long for its place: no removal either', async () => {
    let deep: string = temporary('/dev/shm');
    while (deep.length < 3800) deep = `${deep}/${'d'.repeat(200)}`;
    fs.mkdirSync(deep, { recursive: true });
    const file = `%p%/${'x'.repeat(250)}/${'y'.repeat(250)}`;
    fs.mkdirSync(`${deep}/${'x'.repeat(250)}`.slice(0, 4095), { recursive: true });
    const table = new Table();
    table.put(`%p%/${'x'.repeat(255)}${'/z'.repeat(30)}`, 'v1:type=fifo');
    table.put(file, 'v1:type=fifo');
    const found = await scanAll(selecting({ roots: ['%p%'], prefixes: { p: deep } }), table);
    expect(found.drift.map((drift) => drift.reason)).not.toContain('removed');
    expect(found.problems).toContain(`READ_FAILED ${file}`);
  });
});

describe('a scan that is ended early', () => {
  it('stops at the signal and lets the table go', async () => {
    const root = temporary();
    const abort = new AbortController();
    let closed = false;
    const files = async function* (): AsyncGenerator<readonly never[]> {
      try {
        abort.abort(new Error('enough'));
        yield await Promise.resolve([]);
      } finally {
        closed = true;
      }
    };
    const run = scan({
      selection: { ...selecting({ roots: [root] }), groupRoots: () => [] },
      files,
      ignore: IGNORE,
      signal: abort.signal,
    });
    await expect(run.next()).rejects.toThrow('enough');
    expect(closed).toBe(true);
  });

  it('reports progress', async () => {
    const root = temporary('/dev/shm');
    for (let index = 0; index < 5000; index++) fs.mkdirSync(`${root}/${index}`);
    const seen: number[] = [];
    const { totals } = await scanAll(selecting({ roots: [root] }), new Table(), {
      onProgress: (entries) => seen.push(entries),
    });
    expect(totals.entries).toBe(5001);
    expect(seen.length).toBeGreaterThan(2);
    expect(seen.at(-1)).toBe(5001);
  });
});

/** Runs as a user whom modes stop, as they do not stop root. */
async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  const [seteuid, geteuid] = [process.seteuid?.bind(process), process.geteuid?.bind(process)];
  if (seteuid === undefined || geteuid === undefined) throw new Error('This needs a POSIX system.');
  const before = geteuid();
  if (before === 0) seteuid(65534);
  try {
    return await work();
  } finally {
    if (before === 0) seteuid(0);
  }
}
