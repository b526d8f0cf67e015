/** Finds, reads and resolves the configuration of this host. */

import { closeSync, constants, existsSync, fstatSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Config, Key } from '../model/config.js';
import { CsxError, errnoOf } from '../model/errors.js';
import type { Problem, SourceRange } from '../model/errors.js';
import { display, fromBuffer, fromText, toBuffer } from '../model/names.js';
import type { Bytes } from '../model/names.js';
import { checkOperatorFile } from '../operator/operator-file.js';
import { advise } from './advise.js';
import { readKey } from './key.js';
import { parseConfigFile } from './parser.js';
import type { ParsedFile } from './parser.js';
import { Report } from './report.js';
import { resolveConfig } from './resolve.js';
import type { Word } from './statements.js';

export interface LoadOptions {
  /** Where csync2.cfg or csx.yaml, keys and certificates lie, usually /etc. Text, as from an argument. */
  readonly systemDirectory: string;
  /** `-C NAME`: csync2_NAME.cfg or csx_NAME.yaml. */
  readonly configName?: string | undefined;
  /** `--config FILE`: this file, whatever its name; `.yaml` and `.yml` are read as YAML. Text, as from an argument. */
  readonly file?: string | undefined;
  /** This host's name, any case. */
  readonly host: string;
  /** The user this process runs as; left out: asked of the system. */
  readonly uid?: number | undefined;
}

/**
 * Loads. Fails with LOCKED_BY_FILE, CONFIG_NOT_FOUND, CONFIG_AMBIGUOUS, CONFIG_INVALID, HOST_NOT_IN_GROUP, KEY_UNREADABLE,
 * KEY_INVALID or FILE_UNSAFE; `range` says where.
 */
export async function loadConfig(options: LoadOptions): Promise<Config> {
  const report = new Report();
  const config = await read(options, report);
  report.throwFirst();
  if (config === undefined) throw new CsxError('INTERNAL', 'The configuration came to nothing.');
  return config;
}

/** Reads as `loadConfig` does and returns everything there is to say: errors and warnings. */
export async function checkConfig(options: LoadOptions): Promise<ConfigCheck> {
  const report = new Report();
  try {
    const config = await read(options, report);
    return { config, problems: report.problems };
  } catch (error) {
    report.caught(error);
    return { config: undefined, problems: report.problems };
  }
}

export interface ConfigCheck {
  /** Undefined when there are errors. */
  readonly config: Config | undefined;
  readonly problems: readonly Problem[];
}

async function read(options: LoadOptions, report: Report): Promise<Config | undefined> {
  const uid = options.uid ?? process.geteuid?.() ?? 0;
  const { systemDirectory } = options;
  const directory = bytesOf(systemDirectory);
  const lock = path.join(directory, 'csync2.lock');
  if (existsSync(toBuffer(lock))) {
    throw new CsxError('LOCKED_BY_FILE', `${display(lock)} exists: csync2 and csx do nothing on this host meanwhile.`, {
      hint: 'Somebody put it there to stop synchronisation. Remove it when that is over.',
      data: { path: display(lock) },
    });
  }
  const { statements, files } = await readStatements(options, uid, report);
  if (report.errors().length > 0) return undefined;
  const config = resolveConfig(
    statements,
    { host: options.host, systemDirectory, files, readKey: keyReader(directory, uid) },
    report,
  );
  if (config !== undefined) advise(statements, config, report);
  return config;
}

