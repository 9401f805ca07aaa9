import { FormatError } from '../formats/formatError';
import type { Split } from '../types';
import { cifar10 } from './config';

export const PIXELS = cifar10.channels * cifar10.imageSize * cifar10.imageSize;
/** A record of the binary version: the label, then the red, green and blue planes. */
export const RECORD = 1 + PIXELS;

export type SplitName = 'train' | 'test';
export const LIMIT: Record<SplitName, number> = { train: cifar10.trainCount, test: cifar10.testCount };

/** Images from one file, to be put together with others. */
export interface Part extends Split {
  readonly split: SplitName;
  /** Without its folder: `data_batch_1.bin`. Parts are put together in the order of their names. */
  readonly name: string;
  readonly kind: 'bin' | 'parquet';
}

/** `data_batch_1.bin`, `train.bin` → train; `test_batch.bin`, `test.bin` → test; null where the name tells neither. */
export function splitOf(name: string): SplitName | null {
  if (/test|valid/i.test(name)) return 'test';
  return /train|data_batch/i.test(name) ? 'train' : null;
}

const MISSING = 'Choose cifar-10-binary.tar.gz, or the .bin files that were unpacked from it.';

/** Number of records in a batch of `size` bytes. Throws a FormatError where that is no whole number from 1 to `limit`. */
export function recordsIn(size: number, limit: number): number {
  const wanted = `records of ${RECORD} bytes (label, then 32 × 32 pixels in three planes)`;
  if (size === 0) throw new FormatError(wanted, 'an empty file', MISSING);
  const count = Math.floor(size / RECORD);
  if (size % RECORD !== 0) {
    const hundred = size % (RECORD + 1) === 0;
    throw new FormatError(
      wanted,
      hundred
        ? `${size} bytes, which are records of ${RECORD + 1} bytes: this looks like CIFAR-100`
        : `${size} bytes: ${count} records and ${size - count * RECORD} bytes too many`,
      hundred ? 'Choose the files of CIFAR-10, binary version.' : 'The file is cut short or is another one: get it again.',
    );
  }
  if (count > limit) throw new FormatError(`at most ${limit} records`, `${count}`, MISSING);
  return count;
}

/** Takes records as they arrive and separates labels from pixels. */
export class BatchDecoder {
  readonly images: Uint8Array<ArrayBuffer>;
  readonly labels: Uint8Array<ArrayBuffer>;
  private record = 0;
  /** Position inside the record. */
  private at = 0;

  constructor(readonly count: number) {
    this.images = new Uint8Array(count * PIXELS);
    this.labels = new Uint8Array(count);
  }

  /** Records taken so far. */
  get done(): number {
    return this.record;
  }

  write(bytes: Uint8Array): void {
    let i = 0;
    while (i < bytes.length) {
      if (this.record === this.count) throw new FormatError(`${this.count} records`, 'more');
      if (this.at === 0) {
        const label = bytes[i++] as number;
        if (label >= cifar10.classes.length) {
          const found = `${label} in record ${this.record + 1} of ${this.count}`;
          throw new FormatError('labels from 0 to 9', found, 'The file is damaged or is another one: get it again.');
        }
        this.labels[this.record] = label;
        this.at = 1;
        continue;
      }
      const n = Math.min(RECORD - this.at, bytes.length - i);
      this.images.set(bytes.subarray(i, i + n), this.record * PIXELS + this.at - 1);
      i += n;
      this.at += n;
      if (this.at === RECORD) {
        this.at = 0;
        this.record++;
      }
    }
  }

  end(): Split {
    if (this.record < this.count) {
      throw new FormatError(
        `${this.count} records`,
        `${this.record}: the file ends too early`,
        'Get the file again: it did not arrive whole.',
      );
    }
    return { images: this.images, labels: this.labels, count: this.count };
  }
}
