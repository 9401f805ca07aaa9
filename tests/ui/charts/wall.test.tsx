import { act, useState } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import '../../../app/ui/styles/tokens.css';
import '../../../app/ui/charts/charts.css';
import type { MatrixSpectrum } from '../../../app/protocol/messages';
import { palette } from '../../../app/ui/charts/canvas';
import { SpectrumWallView } from '../../../app/ui/charts/SpectrumWallView';
import { topDecade, wallDecades } from '../../../app/ui/charts/scales';
import { indexNames, movePlace, placeOf, wallGrid, wallLayout } from '../../../app/ui/charts/wallGeometry';
import { paintWall } from '../../../app/ui/charts/wallPaint';
import { spectra } from './synthetic';

(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;

let host: HTMLElement;
let root: Root;
beforeEach(() => {
  host = document.createElement('div');
  host.style.cssText = 'width: 820px; height: 420px';
  document.body.append(host);
  root = createRoot(host);
});
afterEach(() => {
  act(() => root.unmount());
  host.remove();
  delete document.documentElement.dataset.theme;
});

const frames = async (n = 3) => {
  for (let i = 0; i < n; i++) await new Promise((resolve) => requestAnimationFrame(resolve));
};

function Wall({ matrices, baseline }: { matrices: MatrixSpectrum[] | null; baseline?: MatrixSpectrum[] }) {
  const [selected, setSelected] = useState('blocks.1.attn.proj.weight');
  const [hovered, setHovered] = useState<string | null>(null);
  const [view, setView] = useState<'run' | 'baseline'>('run');
  return (
    <SpectrumWallView
      matrices={matrices}
      baseline={baseline ? { label: 'Dense', matrices: baseline } : null}
      view={view}
      selected={selected}
      hovered={hovered}
      onSelect={setSelected}
      onHover={setHovered}
      onView={setView}
    />
  );
}
const show = async (node: React.ReactNode) => {
  act(() => root.render(node));
  await act(() => frames());
};

/** Pixels of the wall's canvas within `near` of a CSS colour in every channel. */
function pixelsOf(color: string, near = 24): number {
  const canvas = host.querySelector('canvas')!;
  const data = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height).data;
  const want = [1, 3, 5].map((i) => Number.parseInt(color.slice(i, i + 2), 16));
  let count = 0;
  for (let i = 0; i < data.length; i += 4) if (data[i + 3]! > 200 && want.every((w, c) => Math.abs(data[i + c]! - w) < near)) count++;
  return count;
}

