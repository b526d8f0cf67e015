/** Gathers what `csx explain` tells of one path: configuration, disk and database, in that order. Contacts nobody. */

import path from 'node:path';
import type { Selection } from '../../config/selection.js';
import { prefixNameOf } from '../../config/selection.js';
import type { Config, Pattern, Prefix } from '../../model/config.js';
import { CsxError } from '../../model/errors.js';
import type {
  ExplainedAction,
  ExplainedGroup,
  ExplainedPeer,
  ExplainedState,
  ExplainedVerdict,
  Explanation,
} from '../../model/explanation.js';
import type { Bytes, DiskPath, FileName, PeerName } from '../../model/names.js';
import { compareBytes, display, isCanonical } from '../../model/names.js';
import type { Store } from '../../model/store.js';
import { compare } from '../scan/drift.js';
import { isBehindLink, lookAt } from '../scan/local-state.js';
import { lstat } from '../scan/lstat.js';

export interface ExplainOptions {
  readonly config: Config;
  /** Everything this host has to do with. */
  readonly selection: Selection;
  readonly store: Store;
  readonly cwd: DiskPath;
}

/**
 * Explains a path as typed: on disk, relative to `cwd`, or as `%prefix%/x`.
 * @throws CsxError UNKNOWN_TARGET for what can be no path
 */
export async function explainPath(word: Bytes, options: ExplainOptions): Promise<Explanation> {
  const { selection } = options;
  const names = namesOf(word, options);
  const explained = names.map((file) => explainGroups(file, selection));
  // A path has a name under every prefix that contains it: those that no pattern speaks of say nothing, if another does.
  const spoken = explained.filter((each) => each.some(({ tried }) => tried.some(speaksOf)));
  const groups = (spoken.length > 0 ? spoken : explained).flat();
  const held = names.filter((file) => selection.includes(file));
  const states: ExplainedState[] = [];
  const peers: ExplainedPeer[] = [];
  for (const file of held) {
    states.push(await explainState(file, options));
    peers.push(...(await explainPeers(file, options)));
  }
  const actions = held.flatMap((file) => explainActions(file, selection));
  return { path: word, ...verdictOf(groups, states, peers), groups, states, peers, actions };
}

function namesOf(word: Bytes, { selection, config, cwd }: ExplainOptions): readonly FileName[] {
  const configured = /^%([^%/]+)%(\/.*)?$/s.exec(word);
  if (configured !== null && config.prefixes.some((prefix) => prefix.name === configured[1])) {
    const rest = path.posix.resolve('/', configured[2] ?? '').replace(/\/$/, '');
    return checked(word, [`%${configured[1] ?? ''}%${rest}` as FileName]);
  }
  return checked(word, selection.namesOf(path.posix.resolve(cwd, word) as DiskPath));
}

function checked(word: Bytes, names: readonly FileName[]): readonly FileName[] {
  if (word !== '' && names.length > 0 && names.every(isCanonical)) return names;
  throw new CsxError('UNKNOWN_TARGET', `${display(word)} can be no path.`, {
    hint: 'Give a path as it is on disk, or as the configuration names it (%prefix%/x).',
  });
}

function explainGroups(file: FileName, selection: Selection): readonly ExplainedGroup[] {
  return selection.explain(file).map(({ group, included, path: byPath, base, decider, tried }) => ({
    file,
    group: group.name,
    range: group.range,
    included,
    tried: tried.map(({ pattern, kind, matches }) => ({
      ...patternFacts(pattern),
      against: kind,
      matches,
      counts: pattern === byPath || pattern === base,
      decides: pattern === decider,
    })),
    auto: group.auto,
    key: path.posix.basename(group.key.file),
    backup: group.backup?.directory,
    slave: group.slave,
  }));
}

function speaksOf({ against, matches }: ExplainedGroup['tried'][number]): boolean {
  return against === 'path' && matches;
}

function patternFacts({ kind, text, range }: Pattern): Pick<Pattern, 'kind' | 'text' | 'range'> {
  return { kind, text, range };
}

