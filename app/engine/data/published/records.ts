import { FormatError } from '../formats/formatError';
import { newLabels, type Labels, type Split } from '../types';
import { pixelsOf, recordBytes, type PublishedSet } from './set';

/** The number of records in a batch of `size` bytes. Throws a FormatError where that is no whole number from 1 to `limit`. */
export function recordsIn(set: PublishedSet, size: number, limit: number): number {
  const { twin, words } = set;
  const record = recordBytes(set);
  const missing = `Choose ${words.archive}, or the .bin files that were unpacked from it.`;
  const wanted = `records of ${record} bytes (${words.record})`;
  if (size === 0) throw new FormatError(wanted, 'an empty file', missing);
  const count = Math.floor(size / record);
  if (size % record !== 0) {
    const other = twin !== null && size % twin.record === 0;
    throw new FormatError(
      wanted,
      other
        ? `${size} bytes, which are records of ${twin.record} bytes: this looks like ${twin.label}`
        : `${size} bytes: ${count} records and ${size - count * record} bytes too many`,
      other ? `Choose the files of ${set.config.label}, binary version.` : 'The file is cut short or is another one: get it again.',
    );
  }
  if (count > limit) throw new FormatError(`at most ${limit} records`, `${count}`, missing);
  return count;
}

/** Layout of the records: bytes before the pixels, which of them is the label, pixels, and number of classes. */
export interface RecordLayout {
  readonly head: number;
  readonly label: number;
  readonly pixels: number;
  readonly classes: number;
}
/** The layout of a set's original batches. */
export const batchLayout = (set: PublishedSet): RecordLayout => ({
  ...(set.record ?? { head: 1, label: 0 }),
  pixels: pixelsOf(set.config),
  classes: set.config.classes.length,
});
/** The layout of the site's own files: one label byte, then the planes. */
export const siteLayout = (set: PublishedSet): RecordLayout => ({ ...batchLayout(set), head: 1, label: 0 });

/** Takes records as they arrive and separates labels from pixels. */
export class BatchDecoder {
  readonly images: Uint8Array<ArrayBuffer>;
  readonly labels: Labels;
  private record = 0;
  /** Position inside the record. */
  private at = 0;

  constructor(
    private readonly layout: RecordLayout,
    readonly count: number,
  ) {
    this.images = new Uint8Array(count * layout.pixels);
    this.labels = newLabels(count, layout.classes);
  }

  /** Records taken so far. */
  get done(): number {
    return this.record;
  }

  write(bytes: Uint8Array): void {
    const { head, label, pixels, classes } = this.layout;
    let i = 0;
    while (i < bytes.length) {
      if (this.record === this.count) throw new FormatError(`${this.count} records`, 'more');
      if (this.at < head) {
        const value = bytes[i++] as number;
        if (this.at === label) {
          if (value >= classes) {
            const found = `${value} in record ${this.record + 1} of ${this.count}`;
            throw new FormatError(`labels from 0 to ${classes - 1}`, found, 'The file is damaged or is another one: get it again.');
          }
          this.labels[this.record] = value;
        }
        this.at++;
        continue;
      }
      const n = Math.min(head + pixels - this.at, bytes.length - i);
      this.images.set(bytes.subarray(i, i + n), this.record * pixels + this.at - head);
      i += n;
      this.at += n;
      if (this.at === head + pixels) {
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
