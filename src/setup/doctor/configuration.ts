/**
 * The configuration for a doctor: read as every verb reads it, and where that fails read again with more patience, so that a bad
 * key does not hide what else is wrong.
 */

import path from 'node:path';
import { checkConfig, readStatements } from '../../config/load.js';
import type { LoadOptions } from '../../config/load.js';
import { readKey } from '../../config/key.js';
import { Report } from '../../config/report.js';
import { resolveConfig } from '../../config/resolve.js';
import type { Statement, Word } from '../../config/statements.js';
import type { Config, Key } from '../../model/config.js';
import { CsxError } from '../../model/errors.js';
import type { Problem } from '../../model/errors.js';
import { fromProblem, good } from '../../model/finding.js';
import type { CheckName, Finding } from '../../model/finding.js';
import { display } from '../../model/names.js';

export interface ReadConfiguration {
  /** Undefined: not even patience made one. A key that cannot be used is empty in it. */
  readonly config: Config | undefined;
  /** Every host that some group lists, lower case. */
  readonly listed: readonly string[];
  readonly findings: readonly Finding[];
  /** Whether it was read at all and only lacks this host. */
  readonly strange: boolean;
}

export async function readConfiguration(options: LoadOptions): Promise<ReadConfiguration> {
  const { config, problems } = await checkConfig(options);
  if (config !== undefined) {
    return {
      config,
      listed: [],
      strange: false,
      findings: [summary(config), ...problems.map((each) => fromProblem('configuration', each)), ...keysOf(config)],
    };
  }
  const patient = await readPatiently(options);
  const findings = problems
    .filter((problem) => problem.code !== 'HOST_NOT_IN_GROUP')
    .map((problem) => fromProblem(checkOf(problem, patient.badKeys), problem));
  return {
    config: patient.config,
    listed: patient.listed,
    strange: problems.some((problem) => problem.code === 'HOST_NOT_IN_GROUP'),
    findings:
      patient.config === undefined ? findings : [summary(patient.config), ...findings, ...keysOf(patient.config)],
  };
}

function summary(config: Config): Finding {
  const groups = config.groups.map((group) => display(group.name)).join(', ');
  return good('configuration', `${config.files.map(display).join(', ')}: ${config.host} is in ${groups}.`);
}

/** One line for each key that can be used. */
function keysOf(config: Config): readonly Finding[] {
  const files = new Set(config.groups.filter((group) => group.key.secret() !== '').map((group) => group.key.file));
  return [...files].map((file) => good('keys', `${display(file)} can be read by its owner alone.`));
}

function checkOf(problem: Problem, badKeys: readonly string[]): CheckName {
  return badKeys.includes(problem.summary) ? 'keys' : 'configuration';
}

interface Patient {
  readonly config: Config | undefined;
  readonly listed: readonly string[];
  /** What is wrong with keys. */
  readonly badKeys: readonly string[];
}

async function readPatiently(options: LoadOptions): Promise<Patient> {
  const uid = options.uid ?? process.geteuid?.() ?? 0;
  const { systemDirectory, host } = options;
  const badKeys: string[] = [];
  const tryKey = ({ text, range }: Word): Key => {
    const file = path.resolve(systemDirectory, text);
    try {
      return readKey(file, uid, range);
    } catch (error) {
      if (!(error instanceof CsxError)) throw error;
      badKeys.push(error.message);
      return { file, secret: () => '' };
    }
  };
  try {
    const report = new Report();
    const { statements, files } = await readStatements(options, uid, report);
    if (report.errors().length > 0) return { config: undefined, listed: [], badKeys };
    const config = resolveConfig(statements, { host, systemDirectory, files, readKey: tryKey }, report);
    return { config, listed: hostsOf(statements), badKeys };
  } catch (error) {
    if (!(error instanceof CsxError)) throw error;
    return { config: undefined, listed: [], badKeys };
  }
}

function hostsOf(statements: readonly Statement[]): readonly string[] {
  const hosts = statements.flatMap((statement) =>
    statement.kind === 'group'
      ? statement.items.flatMap((item) => (item.kind === 'host' ? item.members.map((each) => each.host.text) : []))
      : [],
  );
  return [...new Set(hosts.map((host) => host.toLowerCase()))];
}
