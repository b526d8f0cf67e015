/** Runs one command line and returns its exit status. The only place where errors become messages. */

import { fileURLToPath } from 'node:url';
import { Config, Errors, flush, run } from '@oclif/core';
import { EXIT, exitStatusOf } from './exit-status.js';
import { printFailure } from './terminal.js';
import { usageError, verbOf } from './usage.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Runs `csx ARGV...`.
 * @param argv the arguments after the program's name
 * @returns the exit status (design/plan-contract.md, "Exit status")
 */
export async function main(argv: readonly string[]): Promise<number> {
  // A reader that goes away (`csx plan | head`) ends the output, not with an error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.done);
    throw error;
  });
  // A log or progress display that nobody reads any more is no reason to stop.
  process.stderr.on('error', () => undefined);
  const config = await loadConfig(argv);
  try {
    const result = await run([...argv], config);
    await flush();
    return typeof result === 'number' ? result : EXIT.done;
  } catch (thrown) {
    if (thrown instanceof Errors.ExitError) return thrown.oclif.exit ?? EXIT.done;
    const error = usageError(thrown, argv, config) ?? thrown;
    await printFailure(error, argv);
    return exitStatusOf(error);
  }
}

/**
 * What oclif knows of the verbs: from the manifest of the last build, or from all of them where that does not name the one asked for.
 * Without plugins: oclif would look for some below HOME, warn where root may not read it, and run as root what is found there.
 */
async function loadConfig(argv: readonly string[]): Promise<Config> {
  const options = { root: ROOT, userPlugins: false, devPlugins: false };
  const config = await Config.load(options);
  const asked = argv[0] !== undefined && !argv[0].startsWith('-');
  return asked && verbOf(argv, config) === '' ? Config.load({ ...options, ignoreManifest: true }) : config;
}
