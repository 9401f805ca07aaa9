import { half } from './halfFile';

/** Numbers as halves, each rounded to the nearest: two to a word, the lower in the low half. */
export const packHalves = (numbers: ArrayLike<number>): Uint16Array<ArrayBuffer> => Uint16Array.from(Array.from(numbers), half);

/** What halves stand for. */
export function unpackHalves(halves: ArrayLike<number>): Float32Array<ArrayBuffer> {
  return Float32Array.from(Array.from(halves), (word) => {
    const sign = word & 0x8000 ? -1 : 1;
    const exponent = (word >> 10) & 31;
    const fraction = word & 1023;
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
  });
}
