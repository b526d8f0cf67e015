/** What scan tests share: a selection without a configuration, a table in memory, and a whole scan at once. */

import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach } from 'vitest';
import type { Guarded } from '../../../src/engine/scan/guard.js';
import { scan } from '../../../src/engine/scan/scan.js';
import type { ScanOptions, ScanTotals } from '../../../src/engine/scan/scan.js';
import type { Named } from '../../../src/engine/scan/scopes.js';
import { encodeUrl, fileName, storedName } from '../../../src/model/encoding.js';
import type { CheckText } from '../../../src/model/checktxt.js';
import { CsxError } from '../../../src/model/errors.js';
import type { DiskPath, FileName, StoredName } from '../../../src/model/names.js';
import { compareBytes, isWithin } from '../../../src/model/names.js';
import type { Drift, Finding, LocalState } from '../../../src/model/scan.js';
import type { FileRow, Scope, Stretch, Write } from '../../../src/model/store.js';

export const IGNORE = { uid: false, gid: false, mod: false };

const directories: string[] = [];

afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

/** A directory of its own, gone after the test. */
export function temporary(base = tmpdir()): DiskPath {
  const directory = mkdtempSync(path.join(realpathSync(base), 'csx-scan-'));
  directories.push(directory);
  return directory as DiskPath;
}

export interface Rules {
  /** Everything at or below these is selected. `%p%/x` under a prefix. */
  readonly roots: readonly string[];
  readonly prefixes?: Readonly<Record<string, string>>;
  /** Left out, and with it what lies below. */
  readonly exclude?: readonly string[];
}

export type TestSelection = Named & Guarded;

/** A selection by plain paths; the real one is tested against csync2 in csync2.test.ts. */
export function selecting(rules: Rules): TestSelection {
  const prefixes = Object.entries(rules.prefixes ?? {});
  const toDisk = (file: FileName): DiskPath => {
    if (!file.startsWith('%')) return file as string as DiskPath;
    const found = prefixes.find(([name]) => isWithin(file, `%${name}%`));
    if (found === undefined) throw new CsxError('CONFIG_INVALID', `${file} has an unknown prefix.`);
    return (found[1] + file.slice(found[0].length + 2)) as DiskPath;
  };
  const excluded = (file: string): boolean => (rules.exclude ?? []).some((each) => isWithin(file, each));
  const roots = rules.roots.map((root) => ({ file: root as FileName, disk: toDisk(root as FileName) }));
  return {
    includes: (file) => rules.roots.some((root) => isWithin(file, root)) && !excluded(file),
    entered: (file) => rules.roots.some((root) => isWithin(root, file)),
    roots: () => roots,
    groupRoots: () => [{ roots: rules.roots as FileName[] }],
    toDisk,
    namesOf: (disk) => [
      disk as string as FileName,
      ...prefixes
        .filter(([, place]) => isWithin(disk, place))
        .map(([name, place]) => `%${name}%${disk.slice(place.length)}` as FileName),
    ],
  };
}

/** The `file` table as the store shows it. */
export class Table {
  readonly rows = new Map<StoredName, FileRow>();

  readonly files = async function* (
    this: Table,
    scopes?: readonly Scope[],
    stretch?: Stretch,
  ): AsyncGenerator<readonly FileRow[]> {
    const wanted = [...this.rows.values()]
      .filter((row) => scopes === undefined || scopes.some((scope) => holds(scope, row.stored)))
      .filter(({ stored }) => stretch === undefined || isWithinStretch(stretch, stored))
      .sort((a, b) => compareBytes(a.stored, b.stored));
    for (let index = 0; index < wanted.length; index += 7) yield Promise.resolve(wanted.slice(index, index + 7));
  }.bind(this);

  /** A row as csync2 leaves it: without what csx keeps beside it. */
  put(file: string, checktxt: string, beside: Partial<FileRow> = {}): void {
    const stored = storedName(file as FileName);
    const row = { stored, checktxt: checktxt as CheckText, stamp: undefined, target: undefined, digest: undefined };
    this.rows.set(stored, { ...row, ...beside });
  }

  write(writes: readonly Write[]): void {
    for (const write of writes) {
      if (write.kind === 'put-file') this.put(write.file, write.checktxt, write);
      if (write.kind === 'remove-file') this.rows.delete(storedName(write.file));
    }
  }

  names(): string[] {
    return [...this.rows.keys()].sort(compareBytes).map(fileName);
  }
}

function isWithinStretch({ from, before }: Stretch, stored: StoredName): boolean {
  return stored >= from && (before === undefined || stored < before);
}

function holds(scope: Scope, stored: StoredName): boolean {
  const name = encodeUrl(scope.file);
  return scope.recursive ? isWithin(stored, name) : stored === name;
}

export interface Scanned {
  readonly findings: readonly Finding[];
  readonly totals: ScanTotals;
  readonly drift: readonly Drift[];
  /** `reason name`, in the order they came. */
  readonly reasons: readonly string[];
  readonly problems: readonly string[];
}

/** Scans to the end. */
export async function scanAll(
  selection: TestSelection,
  table: { readonly files: ScanOptions['files'] },
  options: Partial<ScanOptions> = {},
): Promise<Scanned> {
  const run = scan({ selection, files: table.files, ignore: IGNORE, ...options });
  const findings: Finding[] = [];
  let next = await run.next();
  for (; next.done !== true; next = await run.next()) findings.push(...next.value);
  const drift = findings.filter((finding) => finding.kind === 'drift').map((finding) => finding.drift);
  return {
    findings,
    totals: next.value,
    drift,
    reasons: drift.map((each) => `${each.reason} ${each.file}`),
    problems: findings
      .filter((finding) => finding.kind === 'problem')
      .map((finding) => `${finding.problem.code} ${finding.problem.path ?? ''}`),
  };
}

/** Records what a scan found, as if nothing were marked. */
export function record(table: Table, scanned: Scanned): void {
  for (const finding of scanned.findings) {
    if (finding.kind === 'refresh') table.write([put(finding.file, finding.state)]);
    if (finding.kind === 'drift') {
      const { file, after } = finding.drift;
      table.write([after === undefined ? { kind: 'remove-file', file } : put(file, after)]);
    }
  }
}

function put(file: FileName, state: LocalState): Write {
  const { checktxt, stamp, digest, entry } = state;
  return { kind: 'put-file', file, checktxt, stamp, digest, target: entry.target };
}
