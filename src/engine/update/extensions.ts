/** What a peer understands beyond csync2's protocol (docs/extensions.md). A csync2 peer does not know the question, says so, and goes on. */

import type { Connection } from '../net/connection.js';

export interface Extensions {
  /** It answers before it has made changes durable; SYNC asks for that. */
  readonly grouped: boolean;
  /** It knows PACK and LOOK. */
  readonly packs: boolean;
  /** Every PATCH's body ends with the digest of the new content, which it compares. */
  readonly verifies: boolean;
}

/** Asks for all in one round trip. Rejects when the connection is lost. */
export async function askExtensions(connection: Connection): Promise<Extensions> {
  const [grouped, packs, verifies] = await Promise.all(
    ['group-commit', 'pack', 'verify'].map((extension) => connection.request('CSX', { extension })),
  );
  return { grouped: grouped?.kind === 'ok', packs: packs?.kind === 'ok', verifies: verifies?.kind === 'ok' };
}
