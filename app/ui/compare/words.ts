import { fieldAt, valueAt, type Experiment } from '../../protocol/experiment';
import { modelName } from '../../protocol/presets';
import { hasLambda } from '../../protocol/compare';
import { DATASET_CONFIGS } from '../datasets';
import { setting } from '../format';

/** A setting as the form names it. */
export const fieldName = (path: string): string =>
  path === 'dataset'
    ? 'Data set'
    : path === 'method.overrides' || path === 'method.overrideValues'
      ? 'Single matrices'
      : (fieldAt(path)?.label ?? path);

/** A value as the form shows it. */
export function valueText(path: string, experiment: Experiment): string {
  if (path === 'dataset') return DATASET_CONFIGS[experiment.dataset].label;
  if (path.startsWith('method.override'))
    return experiment.method.overrides.length === 0 ? 'none' : `${experiment.method.overrides.length} changed`;
  const value = valueAt(experiment, path);
  if (typeof value === 'number') return setting(value);
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (Array.isArray(value)) return value.join(', ') || 'none';
  if (value === undefined) return 'of the data';
  const field = fieldAt(path);
  return field?.kind === 'choice' ? (field.options.find((o) => o.value === value)?.label ?? String(value)) : String(value);
}

/** The technique as the form names it. */
export const techniqueName = (experiment: Experiment): string => valueText('method.name', experiment);

/** "λ 0.01", or the name of the model where nothing pulls. */
export const shortNote = (experiment: Experiment): string =>
  hasLambda(experiment) ? `λ ${setting(experiment.method.lambda)}` : modelName(experiment);
