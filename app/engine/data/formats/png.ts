import { inflateSync } from 'fflate';
import { adler32, crc32 } from './checksums';
import { FormatError } from './formatError';

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const tag = (a: string) => ((a.charCodeAt(0) << 24) | (a.charCodeAt(1) << 16) | (a.charCodeAt(2) << 8) | a.charCodeAt(3)) >>> 0;
const IHDR = tag('IHDR');
const PLTE = tag('PLTE');
const IDAT = tag('IDAT');
const IEND = tag('IEND');
/** Samples per pixel by colour type. */
const SAMPLES: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const KINDS: Record<number, string> = { 0: 'grey', 2: 'RGB', 3: 'palette', 4: 'grey and alpha', 6: 'RGB and alpha' };

const be32 = (b: Uint8Array, i: number) =>
  (((b[i] as number) << 24) | ((b[i + 1] as number) << 16) | ((b[i + 2] as number) << 8) | (b[i + 3] as number)) >>> 0;
const hex = (n: number) => n.toString(16).padStart(8, '0');
const damaged = (what: string, found: string) => new FormatError(what, found, 'The file is damaged: get it again.');

/**
 * Decodes PNG images of one fixed size into R, G, B planes, or into one plane of grey; reuses its buffers, since 60,000 small images are decoded
 * (PNG specification, third edition). Takes 8-bit grey, RGB, palette (1 to 8 bits), with or without alpha, which is
 * dropped; not 16-bit and not interlaced. Every checksum is verified. Not reentrant.
 */
export class PngDecoder {
  private readonly raw: Uint8Array;
  private zlib = new Uint8Array(1 << 14);

  constructor(
    private readonly width: number,
    private readonly height: number,
    /** Planes written: 3, or 1 for sets of grey images. */
    private readonly channels: 1 | 3 = 3,
  ) {
    // One byte over the largest image: output that is too long shows as a full buffer.
    this.raw = new Uint8Array(height * (1 + width * 4) + 1);
  }

  /** Writes channels · width · height bytes to `out` at `offset`. Throws a FormatError. */
  decode(png: Uint8Array, out: Uint8Array, offset: number): void {
    const { width, height } = this;
    for (let i = 0; i < 8; i++) {
      if (png[i] !== SIGNATURE[i]) throw new FormatError('a PNG image', png.length === 0 ? 'no bytes' : 'bytes of another format');
    }
    let kind = -1;
    let depth = 0;
    let palette: Uint8Array | undefined;
    let filled = 0;
    let ended = false;
    let at = 8;
    while (!ended) {
      if (at + 12 > png.length) throw damaged('a complete PNG image', `one that ends after ${png.length} bytes`);
      const length = be32(png, at);
      const type = be32(png, at + 4);
      const body = at + 8;
      const end = body + length;
      if (end + 4 > png.length) throw damaged('a complete PNG image', `one that ends after ${png.length} bytes`);
      const sum = crc32(png, at + 4, end);
      if (sum !== be32(png, end)) throw damaged(`PNG checksum ${hex(be32(png, end))}`, hex(sum));
      if (kind < 0 && type !== IHDR) throw damaged('a PNG header first', 'another chunk');
      if (type === IHDR) {
        if (length !== 13) throw damaged('a PNG header of 13 bytes', `${length}`);
        const w = be32(png, body);
        const h = be32(png, body + 4);
        if (w !== width || h !== height) throw new FormatError(`an image of ${width} × ${height} pixels`, `${w} × ${h}`);
        depth = png[body + 8] as number;
        kind = png[body + 9] as number;
        const interlaced = png[body + 12] !== 0;
        const usable = depth === 8 ? kind in SAMPLES : kind === 3 && (depth === 1 || depth === 2 || depth === 4);
        if (!usable || interlaced) {
          const found = `${depth}-bit ${KINDS[kind] ?? `colour type ${kind}`}${interlaced ? ', interlaced' : ''}`;
          throw new FormatError('an 8-bit PNG that is not interlaced', found, 'Save the images as plain 8-bit RGB PNG.');
        }
        if (this.channels === 1 && kind !== 0 && kind !== 4)
          throw new FormatError('a grey PNG', `a PNG of kind ${KINDS[kind] ?? kind}`, 'Save the images as plain 8-bit grey PNG.');
      } else if (type === PLTE) {
        palette = png.subarray(body, end);
      } else if (type === IDAT) {
        if (filled + length > this.zlib.length) {
          if (filled + length > 1 << 20) throw damaged('a small PNG image', `${filled + length} bytes of image data`);
          const larger = new Uint8Array((filled + length) * 2);
          larger.set(this.zlib.subarray(0, filled));
          this.zlib = larger;
        }
        this.zlib.set(png.subarray(body, end), filled);
        filled += length;
      } else if (type === IEND) {
        ended = true;
      } else if (!((png[at + 4] as number) & 0x20)) {
        throw damaged('known PNG chunks', 'an unknown critical chunk');
      }
      at = end + 4;
    }
    const samples = SAMPLES[kind] as number;
    const bpp = Math.max(1, (samples * depth) >> 3);
    const stride = Math.ceil((width * samples * depth) / 8);
    const raw = this.inflate(this.zlib.subarray(0, filled), height * (1 + stride));
    unfilter(raw, height, stride, bpp);
    this.planes(raw, kind, depth, stride, palette, out, offset);
  }

