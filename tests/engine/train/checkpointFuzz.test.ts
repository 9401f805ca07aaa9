import { beforeAll, expect, test } from 'vitest';
import { initialParameters, vitParameters } from '../../../app/engine/model/parameters';
import { checkpointPieces, readCheckpoint, snapshotFor, type StateLayout } from '../../../app/engine/train/checkpoint';
import { resolveModel } from '../../../app/engine/train/datasets';
import { fitPretrained } from '../../../app/engine/train/pretrained';
import { TensorFileError, joined, openSafetensors, writeSafetensors } from '../../../app/engine/train/safetensors';
import { tensorsOf } from '../../../app/engine/train/weights';
import { ConfigError } from '../../../app/protocol/experiment';
import { random, type Bytes } from '../data/fixtures';
import { tiny } from './support';

/** One block of width 8 on one patch: a file of some thirty kilobytes, header and data of like size. */
const experiment = tiny({ model: { patchSize: 32, embedDim: 8, depth: 1, numHeads: 1, mlpRatio: 0.25, inChannels: 1, numClasses: 2 } });
const config = resolveModel(experiment);
const table = vitParameters(config);
const tables = { trained: table, weights: table };
const layout: StateLayout = [
  { name: 'parameters', size: table.total * 4 },
  { name: 'adam.m', size: table.total * 4 },
  { name: 'adam.v', size: table.total * 4 },
  { name: 'q3r.state', size: 512 },
];
const like = { q3r: { refreshes: 0, watchful: 2, powers: 1, wasExact: true, ranks: [1, 1], sketches: [3, 3] }, status: undefined };

const weights = writeSafetensors(tensorsOf(initialParameters(config, table, 1), table), { format: 'pt' });
let checkpoint: Bytes;

beforeAll(async () => {
  const arena = initialParameters(config, table, 1);
  const snapshot = {
    step: 3,
    parts: layout.map(({ name, size }) => (name === 'parameters' ? arena.buffer : new Uint8Array(size).fill(1).buffer)),
    regularizer: {
      ...like,
      status: [
        { eta: 0.5, converged: true },
        { eta: NaN, converged: false },
      ],
    },
    finite: true,
  };
  const description = {
    version: 1,
    step: 3,
    elapsedMs: 10,
    marks: [{ step: 1, field: 'train.lr', from: 1, to: 2 }],
    data: { name: 'shapes', train: 10, test: 5, checksum: 9 },
    device: 'd',
    tuning: 't',
    page: 'p',
    date: 1,
    accuracy: 0.5,
    loss: 2,
  };
  const evaluations = [{ step: 2, loss: 1, accuracy: 0.5 }];
  checkpoint = joined(
    await checkpointPieces({ experiment, description, records: new Float64Array(18).fill(1), evaluations }, snapshot, layout, tables),
  );
});

/** Bytes changed, runs erased, pieces removed or doubled; `end` confines it to the first bytes. */
function mutate(bytes: Bytes, next: () => number, end = bytes.length): Bytes {
  const out = bytes.slice();
  const at = () => Math.floor(next() * end);
  switch (Math.floor(next() * 6)) {
    case 0:
      out[at()] = Math.floor(next() * 256);
      return out;
    case 1:
      // Digits for digits: lengths, offsets and shapes that are still numbers.
      for (let i = 0, tries = 0; i < 3 && tries < 400; tries++) {
        const k = at();
        if (out[k]! >= 0x30 && out[k]! <= 0x39) out[k] = 0x30 + Math.floor((i++, next() * 10));
      }
      return out;
    case 2:
      out.fill([0, 0x20, 0xff][Math.floor(next() * 3)]!, at(), at());
      return out;
    case 3: {
      const [a, b] = [at(), at()];
      return joined([out.subarray(0, Math.max(a, b)), out.subarray(Math.min(a, b))]);
    }
    case 4:
      return out.slice(0, at());
    default:
      for (let i = 0; i < 8; i++) out[at()] = Math.floor(next() * 256);
      return out;
  }
}

