/**
 * Quantities as every view words them. Sizes are decimal (1 kB = 1,000 bytes, as disks and networks count), with one
 * digit after the point; counts have commas; times are local unless a zone is given. No locale has a say: the words of
 * csx are the same everywhere, so that people can search for them.
 */

/** `12,345` */
export function count(value: number): string {
  const digits = String(Math.round(value));
  return digits.length <= 3 ? digits : digits.replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** `1 file`, `12,345 files`, `1 directory`, `2 directories` */
export function plural(value: number, noun: string): string {
  if (value === 1) return `1 ${noun}`;
  return `${count(value)} ${/[^aeiou]y$/.test(noun) ? `${noun.slice(0, -1)}ies` : `${noun}s`}`;
}

const UNITS = ['kB', 'MB', 'GB', 'TB', 'PB'];

/** `0 B`, `999 B`, `12.4 kB`, `1.0 MB` */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  let value = bytes / 1000;
  let unit = 0;
  // 999.95 kB would be printed as 1000.0 kB.
  while (value >= 999.95 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toFixed(1)} ${UNITS[unit] ?? ''}`;
}

/**
 * Two sizes told apart: `12.3 kB -> 12.5 kB`, exact where rounding would hide the difference: `12,301 -> 12,345 bytes`;
 * `(12.3 kB, same size)`.
 */
export function sizeChange(before: number, after: number): string {
  if (before === after) return `(${size(after)}, same size)`;
  const [from, to] = [size(before), size(after)];
  return from === to ? `${count(before)} -> ${count(after)} bytes` : `${from} -> ${to}`;
}

/** How long something took: `48 ms`, `0.3 s`, `42 s`, `3 min 12 s`, `2 h 5 min` */
export function duration(milliseconds: number): string {
  if (milliseconds < 99.5) return `${Math.round(Math.max(0, milliseconds))} ms`;
  if (milliseconds < 9_950) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** How long ago, in one unit: `just now`, `5 minutes ago`, `3 days ago` */
export function age(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  if (seconds < 10) return 'just now';
  if (seconds < 60) return `${plural(seconds, 'second')} ago`;
  if (seconds < 3600) return `${plural(Math.floor(seconds / 60), 'minute')} ago`;
  if (seconds < 2 * 86_400) return `${plural(Math.floor(seconds / 3600), 'hour')} ago`;
  return `${plural(Math.floor(seconds / 86_400), 'day')} ago`;
}

const formats = new Map<string | undefined, Intl.DateTimeFormat>();

/** `2026-11-22 13:05:09`. `milliseconds` since 1970; `timeZone` an IANA name, undefined: this host's. */
export function time(milliseconds: number, timeZone: string | undefined): string {
  // Outside what Intl can say (a damaged row): the number itself.
  if (!(Math.abs(milliseconds) <= 8.64e15)) return String(milliseconds);
  let format = formats.get(timeZone);
  if (format === undefined) {
    // Swedish writes dates as ISO 8601 does.
    format = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium', timeZone });
    formats.set(timeZone, format);
  }
  return format.format(milliseconds);
}

/** `a`, `a and b`, `a, b and c`; beyond `limit` items: `a, b and 7 more` */
export function list(items: readonly string[], limit = Infinity): string {
  const shown = items.length > limit ? [...items.slice(0, limit), `${count(items.length - limit)} more`] : items;
  if (shown.length <= 1) return shown.join('');
  return `${shown.slice(0, -1).join(', ')} and ${shown.at(-1) ?? ''}`;
}