  private inflate(zlib: Uint8Array, size: number): Uint8Array {
    if (zlib.length < 7) throw damaged('PNG image data', `${zlib.length} bytes`);
    const header = ((zlib[0] as number) << 8) | (zlib[1] as number);
    if ((header & 0x0f00) !== 0x0800 || header % 31 !== 0 || header & 0x20) throw damaged('zlib data in the PNG', 'another header');
    let raw: Uint8Array;
    try {
      raw = inflateSync(zlib.subarray(2, zlib.length - 4), { out: this.raw });
    } catch (error) {
      throw damaged('compressed image data', error instanceof Error ? error.message : 'none');
    }
    if (raw.length !== size) throw damaged(`${size} bytes of pixels`, raw.length > size ? 'more' : `${raw.length}`);
    const sum = adler32(raw);
    const wanted = be32(zlib, zlib.length - 4);
    if (sum !== wanted) throw damaged(`pixel checksum ${hex(wanted)}`, hex(sum));
    return raw;
  }

  private planes(
    raw: Uint8Array,
    kind: number,
    depth: number,
    stride: number,
    palette: Uint8Array | undefined,
    out: Uint8Array,
    at: number,
  ) {
    const { width, height } = this;
    const plane = width * height;
    const samples = SAMPLES[kind] as number;
    const mask = (1 << depth) - 1;
    if (kind === 3 && (!palette || palette.length % 3 !== 0 || palette.length === 0)) throw damaged('a PNG palette', 'none');
    for (let y = 0; y < height; y++) {
      let i = y * (stride + 1) + 1;
      if (kind !== 3) {
        const step = samples < 3 ? 0 : 1;
        if (this.channels === 1) {
          for (const end = at + width; at < end; at++, i += samples) out[at] = raw[i] as number;
          continue;
        }
        for (const end = at + width; at < end; at++, i += samples) {
          out[at] = raw[i] as number;
          out[at + plane] = raw[i + step] as number;
          out[at + 2 * plane] = raw[i + 2 * step] as number;
        }
        continue;
      }
      for (let x = 0; x < width; x++, at++) {
        const bit = x * depth;
        const index = ((raw[i + (bit >> 3)] as number) >> (8 - depth - (bit & 7))) & mask;
        const p = palette as Uint8Array;
        if (index * 3 >= p.length) throw damaged(`a palette index below ${p.length / 3}`, `${index}`);
        out[at] = p[index * 3] as number;
        out[at + plane] = p[index * 3 + 1] as number;
        out[at + 2 * plane] = p[index * 3 + 2] as number;
      }
    }
  }
}

/** Undoes the row filters in place (PNG specification §9.2). Rows are `stride` bytes after a filter byte. */
function unfilter(raw: Uint8Array, height: number, stride: number, bpp: number): void {
  for (let y = 0; y < height; y++) {
    const row = y * (stride + 1) + 1;
    const end = row + stride;
    const filter = raw[row - 1] as number;
    // Distance to the row above; in the first row, where all of it counts as 0, the filters reduce to simpler ones.
    const up = stride + 1;
    if (filter > 4) throw damaged('a PNG row filter from 0 to 4', `${filter}`);
    if (filter === 1 || (filter === 4 && y === 0)) {
      for (let i = row + bpp; i < end; i++) raw[i] = (raw[i] as number) + (raw[i - bpp] as number);
    } else if (filter === 2 && y > 0) {
      for (let i = row; i < end; i++) raw[i] = (raw[i] as number) + (raw[i - up] as number);
    } else if (filter === 3 && y === 0) {
      for (let i = row + bpp; i < end; i++) raw[i] = (raw[i] as number) + ((raw[i - bpp] as number) >> 1);
    } else if (filter === 3) {
      for (let i = row; i < row + bpp; i++) raw[i] = (raw[i] as number) + ((raw[i - up] as number) >> 1);
      for (let i = row + bpp; i < end; i++) raw[i] = (raw[i] as number) + (((raw[i - bpp] as number) + (raw[i - up] as number)) >> 1);
    } else if (filter === 4) {
      for (let i = row; i < row + bpp; i++) raw[i] = (raw[i] as number) + (raw[i - up] as number);
      // One colour after the other keeps left and upper left at hand.
      for (let s = 0; s < bpp; s++) {
        let a = raw[row + s] as number;
        let c = raw[row + s - up] as number;
        for (let i = row + s + bpp; i < end; i += bpp) {
          const b = raw[i - up] as number;
          const p = b - c;
          const q = a - c;
          const pa = p < 0 ? -p : p;
          const pb = q < 0 ? -q : q;
          const pc = p + q < 0 ? -p - q : p + q;
          a = ((raw[i] as number) + (pa <= pb && pa <= pc ? a : pb <= pc ? b : c)) & 255;
          raw[i] = a;
          c = b;
        }
      }
    }
  }
}
