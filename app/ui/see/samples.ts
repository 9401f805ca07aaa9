import type { Predictions, Survey } from '../../protocol/inspection';

export type SampleShow = 'all' | 'wrong' | 'apart';
export type SampleOrder = 'order' | 'unsure' | 'sure';

/** Which test images are listed, and how. */
export interface SampleFilter {
  /** All; those predicted wrong; those on which the truncated model says something else. */
  readonly show: SampleShow;
  readonly order: SampleOrder;
  /** Of this class only. */
  readonly label: number | null;
  /** Predicted as this class only. */
  readonly predicted: number | null;
}

export const ALL_SAMPLES: SampleFilter = { show: 'all', order: 'order', label: null, predicted: null };

/** Numbers of the test images that a filter lets through, in its order; by the predictions of one of the models. */
export function selectSamples(survey: Survey, shown: Predictions, { show, order, label, predicted }: SampleFilter): number[] {
  const { labels, best, cut, full } = survey;
  const out: number[] = [];
  labels.forEach((actual, i) => {
    const said = shown.top[i * best];
    if (label !== null && actual !== label) return;
    if (predicted !== null && said !== predicted) return;
    if (show === 'wrong' && said === actual) return;
    if (show === 'apart' && (!cut || cut.top[i * best] === full.top[i * best])) return;
    out.push(i);
  });
  if (order === 'order') return out;
  const sign = order === 'unsure' ? 1 : -1;
  return out.sort((a, b) => sign * (shown.probability[a * best]! - shown.probability[b * best]!) || a - b);
}
