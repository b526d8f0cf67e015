/**
 * Progress on stderr: a tree on a terminal, plain lines otherwise, or nothing. For the first half second nothing is
 * shown, and what draws the tree is not even loaded: most runs are over by then. No timer keeps the process alive.
 */

import type { Report } from '../../model/events.js';
import type { Output } from '../terminal.js';
import { plainLines } from './plain.js';
import { newProgress, take } from './state.js';
import type { Tree } from './tree.js';

export type ProgressMode = 'auto' | 'tty' | 'plain' | 'none';

export interface Progress {
  /** Takes an event in; costs next to nothing. */
  readonly report: Report;
  /** Leaves the terminal to somebody else (a prompt, a message) until `resume`. Events still count. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** Ends it: the tree is gone and the cursor back when this returns. Safe to call again. */
  readonly stop: () => void;
}

const DELAY = 500;
const TICK = 250;

/** `auto`: a tree where stderr is a terminal, plain lines elsewhere. `now` in milliseconds. */
export function createProgress(mode: ProgressMode, stderr: Output, now: () => number = Date.now): Progress {
  const shape = mode === 'auto' ? (stderr.isTTY ? 'tty' : 'plain') : mode;
  if (shape === 'none') return { report: nothing, pause: nothing, resume: nothing, stop: nothing };
  const state = newProgress();
  const display = shape === 'tty' ? treeDisplay() : plainDisplay();
  let delay: NodeJS.Timeout | undefined = setTimeout(() => {
    delay = undefined;
    if (!paused) display.show();
  }, DELAY).unref();
  let paused = false;
  let stopped = false;

  function treeDisplay(): Shown {
    let tree: Tree | undefined;
    let wanted = false;
    return {
      show: () => {
        wanted = true;
        if (tree !== undefined) {
          tree.start();
          return;
        }
        void import('./tree.js').then(({ openTree }) => {
          tree ??= openTree(state, stderr, now);
          // Paused or over by the time it was loaded?
          if (wanted) tree.start();
        });
      },
      hide: () => {
        wanted = false;
        tree?.end();
      },
    };
  }

  function plainDisplay(): Shown {
    const lines = plainLines(state, stderr, now);
    let timer: NodeJS.Timeout | undefined;
    return {
      show: () => {
        timer ??= setInterval(lines.tick, TICK).unref();
        lines.tick();
      },
      hide: () => {
        clearInterval(timer);
        timer = undefined;
      },
    };
  }

  return {
    report: (event) => {
      take(state, event, now());
    },
    pause: () => {
      paused = true;
      display.hide();
    },
    resume: () => {
      paused = false;
      if (!stopped && delay === undefined) display.show();
    },
    stop: () => {
      stopped = true;
      clearTimeout(delay);
      display.hide();
    },
  };
}

interface Shown {
  readonly show: () => void;
  readonly hide: () => void;
}

function nothing(): void {
  // Nobody wants to see it.
}
