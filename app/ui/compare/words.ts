import { hasLambda } from '../../protocol/compare';
import type { Experiment } from '../../protocol/experiment';
import { setting } from '../../protocol/numbers';
import { modelName } from '../../protocol/presets';

/** "λ 0.01", or the name of the model where nothing pulls. */
export const shortNote = (experiment: Experiment): string =>
  hasLambda(experiment) ? `λ ${setting(experiment.method.lambda)}` : modelName(experiment);
