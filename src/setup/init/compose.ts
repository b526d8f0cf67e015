/** A wish as a configuration, in either form. */

import path from 'node:path';
import { compilePattern } from '../../config/fnmatch.js';
import { pathFlags } from '../../config/matching.js';
import type { GroupItem, Statement, Word } from '../../config/statements.js';
import { writeCsync2 } from '../../config/write-csync2.js';
import { fromText } from '../../model/names.js';
import type { Bytes } from '../../model/names.js';
import { CERTIFICATE_FILE, KEY_FILE } from '../../engine/net/certificate.js';
import type { InitWish } from './wish.js';

export type Form = 'csync2' | 'yaml';

export interface Composed {
  /** A byte string. */
  readonly text: Bytes;
  /** Patterns that nobody asked for and that have to be there: what belongs to one host alone. */
  readonly spared: readonly string[];
}

/** @param own files and directories that must stay each host's own, besides its certificate */
export async function compose(
  wish: InitWish,
  form: Form,
  systemDirectory: string,
  own: readonly string[],
): Promise<Composed> {
  const certificate = [CERTIFICATE_FILE, KEY_FILE].map((name) => path.join(systemDirectory, name));
  const spared = [...certificate, ...own].filter((file) => wish.include.some((pattern) => covers(pattern, file)));
  const statements = statementsOf(wish, spared);
  const head =
    form === 'csync2'
      ? `# Made by csx init. The same file serves all hosts, csync2's too. Try: csx config check\n\n`
      : '';
  if (form === 'csync2') return { text: (head + writeCsync2(statements).text) as Bytes, spared };
  const { writeYaml } = await import('../../config/write-yaml.js');
  return { text: writeYaml(statements), spared };
}

/** The name of the group's key file. */
export function keyFileOf(wish: InitWish): string {
  return `csync2.key_${wish.group}`;
}

/** Whether a path pattern takes a file in. Prefixes are not looked behind: they differ from host to host. */
function covers(pattern: string, file: string): boolean {
  const text = fromText(pattern);
  return pattern.startsWith('/') && compilePattern(text, pathFlags(text)).test(fromText(file));
}

function statementsOf(wish: InitWish, spared: readonly string[]): readonly Statement[] {
  const excluded = [...wish.exclude, ...spared];
  const items: readonly GroupItem[] = [
    {
      kind: 'host',
      members: wish.hosts.map((host) => {
        const [own = host, via] = host.split('@');
        return { host: word(own), name: via === undefined ? undefined : word(via), slave: false };
      }),
    },
    { kind: 'key', file: word(keyFileOf(wish)) },
    ...wish.include.map((pattern) => ({ kind: 'include', patterns: [word(pattern)] }) as const),
    ...excluded.map((pattern) => ({ kind: 'exclude', patterns: [word(pattern)] }) as const),
  ];
  const names = [...new Set(wish.prefixes.map(({ name }) => name))];
  return [
    ...names.map((name): Statement => ({
      kind: 'prefix',
      name: word(name),
      range: NOWHERE,
      paths: wish.prefixes
        .filter((each) => each.name === name)
        .map(({ host, path: where }) => ({ host: word(host), path: word(where) })),
    })),
    { kind: 'group', name: word(wish.group), range: NOWHERE, items },
  ];
}

const NOWHERE = { file: 'the command line', line: 1, column: 1 };

function word(text: string): Word {
  return { text: fromText(text), range: NOWHERE };
}
