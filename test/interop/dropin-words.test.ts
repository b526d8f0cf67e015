/** What the drop-in says with -v and -vv, beside csync2's own words: as client in every mode, and as daemon. */

import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { describe, it } from 'vitest';
import { compareTwins } from '../dropin/twins.js';
import type { Program, Twin } from '../dropin/twins.js';

const CLIENTS: readonly { readonly client: Program; readonly daemon: Program }[] = [
  { client: 'csync2', daemon: 'csync2' },
  { client: 'csx', daemon: 'csync2' },
  { client: 'csx', daemon: 'csx' },
];
const DAEMONS: readonly { readonly client: Program; readonly daemon: Program }[] = [
  { client: 'csync2', daemon: 'csync2' },
  { client: 'csync2', daemon: 'csx' },
];

function plant(twin: Twin): void {
  for (const tree of twin.trees) chmodSync(tree, 0o755);
  for (const name of ['a', 'b', 'sub/x', 'sub/y', 'zz']) twin.put(0, name, name);
  symlinkSync('a', `${twin.trees[0] ?? ''}/link`);
  mkdirSync(`${twin.trees[0] ?? ''}/empty`);
}

describe.each(['-v', '-vv'] as const)('with %s', (verbose) => {
  it('a client speaks as csync2 does of its own host', async () => {
    await compareTwins(
      { block: '127.31.32', hosts: 2, listen: [], verbose },
      async (twin) => {
        const [me = '', peer = ''] = twin.names;
        plant(twin);
        await twin.run(0, '-M');
        await twin.run(0, '-h', 'a', 'nosuch');
        await twin.run(0, '-H');
        await twin.run(0, '-c');
        await twin.run(0, '-c', 'a', '/outside');
        await twin.run(0, '-cr', 'sub', 'b');
        await twin.run(0, '-cr', '/');
        await twin.run(0, '-L');
        await twin.run(0, '-S', me, peer);
        await twin.run(0, '-or', '/');
        await twin.run(0, '-o', 'zz', '/outside', 'a', 'b');
        await twin.run(0, '-u');
        await twin.run(0, '-T');
        await twin.run(0, '-R');
        await twin.run(0, '-C', 'nosuch', '-M');
      },
      CLIENTS.slice(0, 2),
    );
  });

  it('a client speaks with its peers as csync2 does', async () => {
    await compareTwins(
      { block: '127.31.34', hosts: 2, verbose },
      async (twin) => {
        const [me = '', peer = ''] = twin.names;
        plant(twin);
        await twin.quiet(0, '-cr', '/');
        await twin.run(0, '-u');
        await twin.run(0, '-T');
        await twin.run(0, '-T', 'a');
        await twin.run(0, '-TT', 'a');
        await twin.run(0, '-T', me, peer);
        await twin.run(0, '-T', me, 'nobody');
        twin.put(0, 'a', 'changed', 1_700_000_100);
        twin.put(0, 'n', 'new', 1_700_000_100);
        twin.remove(0, 'sub/x');
        await twin.run(0, '-xd');
        await twin.run(0, '-x');
        await twin.run(0, '-x');
        twin.put(0, 'a', 'mine', 1_700_000_200);
        twin.put(1, 'a', 'theirs, longer', 1_700_000_300);
        await twin.run(1, '-cr', '/');
        await twin.run(0, '-x');
        await twin.run(0, '-f', 'a');
        await twin.run(0, '-u');
        await twin.run(0, '-m', 'b');
        await twin.run(0, '-u');
        twin.put(0, 'only here', 'x');
        twin.put(1, 'only there', 'x');
        await twin.run(0, '-cIr', '/');
        await twin.quiet(1, '-cIr', '/');
        await twin.run(0, '-TI');
        await twin.run(0, '-TIX');
        await twin.run(0, '-u');
      },
      CLIENTS,
    );
  }, 60_000);

  it('a daemon logs as csync2’s does', async () => {
    await compareTwins(
      { block: '127.31.33', hosts: 2, verbose },
      async (twin) => {
        plant(twin);
        await twin.run(0, '-x');
        await twin.noteLog(1);
        await twin.run(0, '-T');
        twin.put(0, 'a', 'changed', 1_700_000_100);
        twin.remove(0, 'sub');
        await twin.run(0, '-x');
        await twin.noteLog(1);
      },
      DAEMONS,
    );
  });
});

it('warns of the arguments that csync2 warns of, in its order', async () => {
  await compareTwins(
    {
      block: '127.31.47',
      hosts: 2,
      listen: [],
      verbose: '-v',
      config: ({ names, root }) => `
        nossl * *;
        prefix used { on *: ${root}/top/used; }
        prefix unused { on *: ${root}/above/unused; }
        group g { host ${names.join(' ')}; key k; include %used%/in; include ${root}/plain/in; compare %used%/compared; }`,
    },
    async (twin) => {
      const files = [
        'top',
        'top/used',
        'top/used/in',
        'top/used/compared',
        'above',
        'above/unused',
        'plain',
        'plain/in',
      ];
      for (const name of ['top/used/in/x', 'top/used/compared/x', 'above/unused/x', 'plain/in/x'])
        twin.put(0, `../../${name}`, 'x');
      const all = ['/', ...files.map((name) => `${twin.root}/${name}`), '/nosuch'];
      // csync2's -m marks no file that is only compared.
      for (const mode of ['-m', '-mr', '-h', '-hr', '-f', '-fr']) await twin.run(0, mode, ...all);
      await twin.run(0, '-M');
      await twin.run(0, '-H');
    },
    CLIENTS.slice(0, 2),
  );
});
