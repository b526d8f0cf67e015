/**
 * Either form of the configuration to the other: the same meaning on every host. What cannot be said in the other form is an
 * error that names it, but for csx's own settings, which csync2.cfg has no words for: those are listed as lost.
 */

import type { Bytes } from '../model/names.js';
import { readStatements } from './load.js';
import type { LoadOptions } from './load.js';
import { Report } from './report.js';
import { writeCsync2 } from './write-csync2.js';

export interface Converted {
  /** The other form's text, a byte string. */
  readonly text: Bytes;
  /** csx's own settings that were left out, one sentence each. */
  readonly lost: readonly string[];
}

/**
 * Converts the configuration that `options` name. Fails as loading does, and with CONFIG_INVALID when something cannot be said
 * in the other form. Keys are not read; no host is needed.
 */
export async function convertConfig(options: Omit<LoadOptions, 'host'>, to: 'yaml' | 'csync2'): Promise<Converted> {
  const report = new Report();
  const { statements } = await readStatements(options, options.uid ?? process.geteuid?.() ?? 0, report);
  report.throwFirst();
  if (to === 'csync2') return writeCsync2(statements);
  const { writeYaml } = await import('./write-yaml.js');
  return { text: writeYaml(statements), lost: [] };
}
