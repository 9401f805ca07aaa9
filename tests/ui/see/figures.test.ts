import { describe, expect, test } from 'vitest';
import { predictionsOf, type Survey } from '../../../app/protocol/inspection';
import { attentionMaps, overlap } from '../../../app/ui/see/attention';
import { confusionCsv, mostConfused, rowSums } from '../../../app/ui/see/confusion';
import { heatColour } from '../../../app/ui/charts/heatColour';
import { paintLit, pictureOf } from '../../../app/ui/see/paint';
import { ALL_SAMPLES, selectSamples } from '../../../app/ui/see/samples';
import { cameraMessage } from '../../../app/ui/see/camera';

describe('samples', () => {
  // Predicted 0, 1, 2, 1 with falling certainty; labels 0, 1, 2, 2. The cut model says 2 of the first.
  const labels = Uint16Array.of(0, 1, 2, 2);
  const full = predictionsOf(Float32Array.of(9, 0, 0, 0, 5, 0, 0, 0, 3, 0, 1, 0), labels, 3);
  const cut = predictionsOf(Float32Array.of(0, 0, 9, 0, 5, 0, 0, 0, 3, 0, 1, 0), labels, 3);
  const survey: Survey = {
    step: 1,
    average: false,
    count: 4,
    classes: 3,
    best: 3,
    labels,
    full,
    cut: { ...cut, choice: { fraction: 0.2 } },
  };
  const select = (patch: object) => selectSamples(survey, full, { ...ALL_SAMPLES, ...patch });

  test.each([
    [{}, [0, 1, 2, 3]],
    [{ show: 'wrong' }, [3]],
    [{ show: 'apart' }, [0]],
    [{ order: 'unsure' }, [3, 2, 1, 0]],
    [{ order: 'sure' }, [0, 1, 2, 3]],
    [{ label: 2 }, [2, 3]],
    [{ label: 2, predicted: 1 }, [3]],
    [{ label: 0, show: 'wrong' }, []],
  ])('%o: images %o', (patch, want) => expect(select(patch)).toEqual(want));

  test('without a cut none is predicted otherwise', () =>
    expect(selectSamples({ ...survey, cut: null }, full, { ...ALL_SAMPLES, show: 'apart' })).toEqual([]));
});

describe('confusion', () => {
  const cells = Uint32Array.of(5, 3, 0, 1, 4, 0, 0, 0, 0);
  test('sums and pairs, of the class’s images', () => {
    expect(rowSums(cells, 3)).toEqual([8, 5, 0]);
    expect(mostConfused(cells, 3, 5)).toEqual([
      { label: 0, predicted: 1, count: 3, share: 3 / 8 },
      { label: 1, predicted: 0, count: 1, share: 1 / 5 },
    ]);
    expect(mostConfused(cells, 3, 1)).toHaveLength(1);
  });
  test('CSV with names that hold commas and quotes', () =>
    expect(confusionCsv(Uint32Array.of(1, 2, 3, 4), ['a, b', 'say "c"'])).toBe(
      'label \\ predicted,"a, b","say ""c"""\r\n"a, b",1,2\r\n"say ""c""",3,4\r\n',
    ));
});

describe('attention', () => {
  // Two layers, two images, two heads, a class token and four patches.
  const attention = Float32Array.from({ length: 2 * 2 * 2 * 5 }, (_, i) => i);
  const look = { logits: new Float32Array(), attention, rollout: null };
  const shape = { layers: 2, heads: 2, tokens: 5, side: 2, query: 'class' } as const;
  test('the maps of one image, the mean last', () => {
    const maps = attentionMaps(look, shape, 2, 1);
    expect(maps.map((row) => row.length)).toEqual([3, 3]);
    expect([...maps[0]![0]!.patches]).toEqual([11, 12, 13, 14]);
    expect(maps[0]![0]!.toClass).toBe(10);
    expect([...maps[1]![1]!.patches]).toEqual([36, 37, 38, 39]);
    expect([...maps[1]![2]!.patches]).toEqual([33.5, 34.5, 35.5, 36.5]);
    expect(maps[1]![2]!.largest).toBe(36.5);
  });
  const map = (...row: number[]) =>
    attentionMaps({ ...look, attention: Float32Array.from(row) }, { ...shape, layers: 1, heads: 1 }, 1, 0)[0]![0]!;
  test('over how many patches it spreads, and what two have in common', () => {
    expect(map(0, 0.25, 0.25, 0.25, 0.25).spread).toBeCloseTo(4, 6);
    expect(map(0.5, 0.5, 0, 0, 0).spread).toBeCloseTo(1, 6);
    expect(overlap(map(0.5, 0.5, 0, 0, 0), map(0.5, 0, 0.5, 0, 0))).toBeCloseTo(0.5, 6);
    expect(overlap(map(0, 0.1, 0.2, 0.3, 0.4), map(0, 0.1, 0.2, 0.3, 0.4))).toBeCloseTo(1, 6);
  });
});

describe('paint', () => {
  test('the largest patch stays as it is, one without attention is covered', () => {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = 4;
    const g = canvas.getContext('2d')!;
    const picture = pictureOf(
      new Uint8ClampedArray(16).fill(255).map((v, i) => (i % 4 === 1 ? 0 : v)),
      2,
      2,
    );
    paintLit(g, picture, Float32Array.of(0.4, 0.2, 0, 0.9), { x: 0, y: 0, size: 4, largest: 0.4, surface: '#000000' });
    const at = (x: number, y: number) => [...g.getImageData(x, y, 1, 1).data];
    expect(at(0, 0)).toEqual([255, 0, 255, 255]);
    expect(at(3, 3)).toEqual([255, 0, 255, 255]);
    expect(at(0, 3)[0]).toBeLessThan(20);
    expect(Math.abs(at(3, 0)[0]! - 255 * 0.53)).toBeLessThan(4);
  });
  test('heat colours go from stop to stop, with the letters that contrast more', () => {
    const ramp = ['#ffffff', '#808080', '#000000'];
    expect(heatColour(ramp, 0)).toEqual({ background: 'rgb(255 255 255)', color: '#000' });
    expect(heatColour(ramp, 0.25)).toEqual({ background: 'rgb(192 192 192)', color: '#000' });
    expect(heatColour(ramp, 2)).toEqual({ background: 'rgb(0 0 0)', color: '#fff' });
  });
});

test('what went wrong with the camera, in words', () => {
  expect(cameraMessage(new DOMException('x', 'NotAllowedError'))).toContain('Allow it for this page');
  expect(cameraMessage(new DOMException('x', 'NotFoundError'))).toContain('No camera was found');
  expect(cameraMessage(new Error('odd'))).toBe('The camera could not be opened: odd');
});
