import { useState } from 'react';
import type { MatrixSpectrum } from '../../protocol/messages';
import { topDecade } from './scales';

/**
 * The top of all spectra on the page, the baseline's too, held still as long as it may. `largest` is the largest singular value that the
 * run has had: looking back moves no axis.
 */
export function useTopDecade(
  run: readonly MatrixSpectrum[] | null,
  baseline: readonly MatrixSpectrum[] | null | undefined,
  largest = 0,
): number {
  const [top, setTop] = useState<number>();
  const next = topDecade([run ?? undefined, baseline ?? undefined], top, largest);
  if (next !== top && (run || baseline)) setTop(next);
  return next;
}