/** Whether it loads; when not, the error is one that is meant for the visitor. */
function loads(load: () => void, what: string): boolean {
  try {
    load();
    return true;
  } catch (error) {
    expect(
      error instanceof TensorFileError || error instanceof ConfigError || /^The file |is \[|holds/.test((error as Error).message),
      `${what}: ${String(error)}`,
    ).toBe(true);
    expect((error as Error).message, what).not.toMatch(/undefined|\[object/);
    return false;
  }
}

const headerEnd = (bytes: Bytes): number => 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));

test('2500 mutated weights files load with finite numbers, or say what is wrong', () => {
  const next = random(1);
  let loaded = 0;
  for (let i = 0; i < 2500; i++) {
    const bad = mutate(weights, next, i % 3 === 0 ? weights.length : headerEnd(weights));
    const good = loads(() => {
      const { arena } = fitPretrained(openSafetensors(bad), experiment);
      expect(arena.every(Number.isFinite)).toBe(true);
    }, `mutation ${i}`);
    if (good) loaded++;
  }
  // A changed weight is another weight; most changes are noticed.
  expect(loaded).toBeGreaterThan(0);
  expect(loaded).toBeLessThan(1250);
});

const restored = (bytes: Uint8Array): void => {
  const snapshot = snapshotFor(readCheckpoint(bytes), layout, tables, like);
  expect(snapshot.parts.map((part) => part.byteLength)).toEqual(layout.map(({ size }) => size));
};

test('1500 mutated checkpoints: none is taken for whole', () => {
  restored(checkpoint);
  const next = random(2);
  let loaded = 0;
  for (let i = 0; i < 1500; i++) {
    const bad = mutate(checkpoint, next, i % 3 === 0 ? checkpoint.length : headerEnd(checkpoint));
    const whole = loads(() => restored(bad), `mutation ${i}`);
    if (whole && (bad.length !== checkpoint.length || bad.some((x, k) => x !== checkpoint[k]))) loaded++;
  }
  // What is outside the checksum: spaces of the header's padding, the note for PyTorch, the last digits' case.
  expect(loaded).toBeLessThan(20);
});

test('800 checkpoints forged with a right checksum never pass as ill-formed ones', async () => {
  const next = random(3);
  const read = readCheckpoint(checkpoint);
  let loaded = 0;
  /** Something else of JSON's kinds, or a near miss. */
  const strange = (value: unknown): unknown =>
    [null, -1, 1e300, 0.5, '', 'x', [], {}, [[[[[1]]]]], true, { '~': 'NaN' }, typeof value === 'number' ? value + 1 : 7][
      Math.floor(next() * 12)
    ];
  const tamper = (value: unknown): unknown => {
    if (value === null || typeof value !== 'object' || next() < 0.15) return strange(value);
    const keys = Object.keys(value);
    if (keys.length === 0) return strange(value);
    const key = keys[Math.floor(next() * keys.length)]!;
    const copy = structuredClone(value) as Record<string, unknown>;
    const how = next();
    if (how < 0.15) delete copy[key];
    else if (how < 0.3) copy[`${key}x`] = strange(value);
    else copy[key] = tamper(copy[key]);
    return copy;
  };
  const base = snapshotFor(read, layout, tables, like);
  for (let i = 0; i < 800; i++) {
    const which = i % 4;
    const forged = {
      ...read,
      description: (which === 0 ? tamper(read.description) : read.description) as typeof read.description,
      experiment: (which === 1 ? tamper(read.experiment) : read.experiment) as typeof read.experiment,
      ...(which === 3 && { records: new Float64Array(6 * Math.floor(next() * 6)) }),
    };
    const regularizer = which === 2 ? tamper(base.regularizer) : base.regularizer;
    const bytes = joined(await checkpointPieces(forged, { ...base, regularizer }, layout, tables));
    if (loads(() => restored(bytes), `forgery ${i}`)) loaded++;
  }
  expect(loaded).toBeGreaterThan(0);
  expect(loaded).toBeLessThan(600);
});
