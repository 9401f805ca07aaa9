import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import '../../../app/ui/styles/tokens.css';
import '../../../app/ui/charts/charts.css';
import '../../../app/ui/charts/truncation.css';
import type { CutBy } from '../../../app/protocol/truncation';
import type { CutCurve } from '../../../app/store/store';
import { between, cutAxis, cutRows, keptAt, matchingShare } from '../../../app/ui/charts/cuts';
import { TruncationPanelView, type TruncationPanelViewProps } from '../../../app/ui/charts/TruncationPanelView';
import { presetExperiment } from '../../../app/protocol/presets';
import { CURVE_FRACTIONS } from '../../../app/protocol/truncation';
import { cutOf, fullFigures, reportOf } from '../../store/cuts';
import { matricesOf } from '../../store/fakeWorker';

(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = false;

const curveOf = (by: CutBy = 'fraction', step = 100): CutCurve => {
  const { full, cuts } = reportOf(CURVE_FRACTIONS, step, by);
  return { step, by, full, cuts };
};

describe('between the measured points', () => {
  const curve = curveOf();
  it('figures are linear, exact at the points, and those of the ends beyond them', () => {
    const accuracy = (at: number) => between(curve, at, (c) => c.accuracy);
    expect(accuracy(0.2)).toBe(cutOf(0.2).accuracy);
    expect(accuracy(0.25)).toBeCloseTo((cutOf(0.2).accuracy + cutOf(0.3).accuracy) / 2, 12);
    expect(accuracy(0)).toBe(cutOf(0.1).accuracy);
    expect(accuracy(1.5)).toBe(cutOf(1).accuracy);
    expect(between({ ...curve, cuts: [] }, 0.5, (c) => c.loss)).toBeNaN();
  });
  it('an energy stands where its cut keeps so many parameters', () => {
    const energy = curveOf('energy');
    expect(keptAt(energy, 'energy', 0.75)).toBeCloseTo(0.5, 12);
    expect(keptAt(energy, 'fraction', 0.3)).toBe(0.3);
    expect(keptAt(null, 'energy', 0.9)).toBeNaN();
  });
  it('rows hold both curves, the axis both and the full model', () => {
    const other = { ...curve, cuts: [cutOf(0.25), cutOf(0.3)], full: { ...fullFigures, accuracy: 0.93, loss: 5 } };
    const rows = cutRows(curve, [other], 'accuracy');
    expect(rows.map((r) => r.kept)).toEqual([0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]);
    expect(rows[3]).toEqual({ kept: 0.25, run: null, others: [cutOf(0.25).accuracy] });
    expect(cutAxis([curve, other], 'accuracy').domain[1]).toBeGreaterThanOrEqual(0.93);
    expect(cutAxis([curve, other], 'loss').domain[1]).toBeGreaterThanOrEqual(5);
    expect(cutAxis([null], 'loss')).toEqual({ domain: [0, 1], ticks: [0, 0.5, 1] });
  });
});

describe('the share that matches the target rank', () => {
  const base = presetExperiment('nano');
  const matrices = matricesOf({ ...base, method: { ...base.method, targetRank: 0.2 } });
  it('is f (m + n) / max(m, n), weighted by size over the matrices that the method names', () => {
    const one = matrices.filter((m) => m.kind === 'q').slice(0, 1);
    const { rows } = one[0]!;
    expect(matchingShare(one, ['qkv'])).toBeCloseTo((9 * 2) / rows, 12);
    const fc1 = matrices.filter((m) => m.kind === 'fc1').slice(0, 1);
    expect(matchingShare(fc1, ['fc1'])).toBeCloseTo((9 * (fc1[0]!.rows + fc1[0]!.cols)) / (fc1[0]!.rows * fc1[0]!.cols), 12);
    expect(matchingShare([...one, ...fc1], ['qkv'])).toBe(matchingShare(one, ['qkv']));
    expect(matchingShare(one, [])).toBeNaN();
  });
});

describe('the panel', () => {
  let host: HTMLElement;
  let root: Root;
  beforeEach(() => {
    host = document.createElement('div');
    host.style.cssText = 'width: 324px';
    document.body.append(host);
    root = createRoot(host);
  });
  afterEach(() => {
    root.unmount();
    host.remove();
  });
  const calls = () => ({ onCut: vi.fn(), onBy: vi.fn(), onShows: vi.fn(), onMeasure: vi.fn(), onSave: vi.fn() });
  const show = async (props: Partial<TruncationPanelViewProps> = {}) => {
    root.render(
      <TruncationPanelView
        label="AdamQ3R"
        curve={curveOf()}
        others={[]}
        by="fraction"
        at={0.2}
        shows="accuracy"
        cut={null}
        busy={false}
        measuring={null}
        step={100}
        ready
        matching={0.33}
        {...calls()}
        {...props}
      />,
    );
    await new Promise((resolve) => setTimeout(resolve, 60));
  };
  const results = () => [...host.querySelectorAll('.chart-cut-result')].map((r) => r.textContent);
  const button = (name: RegExp) =>
    [...host.querySelectorAll('button')].find((b) => name.test(b.getAttribute('aria-label') ?? b.textContent))!;

  it('before anything is measured it asks the question and offers to answer it, once there is a run', async () => {
    const on = calls();
    await show({ curve: null, ready: false, ...on });
    expect(host.textContent).toContain('How much of the accuracy is left');
    expect(button(/Measure/).disabled).toBe(true);
    await show({ curve: null, ...on });
    button(/Measure/).click();
    expect(on.onMeasure).toHaveBeenCalledOnce();
    await show({ curve: null, measuring: { done: 3, total: 11 } });
    expect(host.querySelector('[role=progressbar]')?.getAttribute('aria-valuenow')).toBe('27');
    expect(host.querySelector('[role=status]')?.textContent).toContain('3 of 11');
    expect(button(/Measure/)).toBeUndefined();
  });

  it('shows the accuracy at the slider with the points lost, for the run and its dense baseline', async () => {
    const dense = { ...curveOf(), cuts: [cutOf(0.1), { ...cutOf(0.3), accuracy: 0.4 }], full: { ...fullFigures, accuracy: 0.79 } };
    await show({ others: [{ key: 'dense', style: 2, label: 'Dense AdamW', curve: dense }] });
    const lost = ((cutOf(0.2).accuracy - 0.78) * 100).toFixed(1).replace('-', '−');
    expect(results()[0]).toBe(`${(cutOf(0.2).accuracy * 100).toFixed(1)}\u2009%${lost}AdamQ3R`);
    const middle = (cutOf(0.1).accuracy + 0.4) / 2;
    expect(results()[1]).toBe(`≈${(middle * 100).toFixed(1)}\u2009%${((middle - 0.79) * 100).toFixed(1).replace('-', '−')}Dense AdamW`);
    await show({ shows: 'loss' });
    expect(results()[0]).toContain(cutOf(0.2).loss.toFixed(3));
  });

  it('says that a figure lies between points until the exact one is there', async () => {
    await show({ at: 0.37, busy: true });
    expect(results()[0]).toMatch(/^≈/);
    expect(host.querySelector('.chart-cut-figures')?.getAttribute('aria-busy')).toBe('true');
    const figures = () => [...host.querySelectorAll('.chart-figures dd')].map((d) => d.textContent?.trim());
    expect(figures()[2]).toBe('–');
    await show({ at: 0.37, cut: { ...cutOf(0.37), accuracy: 0.712, full: fullFigures } });
    expect(results()[0]).toBe('71.2\u2009%−6.8AdamQ3R');
    expect(figures()[2]).toBe('8 to 11');
    expect(figures()[3]).toMatch(/0\.311 ms −38\u2009%/);
  });

  it('is honest where factors cost more than the matrices, and where a time is not known', async () => {
    const more = { ...cutOf(1), fraction: 1.9, stored: 70_041, parameters: 81_777, flops: 2_000_000, milliseconds: null };
    await show({ at: 1, cut: { ...more, full: fullFigures } });
    const text = host.querySelector('.chart-figures')!.textContent;
    expect(text).toContain('+68\u2009%');
    expect(text).toContain('+59\u2009%');
    expect(text).toMatch(/Time–/);
  });

  it('moves by the slider and to the matching share, and switches', async () => {
    const on = calls();
    await show(on);
    const slider = host.querySelector<HTMLInputElement>('input[type=range]')!;
    expect(slider.getAttribute('aria-valuetext')).toBe('20\u2009% of the parameters');
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')!.set!.call(slider, '55');
    slider.dispatchEvent(new Event('input', { bubbles: true }));
    expect(on.onCut).toHaveBeenLastCalledWith(0.55);
    button(/matches the target rank/).click();
    expect(on.onCut).toHaveBeenLastCalledWith(0.33);
    button(/^Energy$/).click();
    button(/^Loss$/).click();
    button(/Save factors/).click();
    expect([on.onBy.mock.calls, on.onShows.mock.calls, on.onSave.mock.calls.length]).toEqual([[['energy']], [['loss']], 1]);
    await show({ matching: NaN });
    expect(button(/matches the target rank/)).toBeUndefined();
  });

  it('draws both curves with the chart library, the line of the slider over them, and the table behind', async () => {
    await show({ others: [{ key: 'dense', style: 2, label: 'Dense AdamW', curve: curveOf() }] });
    await vi.waitFor(() => expect(host.querySelectorAll('path.recharts-line-curve')).toHaveLength(2), 40_000);
    expect(host.querySelectorAll('.recharts-reference-line line')).toHaveLength(1);
    const plot = host.querySelector('.chart-slot')!.getBoundingClientRect();
    const line = () => Number(host.querySelector('.chart-cut-marks line')!.getAttribute('x1'));
    // The axis runs from 36 pixels on the left to 8 before the right edge.
    expect(line()).toBeCloseTo(36 + 0.2 * (plot.width - 44), -0.5);
    const before = host.querySelector('path.recharts-line-curve')!.getAttribute('d');
    await show({ at: 0.8, others: [{ key: 'dense', style: 2, label: 'Dense AdamW', curve: curveOf() }] });
    expect(line()).toBeCloseTo(36 + 0.8 * (plot.width - 44), -0.5);
    expect(host.querySelector('path.recharts-line-curve')!.getAttribute('d')).toBe(before);
    expect(host.querySelectorAll('.chart-cut-marks circle')).toHaveLength(2);
    button(/Show data/).click();
    await vi.waitFor(() => expect(host.querySelectorAll('tbody tr')).toHaveLength(24));
    expect(host.querySelectorAll('tbody tr')[12]?.textContent).toContain('Dense AdamW');
  });
});
