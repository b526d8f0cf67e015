/**
 * Bytes that have come and are not yet understood: pushed in as they arrive, taken out as lines or as counted pieces.
 * Holds at most what was pushed; an incomplete line is searched once, not again with every chunk.
 */

const NEWLINE = 0x0a;
const EMPTY = Buffer.alloc(0);

export class ByteQueue {
  #chunks: Buffer[] = [];
  /** Index of the first chunk, and of the first byte in it, that were not taken. */
  #first = 0;
  #offset = 0;
  #length = 0;
  /** The first chunk that was not searched for a newline, and how many bytes wait before it. */
  #unsearched = 0;
  #searched = 0;

  /** Bytes that wait. */
  get length(): number {
    return this.#length;
  }

  /** The chunk must not be written to afterwards. */
  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /**
   * Takes a line as a byte string, without its newline: undefined when it is not complete yet, `too-long` (and nothing taken)
   * when it is longer than `limit` bytes.
   */
  takeLine(limit: number): { readonly line: string } | 'too-long' | undefined {
    for (; this.#unsearched < this.#chunks.length; this.#unsearched += 1) {
      const chunk = this.#chunks[this.#unsearched] ?? EMPTY;
      const start = this.#unsearched === this.#first ? this.#offset : 0;
      const at = chunk.indexOf(NEWLINE, start);
      if (at >= 0) {
        const length = this.#searched + at - start;
        if (length > limit) return 'too-long';
        const line = this.#takeText(length);
        this.#skip(1);
        return { line };
      }
      this.#searched += chunk.length - start;
    }
    return this.#searched > limit ? 'too-long' : undefined;
  }

  /** Takes what is there, up to `limit` bytes, without copying; an empty Buffer when nothing waits. */
  takePiece(limit: number): Buffer {
    const chunk = this.#chunks[this.#first];
    if (chunk === undefined || limit <= 0) return EMPTY;
    const piece = chunk.subarray(this.#offset, this.#offset + limit);
    this.#skip(piece.length);
    return piece;
  }

  #takeText(length: number): string {
    const chunk = this.#chunks[this.#first] ?? EMPTY;
    if (this.#offset + length <= chunk.length) {
      const text = chunk.toString('latin1', this.#offset, this.#offset + length);
      this.#skip(length);
      return text;
    }
    let text = '';
    while (text.length < length) {
      const piece = this.takePiece(length - text.length);
      text += piece.toString('latin1');
    }
    return text;
  }

  #skip(count: number): void {
    this.#length -= count;
    this.#offset += count;
    const chunk = this.#chunks[this.#first];
    if (chunk !== undefined && this.#offset >= chunk.length) this.#dropFirst();
    this.#unsearched = this.#first;
    this.#searched = 0;
  }

  #dropFirst(): void {
    this.#offset = 0;
    this.#first += 1;
    if (this.#first === this.#chunks.length) {
      this.#chunks = [];
      this.#first = 0;
    } else if (this.#first > 1024) {
      this.#chunks = this.#chunks.slice(this.#first);
      this.#first = 0;
    }
  }
}
