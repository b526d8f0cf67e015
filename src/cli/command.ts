/** What all verbs have in common: the global flags, and the outputs to write to. */

import { Command } from '@oclif/core';
import { boundHeap, HEAP_GROWTH } from '../engine/update/heap.js';
import { print } from '../views/terminal.js';
import type { Output } from '../views/terminal.js';
import { outputFlags, placeFlags } from './flags.js';
import type { OutputFlags } from './flags.js';
import { standardError, standardOutput } from './terminal.js';

/** A verb. `run` returns the exit status. */
export abstract class CsxCommand extends Command {
  static override baseFlags = { ...placeFlags, ...outputFlags };

  /** Per cent by which the heap may outgrow what is in use. */
  protected readonly heapGrowth: number = HEAP_GROWTH.scan;

  abstract override run(): Promise<number>;

  protected override async init(): Promise<void> {
    await super.init();
    boundHeap(this.heapGrowth);
  }

  /** Failures are told by cli/main.ts, in one way for all verbs. */
  protected override catch(error: Error): Promise<never> {
    return Promise.reject(error);
  }

  /** stdout: the result. */
  protected out(flags: OutputFlags): Output {
    return standardOutput({ color: !flags['no-color'] });
  }

  /** stderr: progress and diagnostics. */
  protected err(flags: OutputFlags): Output {
    return standardError({ color: !flags['no-color'] });
  }

  /** Prints a note on stderr, unless it should be quiet. */
  protected async note(flags: OutputFlags, text: string): Promise<void> {
    if (!flags.quiet && !flags.json) await print(this.err(flags), [`${text}\n`]);
  }

  /** Whether a person is there to be asked. */
  protected interactive(flags: OutputFlags): boolean {
    return (
      !flags['no-input'] &&
      !flags.json &&
      process.env['CSX_INPUT'] !== '0' &&
      process.stdin.isTTY &&
      process.stderr.isTTY
    );
  }
}
