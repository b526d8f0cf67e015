/** What a peer understands beyond csync2's protocol (docs/extensions.md). A csync2 peer does not know the question, says so, and goes on. */

import type { Connection } from '../net/connection.js';

export interface Extensions {
  /** It answers before it has made changes durable; SYNC asks for that. */
  readonly grouped: boolean;
  /** It knows PACK and LOOK. */
  readonly packs: boolean;
}

/** Asks for both in one round trip. Rejects when the connection is lost. */
export async function askExtensions(connection: Connection): Promise<Extensions> {
  const [grouped, packs] = await Promise.all(
    ['group-commit', 'pack'].map((extension) => connection.request('CSX', { extension })),
  );
  return { grouped: grouped?.kind === 'ok', packs: packs?.kind === 'ok' };
}
