import { expect, test } from 'vitest';
import { valueAxis } from '../../../app/ui/charts/chartData';
import { chartShape } from '../../../app/ui/charts/chartShape';
import { curveOf, scaleOf, series } from './synthetic';

const PLOT = { width: 500, height: 100 };

test('steps run along the width and values down from the top of the axis', () => {
  const run = series(100, 200, 3, false, 50);
  const { main, raw, band, end } = chartShape('loss', [curveOf(run)], { domain: [0, 4], log: false }, scaleOf(200), PLOT);
  expect(band).toBeNull();
  expect(raw).toHaveLength(100);
  expect(main.points).toHaveLength(100);
  expect(main.points[39]!.x).toBeCloseTo(100, 6);
  expect(main.points[39]!.y).toBeCloseTo(100 * (1 - run.lossSmooth[39]! / 4), 1);
  expect(end).toEqual(main.points.at(-1));
});

test('on log axes equal ratios are equal distances, and zeros have no place', () => {
  const run = series(4, 10);
  [8, 4, 0, 2].forEach((v, i) => (run.lossSmooth[i] = v));
  const x = scaleOf(16, { log: true });
  const { main } = chartShape('loss', [curveOf(run)], { domain: [1, 16], log: true }, x, { width: 400, height: 100 });
  expect(main.points.map(({ y }) => y)).toEqual([25, 50, 75]);
  expect(main.points.map(({ x: at }) => at)).toEqual([0, 100, 200]);
  expect(valueAxis('loss', [curveOf(run)], x, true, 4).misses).toBe(true);
});

test('decimated losses have a band, validation leads the accuracy, and other runs lie beside them with their markers', () => {
  const curves = [curveOf(series(1200, 2000, 3, false, 200)), curveOf(series(2000, 2000, 5, true, 200), 4)];
  const x = scaleOf(2000);
  const loss = chartShape('loss', curves, valueAxis('loss', curves, x, false, 4), x, PLOT);
  expect(loss.raw).toHaveLength(0);
  expect(loss.band!.high.length).toBe(loss.band!.low.length);
  loss.band!.high.forEach(({ y }, i) => expect(y).toBeLessThanOrEqual(loss.band!.low[i]!.y));
  expect(loss.others).toHaveLength(1);
  expect(loss.others[0]).toMatchObject({ style: 4 });
  expect(loss.others[0]!.points.length).toBeGreaterThan(100);
  expect(loss.others[0]!.markers.length).toBeGreaterThan(3);
  expect(loss.others[0]!.markers.at(-1)).toEqual(loss.others[0]!.points.at(-1));
  const accuracy = chartShape('accuracy', curves, valueAxis('accuracy', curves, x, false, 4), x, PLOT);
  expect(accuracy.main).toMatchObject({ measured: true });
  expect(accuracy.main.points).toHaveLength(6);
  expect(accuracy.raw.length).toBeGreaterThan(100);
});

test('a zoom shows its window from edge to edge, and the value axis what lies in it', () => {
  const curves = [curveOf(series(400, 400))];
  const x = scaleOf(400, { zoom: [200, 300] });
  const axis = valueAxis('loss', curves, x, false, 4);
  const all = valueAxis('loss', curves, scaleOf(400), false, 4);
  expect(axis.domain[1] - axis.domain[0]).toBeLessThan(all.domain[1] - all.domain[0]);
  const { main, end } = chartShape('loss', curves, axis, x, PLOT);
  expect(main.points.find((p) => p.x === 0)?.y).toBeDefined();
  expect(main.points.find((p) => p.x === 500)?.y).toBeDefined();
  // The newest step lies outside: no dot stands at the edge for it.
  expect(end).toBeUndefined();
});
