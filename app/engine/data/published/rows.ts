import { FormatError } from '../formats/formatError';
import { openParquet, readColumn, type Leaf, type ParquetFile } from '../formats/parquet';
import { PngDecoder } from '../formats/png';
import type { Pace } from '../pace';
import { newLabels, type Split } from '../types';
import { pixelsOf, type PublishedSet } from './set';

const wantedOf = ({ columns }: PublishedSet) => `the columns ${columns.images[0]?.split('.')[0]} {bytes, path} and ${columns.label}`;

export interface RowsFile {
  readonly rows: number;
  /** Decodes all rows. Progress counts the file's bytes as row groups are done, and its images. */
  decode(pace: Pace): Promise<Split>;
}

/**
 * Opens a Parquet file of the Hugging Face hub's schema (images as {bytes: PNG, path}, labels as numbers) and checks its schema and
 * its number of rows, at most `limit`. Errors: FormatError.
 */
export async function openRows(set: PublishedSet, blob: Blob, limit: number): Promise<RowsFile> {
  const file = await openParquet(blob, limit);
  const image = file.leaves.find((leaf) => set.columns.images.includes(leaf.path));
  const label = file.leaves.find((leaf) => leaf.path === set.columns.label);
  if (!image || !label) {
    const names = file.leaves.map((leaf) => leaf.path);
    const other = set.twin && names.includes(set.twin.column) ? `: this looks like ${set.twin.label}` : '';
    const found = `${names.slice(0, 8).join(', ')}${names.length > 8 ? ', …' : ''}${other}`;
    throw new FormatError(wantedOf(set), found, `Choose the Parquet files of ${set.hub.repository}.`);
  }
  if (image.type !== 'BYTE_ARRAY' || (label.type !== 'INT64' && label.type !== 'INT32') || image.repeated || label.repeated) {
    throw new FormatError('images as bytes and labels as whole numbers', `${image.type} and ${label.type}`);
  }
  if (file.rows === 0) throw new FormatError('at least one image', 'a Parquet file without rows');
  return { rows: file.rows, decode: (pace) => decode(set, blob, file, image, label, pace) };
}

async function decode(set: PublishedSet, blob: Blob, file: ParquetFile, image: Leaf, label: Leaf, pace: Pace): Promise<Split> {
  const { imageSize, channels, classes: names } = set.config;
  const pixelCount = pixelsOf(set.config);
  const images = new Uint8Array(file.rows * pixelCount);
  const labels = newLabels(file.rows, names.length);
  const png = new PngDecoder(imageSize, imageSize, channels === 1 ? 1 : 3);
  const before = pace.bytes;
  let first = 0;
  for (const group of file.groups) {
    const pixels = group.chunks.get(image.path);
    const classes = group.chunks.get(label.path);
    if (!pixels || !classes) throw new FormatError(wantedOf(set), 'a row group without them');
    if (pixels.values !== group.rows || classes.values !== group.rows) {
      throw new FormatError(`${group.rows} images and labels in a row group`, `${pixels.values} and ${classes.values}`);
    }
    let row = first;
    for await (const page of readColumn(blob, classes, label)) {
      for (const value of page) {
        const known = typeof value === 'number' && value >= 0 && value < names.length;
        if (!known)
          throw new FormatError(
            `labels from 0 to ${names.length - 1}`,
            `${value === null ? 'no label' : `${String(value)}`} in row ${row + 1}`,
          );
        labels[row++] = value;
      }
      await pace.breathe();
    }
    row = first;
    for await (const page of readColumn(blob, pixels, image)) {
      for (const value of page) {
        if (!(value instanceof Uint8Array)) throw new FormatError('an image in every row', `none in row ${row + 1}`);
        try {
          png.decode(value, images, row * pixelCount);
        } catch (error) {
          throw error instanceof FormatError ? new FormatError(error.expected, `${error.found}, in row ${row + 1}`, error.nextStep) : error;
        }
        row++;
        pace.images++;
        if (row % 8 === 0) await pace.breathe();
      }
    }
    first += group.rows;
    pace.bytes = before + Math.round((blob.size * first) / file.rows);
  }
  return { images, labels, count: file.rows };
}
