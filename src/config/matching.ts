/**
 * Which groups hold a file: the include, exclude and compare patterns of all groups, compiled and asked together.
 *
 * A path pattern (it starts with `/` or `%`) and a base-name pattern decide apart; of each kind the last that matches counts, no path
 * pattern means excluded, no base-name pattern means included, and both must say included (reference/configuration.md).
 *
 * Scans ask for millions of files, nearly always for neighbours of the file before. So the path patterns are sorted out
 * once for each directory: those that match the directory match all below it, those that cannot match a child are
 * dropped, and only the rest is left to be asked per file.
 */

import { isReserved, RESERVED_PREFIX } from '../model/names.js';
import type { Bytes } from '../model/names.js';
import type { Pattern } from '../model/config.js';
import type { SourceRange } from '../model/errors.js';
import { compilePattern, PLAIN } from './fnmatch.js';
import type { PatternFlags, ShellPattern } from './fnmatch.js';

/** The flags csync2 gives a path pattern: `**` anywhere in it opens all its wildcards to slashes. */
export function pathFlags(text: string): PatternFlags {
  return { pathname: !text.includes('**'), leadingDir: true };
}

/** Whether a pattern is matched against whole names (true) or last components (false). */
export function isPathPattern(text: string): boolean {
  return text.startsWith('/') || text.startsWith('%');
}

/** A pattern of a group, compiled. */
export interface CompiledPattern {
  readonly pattern: Pattern;
  readonly kind: 'path' | 'base';
  readonly includes: boolean;
  readonly shell: ShellPattern;
}

/** Compiles patterns, in their order. */
export function compilePatterns(patterns: readonly Pattern[], compare: boolean): readonly CompiledPattern[] {
  return patterns
    .filter(({ kind }) => compare || kind !== 'compare')
    .map((pattern) => {
      const kind = isPathPattern(pattern.text) ? 'path' : 'base';
      return {
        pattern,
        kind,
        includes: pattern.kind !== 'exclude',
        shell: compilePattern(pattern.text, kind === 'path' ? pathFlags(pattern.text) : PLAIN),
      };
    });
}

/** Any set of groups that can hold a file together, one object for each, so that answers cost no memory. */
export interface GroupSet<G> {
  readonly groups: readonly G[];
}

interface GroupNode<G> extends GroupSet<G> {
  readonly next: Map<number, GroupNode<G>>;
}

/** What is left to ask, in one group, of the files of one directory. */
interface GroupQuestion {
  readonly index: number;
  /** Path patterns that may match a child, last first; `tail` is where their last component starts, -1 to match whole. */
  readonly candidates: readonly { readonly shell: ShellPattern; readonly tail: number; readonly includes: boolean }[];
  /** What the path says where none of them matches. */
  readonly otherwise: boolean;
}

interface DirectoryPlan<G> {
  readonly questions: readonly GroupQuestion[];
  /** The answer, where it is the same for every file in the directory. */
  readonly constant: GroupNode<G> | undefined;
}

/** Directories whose plans are kept. Beyond that all are dropped and made again. */
const PLANS = 4_096;

export class Matching<G> {
  readonly #groups: readonly G[];
  /** By group, path patterns last first. */
  readonly #paths: readonly (readonly CompiledPattern[])[];
  /** By group, base-name patterns last first. */
  readonly #bases: readonly (readonly CompiledPattern[])[];
  readonly #leads: readonly ShellPattern[];
  readonly #empty: GroupNode<G> = { groups: [], next: new Map() };
  readonly #plans = new Map<string, DirectoryPlan<G>>();
  /** The directory asked about last, with its slash, and its plan. */
  #directory = '';
  #plan: DirectoryPlan<G> | undefined;

  /** `groups` in the order in which answers name them. */
  constructor(groups: readonly G[], patternsOf: (group: G) => readonly Pattern[], compare: boolean) {
    const compiled = groups.map((group) => compilePatterns(patternsOf(group), compare).toReversed());
    this.#groups = groups;
    this.#paths = compiled.map((patterns) => patterns.filter(({ kind }) => kind === 'path'));
    this.#bases = compiled.map((patterns) => patterns.filter(({ kind }) => kind === 'base'));
    this.#leads = this.#paths.flat().flatMap(({ includes, shell }) => (includes ? [shell] : []));
  }

  /** The groups that hold the file. */
  of(file: string): GroupSet<G> {
    const slash = file.lastIndexOf('/');
    const plan = this.#planFor(file, slash);
    const base = slash + 1;
    if (file.startsWith(RESERVED_PREFIX, base)) return this.#empty;
    if (plan.constant !== undefined) return plan.constant;
    let node = this.#empty;
    for (const question of plan.questions) {
      if (this.#path(question, file, base) && this.#base(question.index, file, base)) {
        node = this.#with(node, question.index);
      }
    }
    return node;
  }

  /** The groups that hold every file right in a directory, given with its slash; undefined: it goes by their names. */
  ofAll(directory: string): GroupSet<G> | undefined {
    return this.#planFor(directory, directory.length - 1).constant;
  }

  /** Whether some include path pattern, cut at one of its slashes, matches the directory: what it names lies below. */
  leads(directory: string): boolean {
    if (directory === '/') return this.#leads.some((shell) => shell.slashes[0] === 0);
    return this.#leads.some((shell) => shell.slashes.some((slash) => slash > 0 && shell.testCut(directory, slash)));
  }

