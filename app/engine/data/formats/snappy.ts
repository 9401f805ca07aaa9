import { FormatError } from './formatError';

const damaged = (found: string) => new FormatError('Snappy-compressed data', found, 'The file is damaged: get it again.');

/**
 * Uncompresses one Snappy block (github.com/google/snappy, format_description.txt) into exactly `size` bytes. Every
 * length is checked before it is used, so that damaged input ends in a FormatError and never in a long loop.
 */
export function unsnappy(input: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  let at = 0;
  let declared = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = input[at++];
    if (byte === undefined || shift > 28) throw damaged('a broken length');
    declared += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  if (declared !== size) throw damaged(`${declared} bytes declared instead of ${size}`);
  const out = new Uint8Array(size);
  let to = 0;
  while (at < input.length) {
    const tag = input[at++] as number;
    const kind = tag & 3;
    if (kind === 0) {
      let length = tag >> 2;
      if (length >= 60) {
        const extra = length - 59;
        if (at + extra > input.length) throw damaged('an early end');
        length = 0;
        for (let i = 0; i < extra; i++) length += (input[at++] as number) * 2 ** (8 * i);
      }
      length += 1;
      if (at + length > input.length || to + length > size) throw damaged('a literal that is too long');
      out.set(input.subarray(at, at + length), to);
      at += length;
      to += length;
      continue;
    }
    const offsetBytes = kind === 3 ? 4 : kind;
    if (at + offsetBytes > input.length) throw damaged('an early end');
    let offset = kind === 1 ? (tag >> 5) * 256 : 0;
    const length = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    for (let i = 0; i < offsetBytes; i++) offset += (input[at++] as number) * 2 ** (8 * i);
    if (offset === 0 || offset > to || to + length > size) throw damaged('a copy from outside the data');
    for (let i = 0; i < length; i++, to++) out[to] = out[to - offset] as number;
  }
  if (to !== size) throw damaged(`${to} of ${size} bytes`);
  return out;
}
