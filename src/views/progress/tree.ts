/**
 * Progress as a live tree on a terminal: listr2's renderer over tasks that nobody runs; their states and titles are set
 * from the progress state each time the spinner turns. The tree never has more rows than the window: peers that do not
 * fit are counted in one row. It vanishes when the work pauses or ends: what stays is what the views print.
 *
 *   ✔ Scanned 33,042 files, 12 changed (4.2 s)
 *   ❯ Applying: 1 of 3 peers done (12 s)
 *     ✔ web2  60 changes, 6.9 MB sent (8.0 s)
 *     ⠹ web3  12 of 60 changes, 1.2 MB of 6.9 MB, 3.2 MB/s (12 s)
 *     ✖ web5  not reached: ...
 */

import {
  DefaultRenderer,
  Listr,
  ListrDefaultRendererLogLevels,
  ListrLogger,
  ListrTaskState,
  ProcessOutput,
  Spinner,
} from 'listr2';
import type { ListrTaskObject } from 'listr2';
import { display } from '../../model/names.js';
import type { PeerName } from '../../model/names.js';
import { count } from '../quantity.js';
import { screenOf } from '../terminal.js';
import type { Output, Screen } from '../terminal.js';
import { padEnd, textWidth } from '../width.js';
import { newRate } from './rate.js';
import type { Rate } from './rate.js';
import { isSettled, roundOf, sentTo } from './state.js';
import type { PeerProgress, ProgressState } from './state.js';
import { actionsWords, elapsed, INTERRUPTED, lockWords, peersWords, peerWords, scanWords } from './words.js';

export interface Tree {
  /** Puts the tree on the screen. */
  readonly start: () => void;
  /** Takes it away, at once, and shows the cursor again. May be called at any time. */
  readonly end: () => void;
}

type Row = ListrTaskObject<undefined, typeof DefaultRenderer, typeof DefaultRenderer>;

const INTERVAL = 100;
const DEFAULT_ROWS = 24;
const WIDEST_NAME = 24;

export function openTree(state: ProgressState, output: Output, now: () => number): Tree {
  const screen = screenOf(output);
  // Listr runs nothing here and must not: no signal handlers, no exit. It makes the rows that its renderer draws.
  const listr = new Listr<undefined, 'default', 'default'>([], { exitOnError: false, registerSignalListeners: false });
  const newRow = (): Row => {
    listr.add({ title: ' ', task: () => undefined });
    const row = listr.tasks.at(-1);
    if (row === undefined) throw new TypeError('listr2 did not add the task');
    // Enables it; it is drawn from the next frame on.
    void row.check(undefined);
    return row;
  };
  const rows = {
    lock: newRow(),
    scan: newRow(),
    peers: newRow(),
    actions: newRow(),
    interrupted: newRow(),
    more: newRow(),
  };
  const peerRows = new Map<PeerName, { readonly row: Row; readonly rate: Rate }>();
  /** What the renderer draws; the array is its own, changed in place. */
  const shown: Row[] = [];

  function draw(): void {
    const at = now();
    shown.length = 0;
    if (state.lock !== undefined) {
      show(rows.lock, ListrTaskState.STARTED, lockWords(state.lock) + elapsed(state.lock.since, at));
    }
    if (state.scan !== undefined) {
      const { since, ended, at: path } = state.scan;
      const where = ended !== undefined || path === undefined ? '' : screen.paint.dim(`  ${display(path)}`);
      const done = ended === undefined ? ListrTaskState.STARTED : ListrTaskState.COMPLETED;
      show(rows.scan, done, scanWords(state.scan) + elapsed(since, ended ?? at) + where);
    }
    const peers = roundOf(state);
    if (peers.length > 0) drawPeers(peers, at);
    if (state.running.size + state.actionsDone + state.actionsFailed > 0) {
      const since = Math.min(...state.running.values(), at);
      const failed = state.actionsFailed > 0 ? ListrTaskState.FAILED : ListrTaskState.COMPLETED;
      const done = state.running.size > 0 ? ListrTaskState.STARTED : failed;
      show(rows.actions, done, actionsWords(state) + elapsed(since, at));
    }
    if (state.interrupted) show(rows.interrupted, ListrTaskState.STARTED, screen.paint.yellow(INTERRUPTED));
  }

  function show(row: Row, as: ListrTaskState, title: string): void {
    // Not by `title$` and `state$`: each of these would draw the whole tree anew.
    row.state = as;
    row.title = title;
    shown.push(row);
  }

  function drawPeers(peers: readonly PeerProgress[], at: number): void {
    const since = Math.min(...peers.map((peer) => peer.since));
    const settled = peers.every(isSettled);
    const until = settled ? Math.max(...peers.map((peer) => peer.ended ?? at)) : at;
    show(
      rows.peers,
      settled ? ListrTaskState.COMPLETED : ListrTaskState.STARTED,
      peersWords(peers) + elapsed(since, until),
    );
    // One line for the cursor, one for each row above and for what may follow: commands, an interrupt.
    const room = Math.max(0, (output.rows ?? DEFAULT_ROWS) - 1 - shown.length - 2);
    const visible = choose(peers, room);
    const widest = Math.min(WIDEST_NAME, Math.max(0, ...visible.map((peer) => textWidth(display(peer.name)))));
    rows.peers.subtasks = visible.map((peer) => peerRow(peer, widest, at));
    const hidden = peers.length - visible.length;
    if (hidden > 0 && room > 0) rows.peers.subtasks.push(moreRow(peers, visible, hidden));
  }

  function peerRow(peer: PeerProgress, width: number, at: number): Row {
    let known = peerRows.get(peer.name);
    if (known === undefined) {
      known = { row: newRow(), rate: newRate() };
      peerRows.set(peer.name, known);
    }
    known.rate.sample(sentTo(peer), at);
    known.row.state =
      peer.stage === 'unreachable' || (isSettled(peer) && peer.failed > 0)
        ? ListrTaskState.FAILED
        : isSettled(peer)
          ? ListrTaskState.COMPLETED
          : ListrTaskState.STARTED;
    known.row.title = `${padEnd(display(peer.name), width)}  ${peerWords(peer, known.rate.value())}${elapsed(peer.since, peer.ended ?? at)}`;
    return known.row;
  }

  function moreRow(peers: readonly PeerProgress[], visible: readonly PeerProgress[], hidden: number): Row {
    const done = peers.filter((peer) => isSettled(peer) && !visible.includes(peer)).length;
    const counts = [
      ...(hidden - done > 0 ? [`${count(hidden - done)} under way`] : []),
      ...(done > 0 ? [`${count(done)} done`] : []),
    ];
    rows.more.state = ListrTaskState.WAITING;
    rows.more.title = `... and ${count(hidden)} more: ${counts.join(', ')}`;
    return rows.more;
  }

  let drawing: Drawing | undefined;
  return {
    start: () => {
      drawing ??= startDrawing(shown, draw, listr, output, screen);
    },
    end: () => {
      drawing?.end();
      drawing = undefined;
    },
  };
}