  #planFor(file: string, slash: number): DirectoryPlan<G> {
    const known = this.#directory;
    if (this.#plan !== undefined && slash + 1 === known.length && slash >= 0 && file.startsWith(known)) {
      return this.#plan;
    }
    const directory = file.slice(0, slash + 1);
    let plan = this.#plans.get(directory);
    if (plan === undefined) {
      if (this.#plans.size >= PLANS) this.#plans.clear();
      plan = this.#makePlan(directory);
      this.#plans.set(directory, plan);
    }
    this.#directory = directory;
    this.#plan = plan;
    return plan;
  }

  /** `directory` ends with its slash; it is empty for a bare `%prefix%`, which is compared whole. */
  #makePlan(directory: string): DirectoryPlan<G> {
    const parent = directory.slice(0, -1);
    if (isReserved(directory)) return { questions: [], constant: this.#empty };
    const questions: GroupQuestion[] = [];
    let constant: GroupNode<G> | undefined = this.#empty;
    for (const [index, patterns] of this.#paths.entries()) {
      const candidates = [];
      let otherwise = false;
      for (const { shell, includes } of patterns) {
        if (parent !== '' && shell.test(parent)) {
          otherwise = includes;
          break;
        }
        const tail = tailFor(shell, parent, directory === '');
        if (tail !== undefined) candidates.push({ shell, tail, includes });
      }
      // Trailing candidates that say what would be said anyway need no asking.
      while (candidates.at(-1)?.includes === otherwise) candidates.pop();
      if (candidates.length === 0 && !otherwise) continue;
      questions.push({ index, candidates, otherwise });
      const settled = candidates.length === 0 && this.#bases[index]?.length === 0;
      constant = settled && constant !== undefined ? this.#with(constant, index) : undefined;
    }
    return { questions, constant };
  }

  #path({ candidates, otherwise }: GroupQuestion, file: string, base: number): boolean {
    for (const { shell, tail, includes } of candidates) {
      if (tail < 0 ? shell.test(file) : shell.testTail(file, base, tail)) return includes;
    }
    return otherwise;
  }

  #base(index: number, file: string, base: number): boolean {
    for (const { shell, includes } of this.#bases[index] ?? []) {
      if (shell.test(file, base)) return includes;
    }
    return true;
  }

  #with(node: GroupNode<G>, index: number): GroupNode<G> {
    let next = node.next.get(index);
    if (next === undefined) {
      next = { groups: [...node.groups, ...this.#groups.slice(index, index + 1)], next: new Map() };
      node.next.set(index, next);
    }
    return next;
  }
}

/**
 * How a path pattern that does not match `parent` may still match its children: the offset of the part to match against their last
 * component, -1 to match their whole name, or undefined: not at all.
 */
function tailFor(shell: ShellPattern, parent: string, whole: boolean): number | undefined {
  if (whole || !shell.flags.pathname) return -1;
  // Wildcards do not cross slashes here, so a child matches only where all but the last component match its parent.
  const slash = shell.slashes.at(-1);
  if (slash === undefined || !shell.testCut(parent, slash)) return undefined;
  return slash + 1;
}

/** Whether a file is held by one list of patterns, and which of them decided: `config explain`. */
export interface Decision {
  readonly included: boolean;
  /** The last matching path pattern; undefined: none matches, so excluded. */
  readonly path: Pattern | undefined;
  /** The last matching base-name pattern; undefined: none matches, so included. */
  readonly base: Pattern | undefined;
  /**
   * Of these two the one with the last word: the path's where it excludes, otherwise the name's where it excludes or takes back in what
   * an earlier one excluded, otherwise the path's. Undefined: no path pattern matches.
   */
  readonly decider: Pattern | undefined;
  /** All patterns in their order. */
  readonly tried: readonly { readonly pattern: Pattern; readonly kind: 'path' | 'base'; readonly matches: boolean }[];
}

export function decide(patterns: readonly Pattern[], file: string, compare: boolean): Decision {
  const base = file.slice(file.lastIndexOf('/') + 1);
  const tried = compilePatterns(patterns, compare).map(({ pattern, kind, shell }) => ({
    pattern,
    kind,
    matches: shell.test(kind === 'path' ? file : base),
  }));
  const last = (wanted: 'path' | 'base'): Pattern | undefined =>
    tried.findLast(({ kind, matches }) => matches && kind === wanted)?.pattern;
  const path = last('path');
  const byName = last('base');
  const hasLastWord =
    byName?.kind === 'exclude' ||
    tried.some(({ pattern, kind, matches }) => kind === 'base' && matches && pattern.kind === 'exclude');
  return {
    decider: path === undefined || path.kind === 'exclude' || !hasLastWord ? path : byName,
    included: path !== undefined && path.kind !== 'exclude' && byName?.kind !== 'exclude',
    path,
    base: byName,
    tried,
  };
}

/** Makes a pattern as the configuration holds it: trailing slashes are dropped. */
export function makePattern(kind: Pattern['kind'], text: Bytes, range: SourceRange): Pattern {
  return { kind, text: text.replace(/\/+$/, '') as Bytes, range };
}
