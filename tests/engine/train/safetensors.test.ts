import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TensorFileError, readSafetensors, writeSafetensors, type Tensor } from '../../../app/engine/train/safetensors';
import { arenaOf, tensorsOf } from '../../../app/engine/train/weights';
import { initialParameters, vitParameters } from '../../../app/engine/model/parameters';

const config = { imageSize: 8, inChannels: 1, numClasses: 3, patchSize: 4, embedDim: 8, depth: 1, numHeads: 2, mlpRatio: 2 };

test('tensors survive the file', () => {
  const tensors = new Map<string, Tensor>([
    ['a', { shape: [2, 3], data: new Float32Array([1, -2, 3.5, 0, 1e-30, 7]) }],
    ['b.weight', { shape: [], data: new Float32Array([4]) }],
    ['empty', { shape: [0, 5], data: new Float32Array() }],
  ]);
  expect(readSafetensors(writeSafetensors(tensors, { note: 'λ' }))).toEqual(tensors);
});

test('half precision is widened', () => {
  const file = (dtype: string, bits: number[]): Uint8Array => {
    const head = new TextEncoder().encode(JSON.stringify({ x: { dtype, shape: [bits.length], data_offsets: [0, bits.length * 2] } }));
    const out = new Uint8Array(8 + head.length + bits.length * 2);
    new DataView(out.buffer).setBigUint64(0, BigInt(head.length), true);
    out.set(head, 8);
    out.set(new Uint8Array(new Uint16Array(bits).buffer), 8 + head.length);
    return out;
  };
  expect([...readSafetensors(file('F16', [0x3c00, 0xc000, 0x0001, 0x7c00])).get('x')!.data]).toEqual([1, -2, 2 ** -24, Infinity]);
  expect([...readSafetensors(file('BF16', [0x3f80, 0xc000])).get('x')!.data]).toEqual([1, -2]);
});

test('damaged files are refused with a TensorFileError and never read out of bounds', () => {
  const good = writeSafetensors(new Map([['w', { shape: [4, 4], data: new Float32Array(16).fill(2) }]]));
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: good.length - 1 }),
      fc.integer({ min: 0, max: 255 }),
      fc.nat(good.length),
      (at, value, length) => {
        const bad = good.slice(0, length);
        if (at < bad.length) bad[at] = value;
        try {
          for (const { data, shape } of readSafetensors(bad).values()) expect(data.length).toBe(shape.reduce((a, b) => a * b, 1));
        } catch (error) {
          expect(error).toBeInstanceOf(TensorFileError);
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test('weights that do not fit are named', () => {
  const table = vitParameters(config);
  const arena = initialParameters(config, table, 1);
  const tensors = tensorsOf(arena, table);
  expect(arenaOf(tensors, table)).toEqual(arena);
  const without = new Map(tensors);
  without.delete('norm.bias');
  expect(() => arenaOf(without, table)).toThrow(/no tensor norm\.bias \[8\]/);
  const wrong = new Map(tensors).set('head.weight', { shape: [4, 8], data: new Float32Array(32) });
  expect(() => arenaOf(wrong, table)).toThrow(/head\.weight is \[4, 8\].*needs \[3, 8\]/);
  const more = new Map(tensors).set('extra', { shape: [1], data: new Float32Array(1) });
  expect(() => arenaOf(more, table)).toThrow(/extra/);
  const nan = new Map(tensors).set('head.bias', { shape: [3], data: new Float32Array([0, NaN, 0]) });
  expect(() => arenaOf(nan, table)).toThrow(/head\.bias holds NaN at 1/);
});
