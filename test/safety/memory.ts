/** How much memory a process has had at its peak, in KiB: the kernel's high-water mark, looked at while it runs. */

import { readFileSync } from 'node:fs';

export interface Memory {
  /** Ends the watch; the peak seen, in KiB; 0 when the process was never seen. */
  stop(): number;
}

export function watchMemory(pid: number | undefined): Memory {
  let peak = 0;
  const look = (): void => {
    peak = Math.max(peak, highWater(pid));
  };
  const timer = setInterval(look, 50);
  return {
    stop: () => {
      clearInterval(timer);
      look();
      return peak;
    },
  };
}

function highWater(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${String(pid)}/status`, 'latin1');
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0);
  } catch {
    // It has ended.
    return 0;
  }
}
