import { ConfigError, fieldAt, patchExperiment, withDataset, type DatasetName, type Experiment } from '../../protocol/experiment';
import { parseNumber } from '../../protocol/numbers';

/** A typed value of the field at `path`. @throws ConfigError naming the field and what was expected */
export function readValue(path: string, text: string): unknown {
  const word = text.trim();
  if (path === 'dataset') return word;
  const field = fieldAt(path);
  if (!field) throw new ConfigError(path, `There is no setting ${path}.`);
  switch (field.kind) {
    case 'int':
    case 'float': {
      const value = parseNumber(word, field.unit);
      if (Number.isNaN(value)) throw new ConfigError(path, `${field.label} must be a number, not "${word.slice(0, 40)}".`);
      return value;
    }
    case 'flag':
      if (['true', 'on', 'yes'].includes(word)) return true;
      if (['false', 'off', 'no'].includes(word)) return false;
      throw new ConfigError(path, `${field.label} must be on or off, not "${word.slice(0, 40)}".`);
    case 'choice':
      // Names of the form are taken, too.
      return field.options.find((o) => o.label.toLowerCase() === word.toLowerCase())?.value ?? word;
    case 'set':
      return word === '' || word === 'none' ? [] : word.split(/[\s,;]+/);
  }
}

/** `base` with a typed value at `path`. @throws ConfigError naming the field and what was expected */
export function withValue(base: Experiment, path: string, text: string): Experiment {
  const value = readValue(path, text);
  if (path === 'dataset') return withDataset(base, value as DatasetName);
  const [section, key] = path.split('.') as [string, string];
  return patchExperiment(base, { [section]: { [key]: value } });
}
