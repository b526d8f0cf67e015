/** What the rows of the table have in common. */

import type { Sample } from './measure.ts';

/** A line of the table in design terms: what is measured, and what should come out. */
export interface Row {
  /** For --only. */
  readonly id: string;
  readonly work: string;
  /** What the figure is: "csync2 / csx". */
  readonly figure: string;
  readonly unit: '' | 'ms' | 'MB';
  /** Which way is better. */
  readonly better: 'more' | 'less';
  readonly first: number;
  readonly end: number;
}

export interface Result {
  readonly id: string;
  readonly value: number;
  /** The same from processor time, where that means something. */
  readonly cpu?: number;
  /** What it was measured on, and what else is worth knowing. */
  readonly note: string;
  readonly samples: Readonly<Record<string, Sample>>;
}

/** Rows that are measured together. */
export interface Group {
  readonly rows: readonly Row[];
  /** Measures at least the wanted rows. */
  measure(options: Options, wanted: ReadonlySet<string>): Promise<readonly Result[]>;
}

export interface Options {
  readonly quick: boolean;
  readonly rounds: number;
  /** The csx to measure. */
  readonly csx: string;
  readonly tmpfs: string;
  readonly disk: string;
}

/** `2.31 s (cpu 2.02)` */
export function times(sample: Sample): string {
  return `${sample.seconds.toFixed(2)} s (cpu ${sample.cpu.toFixed(2)})`;
}
