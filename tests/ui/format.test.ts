import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytes, count, duration, epochs, parseNumber, roughly, setting, text, whole } from '../../app/ui/format';
import { positionOf, valueAtPosition } from '../../app/ui/controls/Slider';
import { GROUPS } from '../../app/protocol/experiment';

describe('figures', () => {
  test('numbers as they are shown', () => {
    expect(whole(19550)).toBe('19\u2009550');
    expect(whole(-1234567)).toBe('\u22121\u2009234\u2009567');
    expect(text(count(5_360_000))).toBe('5.36 M');
    expect(text(bytes(143_646_105))).toBe('144 MB');
    expect(text(bytes(0))).toBe('0 B');
    expect([0.5, 59.4, 290, 3600, 1e6, null, Number.NaN].map((s) => duration(s))).toEqual([
      '0.5 s',
      '59 s',
      '4 min 50 s',
      '1 h 00 min',
      '12 days',
      '–',
      '–',
    ]);
    expect([80 / 2500, 1e-4, 0.4, 2.4, 49.6].map(epochs)).toEqual(['0.03', '< 0.01', '0.4', '2.4', '50']);
    expect([12, 70, 119.6, 7200].map(roughly)).toEqual(['10 s', '1 min', '2 min', '2 h']);
  });

  test.each([
    ['1e-3', 0.001],
    ['1e\u22123', 0.001],
    [' 0,25 ', 0.25],
    ['.5', 0.5],
    ['3\u2009000', 3000],
    ['3 000', 3000],
    ['5 steps', 5],
  ])('%s is read as %d', (typed, value) => expect(parseNumber(typed, 'steps')).toBe(value));
  test.each(['', 'many', '1e', '1.2.3', '--1', '0x10', 'Infinity', 'NaN', '1,000,000', '5 epochs'])('%s is no number', (typed) =>
    expect(parseNumber(typed, 'steps')).toBeNaN(),
  );

  test('what is shown in a box reads back as the same number', () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }),
        (x) => parseNumber(setting(x)) === x || (x === 0 && parseNumber(setting(x)) === 0),
      ),
    );
  });
});

describe('sliders', () => {
  const sliders = GROUPS.flatMap((g) => g.fields.flatMap((f) => (f.kind === 'int' || f.kind === 'float' ? [[f.key, f] as const] : [])));
  test.each(sliders)('%s: every position is an allowed value, the ends are the ends, and it rises', (_, field) => {
    const values = Array.from({ length: 101 }, (_, i) => valueAtPosition(i / 100, field.slider));
    expect(values[0]).toBe(field.slider.min);
    expect(values[100]).toBe(field.slider.max);
    for (const [i, value] of values.entries()) {
      expect(value).toBeGreaterThanOrEqual(Math.max(field.min, field.slider.min));
      expect(value).toBeLessThanOrEqual(Math.min(field.max, field.slider.max));
      if (field.kind === 'int') expect(Number.isInteger(value)).toBe(true);
      if (i > 0) expect(value).toBeGreaterThanOrEqual(values[i - 1]!);
    }
  });
  test('a value outside the slider stands at its end', () => {
    expect(positionOf(1e9, { min: 1, max: 10, scale: 'log' })).toBe(1);
    expect(positionOf(0, { min: 1, max: 10, scale: 'log' })).toBe(0);
  });
});