describe('spectrum wall', () => {
  it('paints heads and tails in their colours, and tells dense from low rank', async () => {
    await show(<Wall matrices={spectra({ blocks: 4, width: 64, progress: 1, dense: true })} />);
    const dense = { head: pixelsOf(palette().head), tail: pixelsOf(palette().tail) };
    expect(dense.head).toBeGreaterThan(200);
    expect(dense.tail).toBeGreaterThan(1000);
    expect(pixelsOf(palette().epsilon)).toBe(0);
    await show(<Wall matrices={spectra({ blocks: 4, width: 64, progress: 1, dense: false })} />);
    expect(pixelsOf(palette().tail)).toBeLessThan(dense.tail / 2);
    expect(pixelsOf(palette().epsilon)).toBeGreaterThan(50);
    expect(pixelsOf(palette().target, 40)).toBeGreaterThan(100);
  });
  it('repaints in the colours of a new theme', async () => {
    document.documentElement.dataset.theme = 'light';
    await show(<Wall matrices={spectra({ blocks: 2, width: 64, progress: 1, dense: true })} />);
    const light = palette().tail;
    document.documentElement.dataset.theme = 'dark';
    await act(() => frames(4));
    expect(palette().tail).not.toBe(light);
    expect(pixelsOf(palette().tail)).toBeGreaterThan(500);
    expect(pixelsOf(light)).toBeLessThan(50);
  });
  it('survives zero, NaN and infinite values', async () => {
    const broken = spectra({ blocks: 2, width: 16, progress: 0.5, dense: false }).map((m, i) => ({
      ...m,
      sigma: new Float32Array(16).fill([0, NaN, Infinity][i % 3]!),
      epsilon: [0, NaN, 1e8][i % 3]!,
      effectiveRank: NaN,
    }));
    await show(<Wall matrices={broken} />);
    expect(host.querySelectorAll('button.chart-cell')).toHaveLength(12);
  });
  it('moves with the keys from one tab stop and selects', async () => {
    await show(<Wall matrices={spectra({ blocks: 3, width: 16, progress: 0.5, dense: false })} />);
    const cells = [...host.querySelectorAll<HTMLElement>('button.chart-cell')];
    expect(cells).toHaveLength(18);
    const stops = () => cells.filter((c) => c.tabIndex === 0).map((c) => c.getAttribute('aria-label'));
    expect(stops()).toEqual(['Block 1, proj']);
    act(() => cells.find((c) => c.tabIndex === 0)!.focus());
    const press = (key: string, ctrlKey = false) =>
      act(
        () => void document.activeElement!.dispatchEvent(new KeyboardEvent('keydown', { key, ctrlKey, bubbles: true, cancelable: true })),
      );
    press('ArrowDown');
    expect(document.activeElement?.getAttribute('aria-label')).toBe('Block 2, proj');
    press('ArrowDown');
    press('ArrowRight');
    expect(stops()).toEqual(['Block 2, fc1']);
    press('Home', true);
    press('Home');
    expect(stops()).toEqual(['Block 0, Q']);
    press('ArrowLeft');
    expect(document.activeElement?.getAttribute('aria-label')).toBe('Block 0, Q');
    expect(cells.filter((c) => c.getAttribute('aria-selected') === 'true')).toHaveLength(1);
  });
  it('shows the figures of the cell under the pointer in place of the legend', async () => {
    await show(<Wall matrices={spectra({ blocks: 2, width: 16, progress: 0.5, dense: false })} />);
    expect(host.querySelector('.chart-legend')?.textContent).toContain('tail');
    const cell = host.querySelector('button.chart-cell')!;
    act(() => void cell.dispatchEvent(new PointerEvent('pointerover', { bubbles: true, pointerType: 'mouse' })));
    expect(host.querySelector('.chart-readout')?.textContent).toMatch(/Block 0 Q.*σ₁.*ε.*rank.*tail/);
    act(() => void cell.dispatchEvent(new PointerEvent('pointerout', { bubbles: true, pointerType: 'mouse' })));
    expect(host.querySelector('.chart-readout')).toBeNull();
  });
  it('offers the baseline only when there is one, and its table on demand', async () => {
    const run = spectra({ blocks: 2, width: 16, progress: 1, dense: false });
    await show(<Wall matrices={run} />);
    expect(host.querySelector('.chart-seg')).toBeNull();
    await show(<Wall matrices={run} baseline={spectra({ blocks: 2, width: 16, progress: 1, dense: true })} />);
    const buttons = [...host.querySelectorAll<HTMLElement>('.chart-seg button')];
    expect(buttons.map((b) => b.textContent)).toEqual(['This run', 'Baseline']);
    act(() => buttons[1]!.click());
    expect(buttons[1]!.getAttribute('aria-pressed')).toBe('true');
    expect(host.querySelector('table')).toBeNull();
    await act(async () => {
      host.querySelector<HTMLElement>('.chart-data-open')!.click();
      await frames();
    });
    expect(host.querySelectorAll('tbody tr')).toHaveLength(12);
  });
  it('asks for a run when there is nothing to show', async () => {
    await show(<Wall matrices={null} />);
    expect(host.textContent).toContain('singular values');
    expect(host.querySelectorAll('button')).toHaveLength(0);
  });
});

