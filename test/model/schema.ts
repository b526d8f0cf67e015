/** Taking JSON Schemas at their word. */

/**
 * The schema, with every object closed: what it does not name is not allowed. `exact` finds what the types have and
 * the schema lacks.
 */
export function tighten(schema: unknown, id: string): unknown {
  const closed = close(schema);
  return { ...(closed as object), $id: id };
}

function close(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(close);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, each]) => [key, close(each)] as const);
  const copy: Record<string, unknown> = Object.fromEntries(entries);
  // A map describes its values by additionalProperties; `properties` may also be the name of a property.
  const described = 'type' in copy && typeof copy['properties'] === 'object';
  return described && !('additionalProperties' in copy) ? { ...copy, additionalProperties: false } : copy;
}

/** Every object in a JSON value, with the way to it. */
export function* objectsIn(
  value: unknown,
  path = '$',
): Generator<{ readonly holder: Record<string, unknown>; readonly path: string }> {
  if (Array.isArray(value)) {
    for (const [index, each] of value.entries()) yield* objectsIn(each, `${path}[${index}]`);
  } else if (typeof value === 'object' && value !== null) {
    const holder = value as Record<string, unknown>;
    yield { holder, path };
    for (const [key, each] of Object.entries(holder)) yield* objectsIn(each, `${path}.${key}`);
  }
}
