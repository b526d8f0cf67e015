/** Runs one command line and returns its exit status. The only place where errors become messages. */

import { fileURLToPath } from 'node:url';
import { Config, Errors, flush, run } from '@oclif/core';
import { CsxError } from '../model/errors.js';
import { EXIT, exitStatusOf } from './exit-status.js';
import { nearest } from '../model/nearest.js';
import { printFailure } from './terminal.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Verbs of two words, so that `csx db` and `csx trust` can say what they take. */
const VERBS_HINT = "Run 'csx --help' for the list of commands.";

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

/** What oclif knows of the verbs: from the manifest of the last build, or from all of them where that does not name the one asked for. */
async function loadConfig(argv: readonly string[]): Promise<Config> {
  const config = await Config.load({ root: ROOT });
  const asked = argv[0] !== undefined && !argv[0].startsWith('-');
  return asked && verbOf(argv, config) === '' ? Config.load({ root: ROOT, ignoreManifest: true }) : config;
}

/** oclif's complaints about the command line, as our own error; undefined for anything else. */
function usageError(thrown: unknown, argv: readonly string[], config: Config): CsxError | undefined {
  if (!(thrown instanceof Errors.CLIError)) return undefined;
  const verb = verbOf(argv, config);
  const unknown = /^command (.*) not found$/s.exec(thrown.message)?.[1];
  if (unknown !== undefined) {
    const name = unknown.replaceAll(':', ' ');
    const guess = nearest(
      name,
      config.commandIDs.map((id) => id.replaceAll(':', ' ')),
    );
    return new CsxError('USAGE', `There is no command '${name}'.`, {
      hint: guess === undefined ? VERBS_HINT : `Did you mean 'csx ${guess}'? ${VERBS_HINT}`,
    });
  }
  const message = thrown.message
    .replace(/\nSee more help with --help$/, '')
    .replace(/^The following errors? occurred:\s*/, '')
    .replaceAll(/\s*\n\s*/g, ' ')
    .trim();
  return new CsxError('USAGE', message, {
    hint: `Run 'csx ${verb === '' ? '' : `${verb} `}--help' for what it takes.`,
  });
}

/** The words of the command line that name a command: `trust list`. */
function verbOf(argv: readonly string[], config: Config): string {
  const [first = '', second = ''] = argv;
  const known = (id: string): boolean => config.commandIDs.includes(id);
  if (known(`${first}:${second}`)) return `${first} ${second}`;
  return known(first) ? first : '';
}
