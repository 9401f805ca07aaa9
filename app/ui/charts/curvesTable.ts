import { axisName, plainName, type XScale } from './axis';
import { indexAt } from './chartData';
import type { RunCurve } from './curves';
import type { Table } from './DataTable';
import { formatFixed, formatInt, formatPercent, formatSetting, formatSignificant } from './format';

const UNIT = { step: '', epoch: 'Epoch', images: 'Images', seconds: 'Time' } as const;

/** The points behind the charts, run by run. */
export function curvesTable(curves: readonly RunCurve[], x: XScale): Table {
  const several = curves.length > 1;
  const unit = UNIT[x.axis];
  return {
    head: [
      ...(several ? ['Run'] : []),
      'Step',
      ...(unit ? [unit] : []),
      ...['Loss', 'Smoothed', 'Training accuracy', 'Validation loss', 'Validation accuracy', 'Q3R value', 'Learning rate'],
    ],
    body: curves.flatMap(({ label, series: s, map }) =>
      Array.from(s.step, (step, i) => {
        const e = indexAt(s.evalStep, step);
        const fresh = e >= 0 && s.evalStep[e]! > (s.step[i - 1] ?? -1);
        return [
          ...(several ? [label] : []),
          formatInt(step),
          ...(unit ? [x.axis === 'seconds' ? axisName('seconds', map.to(step)) : plainName(x.axis, map.to(step), 3)] : []),
          formatFixed(s.loss[i]!, 4),
          formatFixed(s.lossSmooth[i]!, 4),
          formatPercent(s.accuracySmooth[i]!, 1),
          fresh ? formatFixed(s.evalLoss[e]!, 4) : '',
          fresh ? formatPercent(s.evalAccuracy[e]!, 1) : '',
          formatSignificant(s.regularizer[i]!, 4),
          formatSetting(s.lr[i]!),
        ];
      }),
    ),
  };
}
