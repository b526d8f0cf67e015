/**
 * The real csync2 client against a csx daemon and against csync2's own: the same runs print the same, end with the same status,
 * and leave the same trees and databases on both sides.
 */

import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { startCsx } from '../engine/daemon/csx-daemon.js';
import type { CsxHost } from '../engine/daemon/csx-daemon.js';
import { makePair, startCsync2 } from '../support/csync2-daemon.js';
import type { Csync2Host } from '../support/csync2-daemon.js';

const KEY = 'a'.repeat(64);
/** Each comparison has hosts of its own, so that they run side by side: csync2 sleeps much. */
let blocks = 10;

interface Pair {
  readonly tree: string;
  readonly server: string;
  readonly client: Csync2Host;
  readonly host: Csync2Host | CsxHost;
  /** The client's tree and the server's. */
  readonly a: string;
  readonly b: string;
  /** csync2 with the server's configuration and database, to look at them. */
  readonly inspector: Csync2Host;
}

type Cleanup = () => Promise<void> | void;

interface Options {
  readonly auto?: string;
  readonly clientFirst?: boolean;
  readonly tls?: readonly [{ certificate: string; key: string }, { certificate: string; key: string }];
}

async function startPair(
  start: typeof startCsync2 | typeof startCsx,
  [me, server]: readonly [string, string],
  options: Options,
  cleanups: Cleanup[],
): Promise<Pair> {
  const tree = fs.mkdtempSync(path.join(fs.realpathSync(tmpdir()), 'csx-clients-'));
  cleanups.push(() => {
    fs.rmSync(tree, { recursive: true, force: true });
  });
  const hosts = options.clientFirst === false ? `${server} ${me}` : `${me} ${server}`;
  const config = `${options.tls === undefined ? 'nossl * *;' : ''}
    prefix d { on ${me}: ${tree}/a; on ${server}: ${tree}/b; }
    group g { host ${hosts}; key k; include %d%; exclude *~; auto ${options.auto ?? 'none'}; }`;
  for (const name of ['a', 'b']) fs.mkdirSync(path.join(tree, name));
  const keys = { k: KEY };
  const [mine, its] = options.tls ?? [];
  const host = await start({ address: server, config, keys, ...(its === undefined ? {} : { tls: its }) });
  cleanups.push(() => host.stop());
  const client = await startCsync2({
    address: me,
    config,
    keys,
    listen: false,
    ...(mine === undefined ? {} : { tls: mine }),
  });
  cleanups.push(() => client.stop());
  const inspector: Csync2Host =
    'run' in host
      ? host
      : await startCsync2({ address: server, config, keys, listen: false, args: ['-D', host.databaseDirectory] });
  if (inspector !== host) cleanups.push(() => inspector.stop());
  return { tree, server, client, host, a: `${tree}/a`, b: `${tree}/b`, inspector };
}

class Recorder {
  readonly pair: Pair;
  readonly lines: string[] = [];

  constructor(pair: Pair) {
    this.pair = pair;
  }

  /** Runs the client. */
  async run(...args: string[]): Promise<void> {
    const { stdout, stderr, status } = await this.pair.client.run(args);
    this.#note(`csync2 ${args.join(' ')}`, `${String(status)}\n${stdout}${stderr}`);
  }

  /** Runs csync2 as the server's host. */
  async inspect(...args: string[]): Promise<void> {
    const { stdout, stderr, status } = await this.pair.inspector.run(args);
    this.#note(`server: csync2 ${args.join(' ')}`, `${String(status)}\n${stdout}${stderr}`);
  }

