import { FIRST_EPSILON, type Q3rFigures } from './formulaFigures';
import { formatSignificant } from './format';

/** A formatted number as a formula has it: 2.1e−4 becomes 2.1 · 10^{−4}. */
export function pow(text: string): string {
  const [mantissa, exponent] = text.split('e');
  if (exponent === undefined) return `{${text}}`;
  return mantissa === '1' ? `{10^{${exponent}}}` : `{${mantissa} · 10^{${exponent}}}`;
}

/** ε as it is now; its start is written as what it is. */
export const epsilonText = (f: Pick<Q3rFigures, 'epsilon' | 'waiting'>): string =>
  f.waiting ? `1e${Math.log10(FIRST_EPSILON)}` : formatSignificant(f.epsilon);
