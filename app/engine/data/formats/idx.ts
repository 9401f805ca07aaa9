import { FormatError } from './formatError';

const UBYTE = 8;
const damaged = (expected: string, found: string) =>
  new FormatError(expected, found, 'The file is damaged or is another one: get it again.');

/** True for the first bytes of an IDX file of bytes: two zeros, the type, and one to four dimensions. */
export const isIdx = (head: Uint8Array): boolean =>
  head.length >= 8 && head[0] === 0 && head[1] === 0 && head[2] === UBYTE && (head[3] as number) >= 1 && (head[3] as number) <= 4;

/** One IDX file: images [count, side, side] or labels [count], one byte each. */
export interface IdxFile {
  readonly kind: 'images' | 'labels';
  readonly count: number;
  readonly data: Uint8Array<ArrayBuffer>;
}

/**
 * Reads an IDX file of bytes as it arrives. Takes one dimension (labels) or three (images of `side` × `side`), and at most
 * `maxCount` of them: memory is taken for what the header says only after it was checked. Errors: FormatError.
 */
export class IdxReader {
  private readonly header = new Uint8Array(16);
  private filled = 0;
  private length = 4;
  private file: { kind: IdxFile['kind']; count: number; data: Uint8Array<ArrayBuffer> } | undefined;
  private at = 0;

  constructor(
    private readonly side: number,
    private readonly maxCount: number,
  ) {}

  push(bytes: Uint8Array): void {
    let i = 0;
    while (this.filled < this.length && i < bytes.length) {
      this.header[this.filled++] = bytes[i++] as number;
      if (this.filled === 4) this.dimensions();
      if (this.filled === this.length) this.begin();
    }
    if (!this.file) return;
    const rest = bytes.subarray(i);
    if (this.at + rest.length > this.file.data.length) throw damaged(`${this.file.data.length} values, as its header says`, 'more');
    this.file.data.set(rest, this.at);
    this.at += rest.length;
  }

  private dimensions(): void {
    const [a, b, type, count] = this.header as unknown as [number, number, number, number];
    if (a !== 0 || b !== 0 || type !== UBYTE) throw damaged('an IDX file of bytes', 'another header');
    if (count !== 1 && count !== 3) throw damaged('labels (one dimension) or images (three)', `${count} dimensions`);
    this.length = 4 + 4 * count;
  }

  private begin(): void {
    const view = new DataView(this.header.buffer);
    const count = view.getUint32(4);
    if (count < 1 || count > this.maxCount) throw damaged(`1 to ${this.maxCount} entries`, `${count}`);
    if (this.length === 8) {
      this.file = { kind: 'labels', count, data: new Uint8Array(count) };
      return;
    }
    const [height, width] = [view.getUint32(8), view.getUint32(12)];
    if (height !== this.side || width !== this.side)
      throw damaged(`images of ${this.side} × ${this.side} pixels`, `images of ${width} × ${height}`);
    this.file = { kind: 'images', count, data: new Uint8Array(count * this.side * this.side) };
  }

  end(): IdxFile {
    const { file } = this;
    if (!file) throw damaged('an IDX file', `${this.filled} bytes`);
    if (this.at < file.data.length) throw damaged(`${file.data.length} values, as its header says`, `${this.at}: it is cut short`);
    return file;
  }
}
