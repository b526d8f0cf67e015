/** Versions: csx, its runtime, the csync2 that is installed beside it, and csx on the peers. csync2 on a peer does not tell its own. */

import { execFile } from 'node:child_process';
import { caution, good, wrong } from '../../model/finding.js';
import type { Finding } from '../../model/finding.js';
import { display } from '../../model/names.js';
import { list } from '../../views/quantity.js';
import type { Probe } from './probe.js';

export interface Versions {
  readonly csx: string;
  /** `24.21.0` */
  readonly node: string;
  /** As csync2 prints it, `2.0`; undefined: not installed. */
  readonly csync2: string | undefined;
}

const OLDEST_NODE = 22;

/** The version of the installed csync2, which its help begins with. Without a configuration file to read it does nothing else. */
export function csync2Version(program: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(program, ['--help'], { timeout: 5_000, encoding: 'latin1' }, (_error, stdout, stderr) => {
      const told = `${stdout}\n${stderr}`;
      resolve((/^Version: (\d\S*)/m.exec(told) ?? /\bcsync2 (\d\S*) - /.exec(told))?.[1]);
    });
  });
}

export function judgeVersions({ csx, node, csync2 }: Versions): readonly Finding[] {
  const findings: Finding[] = [];
  if (Number(node.split('.')[0]) < OLDEST_NODE) {
    findings.push(
      wrong(
        'versions',
        `csx runs on Node.js ${node}, which it was not made for.`,
        'Run npm install: it brings its own.',
      ),
    );
  }
  const major = csync2 === undefined ? undefined : Number(csync2.split('.')[0]);
  if (major !== undefined && major < 2) {
    findings.push(
      caution(
        'versions',
        `csync2 ${csync2 ?? ''} is installed, whose database and protocol csx does not know.`,
        'Upgrade csync2 to 2.0 on every host, or remove it where csx takes its place.',
      ),
    );
  }
  if (findings.length > 0) return findings;
  const beside = csync2 === undefined ? 'csync2 is not installed' : `csync2 ${csync2} is installed`;
  return [good('versions', `csx ${csx} on Node.js ${node}; ${beside}.`)];
}

/** Peers that run another csx than this host. Those that run the same are named with theirs where they answer. */
export function judgePeerVersions(csx: string, probes: readonly Pick<Probe, 'peer' | 'told'>[]): readonly Finding[] {
  const others = probes.flatMap(({ peer, told }) =>
    told?.program === 'csx' && told.version !== csx ? [`csx ${display(told.version)} on ${display(peer)}`] : [],
  );
  if (others.length === 0) return [];
  return [
    caution(
      'versions',
      `csx ${csx} runs here, ${list(others, 5)}.`,
      'Install the same version on all hosts. Until then they talk in what both know.',
    ),
  ];
}
