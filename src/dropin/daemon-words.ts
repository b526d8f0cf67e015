/**
 * What csync2's daemon says of its work, at its levels, from what csx's daemon logs. csync2 has a process for each connection and prints
 * its number; here all are served by one, whose number it is.
 */

import type { LogEntry } from '../engine/daemon/log.js';
import { fromText } from '../model/names.js';
import type { Voice } from './voice.js';

type Line = readonly [level: number, text: string];

/** Verbs that csync2 does not mention: they follow one that it does, or change nothing but attributes. */
const QUIET: ReadonlySet<string> = new Set(['SETOWN', 'SETMOD', 'SETIME']);

/** @param name the name listened as: of -N, or the system's */
export function sayEntry(entry: LogEntry, voice: Voice, name: string): void {
  if (entry.event === 'listening') {
    for (const address of entry.message.replace(/^Listening on |\.$/g, '').split(', '))
      voice.announce(1, `Listening on ${address} as ${name}.`);
    return;
  }
  // One line, whatever a peer sent.
  for (const [level, text] of linesOf(entry)) voice.say(level, fromText(text.replace(/\p{Cc}/gu, '?')));
}

/** Whether a connection begins with it. */
export function isBeginning({ event, message }: LogEntry): boolean {
  return event === 'session' && message === 'Connected.';
}

function linesOf(entry: LogEntry): readonly Line[] {
  const { event, level, message, peer, address, verb, file } = entry;
  const port = entry['port'] ?? '';
  if (event === 'session' && message === 'Connected.')
    return [[1, `New connection from ${address ?? ''}:${String(port)}.`]];
  if (event === 'session') {
    const cut: readonly Line[] = level === 'warning' ? [[0, `ERROR: ${peer ?? address ?? ''}: ${message}`]] : [];
    return [...cut, [1, 'Connection closed.'], [1, `Finished with ${cut.length} errors.`]];
  }
  if (event === 'change' && level === 'info')
    return QUIET.has(verb ?? '') ? [] : [[1, `Updated ${file ?? ''} from ${peer ?? ''}.`]];
  // Told when it has ended: csync2 says so when it begins.
  if (event === 'action' && level === 'info')
    return [[1, `Running ${message.replace(/^Action |: exit status 0$/g, '')} ...`]];
  const head = [peer ?? address, verb, file].filter((part) => part !== undefined).join(' ');
  const text = head === '' ? message : `${head}: ${message}`;
  return [[{ error: 0, warning: 0, info: 1, debug: 3 }[level], text]];
}
