/**
 * The second look at what a scan found, before it counts. While a scan goes on, this host's daemon (or csync2's) may change files and
 * record that: the scan then saw the disk after the change and the table as it was before, or a change that is on the disk and is
 * recorded in a moment. Neither is a local change. Marked as one, it would be sent back, and meet as a conflict what comes next.
 *
 * What makes it certain: the daemon tells what it is about to make before it touches the disk, and takes that back in the transaction
 * that records it (daemon/journal.ts). So what a scan saw of it is told now, or is recorded by now. When nobody else has written to
 * the database and nothing is told, nothing is looked at.
 */

import type { Ignore } from '../../model/entry.js';
import { CsxError } from '../../model/errors.js';
import type { FileName } from '../../model/names.js';
import type { Drift, Finding, LocalState } from '../../model/scan.js';
import type { FileRow, Intent, IntentBatch, Store } from '../../model/store.js';
import { compareState } from './drift.js';
import { describes } from './intended.js';
import { lookAt } from './local-state.js';
import { Parents } from './parents.js';

type Told = Pick<Store, 'file' | 'foreignWrites' | 'intents'>;

/** Whoever goes on receiving is not waited for: what is still seen differently then stays a finding. */
const ROUNDS = 4;

export class SecondLook {
  readonly #store: Told;
  readonly #ignore: Ignore;
  /** When the rows were read that the findings come from. */
  readonly #since: number | undefined;

  private constructor(store: Told, ignore: Ignore, since: number | undefined) {
    this.#store = store;
    this.#ignore = ignore;
    this.#since = since;
  }

  /** To be called before the scan begins. */
  static async before(store: Told, ignore: Ignore): Promise<SecondLook> {
    return new SecondLook(store, ignore, await store.foreignWrites());
  }

  /** Of findings made some time ago. @param seen what `foreignWrites` said before that; undefined: that is not known */
  static since(store: Told, ignore: Ignore, seen: number | undefined): SecondLook {
    return new SecondLook(store, ignore, seen);
  }

  /** The findings that still stand. */
  async among<T extends Finding>(findings: readonly T[]): Promise<readonly T[]> {
    let standing = findings;
    for (let round = 0, seen = this.#since; round < ROUNDS && filesOf(standing).length > 0; round += 1) {
      // In this order: what is told no more when it is asked for has been recorded before that.
      const told = byFile(await this.#store.intents());
      const now = await this.#store.foreignWrites();
      if (told.size === 0 && now === seen) break;
      seen = now;
      standing = await this.#look(standing, told);
    }
    return standing;
  }

  async #look<T extends Finding>(findings: readonly T[], told: ReadonlyMap<FileName, readonly Intent[]>): Promise<T[]> {
    const parents = new Parents();
    const looked = findings.map((finding) => ({
      finding,
      present: finding.kind === 'drift' ? this.#present(finding.drift, parents) : undefined,
    }));
    const rows = await this.#store.file(filesOf(findings));
    return looked.flatMap(({ finding, present }) => {
      const known = present === 'unknown' || stands(finding, present, rows, told);
      return known ? [finding] : [];
    });
  }

  #present({ disk, file }: Drift, parents: Parents): LocalState | undefined | 'unknown' {
    try {
      return lookAt(disk, file, this.#ignore, { parents });
    } catch (error) {
      if (error instanceof CsxError) return 'unknown';
      throw error;
    }
  }
}

function filesOf(findings: readonly Finding[]): FileName[] {
  return findings.flatMap((finding) => {
    if (finding.kind === 'drift') return [finding.drift.file];
    return finding.kind === 'refresh' ? [finding.file] : [];
  });
}

/** Those of the dead are for the journal to settle. */
function byFile(batches: readonly IntentBatch[]): ReadonlyMap<FileName, readonly Intent[]> {
  const told = new Map<FileName, Intent[]>();
  for (const { alive, intents } of batches) {
    if (!alive) continue;
    for (const intent of intents) {
      const others = told.get(intent.file);
      if (others === undefined) told.set(intent.file, [intent]);
      else others.push(intent);
    }
  }
  return told;
}

function stands(
  finding: Finding,
  present: LocalState | undefined,
  rows: ReadonlyMap<FileName, FileRow>,
  told: ReadonlyMap<FileName, readonly Intent[]>,
): boolean {
  switch (finding.kind) {
    case 'drift': {
      const { file } = finding.drift;
      const intents = told.get(file) ?? [];
      return !intents.some((intent) => describes(intent, present)) && !agree(rows.get(file), present, file);
    }
    case 'refresh':
      // The next scan does it as well.
      return !told.has(finding.file) && rows.get(finding.file)?.checktxt === finding.state.checktxt;
    case 'problem':
    case 'root':
      return true;
  }
}

/** Whether the row says what stands there. */
function agree(row: FileRow | undefined, present: LocalState | undefined, file: FileName): boolean {
  if (row === undefined || present === undefined) return row === undefined && present === undefined;
  const { kind } = compareState(row, present, file);
  return kind === 'same' || kind === 'refresh';
}
