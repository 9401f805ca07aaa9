import { CURVE_FRACTIONS } from '../../../protocol/truncation';
import { csvLine } from '../../files';
import { accuracyAt } from './cellFigures';
import { cellsOf, type GridDefinition } from './definition';
import type { CellResult } from './shelf';

/** Every run of a grid in a row, all digits; runs to come have empty figures. Shares of [0, 1], milliseconds. */
export function gridCsv(definition: GridDefinition, results: readonly (CellResult | undefined)[]): string {
  const { x, y } = definition;
  const figures = ['accuracy', 'kept', 'atTarget', 'loss', 'effectiveRank', 'tailEnergy', 'elapsedMs'] as const;
  const names = ['accuracy', 'keptAtTargetRank', 'accuracyAtTargetRank', 'loss', 'effectiveRank', 'tailEnergy', 'elapsedMs'];
  const head = [y.path, x.path, 'seed', 'state', ...names, ...CURVE_FRACTIONS.map((share) => `accuracyAt${share}`), 'problem'];
  const lines = cellsOf(definition).map((cell) => {
    const result = results[cell.index];
    const known = result?.figures;
    return csvLine([
      y.values[cell.y],
      x.values[cell.x],
      cell.seed,
      known ? 'done' : result ? 'failed' : 'to run',
      ...figures.map((key) => known?.[key]),
      ...CURVE_FRACTIONS.map((share) => (known && known.cuts.length > 0 ? accuracyAt(known, share) : undefined)),
      result?.problem,
    ]);
  });
  return [csvLine(head), ...lines].join('');
}
