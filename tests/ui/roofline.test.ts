import { expect, test } from 'vitest';
import { defaultExperiment } from '../../app/protocol/experiment';
import type { KernelFigures, RooflineReport } from '../../app/protocol/roofline';
import { initialState } from '../../app/store/store';
import { palette } from '../../app/ui/charts/canvas';
import { pictureOf } from '../../app/ui/charts/export/pictures';
import { fileName } from '../../app/ui/charts/export/save';
import { SvgSurface } from '../../app/ui/charts/export/svgSurface';
import { linesOf } from '../../app/ui/charts/export/tables';
import { sorted } from '../../app/ui/roofline/rows';
import { rooflineShape, rowsOf } from '../../app/ui/roofline/shape';

const kernel = (o: Partial<KernelFigures>): KernelFigures => ({
  ...{ part: 'forward', name: 'blocks.*.attn.qkv', kernel: 'matmul/r4x4/nt444', dispatches: 2, milliseconds: 2, counted: true },
  ...{ flops: 2e7, bytes: 1e6, ...o },
});
/** 100 GFLOP/s and 10 GB/s: half of the first, all of the second, a copy, and one that was too short for the clock. */
const report: RooflineReport = {
  ...{
    device: 'Made up, for tests',
    software: true,
    date: '2026-01-02T03:04:05Z',
    experiment: defaultExperiment(),
    clock: 'wall',
    rounds: 3,
  },
  ...{ peaks: { gflops: 100, gbps: 10 }, refreshEvery: 5, stepMilliseconds: 4, gathered: true },
  kernels: [
    kernel({ milliseconds: 0.4 }),
    kernel({ part: 'optimizer', name: 'adamw/update', milliseconds: 0.1, flops: 1e6 }),
    kernel({ name: 'patches', milliseconds: 0.2, flops: 0 }),
    kernel({ part: 'svd', name: '=1+1', milliseconds: 0, counted: false }),
  ],
};

test('points lie where axes and roof say, the largest first, and what has no place is left out', () => {
  const { X, Y, points, roof } = rooflineShape(rowsOf(report), report, 600, 300);
  expect(points.map(({ row }) => row.name)).toEqual(['blocks.*.attn.qkv', 'adamw/update']);
  expect([points[0]!.x, points[0]!.y]).toEqual([X(20), Y(50)]);
  // On the slanted roof, left of the ridge.
  expect(points[1]!.y).toBeCloseTo(Y(10), 9);
  expect(points[0]!.r).toBeGreaterThan(points[1]!.r);
  expect(roof[1]).toEqual([X(10), Y(100)]);
  expect(roof[0]![0]).toBeGreaterThanOrEqual(0);
  expect(roof[2]).toEqual([600, Y(100)]);
});

test('the table sorts by number and by name, and puts last what was not timed', () => {
  const rows = rowsOf(report);
  const names = (by: 'ofRoof' | 'gflops' | 'name', down: boolean) => sorted(rows, { by, down }).map((row) => row.index);
  expect(names('ofRoof', true)).toEqual([1, 0, 2, 3]);
  expect(names('ofRoof', false)).toEqual([0, 2, 1, 3]);
  expect(names('gflops', false)).toEqual([2, 1, 0, 3]);
  expect(names('name', false)).toEqual([3, 1, 0, 2]);
});

test('the chart as a file, and its figures as CSV', () => {
  const state = { ...initialState(), roofline: report };
  const { width, height, title, paint } = pictureOf(state, 'roofline')!;
  const surface = new SvgSurface(width, height, title);
  paint(surface.context, { ...palette(), scale: 1 });
  for (const word of ['100 GFLOP/s, f32', '10.0 GB/s', 'FLOP per byte', 'Made up, for tests', 'Optimizer'])
    expect(surface.text()).toContain(word);
  expect(fileName(state, 'roofline', 'csv')).toMatch(/made-up-for-tests-2026-01-02-roofline\.csv$/);
  const [head, first, , , last] = [...linesOf(state, 'roofline')].map((line) => line.trim().split(','));
  expect(first!.length).toBe(head!.length + 1);
  expect(first!.join()).toContain('forward,blocks.*.attn.qkv,matmul/r4x4/nt444,2,0.4,');
  expect(last!.join()).toContain("'=1+1");
  expect(pictureOf(initialState(), 'roofline')).toBe(null);
});
