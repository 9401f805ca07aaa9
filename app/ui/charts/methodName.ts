import { methodFields } from '../../engine/regularizers/q3r/config';

const techniques = methodFields.fields.find((field) => field.key === 'name');

/** The technique as the form names it. */
export const methodName = (name: string): string =>
  techniques?.kind === 'choice' ? (techniques.options.find((option) => option.value === name)?.label ?? name) : name;
