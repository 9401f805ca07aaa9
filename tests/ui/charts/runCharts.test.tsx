import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import '../../../app/ui/styles/tokens.css';
import '../../../app/ui/charts/charts.css';
import type { Mark, Series } from '../../../app/protocol/messages';
import type { SpectraFrame } from '../../../app/protocol/run/record';
import { setHoverStep } from '../../../app/ui/charts/hoverStep';
import { LossGlimpseView } from '../../../app/ui/charts/LossGlimpseView';
import { MatrixInspectorView } from '../../../app/ui/charts/MatrixInspectorView';
import type { XScale } from '../../../app/ui/charts/axis';
import type { RunCurve } from '../../../app/ui/charts/curves';
import { RunChartsView, type RunChartsViewProps } from '../../../app/ui/charts/RunChartsView';
import { heatColumns } from '../../../app/ui/charts/heat';
import { curveOf, scaleOf, series, spectra } from './synthetic';

// Not React's act(): the charts take turns in frames, which it would hold back.
(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = false;

let host: HTMLElement;
let root: Root;
beforeEach(() => {
  host = document.createElement('div');
  host.style.cssText = 'width: 820px';
  document.body.append(host);
  root = createRoot(host);
});
afterEach(() => {
  root.unmount();
  setHoverStep(null);
  host.remove();
});
const frames = async (n = 4) => {
  for (let i = 0; i < n; i++) await new Promise((resolve) => requestAnimationFrame(resolve));
};
/** Does something and lets React and the frames after it finish. */
const settle = async (action: () => void) => {
  action();
  await new Promise((resolve) => setTimeout(resolve, 30));
  await frames();
};
const show = (node: React.ReactNode) => settle(() => root.render(node));

interface Given {
  run?: Series | null;
  others?: RunCurve[];
  marks?: Mark[];
  x?: XScale;
  handlers?: Partial<RunChartsViewProps>;
}
const noop = () => undefined;
const Charts = ({ run = null, others = [], marks = [], x = scaleOf(2000), handlers }: Given) => (
  <RunChartsView
    curves={[...(run ? [curveOf(run)] : []), ...others]}
    x={x}
    marks={marks}
    smoothing={0.9}
    onSmoothing={noop}
    logY={false}
    onAxis={noop}
    onLogX={noop}
    onLogY={noop}
    onZoom={noop}
    {...handlers}
  />
);
const curves = () => host.querySelectorAll('path.recharts-line-curve').length;

describe('run charts', () => {
  it('says what will appear before there is a run', async () => {
    await show(<Charts />);
    expect(host.textContent).toContain('first step');
    expect(host.querySelector('select')).toBeNull();
  });
  it('draws loss and accuracy on one left and right edge, and follows the data', async () => {
    const run = series(1200, 2000, 3, false, 200);
    await show(<Charts run={run} />);
    // The chart library arrives on its own.
    await vi.waitFor(() => expect(host.querySelectorAll('svg.recharts-surface')).toHaveLength(2), 40_000);
    // Loss: band and smoothed curve. Accuracy: training and validation.
    expect(curves()).toBe(3);
    expect(host.querySelectorAll('.recharts-area')).toHaveLength(1);
    const base = host.querySelector('.chart-stack')!.getBoundingClientRect();
    for (const grid of host.querySelectorAll('.recharts-cartesian-grid-horizontal line')) {
      const box = grid.getBoundingClientRect();
      expect(box.left - base.left).toBeCloseTo(36, 0);
      expect(base.right - box.right).toBeCloseTo(0, 0);
    }
    expect(host.querySelector('.chart-run')?.textContent).toContain(run.lossSmooth.at(-1)!.toFixed(3));
    const before = host.querySelector('path.recharts-line-curve')!.getAttribute('d');
    await show(<Charts run={series(1300, 2000, 4, false, 200)} />);
    await vi.waitFor(() => expect(host.querySelector('path.recharts-line-curve')!.getAttribute('d')).not.toBe(before), 40_000);
    await show(<Charts run={run} others={[curveOf(series(2000, 2000, 5, true, 200), 2), curveOf(series(1500, 2000, 6), 5, 'Other')]} />);
    await vi.waitFor(() => expect(curves()).toBe(7), 40_000);
    // Colour, dash and marker of their style, and a line of the legend for each.
    const [, second] = host.querySelectorAll('.chart-slot .chart-other');
    expect(second!.querySelector('.recharts-line-curve')!.getAttribute('stroke')).toBe('var(--series-5)');
    expect(host.querySelector('.chart-other .recharts-line-curve')!.getAttribute('stroke-dasharray')).toBe('6 3');
    expect(second!.querySelector(':scope > path')!.getAttribute('d')).toMatch(/M.*L/);
    expect([...host.querySelectorAll('.chart-legend-runs .chart-run-name')].map((n) => n.textContent).slice(1)).toEqual([
      'Dense AdamW',
      'Other',
    ]);
  });
  it('reads the value at the cursor from real steps, by pointer and by keys', async () => {
    const run = series(100, 200, 3, false, 50);
    await show(<Charts run={run} x={scaleOf(200)} />);
    const stack = host.querySelector('.chart-stack')!;
    const box = stack.getBoundingClientRect();
    await settle(
      () =>
        void stack.dispatchEvent(
          new PointerEvent('pointermove', { bubbles: true, clientX: box.left + 36 + (box.width - 36) * 0.25, clientY: box.top + 10 }),
        ),
    );
    expect(host.querySelector('.chart-step')?.textContent).toBe('step 50');
    expect(host.querySelector('.chart-run b')?.textContent).toBe(run.lossSmooth[49]!.toFixed(3));
    const cursor = host.querySelector<HTMLElement>('[role=slider]')!;
    await settle(() => cursor.focus());
    await settle(() => void cursor.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowLeft', bubbles: true })));
    expect(cursor.getAttribute('aria-valuenow')).toBe('49');
    await settle(() => void cursor.dispatchEvent(new KeyboardEvent('keydown', { key: 'Home', bubbles: true })));
    expect(cursor.getAttribute('aria-valuenow')).toBe('1');
    await settle(() => cursor.blur());
    expect(host.querySelector('.chart-step')).toBeNull();
  });
  it('marks changes once each and keeps their names apart', async () => {
    const mark = (step: number, to: number): Mark => ({ step, field: 'method.lambda', from: 0.001, to });
    await show(<Charts run={series(1200, 2000)} marks={[mark(400, 0.01), mark(410, 0.02), mark(1000, 0.03), mark(5000, 1)]} />);
    const names = [...host.querySelectorAll('.chart-events text')];
    expect(host.querySelectorAll('.chart-diamond')).toHaveLength(3);
    expect(names[0]?.textContent).toBe('λ 0.001 → 0.01');
    const boxes = names.map((n) => n.getBoundingClientRect()).sort((a, b) => a.left - b.left);
    for (let i = 1; i < boxes.length; i++) expect(boxes[i]!.left).toBeGreaterThanOrEqual(boxes[i - 1]!.right);
  });
  it('offers other curves, axes, smoothing, logs and the table of all runs', async () => {
    const handlers = { onSmoothing: vi.fn(), onAxis: vi.fn(), onLogX: vi.fn(), onLogY: vi.fn() };
    await show(<Charts run={series(300, 2000, 3, false, 100)} others={[curveOf(series(50, 2000), 2)]} handlers={handlers} />);
    const choose = (name: RegExp, value: string) =>
      settle(() => {
        const select = [...host.querySelectorAll('select')].find((s) => name.test(s.getAttribute('aria-label')!))!;
        select.value = value;
        select.dispatchEvent(new Event('change', { bubbles: true }));
      });
    await choose(/Smoothing/, '0.99');
    expect(handlers.onSmoothing).toHaveBeenCalledWith(0.99);
    await choose(/axis/, 'seconds');
    expect(handlers.onAxis).toHaveBeenCalledWith('seconds');
    await choose(/^Charts/, 'all');
    expect([...host.querySelectorAll('.chart-title')].map((t) => t.textContent)).toEqual([
      'Loss, training',
      'Accuracy, validation, faint: training',
      'Q3R value',
      'Learning rate',
    ]);
    for (const log of host.querySelectorAll<HTMLElement>('button[aria-pressed]')) log.click();
    expect([handlers.onLogX.mock.calls, handlers.onLogY.mock.calls]).toEqual([[[true]], [[true]]]);
    await settle(() => host.querySelector<HTMLElement>('.chart-data-open')!.click());
    expect(host.querySelectorAll('tbody tr')).toHaveLength(350);
  });
  it('zooms by dragging, and back by a double click, Escape, its button and the keys', async () => {
    const onZoom = vi.fn();
    const run = series(400, 400);
    await show(<Charts run={run} x={scaleOf(400)} handlers={{ onZoom }} />);
    const stack = host.querySelector<HTMLElement>('.chart-stack')!;
    stack.setPointerCapture = noop;
    const box = stack.getBoundingClientRect();
    const at = (type: string, share: number) =>
      settle(
        () =>
          void stack.dispatchEvent(
            new PointerEvent(type, { bubbles: true, clientX: box.left + 36 + (box.width - 36) * share, clientY: box.top + 20 }),
          ),
      );
    await at('pointerdown', 0.25);
    await at('pointermove', 0.5);
    expect(host.querySelector<HTMLElement>('.chart-select')!.offsetWidth).toBeCloseTo((box.width - 36) * 0.25, -0.5);
    await at('pointerup', 0.5);
    const [from, to] = onZoom.mock.lastCall![0] as [number, number];
    expect([Math.round(from), Math.round(to)]).toEqual([100, 200]);
    // A click is no zoom, and a drag that is called off is none.
    await at('pointerdown', 0.25);
    await at('pointerup', 0.25);
    await at('pointerdown', 0.25);
    await at('pointermove', 0.5);
    await settle(() => void dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' })));
    await at('pointerup', 0.5);
    expect(onZoom).toHaveBeenCalledTimes(1);

    await show(<Charts run={run} x={scaleOf(400, { zoom: [100, 200] })} handlers={{ onZoom }} />);
    await settle(() => host.querySelector<HTMLElement>('[aria-label="Reset zoom"]')!.click());
    expect(onZoom).toHaveBeenLastCalledWith(null);
    onZoom.mockClear();
    stack.dispatchEvent(new MouseEvent('dblclick', { bubbles: true }));
    const cursor = host.querySelector<HTMLElement>('[role=slider]')!;
    cursor.focus();
    const key = (name: string) => settle(() => void cursor.dispatchEvent(new KeyboardEvent('keydown', { key: name, bubbles: true })));
    await key('Escape');
    await key('0');
    expect(onZoom.mock.calls).toEqual([[null], [null], [null]]);
    await settle(() => setHoverStep(150));
    await key('+');
    expect(onZoom).toHaveBeenLastCalledWith([125, 175]);
    await key('-');
    expect(onZoom).toHaveBeenLastCalledWith([50, 250]);
  });
});

describe('inspector, formula, glimpse', () => {
  it('shows every figure, and dashes where they do not apply', async () => {
    const [run] = spectra({ blocks: 1, width: 32, progress: 1, dense: false });
    const [dense] = spectra({ blocks: 1, width: 32, progress: 1, dense: true });
    const view = (matrix: typeof run, frames: SpectraFrame[] = []) => (
      <MatrixInspectorView
        matrix={matrix!}
        top={1}
        onMove={noop}
        history={heatColumns(frames, matrix!.name)}
        view="time"
        onView={noop}
        marks={[]}
        x={scaleOf(100)}
      />
    );
    await show(view(run));
    const figures = () => [...host.querySelectorAll('dd')].map((d) => d.textContent);
    expect(figures().slice(2, 4)).toEqual(['6', '6']);
    expect(figures()[7]).toBe('22 ± 2.1e−4');
    await show(view(dense));
    expect([figures()[1], figures()[3], figures()[7]]).toEqual(['–', '–', '–']);
    const frames = Array.from({ length: 11 }, (_, i) => ({
      step: 5 * i,
      matrices: spectra({ blocks: 1, width: 32, progress: i / 10, dense: false }),
    }));
    await show(view(run, frames));
    const canvas = host.querySelector('canvas')!;
    const left = canvas.getContext('2d')!.getImageData(60, 60, 1, 1).data;
    expect(left[3]).toBe(255);
    // Half of the run is still to come.
    expect(canvas.getContext('2d')!.getImageData(canvas.width - 40, 60, 1, 1).data[3]).toBe(0);
  });
  it('paints the loss up to the step that is not finite', async () => {
    const run = series(200, 400);
    run.loss[199] = NaN;
    await show(<LossGlimpseView series={run} badStep={201} snapshotStep={180} />);
    expect(host.querySelector('canvas')?.getAttribute('aria-label')).toContain('not finite at step 201');
    await show(<LossGlimpseView series={null} />);
    expect(host.querySelector('canvas')).toBeNull();
  });
});
