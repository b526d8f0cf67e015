/**
 * The commands of an identified client: for each one the columns of the protocol table in their order (permission, check of the file,
 * change), and the PATCH that waits for its attributes.
 */

import type { SignatureDigest, Stamp } from '../../model/entry.js';
import { stampOf } from '../../model/entry.js';
import type { Group } from '../../model/config.js';
import type { DiskPath, FileName } from '../../model/names.js';
import { display } from '../../model/names.js';
import type { Write } from '../../model/store.js';
import { signatureDigest } from '../delta/signature.js';
import { REFUSED } from '../wire/answers.js';
import {
  writeContentResponse,
  writeDecimalResponse,
  writeErrorResponse,
  writeOkResponse,
  writeSendDataResponse,
} from '../wire/response-writer.js';
import { strerror } from '../wire/strerror.js';
import { verbRow } from '../wire/verbs.js';
import type { Arguments, Request, RowsVerb, Verb } from '../wire/verbs.js';
import { answerText } from './answer-text.js';
import { apply, attributesOf, attributesOfPut } from './apply.js';
import type { Change } from './apply.js';
import { authorise } from './authorise.js';
import type { Changes } from './changes.js';
import { checkBeforeChange, lstat } from './check.js';
import { Hold } from './hold.js';
import { answerContent, answerNumber, answerRows, answerSignature, isAgreed } from './query.js';
import type { RowsRequest } from './query.js';
import type { Replies } from './replies.js';
import type { Client, Served, Services } from './served.js';

/** Commands about one file. */
export type FileRequest = Exclude<
  Request,
  { readonly verb: 'SSL' | 'CONFIG' | 'GROUP' | 'HELLO' | 'BYE' | 'TYPE' | 'CSX' | 'SYNC' | RowsVerb }
>;

/** What a session and the work of its client share. */
export interface WorkOptions {
  readonly served: Served;
  readonly services: Services;
  readonly client: Client;
  readonly changes: Changes;
  readonly replies: Replies;
  /** The client was told to send a body: it is what comes next. */
  readonly expectBody: () => void;
}

interface Permitted {
  readonly file: FileName;
  readonly disk: DiskPath;
  readonly groups: readonly Group[];
}

export class Work {
  readonly client: Client;
  readonly changes: Changes;
  readonly #served: Served;
  readonly #services: Services;
  readonly #replies: Replies;
  readonly #expectBody: () => void;
  /** A PATCH whose body is coming, or that waits for its attributes. */
  #hold: Hold | undefined;
  /** Why the body that is coming will be refused. */
  #bodyFailure: unknown;
  /**
   * The file whose PATCH has just failed, and what was answered. Its SETOWN, SETMOD and SETIME may be on their way already; they are
   * meant for the new content, so the old one keeps its own attributes (promise 1).
   */
  #failed: { readonly file: FileName; readonly text: string } | undefined;
  /** What the last SIG told: the file's content, should the next command only set its times. */
  #told: { readonly file: FileName; readonly stamp: Stamp; readonly signature: SignatureDigest } | undefined;

  constructor(options: WorkOptions) {
    this.client = options.client;
    this.changes = options.changes;
    this.#served = options.served;
    this.#services = options.services;
    this.#replies = options.replies;
    this.#expectBody = options.expectBody;
  }

  /** Whether a PATCH waits for its body or its attributes. */
  get holding(): boolean {
    return this.#hold !== undefined;
  }

