import { FormatError } from '../formats/formatError';
import type { IdxFile } from '../formats/idx';
import type { Pace } from '../pace';
import { DataError, newLabels, type DataNotice, type Labels, type Split } from '../types';
import { limitOf, pixelsOf, type PublishedSet, type SplitName } from './set';

/** Images from one file, to be put together with others. */
export interface Part extends Split {
  readonly split: SplitName;
  /** Without its folder: `data_batch_1.bin`. Parts are put together in the order of their names. */
  readonly name: string;
  readonly kind: 'bin' | 'parquet' | 'idx';
}

/** Collects parts, and refuses what would be counted twice or be too much before memory is taken for it. */
export class Parts {
  private readonly parts: Part[] = [];
  private readonly halves = new Map<string, { name: string; file: IdxFile }>();
  private readonly reserved = new Map<SplitName, { count: number; names: Map<string, string> }>();

  constructor(private readonly set: PublishedSet) {}

  has(split: SplitName): boolean {
    return this.reserved.has(split) || this.parts.some((p) => p.split === split);
  }

  reserve(split: SplitName, name: string, kind: Part['kind'], count: number): void {
    const so = this.reserved.get(split) ?? { count: 0, names: new Map<string, string>() };
    this.reserved.set(split, so);
    const key = name.toLowerCase();
    if (so.names.has(key)) throw new FormatError(`${name} once`, 'it twice', 'Choose each file once.');
    const other = [...so.names].find(([, k]) => k !== kind);
    if (other)
      throw new FormatError(
        `${split} images from one source`,
        `them in ${other[0]} too`,
        'Choose either the original files or the Parquet file.',
      );
    const limit = limitOf(this.set, split);
    if (so.count + count > limit) {
      const found = `${so.count + count} with ${[...so.names.keys()].join(', ')}`;
      throw new FormatError(`at most ${limit} ${split} images`, found, this.set.words.ways);
    }
    so.names.set(key, kind);
    so.count += count;
  }

  /** Adds a part whose room was reserved. */
  add(part: Part): void {
    this.parts.push(part);
  }

  /** Adds images or labels of an IDX pair; they become a part when both are there. */
  addHalf(split: SplitName, name: string, file: IdxFile): void {
    const key = `${split} ${file.kind}`;
    const twice = this.halves.get(key);
    if (twice) throw new FormatError(`the ${split} ${file.kind} once`, `them in ${twice.name} too`, 'Choose each file once.');
    const { classes } = this.set.config;
    if (file.kind === 'images') this.reserve(split, name, 'idx', file.count);
    else {
      const bad = file.data.findIndex((label) => label >= classes.length);
      if (bad >= 0) throw new FormatError(`labels from 0 to ${classes.length - 1}`, `${file.data[bad]} at place ${bad + 1}`);
    }
    this.halves.set(key, { name, file });
  }

  async finish(pace: Pace): Promise<{ train: Split; test: Split; notices: DataNotice[] }> {
    this.pair();
    const names = this.parts.map((p) => p.name).sort();
    const { words, config } = this.set;
    for (const split of ['train', 'test'] as const) {
      if (this.parts.some((p) => p.split === split)) continue;
      const { file, expected } = words.missing[split];
      throw new DataError(file, expected, names.length > 0 ? `only ${names.join(', ')}` : 'no images', words.ways);
    }
    const train = await this.join('train', pace);
    const test = await this.join('test', pace);
    const notices: DataNotice[] = [];
    if (train.count < config.trainCount || test.count < config.testCount) {
      const text = `These files hold ${train.count} training and ${test.count} test images; the full ${config.label} has ${config.trainCount} and ${config.testCount}.`;
      notices.push({ kind: 'incomplete', text });
    }
    return { train, test, notices };
  }

  private pair(): void {
    for (const split of ['train', 'test'] as const) {
      const images = this.halves.get(`${split} images`);
      const labels = this.halves.get(`${split} labels`);
      if (!images && !labels) continue;
      const { ways } = this.set.words;
      if (!images || !labels) {
        const [there, lost] = images ? [images.name, 'labels'] : [labels?.name ?? '', 'images'];
        throw new DataError(there, `the ${lost} of the ${split} split with it`, `only ${there}`, ways);
      }
      if (images.file.count !== labels.file.count)
        throw new DataError(labels.name, `${images.file.count} labels, as ${images.name} has images`, `${labels.file.count}`, ways);
      this.add({ images: images.file.data, labels: labels.file.data, count: images.file.count, split, name: images.name, kind: 'idx' });
    }
    this.halves.clear();
  }

  private async join(split: SplitName, pace: Pace): Promise<Split> {
    const mine = this.parts.filter((p) => p.split === split).sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
    const only = mine[0];
    if (only && mine.length === 1) return { images: only.images, labels: only.labels, count: only.count };
    const count = mine.reduce((n, p) => n + p.count, 0);
    const pixels = pixelsOf(this.set.config);
    const labels: Labels = newLabels(count, this.set.config.classes.length);
    const out: Split = { images: new Uint8Array(count * pixels), labels, count };
    let at = 0;
    for (const part of mine) {
      out.images.set(part.images, at * pixels);
      out.labels.set(part.labels, at);
      at += part.count;
      // Dropped at once, so that the images are not held twice for longer than needed.
      this.parts.splice(this.parts.indexOf(part), 1);
      await pace.breathe();
    }
    return out;
  }
}
