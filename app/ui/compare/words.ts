import { hasLambda } from '../../protocol/compare';
import { differences, type Experiment } from '../../protocol/experiment';
import { setting } from '../../protocol/numbers';
import { modelName } from '../../protocol/presets';
import { labelOf, techniqueName, valueText } from '../../protocol/settings';
import type { Side } from '../../store/compare/abStore';
import { plural } from '../format';

/** "λ 0.01", or the name of the model where nothing pulls. */
export const shortNote = (experiment: Experiment): string =>
  hasLambda(experiment) ? `λ ${setting(experiment.method.lambda)}` : modelName(experiment);

/** Changes that are named one by one. */
const NAMED = 2;

/** What a side was taken from, and what was changed in it since: "The settings with λ 0". */
export function sourceText({ origin, experiment }: Pick<Side, 'origin' | 'experiment'>): string {
  if (!origin) return '';
  const changed = differences(origin.experiment, experiment);
  if (changed.length === 0) return origin.name;
  const said = changed.map((path) =>
    path === 'method.name' ? techniqueName(experiment) : `${labelOf(path)} ${valueText(experiment, path)}`,
  );
  return `${origin.name} with ${changed.length > NAMED ? plural(changed.length, 'change') : said.join(', ')}`;
}