describe('geometry', () => {
  const grid = wallGrid(spectra({ blocks: 3, width: 8, progress: 0, dense: true, extras: true }));
  it('puts blocks in rows, kinds in columns, and nothing else on the wall', () => {
    expect(grid.columns.map((c) => c.kind)).toEqual(['q', 'k', 'v', 'proj', 'fc1', 'fc2']);
    expect(grid.blocks).toEqual([0, 1, 2]);
    expect(placeOf(grid, 'head.weight')).toBeNull();
    expect(placeOf(grid, '')).toBeNull();
    // A weight in slices stands beside the whole one of another block.
    const sliced = wallGrid([
      { name: 'blocks.0.attn.qkv.weight(0-8)', block: 0, kind: 'qkv' },
      { name: 'blocks.0.attn.qkv.weight(8-24)', block: 0, kind: 'qkv' },
      { name: 'blocks.1.attn.qkv.weight[0]', block: 1, kind: 'q' },
      { name: 'blocks.1.attn.qkv.weight[1]', block: 1, kind: 'k' },
    ]);
    expect(sliced.names).toEqual([
      ['', '', 'blocks.0.attn.qkv.weight(0-8)', 'blocks.0.attn.qkv.weight(8-24)'],
      ['blocks.1.attn.qkv.weight[0]', 'blocks.1.attn.qkv.weight[1]', '', ''],
    ]);
    expect(sliced.columns.map((c) => c.span)).toEqual([1, 1, 1, 1]);
    const fused = wallGrid(spectra({ blocks: 1, width: 8, progress: 0, dense: true, fused: true }));
    expect(fused.columns).toEqual([
      { kind: 'qkv', part: 0, span: 3 },
      { kind: 'proj', part: 0, span: 1 },
      { kind: 'fc1', part: 0, span: 1 },
      { kind: 'fc2', part: 0, span: 1 },
    ]);
  });
  it('ends every column on the right edge and keeps fused columns in place', () => {
    const at = wallLayout(grid, 784, 500, 1);
    expect(at.left[0]).toBe(36);
    expect(at.left[5]! + at.width[5]!).toBeCloseTo(784, 9);
    const fused = wallLayout(wallGrid(spectra({ blocks: 3, width: 8, progress: 0, dense: true, fused: true })), 784, 500, 1);
    expect(fused.left[1]).toBeCloseTo(at.left[3]!, 9);
    expect(wallLayout(grid, 366, 500, 1)).toMatchObject({ compact: true, figure: 0, gutter: 32 });
  });
  it('names the target rank under every plot, and the ends where they have room', () => {
    // As wide as a plot on a phone and on a desk.
    for (const width of [50, 82])
      for (const count of [8, 48, 192])
        for (let target = 1; target < count; target++) {
          const all = indexNames(width, ((target - 1) / (count - 1)) * width, target, count, 1);
          expect(all.filter((n) => n.isTarget).map((n) => n.name)).toEqual([String(target)]);
          expect(all[0]!.left).toBeGreaterThanOrEqual(0);
          expect(all.at(-1)!.right).toBeLessThanOrEqual(width);
          all.slice(1).forEach((n, i) => expect(n.left - all[i]!.right).toBeGreaterThanOrEqual(4));
        }
    const names = (target: number) => indexNames(50, ((target - 1) / 47) * 50, target, 48, 1).map((n) => n.name);
    expect(names(3)).toEqual(['3', '48']);
    expect(names(24)).toEqual(['1', '24', '48']);
    expect(names(45)).toEqual(['1', '45']);
    expect(names(48)).toEqual(['1', '48']);
  });
  it('skips holes and holds at the edges', () => {
    const holed = wallGrid(
      spectra({ blocks: 3, width: 8, progress: 0, dense: true }).filter((m) => m.name !== 'blocks.1.attn.proj.weight'),
    );
    expect(movePlace(holed, { row: 0, column: 3 }, 'ArrowDown')).toEqual({ row: 2, column: 3 });
    expect(movePlace(holed, { row: 1, column: 2 }, 'ArrowRight')).toEqual({ row: 1, column: 4 });
    expect(movePlace(holed, { row: 0, column: 0 }, 'ArrowUp')).toEqual({ row: 0, column: 0 });
    expect(movePlace(holed, { row: 0, column: 0 }, 'PageDown')).toEqual({ row: 2, column: 0 });
    expect(movePlace(holed, { row: 0, column: 0 }, 'End')).toEqual({ row: 0, column: 5 });
    expect(movePlace(holed, { row: 0, column: 0 }, 'a')).toBeNull();
  });
});

it('paints 72 spectra of 192 values within the budget of a data update', () => {
  const canvas = document.createElement('canvas');
  canvas.width = 784;
  canvas.height = 560;
  const g = canvas.getContext('2d')!;
  const times: number[] = [];
  for (let i = 0; i < 12; i++) {
    // Fresh arrays each time: the logarithms count, as they do for every event.
    const matrices = spectra({ blocks: 12, width: 192, progress: i / 12, dense: false });
    const start = performance.now();
    const map = new Map(matrices.map((m) => [m.name, m]));
    const picture = { grid: wallGrid(matrices), matrices: map, ghosts: map, decades: wallDecades(topDecade([matrices])), selected: '' };
    g.clearRect(0, 0, 784, 560);
    paintWall(g, 784, 560, palette(), picture);
    times.push(performance.now() - start);
  }
  // About 4.5 ms on the two cores this was written on; the best of twelve, and room for a machine that does other work.
  expect(Math.min(...times)).toBeLessThan(24);
});
