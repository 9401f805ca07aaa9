import fc from 'fast-check';
import { GROUPS, notInFours, parseExperiment, type Experiment } from '../../app/protocol/experiment';

/** Any valid experiment: every field drawn from its own bounds, relations respected by construction. */
export const experiments: fc.Arbitrary<Experiment> = fc
  .record({
    dataset: fc.constantFrom('shapes', 'cifar10'),
    sections: fc.record(
      Object.fromEntries(
        GROUPS.map((group) => [
          group.section,
          fc.record(
            Object.fromEntries(
              group.fields.map((field): [string, fc.Arbitrary<unknown>] => {
                switch (field.kind) {
                  case 'int':
                    return [field.key, fc.integer({ min: field.min, max: field.max })];
                  case 'float':
                    return [field.key, fc.double({ min: field.min, max: field.max, noNaN: true })];
                  case 'flag':
                    return [field.key, fc.boolean()];
                  case 'choice':
                    return [field.key, fc.constantFrom(...field.options.map((o) => o.value))];
                  case 'set':
                    return [field.key, fc.subarray(field.options.map((o) => o.value))];
                }
              }),
            ),
          ),
        ]),
      ),
    ),
  })
  .map(({ dataset, sections }) => {
    const e = { dataset, ...sections } as unknown as Experiment;
    e.model.patchSize = 2 ** (e.model.patchSize % 6);
    e.model.numHeads = 1 + (e.model.numHeads % 8);
    e.model.embedDim = e.model.numHeads * (8 + (e.model.embedDim % 100));
    if (notInFours(e.model)) e.train.precision = 'f32';
    while (e.train.batchSize % e.train.accumulate !== 0) e.train.accumulate--;
    if (e.method.loraRank > 1) e.method.loraRank = Math.ceil(e.method.loraRank);
    if (e.method.targetRank >= 1) e.method.targetRank = 2 + Math.floor(e.method.targetRank / 2);
    return parseExperiment(e);
  });
