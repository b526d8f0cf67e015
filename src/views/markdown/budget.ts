/**
 * How many characters each kind of row may take. Rows come in classes; what matters more is served first, and within a
 * class rows are taken in order until one does not fit: a list is cut at a row, and what is left out is counted.
 */

export interface Budget<Class extends string> {
  /** Whether the next row of the class, `length` characters long, is still shown. */
  readonly take: (of: Class, length: number) => boolean;
  /** Rows left out so far. */
  readonly left: () => number;
}

/** `needs`: characters that all rows of a class take together, the classes in the order of their weight. */
export function budgetOf<Class extends string>(
  needs: readonly (readonly [Class, number])[],
  available: number,
): Budget<Class> {
  const rooms = new Map<Class, number>();
  let rest = available;
  for (const [of, need] of needs) {
    const room = Math.max(0, Math.min(need, rest));
    rooms.set(of, room);
    rest -= room;
  }
  let left = 0;
  return {
    take: (of, length) => {
      const room = rooms.get(of) ?? 0;
      if (length <= room) {
        rooms.set(of, room - length);
        return true;
      }
      // No later, shorter row may slip in where an earlier one was cut.
      rooms.set(of, 0);
      left += 1;
      return false;
    },
    left: () => left,
  };
}
