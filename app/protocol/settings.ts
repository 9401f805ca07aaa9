import { DATASET_CONFIGS } from '../engine/data/config';
import { fieldAt, GROUPS, valueAt, type Experiment } from './experiment';
import { LOSS_SCALE } from './lossScale';
import { setting } from './numbers';

/** Paths of all settings that the form has as fields, in its order: `dataset`, `model.patchSize`, … */
export const FIELD_PATHS: readonly string[] = [
  'dataset',
  ...GROUPS.flatMap((group) => group.fields.map((field) => `${group.section}.${field.key}`)),
];

/** The name of a setting in a link: the last part of its path, but `data` for the data set and `method` for the technique. */
export const linkKey = (path: string): string => (path === 'dataset' ? 'data' : path === 'method.name' ? 'method' : path.split('.')[1]!);

/** Names of the settings that are no fields, and of what else is told of in their way. */
const LABELS: Readonly<Record<string, string>> = {
  dataset: 'Data set',
  'model.imageSize': 'Image size',
  'model.inChannels': 'Image channels',
  'model.numClasses': 'Number of classes',
  [LOSS_SCALE]: 'Loss scale',
  'method.overrides': 'Matrix by matrix',
  'method.overrideValues': 'Matrix by matrix',
};

/** A setting as the form names it, by its path or what `differences` calls it; a path that is no setting stays as it is. */
export const labelOf = (path: string): string => LABELS[path] ?? fieldAt(path)?.label ?? path;

/** A value of a choice as the form names it; any other stays as it is. */
export function choiceName(path: string, value: string): string {
  const field = fieldAt(path);
  return field?.kind === 'choice' ? (field.options.find((option) => option.value === value)?.label ?? value) : value;
}

/** The technique as the form names it. */
export const techniqueName = ({ method }: Pick<Experiment, 'method'>): string => choiceName('method.name', method.name);

/** A setting's value as the form shows it: "0.2", "3000 steps", "on", "cosine", "qkv, proj". */
export function valueText(experiment: Experiment, path: string): string {
  if (path === 'dataset') return DATASET_CONFIGS[experiment.dataset].label;
  if (path.startsWith('method.override')) {
    const { length } = experiment.method.overrides;
    return length === 0 ? 'none' : `${length} set apart`;
  }
  const value = valueAt(experiment, path);
  if (value === undefined) return 'the data set’s own';
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (Array.isArray(value)) return value.join(', ') || 'none';
  if (typeof value !== 'number') return choiceName(path, String(value));
  const unit = fieldAt(path)?.unit;
  return unit ? `${setting(value)} ${unit}` : setting(value);
}
