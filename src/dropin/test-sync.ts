/** -T: is everything in sync with the peers? -TT: as unified diffs. -TI: mark what is not. */

import { compareWithPeer } from '../engine/compare/compare-peer.js';
import type { Difference } from '../engine/compare/differences.js';
import type { Dialer } from '../engine/update/dial.js';
import { pin } from '../engine/update/pin.js';
import type { Connection } from '../engine/net/connection.js';
import { fileName } from '../model/encoding.js';
import { CsxError } from '../model/errors.js';
import { fromText } from '../model/names.js';
import type { FileName, PeerName } from '../model/names.js';
import type { Write } from '../model/store.js';
import { runPending } from './actions.js';
import { fileArguments, warnIgnored } from './arguments.js';
import { printDiff } from './diff-program.js';
import { marksFor } from './marks.js';
import { withPlace } from './place.js';
import type { Job, Place } from './place.js';
import { dialerFor } from './dialer.js';

interface Pair {
  readonly me: PeerName;
  readonly peer: PeerName;
}

/** The exit status: 2 when nothing differs. */
export async function testSync(job: Job): Promise<number> {
  const { options } = job;
  return withPlace(job, 'write', async (place) => {
    const words = options.arguments;
    const named = words.length >= 2 ? ({ me: words[0], peer: words[1] } as Pair) : undefined;
    const fileWord = words.length === 3 ? words.slice(2) : words.length === 1 ? words : [];
    const [argument] = fileArguments({ ...job, options: { ...options, arguments: fileWord } }, place.selection);
    if (argument !== undefined) warnIgnored(argument, job);
    const held = argument?.names.filter((name) => place.selection.comparedGroupsOf(name).length > 0);
    // What no group holds is asked for all the same: whether the peers answer counts.
    const files = held?.length === 0 && !options.diffs ? argument?.names.slice(0, 1) : held;
    const pairs = named === undefined ? pairsOf(place) : pairsOf(place).filter((pair) => same(pair, named));
    const dialer = dialerFor(job, place, false, (_, text) => {
      job.voice.say(1, text);
    });
    const found = await new Comparison(job, place, dialer).run(pairs, named, files);
    if (options.initRun) await runPending(job, place);
    // csync2's -TT FILE never says that it found something.
    const silent = options.diffs && words.length === 1;
    return found && !silent ? 0 : 2;
  });
}

class Comparison {
  readonly #job: Job;
  readonly #place: Place;
  readonly #dialer: Dialer;

  constructor(job: Job, place: Place, dialer: Dialer) {
    this.#job = job;
    this.#place = place;
    this.#dialer = dialer;
  }

  /** Whether something differs. A peer that is not reached is an error, and the next one's turn. */
  async run(pairs: readonly Pair[], named: Pair | undefined, files: readonly FileName[] | undefined): Promise<boolean> {
    const { voice, options } = this.#job;
    if (named !== undefined && (pairs.length === 0 || (options.diffs && files?.length === 0))) {
      const what = options.diffs && files !== undefined ? 'Host pair + file' : 'Host pair';
      voice.error(`${what} not found in configuration.`);
      return false;
    }
    let found = false;
    for (const pair of pairs) {
      if (this.#job.stop.aborted) break;
      if (files?.length === 0) continue;
      if (named === undefined && !(options.diffs && files !== undefined))
        voice.say(1, `Running in-sync check for ${pair.me} <-> ${pair.peer}.`);
      try {
        found = (await this.#compare(pair, files)) || found;
      } catch (error) {
        if (!(error instanceof CsxError) || NOT_THE_PEERS.has(error.code)) throw error;
        voice.say(2, fromText(error.message));
        voice.error(`ERROR: Connection to remote host \`${pair.peer}' failed.`);
      }
    }
    return found;
  }

  async #compare(pair: Pair, files: readonly FileName[] | undefined): Promise<boolean> {
    if (this.#job.options.diffs && files !== undefined) {
      for (const file of files) await this.#diff(pair, file);
      return true;
    }
    const { selection, store } = this.#place;
    const found: Difference[] = [];
    const connection = await this.#dial(pair);
    try {
      for (const file of files ?? [undefined]) {
        for await (const difference of compareWithPeer({ connection, selection, store, ...pair, file })) {
          found.push(difference);
          if (!this.#job.options.diffs) this.#print(pair, difference);
        }
      }
      await connection.bye();
    } finally {
      connection.destroy();
    }
    // csync2 goes through what it found backwards.
    if (this.#job.options.diffs) for (const { stored } of found.toReversed()) await this.#diff(pair, fileName(stored));
    else if (this.#job.options.initRun) await this.#mark(pair, found);
    return found.length > 0;
  }

  #print(pair: Pair, { kind, stored }: Difference): void {
    const letter = { different: 'X', 'only-here': 'L', 'only-there': 'R' }[kind];
    this.#job.voice.print(`${letter}\t${pair.me}\t${pair.peer}\t${fileName(stored)}\n`);
  }

  /** A connection for each file: the peer ends it with the content. */
  async #diff(pair: Pair, file: FileName): Promise<void> {
    const key = this.#place.selection
      .comparedGroupsOf(file)
      .find((group) => group.members.some((member) => member.name === pair.peer))?.key;
    if (key === undefined) return;
    const connection = await this.#dial(pair);
    try {
      await printDiff({
        there: connection.type({ key: key.secret(), file }),
        disk: this.#place.selection.toDisk(file),
        labels: [`${pair.peer}:${file}`, `${pair.me}:${file}`],
        voice: this.#job.voice,
      });
    } finally {
      connection.destroy();
    }
  }

  async #mark(pair: Pair, found: readonly Difference[]): Promise<void> {
    const { removals, onlyPeer } = this.#job.options;
    const writes: Write[] = [];
    for (const { kind, stored } of found) {
      if (kind === 'only-there' && !removals) continue;
      writes.push(...marksFor(fileName(stored), this.#job, this.#place, onlyPeer ? pair.peer : undefined));
    }
    if (writes.length > 0) await this.#place.store.write(writes);
  }

  async #dial({ me, peer }: Pair): Promise<Connection> {
    this.#job.voice.say(1, `Connecting to host ${peer} (${this.#dialer.isPlain(peer) ? 'PLAIN' : 'SSL'}) ...`);
    const { connection, certificate } = await this.#dialer.dial(peer, me);
    // csync2 remembers the certificate here too.
    if (certificate !== undefined) await pin(this.#place.store, peer, certificate, this.#job.around.now());
    return connection;
  }
}

/** Trouble with the own database or command line ends the run. */
const NOT_THE_PEERS: ReadonlySet<string> = new Set([
  'USAGE',
  'INTERNAL',
  'INTERRUPTED',
  'STATE_UNREADABLE',
  'STATE_CORRUPT',
  'STATE_READ_ONLY',
  'STATE_LOCKED',
]);

/** All pairs, as csync2 goes through them: group by group, each host list backwards, slaves last. */
function pairsOf({ selection }: Place): readonly Pair[] {
  const pairs: Pair[] = [];
  for (const group of selection.groups.toReversed()) {
    const others = group.members.filter((member) => !member.self).toReversed();
    const ordered = [...others.filter((member) => !member.slave), ...others.filter((member) => member.slave)];
    for (const { name } of ordered) {
      const pair = { me: group.me, peer: name };
      if (!pairs.some((known) => same(known, pair))) pairs.push(pair);
    }
  }
  return pairs;
}

function same(a: Pair, b: Pair): boolean {
  return a.me === b.me && a.peer === b.peer;
}
