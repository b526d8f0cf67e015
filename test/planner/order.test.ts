import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FileName } from '../../src/model/names.js';
import { compareBytes, parentName } from '../../src/model/names.js';
import type { Change, RemoteState } from '../../src/model/plan.js';
import { orderChanges } from '../../src/planner/order.js';
import { reconcile } from '../../src/planner/reconcile.js';
import { absent, agreed, candidate, name, there } from './make.js';
import type { Look } from './make.js';

type Tree = ReadonlyMap<FileName, Look>;

/** The changes that turn one tree into another, as the planner makes them. */
function changesBetween(before: Tree, after: Tree): readonly Change[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((file) => {
    const old = before.get(file);
    const look = after.get(file);
    const remote: RemoteState = old === undefined ? absent(file) : there(file, old, look);
    const outcome = reconcile(candidate(file, look), remote, agreed(file, old ?? 'absent'));
    if (outcome.kind !== 'change') throw new Error(`${file}: ${outcome.kind}`);
    return [outcome.change];
  });
}

/** A receiver with csync2's rules: rmdir needs an empty directory, a parent has to exist, column U removes what is in the way. */
class Receiver {
  readonly files: Map<FileName, Look>;

  constructor(tree: Tree) {
    this.files = new Map(tree);
  }

  apply(change: Change): void {
    if (change.action === 'no-op') return;
    if (change.action === 'delete') {
      this.remove(change.path);
      return;
    }
    const parent = parentName(change.path);
    if (parent !== undefined && parent !== '/d' && this.typeOf(parent) !== 'directory') {
      throw new Error(`${change.path}: Parent dir missing.`);
    }
    const look = change.after?.entry;
    if (look === undefined) throw new Error(`${change.path}: nothing to write`);
    const old = this.typeOf(change.path);
    // MKDIR on a directory is no error; everything else removes what stands there, if it can.
    const kept =
      old === undefined ||
      (look.type === 'file' && old === 'file') ||
      (look.type === 'directory' && old === 'directory');
    if (!kept) this.remove(change.path);
    this.files.set(change.path, {
      type: look.type,
      ...(look.size === undefined ? {} : { content: 'x'.repeat(look.size) }),
    });
  }

  private remove(file: FileName): void {
    if ([...this.files.keys()].some((each) => each.startsWith(`${file}/`))) {
      throw new Error(`${file}: Directory not empty`);
    }
    if (!this.files.delete(file)) throw new Error(`${file}: No such file or directory`);
  }

  private typeOf(file: FileName): string | undefined {
    const look = this.files.get(file);
    return look && (look.type ?? 'file');
  }
}

const part = fc.constantFrom('a', 'a-', 'a.b', 'b', 'ÿ');
/** A tree below /d: directories where a longer path needs them, files, links and fifos elsewhere. */
const tree: fc.Arbitrary<Tree> = fc
  .array(
    fc.tuple(
      fc.array(part, { minLength: 1, maxLength: 4 }),
      fc.constantFrom('file', 'directory', 'link', 'fifo'),
      fc.nat(3),
    ),
    {
      maxLength: 12,
    },
  )
  .map((leaves) => {
    const found = new Map<FileName, Look>();
    for (const [parts, type, size] of leaves) {
      const path = name(`/d/${parts.join('/')}`);
      for (let above = parentName(path); above !== undefined && above !== '/d'; above = parentName(above)) {
        found.set(above, { type: 'directory' });
      }
      if (found.get(path)?.type === 'directory') continue;
      found.set(path, type === 'file' ? { type, content: 'x'.repeat(size) } : { type: type });
    }
    return found;
  });

const shape = (files: ReadonlyMap<FileName, Look>) =>
  [...files].map(([file, look]) => `${file} ${look.type ?? 'file'} ${look.content?.length ?? ''}`).sort(compareBytes);

describe('orderChanges', () => {
  it("is an order a receiver with csync2's rules can carry out, whatever the trees", () => {
    fc.assert(
      fc.property(tree, tree, (before, after) => {
        const receiver = new Receiver(before);
        for (const change of orderChanges(changesBetween(before, after))) receiver.apply(change);
        expect(shape(receiver.files)).toEqual(shape(after));
      }),
      { numRuns: 500 },
    );
  });

  it.each<[string, Record<string, Look>, Record<string, Look>, readonly string[]]>([
    [
      'a file becomes a directory with children',
      { '/d/a': {} },
      { '/d/a': { type: 'directory' }, '/d/a/x': {}, '/d/a/y': { type: 'directory' }, '/d/a/y/z': {} },
      ['update /d/a', 'create /d/a/x', 'create /d/a/y', 'create /d/a/y/z'],
    ],
    [
      'a directory with children becomes a file',
      { '/d/a': { type: 'directory' }, '/d/a/x': {}, '/d/a/y': { type: 'directory' }, '/d/a/y/z': {} },
      { '/d/a': {} },
      ['delete /d/a/y/z', 'delete /d/a/y', 'delete /d/a/x', 'update /d/a'],
    ],
    [
      'a directory becomes a link',
      { '/d/a': { type: 'directory' }, '/d/a/x': {} },
      { '/d/a': { type: 'link' } },
      ['delete /d/a/x', 'update /d/a'],
    ],
    [
      'removals, then what is new, then the rest, then what needs nothing',
      { '/d/z': {}, '/d/b': {}, '/d/same': {} },
      { '/d/b': { content: 'x' }, '/d/new': {}, '/d/same': {} },
      ['delete /d/z', 'create /d/new', 'update /d/b', 'no-op /d/same'],
    ],
  ])('%s', (_, before, after, order) => {
    const toTree = (of: Record<string, Look>) => new Map(Object.entries(of).map(([file, look]) => [name(file), look]));
    const changes = orderChanges(changesBetween(toTree(before), toTree(after)));
    expect(changes.map((change) => `${change.action} ${change.path}`)).toEqual(order);
  });

  it('goes peer by peer', () => {
    const change = changesBetween(new Map(), new Map([[name('/d/a'), {}]]));
    const [first] = change;
    if (first === undefined) throw new Error('no change');
    const second = { ...first, peer: 'a' as Change['peer'] };
    expect(orderChanges([first, second]).map((each) => each.peer)).toEqual(['a', 'b']);
  });
});
