import { isIdx } from '../formats/idx';
import { isTarHeader } from '../formats/tar';

export type Sniffed = { kind: 'gzip' | 'tar' | 'zip' | 'parquet' | 'idx' | 'bin' | 'companion' } | { kind: 'foreign'; found: string };

/** First bytes of formats that people take for a data set. A real batch of CIFAR-10 begins with a label, 0 to 9, and none of these does. */
const FOREIGN: [number[], string][] = [
  [[0xff, 0xd8, 0xff], 'a JPEG image'],
  [[0x89, 0x50, 0x4e, 0x47], 'a PNG image'],
  [[0x47, 0x49, 0x46, 0x38], 'a GIF image'],
  [[0x50, 0x4b, 0x05, 0x06], 'an empty zip archive'],
  [[0x25, 0x50, 0x44, 0x46], 'a PDF document'],
  [[0x42, 0x5a, 0x68], 'a bzip2 file'],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], 'an xz file'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'a Zstandard file'],
  [[0x37, 0x7a, 0xbc, 0xaf], 'a 7-Zip archive'],
  [[0x80, 0x02], 'a Python pickle: this is the Python version of the data set'],
  [[0x80, 0x03], 'a Python pickle: this is the Python version of the data set'],
  [[0x80, 0x04], 'a Python pickle: this is the Python version of the data set'],
  [[0x4d, 0x41, 0x54, 0x4c, 0x41, 0x42], 'a MATLAB file: this is the MATLAB version of the data set'],
];
/** A name without its folders. */
export const baseName = (path: string) => path.replace(/\/+$/, '').split(/[/\\]/).pop() ?? path;
const startsWith = (head: Uint8Array, magic: number[]) => magic.every((byte, i) => head[i] === byte);

/** Files that lie beside the batches and hold no images. */
export const isCompanion = (name: string) =>
  /^(\._.*|\.ds_store|thumbs\.db|desktop\.ini|batches\.meta(\.txt)?|(fine|coarse)_label_names\.txt|readme(\.\w+)?)$/i.test(name);

/** What a file is, judged by its first 512 bytes and only then by its name. */
export function sniff(name: string, head: Uint8Array): Sniffed {
  if (isCompanion(name)) return { kind: 'companion' };
  if (startsWith(head, [0x1f, 0x8b])) return { kind: 'gzip' };
  if (startsWith(head, [0x50, 0x41, 0x52, 0x31])) return { kind: 'parquet' };
  if (startsWith(head, [0x50, 0x4b, 0x03, 0x04])) return { kind: 'zip' };
  if (isTarHeader(head)) return { kind: 'tar' };
  // A batch of CIFAR-100 may begin with the same bytes.
  if (isIdx(head) && !/\.bin$/i.test(name)) return { kind: 'idx' };
  for (const [magic, found] of FOREIGN) if (startsWith(head, magic)) return { kind: 'foreign', found };
  const text = new TextDecoder().decode(head).trimStart();
  if (/^<(!doctype|html|head|body|\?xml|svg)/i.test(text)) return { kind: 'foreign', found: 'a web page' };
  if (/\.bin$/i.test(name)) return { kind: 'bin' };
  if (/\.(tgz|tar\.gz)$/i.test(name)) return { kind: 'foreign', found: head.length === 0 ? 'an empty file' : 'no gzip data' };
  if (/\.tar$/i.test(name)) return { kind: 'foreign', found: head.length === 0 ? 'an empty file' : 'no tar data' };
  if (/\.parquet$/i.test(name)) return { kind: 'foreign', found: head.length === 0 ? 'an empty file' : 'no Parquet data, but other bytes' };
  return { kind: 'foreign', found: head.length === 0 ? 'an empty file' : 'a file of another kind' };
}