  /** Carries out a command and adds its answer. */
  async request(request: FileRequest): Promise<void> {
    const { verb, args } = request;
    if (this.#hold !== undefined && !this.#continuesHold(request)) await this.settleHold();
    const failed = isAttribute(verb) && this.#failed?.file === args.file ? this.#failed : undefined;
    this.#failed = failed;
    try {
      const permitted = await this.#permit(verb, args.key, args.file);
      if (permitted === undefined) return;
      if (failed === undefined) await this.#carryOut(request, permitted);
      else this.#refuse(verb, args.file, failed.text);
    } catch (error) {
      this.#fail(verb, args.file, error);
    }
  }

  /** LIST, DIGEST and ROWS, in pieces. Everything before it must have been answered. */
  rows(request: RowsRequest): AsyncGenerator<Buffer, void, undefined> {
    return answerRows(this.#served, this.client.name, request);
  }

  /** TYPE, in pieces; the session closes after it. Undefined: refused, and answered. Everything before it must have been answered. */
  async content(args: Arguments<'TYPE'>): Promise<Generator<Buffer, void, undefined> | undefined> {
    const permitted = await this.#permit('TYPE', args.key, args.file);
    if (permitted === undefined) return undefined;
    this.#replies.add(writeContentResponse());
    return answerContent(permitted.disk);
  }

  /** Takes a piece of the body of a PATCH. */
  async receive(piece: Buffer): Promise<void> {
    if (this.#bodyFailure !== undefined) return;
    try {
      await this.#hold?.receive(piece);
    } catch (error) {
      this.#bodyFailure = error;
      this.#hold?.discard();
    }
  }

  /** The body is complete: answers the PATCH. */
  async finishBody(): Promise<void> {
    const hold = this.#hold;
    if (hold === undefined) return;
    try {
      if (this.#bodyFailure === undefined) hold.finish();
    } catch (error) {
      this.#bodyFailure = error;
      hold.discard();
    }
    if (this.#bodyFailure === undefined) {
      hold.replies.push(this.#replies.add(writeOkResponse()));
      if (hold.complete) await this.settleHold();
      return;
    }
    this.#hold = undefined;
    this.#fail('PATCH', hold.file, this.#bodyFailure);
    this.#failed = { file: hold.file, text: answerText(this.#bodyFailure) };
  }

  /** The client has no body: nothing is changed. */
  refuseBody(): void {
    const file = this.#hold?.file;
    this.#hold?.discard();
    this.#hold = undefined;
    this.#replies.add(writeErrorResponse(strerror('EIO')));
    this.#log('warning', 'PATCH', file, 'The client could not make the delta.');
  }

  /** Hands a PATCH that waits for more over to the group, as it is. */
  async settleHold(): Promise<void> {
    const hold = this.#hold;
    if (hold === undefined) return;
    this.#hold = undefined;
    await this.changes.own(hold.file);
    await this.changes.place(hold);
  }

  /** The connection is over without BYE: what waits is given up, what was applied is made durable and recorded. */
  async abandon(): Promise<void> {
    if (this.#hold !== undefined) {
      this.#log('warning', 'PATCH', this.#hold.file, 'Given up: the connection ended before the file was complete.');
      this.#hold.discard();
      this.#hold = undefined;
    }
    await this.changes.commit();
  }

  /** Column P. Undefined: refused, and answered. */
  async #permit(verb: Verb, key: string, file: FileName): Promise<Permitted | undefined> {
    const { selection, store } = this.#served;
    const verdict = authorise(selection, this.client.name, key, file, verbRow(verb).permission === 'compare');
    switch (verdict.kind) {
      case 'allowed':
        return { file, disk: verdict.disk, groups: verdict.groups };
      case 'slave':
        // csync2 marks it for every peer, so that the slave gets this host's version back.
        await store.write(this.#marks(file));
        this.#refuse(verb, file, REFUSED.deniedSlave);
        return undefined;
      case 'denied':
        this.#refuse(verb, file, REFUSED.denied);
        return undefined;
    }
  }

  async #carryOut(request: FileRequest, permitted: Permitted): Promise<void> {
    const { file, disk } = permitted;
    const { store } = this.#served;
    switch (request.verb) {
      case 'SIG': {
        await this.#ready(file);
        const told = await answerSignature(this.#served, file, disk);
        this.#told =
          told.content === undefined
            ? undefined
            : { file, stamp: told.content.stamp, signature: signatureDigest(told.content.signature) };
        this.#replies.add(told.bytes);
        return;
      }
      case 'GETTM':
      case 'GETSZ':
        await this.#ready(file);
        this.#replies.add(writeDecimalResponse(answerNumber(request.verb, disk)));
        return;
      case 'AGREED':
        await this.#ready(file);
        if (await isAgreed(this.#served, this.client.name, file, disk)) this.#replies.add(writeOkResponse());
        else this.#replies.add(writeErrorResponse(REFUSED.notAgreed));
        return;
      case 'MARK':
        await store.write(this.#marks(file));
        this.#replies.add(writeOkResponse());
        return;
      case 'FLUSH':
        await this.changes.own(file);
        if (!this.changes.has(file)) await checkBeforeChange(this.#served, file, disk, this.#services.now());
        await store.write([{ kind: 'clear-dirty', file, peer: undefined }]);
        this.#replies.add(writeOkResponse());
        return;
      case 'PATCH':
        await this.#patch(permitted);
        return;
      case 'PUT':
        await this.#put(request.args, permitted);
        return;
      case 'SETOWN':
      case 'SETMOD':
      case 'SETIME':
        if (this.#hold === undefined) await this.#change(request, permitted);
        else await this.#dress(this.#hold, request);
        return;
      default:
        await this.#change(request, permitted);
    }
  }

  async #patch(permitted: Permitted): Promise<void> {
    const { file, disk, groups } = permitted;
    await this.#placed(file);
    if (!(await this.#mayChange('PATCH', file, disk))) return;
    const hold = Hold.open(file, disk, groups, this.#served.config.temporaryDirectory);
    try {
      const signature = await hold.signature();
      this.#replies.add(writeSendDataResponse(signature));
    } catch (error) {
      hold.discard();
      throw error;
    }
    this.#bodyFailure = undefined;
    this.#hold = hold;
    this.#expectBody();
  }

  /** A new file: nothing is told, and nothing is waited for but the body. */
  async #put(args: Arguments<'PUT'>, { file, disk, groups }: Permitted): Promise<void> {
    const attributes = attributesOfPut(args, this.#served.config.ignore);
    if (attributes === undefined) {
      this.#refuse('PUT', file, REFUSED.denied);
      return;
    }
    await this.#ready(file);
    if (!(await this.#mayChange('PUT', file, disk))) return;
    const hold = Hold.open(file, disk, groups, this.#served.config.temporaryDirectory);
    if (hold.before !== undefined) {
      hold.discard();
      this.#refuse('PUT', file, strerror('EEXIST'));
      return;
    }
    hold.attributes = attributes;
    hold.complete = true;
    this.#bodyFailure = undefined;
    this.#hold = hold;
  }

  /** Collects an attribute of a PATCH that waits; csync2 sends SETIME last. */
  async #dress(hold: Hold, change: Extract<Change, { verb: 'SETOWN' | 'SETMOD' | 'SETIME' }>): Promise<void> {
    hold.attributes = { ...hold.attributes, ...attributesOf(change, this.#served.config.ignore) };
    hold.replies.push(this.#replies.add(writeOkResponse()));
    if (change.verb === 'SETIME') await this.settleHold();
  }

  async #change(change: Change, permitted: Permitted): Promise<void> {
    const { file, disk, groups } = permitted;
    const row = verbRow(change.verb);
    await this.#placed(file);
    await this.changes.own(file);
    if (row.dirty === 'refuse' && !(await this.#mayChange(change.verb, file, disk))) return;
    if (row.backup) await this.changes.backUp(disk, groups);
    await this.changes.intend(change, file, disk);
    const known = this.#knownContent(file, disk);
    const applied = apply(change, disk, this.#served.config.ignore);
    const reply = this.#replies.add(writeOkResponse());
    this.changes.applied({ file, disk, groups, verb: change.verb, actions: row.actions, reply }, applied);
    if (known !== undefined && !applied.name) this.changes.knownContent(file, known);
  }

  /** Column D. False: refused, and answered. */
  async #mayChange(verb: Verb, file: FileName, disk: DiskPath): Promise<boolean> {
    await this.changes.own(file);
    if (this.changes.has(file)) return true;
    if (!(await checkBeforeChange(this.#served, file, disk, this.#services.now()))) return true;
    await this.#served.store.write(this.#marks(file).filter((mark) => mark.peer === this.client.name));
    this.#refuse(verb, file, REFUSED.markedDirty);
    return false;
  }

  /** What is asked about must be what the answers before said. */
  async #ready(file: FileName): Promise<void> {
    if (this.changes.has(file)) await this.changes.commit();
  }

  /** A command about a file that waits to be put in its place comes after that. */
  async #placed(file: FileName): Promise<void> {
    if (this.changes.places(file)) await this.changes.commit();
  }

  /** The signature SIG has told, while the file is still in the state it told of. */
  #knownContent(file: FileName, disk: DiskPath): SignatureDigest | undefined {
    const told = this.#told;
    if (told?.file !== file) return undefined;
    const stats = lstat(disk);
    if (stats === undefined || stampOf(stats) !== told.stamp) return undefined;
    return told.signature;
  }

  #continuesHold({ verb, args }: FileRequest): boolean {
    return isAttribute(verb) && args.file === this.#hold?.file;
  }

  #marks(file: FileName): Extract<Write, { kind: 'mark' }>[] {
    const since = this.#services.now();
    return this.#served.selection
      .peersOf(file)
      .map(({ peer, me }) => ({ kind: 'mark', file, peer, me, forced: false, since }) as const);
  }

  #refuse(verb: Verb, file: FileName, text: string): void {
    this.#replies.add(writeErrorResponse(text));
    this.#log('warning', verb, file, `Refused: ${text}`);
  }

  #fail(verb: Verb, file: FileName, error: unknown): void {
    const text = answerText(error);
    this.#replies.add(writeErrorResponse(text));
    this.#log('error', verb, file, error instanceof Error && error.message !== '' ? error.message : text);
  }

  #log(level: 'warning' | 'error', verb: Verb, file: FileName | undefined, message: string): void {
    const { name, address } = this.client;
    this.#services.log({
      level,
      event: level === 'error' ? 'failed' : 'refused',
      peer: display(name),
      address,
      verb,
      file: file === undefined ? undefined : display(file),
      message,
    });
  }
}

function isAttribute(verb: Verb): boolean {
  return verb === 'SETOWN' || verb === 'SETMOD' || verb === 'SETIME';
}
