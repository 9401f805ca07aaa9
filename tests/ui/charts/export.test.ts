import { beforeEach, describe, expect, test } from 'vitest';
import { defaultExperiment } from '../../../app/protocol/experiment';
import { RECORD_WIDTH, type RunRecord } from '../../../app/protocol/run/record';
import { columnsOf, seriesOf } from '../../../app/protocol/run/series';
import { clock } from '../../../app/store/clock';
import { frames } from '../../../app/store/frames';
import { records } from '../../../app/store/records';
import { getState, initialState, setState } from '../../../app/store/store';
import { palette } from '../../../app/ui/charts/canvas';
import { pictureOf } from '../../../app/ui/charts/export/pictures';
import { fileName } from '../../../app/ui/charts/export/save';
import { SvgSurface } from '../../../app/ui/charts/export/svgSurface';
import { itemsWithData, linesOf } from '../../../app/ui/charts/export/tables';
import '../../../app/ui/styles/tokens.css';
import { spectra } from './synthetic';

const rowsOf = (n: number) => {
  const rows = new Float64Array(n * RECORD_WIDTH);
  for (let i = 0; i < n; i++) rows.set([i / 100, 2 - i / 1000, 0.1, 0.5, 1e-3, 3], i * RECORD_WIDTH);
  return rows;
};
const evaluations = [{ step: 300, loss: 1.5, accuracy: 0.25, count: 64 }];
const kept = (name: string, n: number): RunRecord => ({
  ...{ id: name, name, date: 0, experiment: defaultExperiment(), parent: null, phase: 'finished', step: n, totalSteps: n },
  ...{ origin: { device: '', software: true, version: '', trainCount: 6400 }, elapsedMs: n, marks: [], frames: [], curves: {} },
  ...{ rows: rowsOf(n), clock: Float64Array.of(n, n * 10), evaluations },
});

beforeEach(() => {
  // As a replay fills the page: no worker, a finished run.
  const rows = rowsOf(600);
  records.begin(3, 0);
  records.append(3, 1, rows);
  clock.load(3, Float64Array.of(600, 6000));
  const all = Array.from({ length: 6 }, (_, i) => ({
    step: 100 * (i + 1),
    matrices: spectra({ blocks: 2, width: 24, progress: i / 5, dense: false }),
  }));
  frames.load(3, all);
  setState({
    ...initialState(),
    ...{ runId: 3, phase: 'finished', running: defaultExperiment(), step: 600, totalSteps: 600, spectra: all.at(-1)! },
    series: seriesOf(columnsOf(rows), evaluations, { runId: 3, smoothing: 0.9 }),
    latest: { step: 600, epoch: 5.99, loss: 1, regularizer: 0, accuracy: 0.5, lr: 1e-3, gradNorm: 1 },
    shown: [{ record: kept('A, "B"', 800), style: 4 }],
    marks: [{ step: 200, field: 'method.lambda', from: 0.1, to: 0.5 }],
  });
});

describe('tables', () => {
  test('every step of every run, with epochs, images, seconds and what was validated', () => {
    const lines = [...linesOf(getState(), 'loss')].map((line) => line.trimEnd());
    expect(lines).toHaveLength(1 + 600 + 800);
    expect(lines[0]).toBe('run,step,epoch,images,seconds,training loss,smoothed training loss,validation loss');
    const { batchSize } = defaultExperiment().train;
    const row = lines[300]!.split(',');
    expect(row.slice(1, 6)).toEqual(['300', '3', String(300 * batchSize), '3', '1.701']);
    expect(row[7]).toBe('1.5');
    expect(lines[299]!.endsWith(',')).toBe(true);
    expect(lines[1400]).toMatch(/^"A, ""B""",800,/);
  });
  test('the loss scale of each step stands beside its gradient norm where precision is mixed', () => {
    const running = defaultExperiment();
    running.train.precision = 'mixed';
    const halved = { step: 200, field: 'train.lossScale', from: 8192, to: 4096 };
    expect([...linesOf(getState(), 'lr')][0]!.trimEnd()).toMatch(/gradient norm$/);
    setState({ running, marks: [...getState().marks, halved] });
    const cells = [...linesOf(getState(), 'lr')].map((line) => line.trimEnd().split(','));
    // Behind step 200 the scale is another; the run beside is not scaled.
    expect([0, 200, 201, 601].map((i) => cells[i]!.at(-1))).toEqual(['loss scale', '8192', '4096', '']);
    // The name of the run beside holds a comma.
    expect(new Set(cells.slice(0, 601).map(({ length }) => length)).size).toBe(1);
  });
  test('spectra have a line for each matrix and index, over time for each step', () => {
    const { matrices } = getState().spectra!;
    expect([...linesOf(getState(), 'wall')]).toHaveLength(1 + matrices.reduce((sum, m) => sum + m.sigma.length, 0));
    expect([...linesOf(getState(), 'spectrum')]).toHaveLength(1 + 24);
    expect([...linesOf(getState(), 'heat')]).toHaveLength(1 + 6 * 24);
    expect(itemsWithData(getState())).toEqual(['loss', 'accuracy', 'regularizer', 'lr', 'wall', 'spectrum', 'heat']);
  });
});

describe('pictures', () => {
  test('stand for themselves as SVG: well formed, colours and fonts written out, names on the axes', () => {
    for (const item of ['loss', 'accuracy', 'regularizer', 'lr', 'wall', 'spectrum', 'heat'] as const) {
      const { width, height, title, paint } = pictureOf(getState(), item)!;
      const surface = new SvgSurface(width, height, title);
      paint(surface.context, palette());
      const text = surface.text();
      const parsed = new DOMParser().parseFromString(text, 'image/svg+xml');
      expect(parsed.querySelector('parsererror'), item).toBeNull();
      expect(text, item).not.toMatch(/var\(|NaN|undefined|Infinity/);
      expect(parsed.querySelectorAll('path, image').length, item).toBeGreaterThan(3);
      expect(parsed.querySelectorAll('text').length, item).toBeGreaterThan(6);
      if (item === 'loss') {
        const texts = [...parsed.querySelectorAll('text')].map((t) => t.textContent);
        expect(texts).toEqual(expect.arrayContaining(['Step', 'Loss', 'A, "B"', 'λ 0.1 → 0.5']));
      }
    }
    expect(pictureOf(getState(), 'truncation')).toBeNull();
  });
  test('are named after run and step', () => {
    expect(fileName(getState(), 'loss', 'svg')).toMatch(/^vit-.*-adam.*-step-600-loss\.svg$/);
    expect(fileName(getState(), 'wall', 'csv')).toMatch(/-step-600-spectra\.csv$/);
  });
});
