/**
 * Sends one change to the peer: which commands it takes, and what the answers to them say. What is on the way is checked here once more:
 * the file that is read must be the one that was planned, and the signature that PATCH shows the one that was told.
 */

import type { Report } from '../../model/events.js';
import type { Change } from '../../model/plan.js';
import type { ChangeResult } from '../../model/result.js';
import type { Problem } from '../../model/errors.js';
import type { DiskPath, FileName } from '../../model/names.js';
import type { LocalState } from '../../model/scan.js';
import { ABSENT_SIGNATURE } from '../delta/signature.js';
import { openSource } from '../files/source.js';
import type { Source } from '../files/source.js';
import type { Body, Command, Connection } from '../net/connection.js';
import type { Answer } from '../wire/response.js';
import type { PlainVerb } from '../wire/verbs.js';
import { outgoing } from './content.js';
import type { ContentDigests, Outgoing } from './content.js';
import { checkSignature, workOf } from './preconditions.js';
import type { Readiness } from './preconditions.js';
import { stepsOf } from './steps.js';
import type { Raw, Step } from './steps.js';
import { refusalProblem, staleHere } from './trouble.js';

export interface SendOptions {
  readonly connection: Connection;
  /** The text of the pre-shared key for a change. */
  readonly keyOf: (change: Change) => string;
  readonly toDisk: (file: FileName) => DiskPath;
  /** What stands here now; undefined: nothing. Throws CsxError READ_FAILED. */
  readonly look: (file: FileName) => LocalState | undefined;
  /** What lstat says now. */
  readonly raw: (file: FileName) => Raw;
  /** The peer is csx, which sets nothing on an old file whose new content it could not take; csync2 does. */
  readonly grouped: boolean;
  /** The peer compares the content with the digest that ends each PATCH's body. */
  readonly verifies: boolean;
  readonly report: Report;
}

/** Bytes of a file between two reports of how far it is; of what is large, a hundredth. */
const TOLD = 1024 * 1024;
const PARTS = 100;

/** How a change ended. */
export interface End {
  readonly status: ChangeResult['status'];
  readonly problem: Problem | undefined;
  readonly bytes: number;
  readonly digests?: ContentDigests | undefined;
  readonly refused?: boolean;
}

/** Queues the commands at once; resolves with the peer's last answer. */
export function carryOut(
  change: Change,
  found: Exclude<Readiness, { kind: 'stale' }>,
  options: SendOptions,
): Promise<End> {
  const steps: readonly Step[] = found.kind === 'settled' ? [] : stepsOf(change, options.raw(change.path));
  const target = { key: options.keyOf(change), file: change.path };
  const content = steps.findIndex((step) => step.kind === 'content');
  const commands = steps.filter((step) => step.kind === 'command').map((step) => commandOf(step, target));
  if (content < 0) return sendCommands(change, commands, options);
  const before = Promise.all(commands.slice(0, content).map((command) => send(command, options)));
  // What fails with the connection is seen below; until then nobody waits for it.
  before.catch(ignore);
  return sendContent(change, before, commands.slice(content), options);
}

/**
 * SETIME waits for the others' success: a daemon does not check it for conflicts, but forgets one for it, so that behind a refused
 * MKDIR or SETMOD it would make the peer forget what it refused for.
 */
async function sendCommands(change: Change, commands: readonly Command[], options: SendOptions): Promise<End> {
  const last = commands.at(-1);
  if (last?.verb !== 'SETIME')
    return verdict(change, await Promise.all(commands.map((command) => send(command, options))), 0);
  const answers = await Promise.all(commands.slice(0, -1).map((command) => send(command, options)));
  const end = verdict(change, answers, 0);
  return end.status === 'done' ? verdict(change, [await send(last, options)], 0) : end;
}

function send(command: Command, options: SendOptions): Promise<Answer> {
  return options.connection.request<PlainVerb>(command.verb, command.args);
}

/**
 * What the peer finds not to be what was sent is sent once more, whole: then a block that only looks like one of the peer's (its sums are
 * short) cannot keep the file from it for ever.
 */
