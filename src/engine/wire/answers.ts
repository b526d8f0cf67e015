/**
 * The texts a daemon answers with, and what they mean to a client.
 * Success starts with `OK (`; everything else is an error, and an error leaves the connection open.
 * Source: reference/wire-protocol.md, "Answers".
 */

import { errnoOfText } from './strerror.js';

/** Texts of success, without newline. */
export const OK = {
  finished: 'OK (cmd_finished).',
  dataFollows: 'OK (data_follows).',
  sendData: 'OK (send_data).',
  notFound: 'OK (not_found).',
  pathNotFound: 'OK (path_not_found).',
  bye: 'OK (cu_later).',
  activatingSsl: 'OK (activating_ssl).',
} as const;

/** Texts of refusal, without newline. */
export const REFUSED = {
  markedDirty: 'File is also marked dirty here!',
  parentMissing: 'Parent dir missing.',
  denied: 'Permission denied!',
  deniedSlave: 'Permission denied for slave!',
  identification: 'Identification failed!',
  sslExpected: 'SSL encrypted connection expected!',
  groupListSet: 'Group list already set!',
  unknownCommand: 'Unknown command!',
  notAgreed: 'It was changed here since.',
  damaged: 'The content is not the one that was sent.',
  expectedConfig: 'Expecting SSL (optional) and CONFIG as first commands.',
} as const;

/** What a daemon answers to a command before HELLO. */
export function identifyFirst(address: string): string {
  return `Dear ${address}, please identify first.`;
}

export type RefusalKind =
  | 'marked-dirty'
  | 'parent-missing'
  | 'denied'
  | 'denied-slave'
  | 'identification-failed'
  | 'not-identified'
  | 'ssl-expected'
  | 'group-list-set'
  | 'unknown-command'
  | 'expected-config'
  | 'damaged'
  /** The daemon's strerror, or anything else. */
  | 'system';

export interface Refusal {
  readonly kind: RefusalKind;
  /** `system` only: the errno name (`ENOSPC`) where the text is one of glibc's. */
  readonly errno: string | undefined;
}

const KINDS: ReadonlyMap<string, RefusalKind> = new Map([
  [REFUSED.markedDirty, 'marked-dirty'],
  [REFUSED.parentMissing, 'parent-missing'],
  [REFUSED.denied, 'denied'],
  [REFUSED.deniedSlave, 'denied-slave'],
  [REFUSED.identification, 'identification-failed'],
  [REFUSED.sslExpected, 'ssl-expected'],
  [REFUSED.groupListSet, 'group-list-set'],
  [REFUSED.unknownCommand, 'unknown-command'],
  // The spelling of older csync2 builds.
  ['Unkown command!', 'unknown-command'],
  [REFUSED.expectedConfig, 'expected-config'],
  [REFUSED.damaged, 'damaged'],
]);

/** True for a line that reports success; an unknown `OK (...)` counts. */
export function isOk(text: string): boolean {
  return text.startsWith('OK (');
}

/** Says what an error text means. */
export function classifyRefusal(text: string): Refusal {
  const known = KINDS.get(text);
  if (known !== undefined) return { kind: known, errno: undefined };
  if (/^Dear .*, please identify first\.$/.test(text)) return { kind: 'not-identified', errno: undefined };
  return { kind: 'system', errno: errnoOfText(text) };
}
