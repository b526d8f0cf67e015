/**
 * The new content that is on its way in a session, one file at a time: a PATCH whose body is coming, or that waits for its
 * attributes until SETIME, another file's command or the end hands it over to the group.
 */

import type { FileName } from '../../model/names.js';
import { ContentDigestReader } from '../wire/content-digest.js';
import { writeErrorResponse, writeOkResponse, writeSendDataResponse } from '../wire/response-writer.js';
import { strerror } from '../wire/strerror.js';
import { answerText } from './answer-text.js';
import { attributesOf } from './apply.js';
import type { Change } from './apply.js';
import type { Changes } from './changes.js';
import type { Hold } from './hold.js';
import type { Refusals } from './refusals.js';
import type { Replies } from './replies.js';
import type { Served } from './served.js';
import type { ToldSignatures } from './told-signatures.js';

/** Sets an attribute: of the content that waits, if that is for the same file. */
export type AttributeChange = Extract<Change, { verb: 'SETOWN' | 'SETMOD' | 'SETIME' }>;

export interface IncomingOptions {
  readonly served: Served;
  readonly changes: Changes;
  readonly replies: Replies;
  readonly refusals: Refusals;
  /** The client was told to send a body: it is what comes next. */
  readonly expectBody: () => void;
}

export class Incoming {
  readonly #served: Served;
  readonly #changes: Changes;
  readonly #replies: Replies;
  readonly #refusals: Refusals;
  readonly #expectBody: () => void;
  #hold: Hold | undefined;
  /** Of a body that ends with its content's digest. */
  #digest: ContentDigestReader | undefined;
  /** Why the body that is coming will be refused. */
  #bodyFailure: unknown;
  /**
   * The file whose content has just failed, and what was answered. Its SETOWN, SETMOD and SETIME may be on their way already; they are
   * meant for the new content, so the old one keeps its own attributes (promise 1).
   */
  #failed: { readonly file: FileName; readonly text: string } | undefined;

  constructor(options: IncomingOptions) {
    this.#served = options.served;
    this.#changes = options.changes;
    this.#replies = options.replies;
    this.#refusals = options.refusals;
    this.#expectBody = options.expectBody;
  }

  /** The file whose content waits for its body or its attributes. */
  get file(): FileName | undefined {
    return this.#hold?.file;
  }

  /** What the attributes of a file are refused with whose content has just failed; any other command ends that. */
  refusalOf(attributesOfFile: FileName | undefined): string | undefined {
    if (this.#failed?.file !== attributesOfFile) this.#failed = undefined;
    return this.#failed?.text;
  }

  /** PATCH: tells what is there, which may have been `told` before, and asks for the delta. */
  async ask(hold: Hold, told: ToldSignatures | undefined): Promise<void> {
    try {
      const signature = await hold.signature(told);
      this.#replies.add(writeSendDataResponse(signature));
    } catch (error) {
      hold.discard();
      throw error;
    }
    this.#bodyFailure = undefined;
    this.#hold = hold;
    this.#expectBody();
  }

  /** The body starts. `verified`: the digest of the new content is its end. */
  begin(length: number, verified: boolean): void {
    this.#digest = verified ? new ContentDigestReader(length) : undefined;
  }

  /** A piece of the body. */
  async receive(piece: Buffer): Promise<void> {
    if (this.#bodyFailure !== undefined) return;
    try {
      await this.#hold?.receive(this.#digest?.take(piece) ?? piece);
    } catch (error) {
      this.#bodyFailure = error;
      this.#hold?.discard();
    }
  }

  /** The body is complete: answers for it. */
  finishBody(): void {
    const hold = this.#hold;
    if (hold === undefined) return;
    try {
      if (this.#bodyFailure === undefined) hold.finish(this.#digest?.digest);
    } catch (error) {
      this.#bodyFailure = error;
      hold.discard();
    }
    if (this.#bodyFailure === undefined) {
      hold.replies.push(this.#replies.add(writeOkResponse()));
      return;
    }
    this.#hold = undefined;
    this.#refusals.fail('PATCH', hold.file, this.#bodyFailure);
    this.#failed = { file: hold.file, text: answerText(this.#bodyFailure) };
  }

  /** The client has no body: nothing is changed. */
  refuseBody(): void {
    const { file } = this;
    this.#hold?.discard();
    this.#hold = undefined;
    this.#replies.add(writeErrorResponse(strerror('EIO')));
    this.#refusals.note('refused', 'PATCH', file, 'The client could not make the delta.');
  }

  /** Collects an attribute of the content that waits; csync2 sends SETIME last. False: none waits. */
  async dress(change: AttributeChange): Promise<boolean> {
    const hold = this.#hold;
    if (hold === undefined) return false;
    hold.attributes = { ...hold.attributes, ...attributesOf(change, this.#served.config.ignore) };
    hold.replies.push(this.#replies.add(writeOkResponse()));
    if (change.verb === 'SETIME') await this.settle();
    return true;
  }

  /** Hands what waits for more over to the group, as it is. */
  async settle(): Promise<void> {
    const hold = this.#hold;
    if (hold === undefined) return;
    this.#hold = undefined;
    await this.#changes.own(hold.file);
    await this.#changes.place(hold);
  }

  /** The connection is over: what is not whole will never be. */
  giveUp(): void {
    if (this.#hold === undefined) return;
    const message = 'Given up: the connection ended before the file was complete.';
    this.#refusals.note('refused', 'PATCH', this.#hold.file, message);
    this.#hold.discard();
    this.#hold = undefined;
  }
}
