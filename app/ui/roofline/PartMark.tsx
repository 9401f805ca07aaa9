import type { StepPart } from '../../protocol/roofline';
import { isOpen, markerPath } from '../charts/runStyle';
import { PART_MARKERS, isRank } from './parts';

/** The marker that a part of the step has on the chart. */
export function PartMark({ part }: { part: StepPart }) {
  const marker = PART_MARKERS[part];
  return (
    <svg
      className="roof-mark"
      viewBox="-6 -6 12 12"
      aria-hidden="true"
      data-rank={isRank(part) || undefined}
      data-open={isOpen(marker) || undefined}
    >
      <path d={markerPath(marker, 0, 0, 3.6)} />
    </svg>
  );
}
