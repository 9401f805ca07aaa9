import { RECORD_FIELDS, RECORD_WIDTH, type RunEvaluation } from '../../protocol/run/record';
import { csvLine } from '../files';

interface CsvSide {
  /** Packed steps from 1 on. */
  readonly rows: Float64Array;
  readonly evaluations: readonly RunEvaluation[];
}

const VALIDATION = ['validationLoss', 'validationAccuracy'] as const;

/** Both runs by step, all digits: a column of each side for every value of a step and of a validation. Fields that a side lacks are empty. */
export function abCsv(a: CsvSide, b: CsvSide): string {
  const sides = [
    ['A', a],
    ['B', b],
  ] as const;
  const head = ['step', ...[...RECORD_FIELDS, ...VALIDATION].flatMap((field) => sides.map(([name]) => `${field} ${name}`))];
  const lines = [csvLine(head)];
  const validated = sides.map(([, side]) => new Map(side.evaluations.map((e) => [e.step, e])));
  const steps = Math.max(...sides.map(([, { rows }]) => rows.length / RECORD_WIDTH));
  for (let step = 1; step <= steps; step++) {
    const at = (step - 1) * RECORD_WIDTH;
    const cells: (number | undefined)[] = [step];
    for (let field = 0; field < RECORD_WIDTH; field++) for (const [, { rows }] of sides) cells.push(rows[at + field]);
    for (const map of validated) cells.push(map.get(step)?.loss);
    for (const map of validated) cells.push(map.get(step)?.accuracy);
    lines.push(csvLine(cells));
  }
  return lines.join('');
}