  /** Trees and databases. */
  async finish(): Promise<readonly string[]> {
    for (const root of [this.pair.a, this.pair.b]) {
      for (const name of fs.readdirSync(root, { recursive: true, encoding: 'latin1' }).sort()) {
        const file = Buffer.from(`${root}/${name}`, 'latin1');
        const stats = fs.lstatSync(file);
        const inside = stats.isFile() ? fs.readFileSync(file, 'latin1') : '';
        const target = stats.isSymbolicLink() ? fs.readlinkSync(file, 'latin1') : '';
        const time = stats.isFile() ? Math.floor(stats.mtimeMs / 1000) : '';
        this.#note(
          `disk ${path.basename(root)}/${name}`,
          `${stats.mode.toString(8)} ${stats.uid}:${stats.gid} ${time} ${inside.slice(0, 50)}${inside.length} ${target}`,
        );
      }
    }
    for (const option of ['-L', '-M']) {
      await this.run(option);
      await this.inspect(option);
    }
    return this.lines;
  }

  #note(what: string, text: string): void {
    const { tree, server } = this.pair;
    const plain = (value: string) =>
      value
        .replaceAll(tree, 'TREE')
        .replaceAll(server, 'SERVER')
        .replace(/(mtime=)?\b(1[6-9]|2)\d{8}\b/g, 'NOW')
        .replace(/(Adding peer x509 certificate to db: )[0-9A-F]+/g, '$1DER')
        .replace(/ \d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? [+-]\d{4}/g, ' DATE');
    this.lines.push(`${plain(what)} -> ${plain(text)}`);
  }
}

