/**
 * The daemon's log: one line for each thing that happened, as text for people or JSON for programs. Values are text (byte strings go
 * through `display` first); control characters are escaped here once more, whatever comes. Keys are never handed to it.
 */

export type Level = 'error' | 'warning' | 'info' | 'debug';

export interface LogEntry {
  readonly level: Level;
  /** Short and stable: `change`, `refused`, `session`, `action`, ... */
  readonly event: string;
  /** One sentence or phrase for people. */
  readonly message: string;
  readonly peer?: string | undefined;
  readonly address?: string | undefined;
  readonly file?: string | undefined;
  readonly verb?: string | undefined;
  /** Further facts: results, counts, durations in milliseconds. */
  readonly [fact: string]: string | number | boolean | undefined;
}

export type Log = (entry: LogEntry) => void;

export interface LogOptions {
  readonly format: 'human' | 'json';
  /** Lines below it are left out. */
  readonly level: Level;
  readonly write: (line: string) => void;
  /** Unix milliseconds. */
  readonly now: () => number;
}

const WEIGHT: Readonly<Record<Level, number>> = { error: 3, warning: 2, info: 1, debug: 0 };
/** Longest value in a line, in characters. */
const LONGEST = 4096;

export function createLog(options: LogOptions): Log {
  return (entry) => {
    if (WEIGHT[entry.level] < WEIGHT[options.level]) return;
    const time = new Date(options.now()).toISOString();
    options.write(`${options.format === 'json' ? jsonLine(time, entry) : humanLine(time, entry)}\n`);
  };
}

function jsonLine(time: string, entry: LogEntry): string {
  const fields = Object.entries(entry).map(([name, value]) => [name, typeof value === 'string' ? clean(value) : value]);
  return JSON.stringify({ time, ...(Object.fromEntries(fields) as Record<string, unknown>) });
}

/** `2026-01-31T10:02:03.456Z info    web2 PATCH /etc/hosts: done bytes=12` */
function humanLine(time: string, entry: LogEntry): string {
  const { level, event: _event, message, peer, address, file, verb, ...facts } = entry;
  const who = [peer ?? address, verb, file].filter((part) => part !== undefined).map(clean);
  const more = Object.entries(facts).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${clean(String(value))}`],
  );
  const head = who.length > 0 ? [`${who.join(' ')}:`] : [];
  return [time, level.padEnd(7), ...head, clean(message), ...more].join(' ');
}

/** On one line, nothing invisible in it, and not without end. */
function clean(text: string): string {
  const kept = text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text;
  return kept.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
