import { describe, expect, test } from 'vitest';
import { defaultExperiment, differences, parseExperiment, patchExperiment, type Experiment } from '../../app/protocol/experiment';
import { modelName, nearestPreset, presetByKey, presetExperiment, presetFor, PRESETS } from '../../app/protocol/presets';
import { parseShareUrl, toHash } from '../../app/protocol/shareUrl';

describe('presets', () => {
  test.each(PRESETS.map((p) => [p.key, p] as const))('%s is a valid experiment that a link brings back', (key, preset) => {
    const experiment = presetExperiment(key);
    expect(parseExperiment(experiment)).toEqual(experiment);
    expect(parseShareUrl(toHash(experiment))).toMatchObject({ experiment, problems: [] });
    expect(nearestPreset(experiment)).toBe(key);
    if (!preset.whole) expect(modelName(experiment)).toBe(preset.label);
    // Only a whole experiment decides on the data set.
    expect(preset.patch.dataset !== undefined).toBe(preset.whole === true);
  });

  test('an experiment from before a setting has its default; other settings may not be left out', () => {
    const { recompute: _, precision: __, ...before } = defaultExperiment().train;
    expect(parseExperiment({ ...defaultExperiment(), train: before })).toEqual(defaultExperiment());
    const { accumulate: ___, ...damaged } = defaultExperiment().train;
    expect(() => parseExperiment({ ...defaultExperiment(), train: damaged })).toThrow('train.accumulate is missing');
  });

  test('mixed precision is for models whose sizes are multiples of four', () => {
    const mixed = (model: Partial<Experiment['model']>) =>
      patchExperiment(defaultExperiment(), { model: { embedDim: 48, numHeads: 3, mlpRatio: 2, ...model }, train: { precision: 'mixed' } });
    expect(mixed({}).train.precision).toBe('mixed');
    expect(() => mixed({ embedDim: 50, numHeads: 5 })).toThrow('multiples of 4, and a width of 50 is not');
    expect(() => mixed({ numHeads: 8 })).toThrow('a head of 6 is not');
    expect(() => mixed({ mlpRatio: 1.05 })).toThrow('a hidden layer of 50 is not');
  });

  test('faster devices get larger models, software the smallest', () => {
    const rates = [0.5, 3, 99, 100, 1499, 1500, 5999, 6000, 1e5];
    const keys = rates.map((rate) => presetFor(rate, false));
    expect(keys).toEqual(['nano', 'nano', 'nano', 'micro', 'micro', 'mini', 'mini', 'tiny', 'tiny']);
    expect(presetFor(1e5, true)).toBe('nano');
    expect(presetFor(Number.NaN, false)).toBe('nano');
  });

  test('an experiment is named after its model and counted against the nearest preset', () => {
    const mine = presetExperiment('mini', 'cifar10');
    mine.model.depth = 5;
    mine.train.lr = 2e-3;
    expect(modelName(mine)).toBe('ViT 5 × 128/4');
    expect(nearestPreset(mine)).toBe('mini');
    expect(differences(presetExperiment('mini', 'cifar10'), mine)).toEqual(['model.depth', 'train.lr']);
    // What was changed here is no part of the preset itself.
    expect(presetByKey('mini').patch.model?.depth).toBe(6);
  });
});