async function sendContent(
  change: Change,
  before: Promise<readonly Answer[]>,
  followers: readonly Command[],
  options: SendOptions,
): Promise<End> {
  const first = await patch(change, followers, options, 'delta');
  const sent = first.damaged ? await patch(change, followers, options, 'whole') : first;
  const earlier = await before;
  if (sent.stale !== undefined) return { status: 'skipped', problem: sent.stale, bytes: 0 };
  return { ...verdict(change, [...earlier, ...sent.answers], sent.bytes), digests: sent.digests };
}

interface Patched {
  readonly answers: readonly Answer[];
  readonly stale: Problem | undefined;
  readonly bytes: number;
  readonly digests: ContentDigests | undefined;
  /** What arrived, or what came of it, is not what was sent. */
  readonly damaged: boolean;
}

async function patch(
  change: Change,
  followers: readonly Command[],
  options: SendOptions,
  how: 'delta' | 'whole',
): Promise<Patched> {
  const opened: { source?: Source; sent?: Outgoing; stale?: Problem } = {};
  try {
    const { answer, followers: later } = await options.connection.patch(
      { key: options.keyOf(change), file: change.path },
      async (signature) => {
        const stale = checkSignature(change, signature);
        if (stale !== undefined || signature === undefined) {
          if (stale !== undefined) opened.stale = stale;
          return undefined;
        }
        const source = openSource(options.toDisk(change.path));
        opened.source = source;
        if (change.precondition.local !== undefined && source.stamp !== change.precondition.local.stamp) {
          opened.stale = staleHere(change, 'it was changed');
          return undefined;
        }
        opened.sent = await outgoing(source, how === 'whole' ? ABSENT_SIGNATURE : signature, options.verifies);
        return telling(change, opened.sent.body, options.report);
      },
      followers,
      { late: !options.grouped, work: workOf(change) },
    );
    return {
      answers: [answer, ...later],
      stale: opened.stale,
      bytes: opened.sent?.body.length ?? 0,
      digests: opened.sent?.digests(),
      damaged: opened.sent !== undefined && answer.kind === 'error' && answer.refusal.kind === 'damaged',
    };
  } finally {
    opened.source?.close();
  }
}

/** The body, with a report of how much of it has left now and then. */
function telling(change: Change, body: Body, report: Report): Body {
  const step = Math.max(TOLD, Math.ceil(body.length / PARTS));
  if (body.length <= step) return body;
  const { peer, path } = change;
  const chunks = async function* (): AsyncGenerator<Buffer> {
    let [sent, told] = [0, 0];
    for await (const chunk of body.chunks) {
      yield chunk;
      sent += chunk.length;
      if (sent - told < step) continue;
      told = sent;
      report({ type: 'apply_progress', peer, path, bytes: sent });
    }
  };
  return { length: body.length, chunks: chunks() };
}

function commandOf(
  step: Extract<Step, { kind: 'command' }>,
  target: { readonly key: string; readonly file: FileName },
): Command {
  const [first = '', second = ''] = step.rest;
  switch (step.verb) {
    case 'SETOWN':
      return { verb: 'SETOWN', args: { ...target, uid: Number(first), gid: Number(second) } };
    case 'SETMOD':
      return { verb: 'SETMOD', args: { ...target, mode: Number(first) } };
    case 'SETIME':
      return { verb: 'SETIME', args: { ...target, mtime: Number(first) } };
    case 'MKLINK':
      return { verb: 'MKLINK', args: { ...target, target: first } };
    case 'MKCHR':
    case 'MKBLK':
      return { verb: step.verb, args: { ...target, device: Number(first) } };
    case 'FLUSH':
    case 'DEL':
    case 'MKDIR':
    case 'MKFIFO':
      return { verb: step.verb, args: target };
  }
}

/** Done when every answer is OK; otherwise the first refusal says why not. */
function verdict(change: Change, answers: readonly Answer[], bytes: number): End {
  const refusal = answers.find((answer) => answer.kind === 'error');
  if (refusal === undefined) return { status: 'done', problem: undefined, bytes };
  const dirty = refusal.refusal.kind === 'marked-dirty';
  return { status: dirty ? 'skipped' : 'failed', problem: refusalProblem(change, refusal), bytes, refused: dirty };
}

function ignore(): void {
  // The failure is seen where the promise is awaited.
}
