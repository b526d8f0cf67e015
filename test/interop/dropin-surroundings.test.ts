/** Where the drop-in finds its database, port, name and trust: as csync2 does. */

import { existsSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { compareTwins } from '../dropin/twins.js';
import type { Twin } from '../dropin/twins.js';

const CLIENTS = [
  { client: 'csync2', daemon: 'csync2' },
  { client: 'csx', daemon: 'csync2' },
] as const;

function pinned(twin: Twin, host: number): readonly unknown[] {
  const name = twin.names[host] ?? '';
  const db = new Database(path.join(twin.root, name, 'db', `${name}.db3`), { readonly: true });
  try {
    return db.prepare('SELECT peername, length(certdata) AS length FROM x509_cert').all();
  } finally {
    db.close();
  }
}

describe('surroundings', () => {
  it('-T remembers the certificate that a peer shows first', async () => {
    await compareTwins({ block: '127.31.37', hosts: 2, tls: true }, async (twin) => {
      expect((await twin.run(0, '-T')).status).toBe(2);
      twin.record.push({ seen: [pinned(twin, 0), pinned(twin, 1)], said: '' });
    });
  });

  it('-D takes a directory or a URL of one, or of a file', async () => {
    await compareTwins(
      { block: '127.31.38', hosts: 2, listen: [] },
      async (twin) => {
        const [me = ''] = twin.names;
        const directory = path.join(twin.root, me, 'elsewhere');
        twin.put(0, 'file', 'content');
        twin.put(0, '../elsewhere/other', '');
        for (const place of [directory, `sqlite3://${directory}`, `sqlite3://${directory}/named.db3`]) {
          await twin.run(0, '-cr', '/', '-D', place);
          await twin.run(0, '-M', '-D', place);
        }
        const made = [`${me}.db3`, 'named.db3', `csync2_${me}.db3`].map((name) =>
          existsSync(path.join(directory, name)),
        );
        twin.record.push({ seen: made, said: '' });
      },
      CLIENTS,
    );
  });

  it('-p takes names of services', async () => {
    await compareTwins(
      { block: '127.31.39', hosts: 2, listen: [], verbose: '-v' },
      async (twin) => {
        twin.put(0, 'file', 'content');
        await twin.run(0, '-cr', '/');
        await twin.run(0, '-u', '-p', 'rsync');
      },
      CLIENTS,
    );
  });

  it('-C takes another configuration and database, and CSYNC2_SYSTEM_DIR all of them', async () => {
    await compareTwins(
      { block: '127.31.40', hosts: 2, listen: [] },
      async (twin) => {
        twin.put(0, 'file', 'content');
        twin.put(
          0,
          '../etc/csync2_second.cfg',
          `nossl * *; group g { host ${twin.names.join(' ')}; key k; include ${twin.trees[0] ?? ''}/file; }`,
        );
        await twin.run(0, '-cr', '/', '-C', 'second');
        await twin.run(0, '-M', '-C', 'second');
        await twin.run(0, '-M');
        await twin.run(0, '-N', 'somebody-else', '-M');
        await twin.run(0, '-N', (twin.names[0] ?? '').toUpperCase(), '-L');
      },
      CLIENTS,
    );
  });
});