/** The peers that have a row: all if they fit, otherwise those under way, then those that failed; in their own order. */
function choose(peers: readonly PeerProgress[], room: number): readonly PeerProgress[] {
  if (peers.length <= room) return peers;
  const urgency = (peer: PeerProgress) =>
    !isSettled(peer) ? 0 : peer.stage === 'unreachable' || peer.failed > 0 ? 1 : 2;
  const chosen = new Set([...peers].sort((a, b) => urgency(a) - urgency(b)).slice(0, Math.max(0, room - 1)));
  return peers.filter((peer) => chosen.has(peer));
}

interface Drawing {
  readonly end: () => void;
}

function startDrawing(
  shown: Row[],
  draw: () => void,
  listr: Listr<undefined, 'default', 'default'>,
  output: Output,
  screen: Screen,
): Drawing {
  const { paint } = screen;
  let ended = false;
  let rendering = false;
  const stream = {
    write: (text: string) => {
      // Once ended nothing may be written any more, whatever the renderer has in hand.
      if (!ended) void output.write(text);
      return true;
    },
    get columns() {
      return output.columns;
    },
    get rows() {
      return output.rows;
    },
    isTTY: true,
  };
  // The renderer uses no more of a stream than this, and takes over only this object's `write`, not stderr's own.
  const target = stream as unknown as NodeJS.WriteStream;
  const logger = new ListrLogger<ListrDefaultRendererLogLevels>({ processOutput: new ProcessOutput(target, target) });
  const { COMPLETED, FAILED, PENDING, WAITING, COMPLETED_WITH_FAILED_SUBTASKS } = ListrDefaultRendererLogLevels;
  const color = (style: (text: string) => string) => (text?: string) => style(text ?? '');
  const renderer = new DefaultRenderer(
    shown,
    {
      logger,
      spinner: new UnrefSpinner(draw),
      clearOutput: true,
      collapseSubtasks: false,
      formatOutput: 'truncate',
      icon: { [WAITING]: ' ' },
      color: {
        [PENDING]: color(paint.yellow),
        [COMPLETED]: color(paint.green),
        [COMPLETED_WITH_FAILED_SUBTASKS]: color(paint.yellow),
        [FAILED]: color(paint.red),
        [WAITING]: color(paint.dim),
      },
    },
    listr.events,
  );
  void renderer.render().then(() => {
    // It loads modules first; the work may be over by then.
    if (ended) {
      renderer.end();
      return;
    }
    rendering = true;
    draw();
    renderer.update();
  });
  return {
    end: () => {
      if (rendering) renderer.end();
      ended = true;
    },
  };
}

/** listr2's spinner, which draws the state before each frame and does not keep the process alive. */
class UnrefSpinner extends Spinner {
  readonly #draw: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(draw: () => void) {
    super();
    this.#draw = draw;
  }

  override start(update?: () => void): void {
    this.#timer = setInterval(() => {
      this.spin();
      this.#draw();
      update?.();
    }, INTERVAL).unref();
  }

  override stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  override isRunning(): boolean {
    return this.#timer !== undefined;
  }
}