/** Finds and parses the configuration, whichever form it has. Errors in it go to the report. */
export async function readStatements(
  options: Omit<LoadOptions, 'host'>,
  uid: number,
  report: Report,
): Promise<ParsedFile> {
  const { systemDirectory, configName, file } = options;
  const found =
    file === undefined
      ? findConfigFile(bytesOf(systemDirectory), configName)
      : { file: bytesOf(file), other: undefined };
  if (!/\.ya?ml$/.test(found.file)) return parseConfigFile(found.file, fileReader(uid), report);
  // js-yaml and ajv are loaded only where there is YAML.
  const { parseYamlFile } = await import('./yaml.js');
  const parsed = parseYamlFile(found.file, fileReader(uid), report);
  if (found.other !== undefined && parsed.csync2 !== found.other && report.errors().length === 0) {
    throw new CsxError(
      'CONFIG_AMBIGUOUS',
      `There are two configurations, ${display(found.file)} and ${display(found.other)}.`,
      {
        hint: `Remove one, choose with --config, or build the first on the second: csync2: ${path.basename(found.other)}`,
        data: { path: display(found.file) },
      },
    );
  }
  return parsed;
}

/** Reads each file once, after checking that nobody else can have written it. */
export function fileReader(uid: number): (file: string, from: SourceRange | undefined) => string {
  return (file, range) => {
    checkOperatorFile(file, { what: 'configuration file', uid, range });
    try {
      return fromBuffer(readBounded(file, range));
    } catch (error) {
      if (error instanceof CsxError) throw error;
      const code = errnoOf(error);
      const reason = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code ?? 'error'})`;
      throw new CsxError('CONFIG_NOT_FOUND', `The configuration file ${display(file)} ${reason}.`, {
        range,
        hint:
          range === undefined
            ? 'Name another with --config or --system-dir, or make one: csx init.'
            : 'A relative name after config is taken from the directory of the main file.',
        data: { path: display(file) },
        cause: error,
      });
    }
  };
}

/** More than any configuration: a mistaken `config /var/log/syslog;` must not fill the memory. */
const MOST = 8 * 1024 * 1024;

function readBounded(file: string, range: SourceRange | undefined): Buffer {
  // Without O_NONBLOCK opening a fifo would wait for a writer.
  const descriptor = openSync(toBuffer(file), constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(descriptor);
    if (stat.isFile() && stat.size <= MOST) return readFileSync(descriptor);
    const what = stat.isFile() ? `is larger than ${MOST / 1024 / 1024} MB` : 'is not a regular file';
    throw new CsxError('CONFIG_INVALID', `The configuration file ${display(file)} ${what}.`, { range });
  } finally {
    closeSync(descriptor);
  }
}

/** An absolute name, as bytes, of a name given as text. */
function bytesOf(name: string): Bytes {
  return fromText(path.resolve(name));
}

/** Relative names of key files are taken from the system directory. Two groups with one key file read it once. */
function keyReader(systemDirectory: string, uid: number): (word: Word) => Key {
  const keys = new Map<string, Key>();
  return ({ text, range }) => {
    const file = path.resolve(systemDirectory, text);
    const key = keys.get(file) ?? readKey(file, uid, range);
    keys.set(file, key);
    return key;
  };
}

/** csx.yaml, else csync2.cfg. `other`: both are there. */
function findConfigFile(
  systemDirectory: string,
  configName: string | undefined,
): { readonly file: string; readonly other: string | undefined } {
  if (configName !== undefined && !/^[a-z0-9]+$/.test(configName)) {
    throw new CsxError('USAGE', `${display(configName)} is no name of a configuration.`, {
      hint: 'Names after -C consist of small letters and digits.',
    });
  }
  const suffix = configName === undefined ? '' : `_${configName}`;
  const yaml = path.join(systemDirectory, `csx${suffix}.yaml`);
  const cfg = path.join(systemDirectory, `csync2${suffix}.cfg`);
  const other = existsSync(toBuffer(cfg)) ? cfg : undefined;
  if (existsSync(toBuffer(yaml))) return { file: yaml, other };
  if (other !== undefined) return { file: other, other: undefined };
  throw new CsxError('CONFIG_NOT_FOUND', `There is neither ${display(yaml)} nor ${display(cfg)}.`, {
    hint: 'Name the directory with --system-dir, a file with --config, or make one: csx init.',
    data: { path: display(cfg) },
  });
}
