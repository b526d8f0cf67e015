/** What fits at the end of a command line. Pure; what only the configuration knows is asked for (`values`). */

import type { Candidate, FlagShape, Offer, ValueShape, VerbShape } from './shapes.js';

const NOTHING: Offer = { kind: 'words', words: [] };

/** @param words what stands behind the program's name; the last is being typed and may be empty */
export function offerFor(words: readonly string[], verbs: readonly VerbShape[]): Offer {
  const current = words.at(-1) ?? '';
  const line = readLine(words.slice(0, -1), verbs);
  const flags = line.verb?.flags ?? [];
  if (line.awaiting !== undefined) return offerValue(line.awaiting.value, current, '');
  if (!line.ended && current.startsWith('--') && current.includes('=')) {
    const name = current.slice(2, current.indexOf('='));
    const prefix = `--${name}=`;
    return offerValue(flags.find((flag) => flag.name === name)?.value, current.slice(prefix.length), prefix);
  }
  if (!line.ended && current.startsWith('-')) return offerFlags(flags, line.given, current);
  if (line.verb === undefined) return offerVerbs(line.positionals, current, verbs);
  const index = line.positionals.length - line.verb.words.length;
  const arg = line.verb.args[index] ?? line.verb.args.at(-1);
  if (arg === undefined || (index >= line.verb.args.length && !arg.multiple)) return NOTHING;
  return offerValue(arg, current, '');
}

/** The values of flags that say where the configuration is, as far as they were typed. */
export function placeOf(words: readonly string[], verbs: readonly VerbShape[]): ReadonlyMap<string, string> {
  return readLine(words.slice(0, -1), verbs).values;
}

interface Line {
  /** Undefined: not said yet, or there is none of that name. */
  readonly verb: VerbShape | undefined;
  readonly positionals: readonly string[];
  /** Names of the flags that were given. */
  readonly given: ReadonlySet<string>;
  /** The last value of each. */
  readonly values: ReadonlyMap<string, string>;
  /** The flag whose value comes next. */
  readonly awaiting: FlagShape | undefined;
  /** `--` was said: no more flags. */
  readonly ended: boolean;
}

function readLine(words: readonly string[], verbs: readonly VerbShape[]): Line {
  const positionals: string[] = [];
  const given = new Set<string>();
  const values = new Map<string, string>();
  let awaiting: FlagShape | undefined;
  let ended = false;
  for (const word of words) {
    if (awaiting !== undefined) {
      values.set(awaiting.name, word);
      awaiting = undefined;
    } else if (ended || !word.startsWith('-') || word === '-') positionals.push(word);
    else if (word === '--') ended = true;
    else {
      const [name, value] = splitFlag(word);
      const flag = flagNamed(name, verbOf(positionals, verbs), verbs);
      if (flag === undefined) continue;
      given.add(flag.name);
      if (flag.value === undefined) continue;
      if (value === undefined) awaiting = flag;
      else values.set(flag.name, value);
    }
  }
  return { verb: verbOf(positionals, verbs), positionals, given, values, awaiting, ended };
}

/** `--name=value`, `-Nvalue`, `--name`, `-N` */
function splitFlag(word: string): readonly [name: string, value: string | undefined] {
  if (!word.startsWith('--')) return [word.slice(0, 2), word.length > 2 ? word.slice(2).replace(/^=/, '') : undefined];
  const equals = word.indexOf('=');
  return equals < 0 ? [word, undefined] : [word.slice(0, equals), word.slice(equals + 1)];
}

/** Before the verb is known a flag is looked for in all of them: the global ones are in each. */
function flagNamed(name: string, verb: VerbShape | undefined, verbs: readonly VerbShape[]): FlagShape | undefined {
  const all = verb === undefined ? verbs.flatMap(({ flags }) => flags) : verb.flags;
  return all.find((flag) => name === `--${flag.name}` || (flag.char !== undefined && name === `-${flag.char}`));
}

function verbOf(positionals: readonly string[], verbs: readonly VerbShape[]): VerbShape | undefined {
  return verbs
    .filter(({ words }) => words.every((word, index) => positionals[index] === word))
    .sort((a, b) => b.words.length - a.words.length)[0];
}

function offerVerbs(said: readonly string[], current: string, verbs: readonly VerbShape[]): Offer {
  const offered = new Map<string, string>();
  for (const { words, summary } of verbs) {
    if (!said.every((word, index) => words[index] === word)) continue;
    const next = words[said.length];
    if (next === undefined) continue;
    const rest = words.slice(said.length + 1);
    if (rest.length === 0) offered.set(next, summary);
    else if (!offered.has(next)) offered.set(next, `csx ${[...said, next].join(' ')} ...`);
  }
  return fitting(
    [...offered].map(([word, summary]) => ({ word, summary })),
    current,
  );
}

function offerFlags(flags: readonly FlagShape[], given: ReadonlySet<string>, current: string): Offer {
  const left = flags.filter((flag) => flag.value?.multiple === true || !given.has(flag.name));
  const long = left.map(({ name, summary }) => ({ word: `--${name}`, summary }));
  // A letter is typed as quickly as it is completed: only where nothing else was typed are they worth showing.
  const short = left.flatMap(({ char, summary }) => (char === undefined ? [] : [{ word: `-${char}`, summary }]));
  return fitting(current === '-' ? [...long, ...short] : long, current);
}

function offerValue(
  value: (ValueShape & { readonly commas?: boolean }) | undefined,
  current: string,
  prefix: string,
): Offer {
  if (value === undefined) return NOTHING;
  const comma = value.commas === true ? current.lastIndexOf(',') + 1 : 0;
  const before = prefix + current.slice(0, comma);
  const start = current.slice(comma);
  if (value.options.length > 0) {
    const words = value.options.filter((each) => each.startsWith(start));
    return { kind: 'words', words: words.map((each) => ({ word: before + each, summary: '' })) };
  }
  switch (value.kind) {
    case 'nothing':
      return NOTHING;
    case 'paths':
    case 'directories':
      return { kind: value.kind };
    case 'peers':
    case 'groups':
    case 'files':
      return { kind: 'values', of: value.kind, start, prefix: before };
  }
}

function fitting(candidates: readonly Candidate[], current: string): Offer {
  return { kind: 'words', words: candidates.filter(({ word }) => word.startsWith(current)) };
}