async function explainState(file: FileName, { selection, config, store }: ExplainOptions): Promise<ExplainedState> {
  const disk = selection.toDisk(file);
  const row = (await store.file([file])).get(file);
  const name = prefixNameOf(file);
  const prefix = config.prefixes.find((each) => each.name === name);
  const common = { file, disk, prefix: prefix && prefixFacts(prefix), row: row?.checktxt };
  try {
    const now = lookAt(disk, file, config.ignore);
    const stats = now === undefined ? undefined : lstat(disk);
    if (now === undefined || stats === undefined) {
      const here = isBehindLink(disk) ? 'behind-link' : 'absent';
      return { ...common, here, drift: row === undefined ? undefined : here === 'absent' ? 'removed' : 'behind-link' };
    }
    if (row === undefined) return { ...common, here: now.checktxt, drift: 'new' };
    const found = compare(row, stats, disk, file, config.ignore);
    const drift = found.kind === 'changed' ? found.reason : found.kind === 'verify' ? 'unsure' : undefined;
    return { ...common, here: now.checktxt, drift };
  } catch (error) {
    if (error instanceof CsxError) return { ...common, here: 'unreadable', drift: undefined };
    throw error;
  }
}

function prefixFacts({ name, path: place, range }: Prefix): NonNullable<ExplainedState['prefix']> {
  return { name, path: place, range };
}

async function explainPeers(file: FileName, { selection, store }: ExplainOptions): Promise<readonly ExplainedPeer[]> {
  const marks = await store.dirty({ scopes: [{ file, recursive: false }] });
  const explained: ExplainedPeer[] = [];
  for (const route of [...selection.peersOf(file)].sort((a, b) => compareBytes(a.peer, b.peer))) {
    const mark = marks.find((row) => row.file === file && row.peer === route.peer);
    const baseline = (await store.baselines(route.peer, [file])).get(file);
    explained.push({
      file,
      peer: route.peer,
      me: route.me,
      group: route.group.name,
      receivesOnly: route.slave,
      marked: mark,
      agreed: baseline && { checktxt: baseline.checktxt, at: baseline.at },
    });
  }
  return explained;
}

function explainActions(file: FileName, selection: Selection): readonly ExplainedAction[] {
  return selection
    .groupsOf(file)
    .flatMap((group) =>
      selection
        .actionRules(file, group)
        .flatMap((rule) =>
          rule.commands.map((command) => ({ group: group.name, command, where: rule.where, range: rule.range })),
        ),
    );
}

function verdictOf(
  groups: readonly ExplainedGroup[],
  states: readonly ExplainedState[],
  peers: readonly ExplainedPeer[],
): { readonly verdict: ExplainedVerdict; readonly because: string } {
  if (states.length === 0) return { verdict: 'outside', because: whyOutside(groups) };
  const refused = peers.filter(({ marked }) => marked?.refused !== undefined && !marked.forced);
  if (refused.length > 0) {
    return { verdict: 'conflicting', because: `${list(refused)} refused it: it was changed there too.` };
  }
  const foreseen = peers.filter(({ marked }) => marked?.foreseen !== undefined && !marked.forced);
  if (foreseen.length > 0) {
    return { verdict: 'conflicting', because: `${list(foreseen)} is going to refuse it: it was changed there too.` };
  }
  const drift = states.find((state) => state.drift !== undefined && state.drift !== 'unsure');
  if (drift !== undefined) {
    const to = peers.filter(({ receivesOnly }) => !receivesOnly);
    const goes = to.length === 0 ? 'nobody gets it from here' : `the next plan sends it to ${list(to)}`;
    return { verdict: 'dirty', because: `It is not as the database knows it (${String(drift.drift)}); ${goes}.` };
  }
  const marked = peers.filter((peer) => peer.marked !== undefined);
  if (marked.length > 0) return { verdict: 'dirty', because: `It is marked to be sent to ${list(marked)}.` };
  const unsure = states.some((state) => state.drift === 'unsure');
  const known = states.some((state) => state.row !== undefined);
  if (unsure)
    return {
      verdict: 'clean',
      because: 'It was touched since the last scan; whether its content changed, the next plan reads.',
    };
  return {
    verdict: 'clean',
    because: known
      ? 'The disk is as the database knows it, and no peer waits for it.'
      : 'There is nothing of that name, neither here nor in the database.',
  };
}

function list(peers: readonly { readonly peer: PeerName }[]): string {
  return peers.map(({ peer }) => display(peer)).join(', ');
}

/** The statement that leaves it out, or that none takes it in. */
function whyOutside(groups: readonly ExplainedGroup[]): string {
  for (const group of groups) {
    const decisive = group.tried.find((tried) => tried.decides && tried.kind === 'exclude');
    if (decisive === undefined) continue;
    const { file, line } = decisive.range;
    return `exclude ${display(decisive.text)} (${file}:${String(line)}) leaves it out of group ${display(group.group)}.`;
  }
  return groups.length === 0
    ? 'This host is in no group.'
    : 'No include statement of any group of this host matches it.';
}
