/**
 * The commands of an identified client: for each one the columns of the protocol table in their order (permission, check of the file,
 * change).
 */

import type { SignatureDigest, Stamp } from '../../model/entry.js';
import { stampOf } from '../../model/entry.js';
import type { Group } from '../../model/config.js';
import type { DiskPath, FileName } from '../../model/names.js';
import type { Write } from '../../model/store.js';
import { signatureDigest } from '../delta/signature.js';
import { REFUSED } from '../wire/answers.js';
import {
  writeContentResponse,
  writeDecimalResponse,
  writeErrorResponse,
  writeOkResponse,
} from '../wire/response-writer.js';
import { verbRow } from '../wire/verbs.js';
import type { Arguments, Request, RowsVerb, Verb } from '../wire/verbs.js';
import { apply } from './apply.js';
import type { Change } from './apply.js';
import { authorise } from './authorise.js';
import type { Changes } from './changes.js';
import { checkBeforeChange, lstat } from './check.js';
import { Hold } from './hold.js';
import { Incoming } from './incoming.js';
import { answerContent, answerNumber, answerRows, answerSignature, isAgreed } from './query.js';
import type { RowsRequest } from './query.js';
import { Refusals } from './refusals.js';
import type { Replies } from './replies.js';
import type { Client, Served, Services } from './served.js';

/** Commands about one file. */
export type FileRequest = Exclude<
  Request,
  {
    readonly verb: 'SSL' | 'CONFIG' | 'GROUP' | 'HELLO' | 'BYE' | 'TYPE' | 'CSX' | 'SYNC' | 'PACK' | 'LOOK' | RowsVerb;
  }
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
  /** Whether it will end with the digest of what is to come of it. */
  readonly verifies: () => boolean;
}

interface Permitted {
  readonly file: FileName;
  readonly disk: DiskPath;
  readonly groups: readonly Group[];
}

export class Work {
  readonly client: Client;
  readonly changes: Changes;
  /** New content on its way. */
  readonly incoming: Incoming;
  readonly #served: Served;
  readonly #services: Services;
  readonly #replies: Replies;
  readonly #refusals: Refusals;
  readonly #verifies: () => boolean;
  /** What the last SIG told: the file's content, should the next command only set its times. */
  #told: { readonly file: FileName; readonly stamp: Stamp; readonly signature: SignatureDigest } | undefined;

  constructor(options: WorkOptions) {
    const { client, changes, served, services, replies, expectBody, verifies } = options;
    this.client = client;
    this.changes = changes;
    this.#served = served;
    this.#services = services;
    this.#replies = replies;
    this.#verifies = verifies;
    this.#refusals = new Refusals(client, replies, services.log);
    this.incoming = new Incoming({ served, changes, replies, refusals: this.#refusals, expectBody });
  }

  /** Carries out a command and adds its answer. */
  async request(request: FileRequest): Promise<void> {
    const { verb, args } = request;
    const attribute = isAttribute(verb);
    if (!attribute || args.file !== this.incoming.file) await this.incoming.settle();
    const refusal = this.incoming.refusalOf(attribute ? args.file : undefined);
    try {
      const permitted = await this.#permit(verb, args.key, args.file);
      if (permitted === undefined) return;
      if (refusal === undefined) await this.#carryOut(request, permitted);
      else this.#refusals.refuse(verb, args.file, refusal);
    } catch (error) {
      this.#refusals.fail(verb, args.file, error);
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

  /** The connection is over without BYE: what waits is given up, what was applied is made durable and recorded. */
  async abandon(): Promise<void> {
    this.incoming.giveUp();
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
        this.#refusals.refuse(verb, file, REFUSED.deniedSlave);
        return undefined;
      case 'denied':
        this.#refusals.refuse(verb, file, REFUSED.denied);
        return undefined;
    }
  }

  async #carryOut(request: FileRequest, permitted: Permitted): Promise<void> {
    const { file, disk } = permitted;
    const { store } = this.#served;
    switch (request.verb) {
      case 'SIG': {
        await this.#ready(file);
        const told = await answerSignature(this.#served, file, disk, this.#services.now());
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
      case 'SETOWN':
      case 'SETMOD':
      case 'SETIME':
        if (!(await this.incoming.dress(request))) await this.#change(request, permitted);
        return;
      default:
        await this.#change(request, permitted);
    }
  }

  async #patch(permitted: Permitted): Promise<void> {
    const { file, disk, groups } = permitted;
    await this.#placed(file);
    if (!(await this.#mayChange('PATCH', file, disk))) return;
    const told = this.#verifies() ? this.#served.signatures : undefined;
    await this.incoming.ask(Hold.open(file, disk, groups, this.#served.config.temporaryDirectory), told);
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
    this.#refusals.refuse(verb, file, REFUSED.markedDirty);
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

  #marks(file: FileName): Extract<Write, { kind: 'mark' }>[] {
    const since = this.#services.now();
    return this.#served.selection
      .peersOf(file)
      .map(({ peer, me }) => ({ kind: 'mark', file, peer, me, forced: false, since }) as const);
  }
}

function isAttribute(verb: Verb): boolean {
  return verb === 'SETOWN' || verb === 'SETMOD' || verb === 'SETIME';
}
