/** The schema by which editors complete and check csx.yaml. It lies beside the file, whose first line names it, on whichever host it is opened. */

import { readFileSync } from 'node:fs';

/** Its name there; in csx's own schemas/ it is config.schema.json. */
export const EDITOR_SCHEMA = 'csx.schema.json';

/** The first line of a csx.yaml, for the language server that most editors ask. */
export const EDITOR_LINE = `# yaml-language-server: $schema=./${EDITOR_SCHEMA}`;

/** Its text, UTF-8. */
export function readEditorSchema(): Buffer {
  return readFileSync(new URL('../../schemas/config.schema.json', import.meta.url));
}