async function compare(options: Options, scenario: (recorder: Recorder) => Promise<void>): Promise<readonly string[]> {
  const block = `127.25.${String(blocks)}`;
  blocks += 1;
  const cleanups: Cleanup[] = [];
  try {
    const results: (readonly string[])[] = [];
    for (const [server, start] of [
      [`${block}.2`, startCsync2],
      [`${block}.3`, startCsx],
    ] as const) {
      const recorder = new Recorder(await startPair(start, [`${block}.1`, server], options, cleanups));
      await scenario(recorder);
      results.push(await recorder.finish());
    }
    const [theirs, ours] = results;
    expect(ours).toEqual(theirs);
    return ours ?? [];
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}

/** A tree with everything csync2 carries. */
function fill(root: string): void {
  fs.mkdirSync(`${root}/sub/deeper`, { recursive: true });
  fs.writeFileSync(`${root}/file`, 'content\n');
  fs.writeFileSync(`${root}/empty`, '');
  fs.writeFileSync(Buffer.from(`${root}/caf\xe9 $(x) '"`, 'latin1'), 'strange');
  fs.writeFileSync(`${root}/sub/large`, Buffer.alloc(100_000, 'abcdefg'));
  fs.writeFileSync(`${root}/sub/deeper/f`, 'deep\n');
  fs.symlinkSync('file', `${root}/link`);
  fs.writeFileSync(`${root}/ignored~`, '');
  fs.chmodSync(`${root}/sub`, 0o2750);
  fs.chownSync(`${root}/sub/deeper/f`, 12, 34);
  fs.chmodSync(`${root}/file`, 0o4711);
  for (const name of ['file', 'empty', 'sub/large', 'sub/deeper/f']) fs.utimesSync(`${root}/${name}`, 1000, 1000);
}

async function lifeOfATree(recorder: Recorder): Promise<void> {
  const { a, b } = recorder.pair;
  fill(a);
  await recorder.run('-xrv', '/');
  await recorder.run('-T');
  fs.appendFileSync(`${a}/sub/large`, 'tail');
  fs.writeFileSync(`${a}/file`, 'other\n');
  fs.utimesSync(`${a}/file`, 2000, 2000);
  fs.utimesSync(`${a}/sub/large`, 2000, 2000);
  fs.chmodSync(`${a}/empty`, 0o600);
  fs.unlinkSync(`${a}/link`);
  fs.mkdirSync(`${a}/link`);
  fs.rmSync(`${a}/sub/deeper`, { recursive: true });
  fs.writeFileSync(`${a}/sub/deeper`, 'a file now');
  fs.utimesSync(`${a}/sub/deeper`, 2000, 2000);
  await recorder.run('-cr', '/');
  await recorder.run('-M');
  await recorder.run('-uv');
  await recorder.run('-T');
  await recorder.run('-TT');
  fs.rmSync(`${a}/sub`, { recursive: true });
  await recorder.run('-xrv', '/');
  fs.writeFileSync(`${b}/file`, 'theirs\n');
  fs.utimesSync(`${b}/file`, 3000, 3000);
  await recorder.inspect('-cIr', '/');
  await recorder.run('-T');
  await recorder.run('-TT', `${a}/file`);
}

describe.concurrent('a tree from its beginning to its end', () => {
  it('plain', async () => {
    const lines = await compare({}, lifeOfATree);
    expect(lines.join('\n')).toContain('disk b/file -> 104711');
  });

  it.each([
    [2048, 2048],
    [2048, 1024],
    [1024, 2048],
  ])('over TLS, with RSA keys of %i bits here and %i there', async (client, server) => {
    const lines = await compare({ tls: [makePair(client), makePair(server)] }, lifeOfATree);
    expect(lines.join('\n')).toContain('Connecting to host SERVER (SSL)');
  });
});

/** Both sides change the file; the client then updates, and forces if that did not do. */
async function bothChange(recorder: Recorder): Promise<void> {
  const { a, b } = recorder.pair;
  for (const name of ['x', 'y', 'same']) fs.writeFileSync(`${a}/${name}`, 'start\n');
  for (const name of ['x', 'y', 'same']) fs.utimesSync(`${a}/${name}`, 1000, 1000);
  await recorder.run('-xr', '/');
  fs.writeFileSync(`${a}/x`, 'a is longer here\n');
  fs.utimesSync(`${a}/x`, 3000, 3000);
  fs.writeFileSync(`${b}/x`, 'b short\n');
  fs.utimesSync(`${b}/x`, 2000, 2000);
  fs.writeFileSync(`${a}/y`, 'a\n');
  fs.utimesSync(`${a}/y`, 2000, 2000);
  fs.writeFileSync(`${b}/y`, 'b is longer\n');
  fs.utimesSync(`${b}/y`, 3000, 3000);
  for (const side of [a, b]) {
    fs.writeFileSync(`${side}/same`, 'equal\n');
    fs.utimesSync(`${side}/same`, 4000, 4000);
  }
  await recorder.run('-xrv', '/');
  await recorder.inspect('-M');
  await recorder.run('-M');
}

const SECURE: Options = { tls: [makePair(2048), makePair(2048)] };

describe.concurrent.each([
  ['plain', {}],
  ['over TLS', SECURE],
] as const)('conflicts, by auto method, %s', (_, how: Options) => {
  it.each([
    ['none', true],
    ['first', true],
    ['younger', true],
    ['older', true],
    ['bigger', true],
    ['smaller', true],
    ['left', true],
    ['right', true],
    ['left', false],
    ['right', false],
  ])('%s, the client first in the host list: %s', async (auto, clientFirst) => {
    await compare({ ...how, auto, clientFirst }, bothChange);
  });

  it('removed on one side, changed on the other', async () => {
    await compare({ ...how, auto: 'younger' }, async (recorder) => {
      const { a, b } = recorder.pair;
      for (const name of ['x', 'y']) fs.writeFileSync(`${a}/${name}`, 'start\n');
      await recorder.run('-xr', '/');
      fs.unlinkSync(`${a}/x`);
      fs.writeFileSync(`${b}/x`, 'changed\n');
      fs.utimesSync(`${b}/x`, 3000, 3000);
      fs.unlinkSync(`${b}/y`);
      fs.writeFileSync(`${a}/y`, 'changed\n');
      fs.utimesSync(`${a}/y`, 3000, 3000);
      await recorder.run('-xrv', '/');
      await recorder.run('-M');
    });
  });

  it('are settled by force', async () => {
    await compare(how, async (recorder) => {
      await bothChange(recorder);
      await recorder.run('-f', `${recorder.pair.a}/x`);
      await recorder.run('-uv');
      fs.unlinkSync(`${recorder.pair.a}/x`);
      await recorder.run('-xrv', '/');
    });
  });
});
