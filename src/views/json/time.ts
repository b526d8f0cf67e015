/** Moments as JSON tells them: ISO 8601 in UTC. */

/** @param milliseconds since 1970 */
export function time(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/** Null for a moment nobody knows. */
export function optionalTime(milliseconds: number | undefined): string | null {
  return milliseconds === undefined ? null : time(milliseconds);
}
