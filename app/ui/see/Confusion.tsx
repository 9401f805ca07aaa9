import { useMemo, useState } from 'react';
import { confusionMatrix, type Predictions, type Survey } from '../../protocol/inspection';
import { saveCsv } from '../../store/files';
import { DataTable } from '../charts/DataTable';
import { formatInt, formatPercent } from '../charts/format';
import { Segmented } from '../charts/Segmented';
import { usePalette } from '../charts/useCanvas';
import { whole } from '../format';
import { confusionCsv, mostConfused, rowSums } from './confusion';
import { ConfusionPlot } from './ConfusionPlot';
import { ConfusionTable } from './ConfusionTable';

/** Classes up to which every cell has room for its figure. */
const CELLS = 20;
const PAIRS = 8;

const UNITS = [
  { value: 'share', label: 'Share of row' },
  { value: 'count', label: 'Counts' },
] as const;
export type ConfusionUnit = (typeof UNITS)[number]['value'];

/** A matrix as its pictures take it. */
export interface ConfusionCells {
  readonly cells: Uint32Array;
  readonly names: readonly string[];
  /** Images of each class. */
  readonly sums: readonly number[];
  readonly unit: ConfusionUnit;
  readonly heat: readonly string[];
  readonly onCell: (label: number, predicted: number) => void;
}

/** Share of the class's images, for the colour; 0 for a class without any. */
export const shareAt = ({ cells, names, sums }: ConfusionCells, label: number, predicted: number): number =>
  sums[label]! > 0 ? cells[label * names.length + predicted]! / sums[label]! : 0;

interface ConfusionProps {
  readonly survey: Survey;
  readonly names: readonly string[];
  readonly cutLabel: string;
  readonly onCell: (label: number, predicted: number) => void;
}

/** Which class is taken for which. */
export function Confusion({ survey, names, cutLabel, onCell }: ConfusionProps) {
  const [unit, setUnit] = useState<ConfusionUnit>('share');
  const [model, setModel] = useState<'full' | 'cut'>('full');
  const { heat } = usePalette();
  const shown: Predictions = (model === 'cut' ? survey.cut : null) ?? survey.full;
  const cells = useMemo(() => confusionMatrix(survey, shown), [survey, shown]);
  const classes = survey.classes;
  const sums = useMemo(() => rowSums(cells, classes), [cells, classes]);
  const pairs = useMemo(() => mostConfused(cells, classes, PAIRS), [cells, classes]);
  const matrix: ConfusionCells = { cells, names, sums, unit, heat, onCell };
  const models = [
    { value: 'full', label: 'Whole' },
    { value: 'cut', label: cutLabel },
  ] as const;
  return (
    <>
      <div className="see-bar">
        <Segmented label="Figures" options={UNITS} value={unit} onChange={setUnit} />
        {survey.cut && <Segmented label="Model" options={models} value={model} onChange={setModel} />}
        <span className="chart-grow" />
        <DataTable title="Confusion matrix" caption={`${whole(survey.count)} test images`} rows={() => tableOf(matrix)} />
        <button
          type="button"
          className="chart-btn chart-data-open"
          aria-label="Save the confusion matrix as CSV"
          onClick={() => saveCsv(confusionCsv(cells, names), `confusion-step${survey.step}.csv`)}
        >
          CSV
        </button>
      </div>
      <div className="see-confusion">
        <div className="see-matrix">{classes <= CELLS ? <ConfusionTable {...matrix} /> : <ConfusionPlot {...matrix} />}</div>
        <section className="see-pairs" aria-labelledby="see-pairs">
          <h3 id="see-pairs">Most often confused</h3>
          {pairs.length === 0 ? (
            <p>No image was taken for another class.</p>
          ) : (
            <ol>
              {pairs.map(({ label, predicted, count, share }) => (
                <li key={`${label} ${predicted}`}>
                  <button type="button" className="link" onClick={() => onCell(label, predicted)}>
                    {names[label]} taken for {names[predicted]}
                  </button>
                  <span>
                    {formatInt(count)} <small>{formatPercent(share, 0)}</small>
                  </span>
                </li>
              ))}
            </ol>
          )}
          <p className="see-scale">
            <i style={{ background: `linear-gradient(to right, ${heat.join(', ')})` }} />
            <span>0</span>
            <span>share of the class’s images</span>
            <span>100{'\u2009'}%</span>
          </p>
        </section>
      </div>
    </>
  );
}

const tableOf = ({ cells, names, sums }: ConfusionCells) => ({
  head: ['Class', ...names, 'Images', 'Right'],
  body: names.map((name, r) => [
    name,
    ...names.map((_, c) => formatInt(cells[r * names.length + c]!)),
    formatInt(sums[r]!),
    sums[r]! > 0 ? formatPercent(cells[r * names.length + r]! / sums[r]!) : '–',
  ]),
});
