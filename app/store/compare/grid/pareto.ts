/** A run or a cut of one: what it keeps, and how well it does. */
export interface ParetoPoint {
  /** Share of the parameters kept. */
  readonly kept: number;
  readonly accuracy: number;
}

/**
 * The points that no other beats: none keeps as little or less and is as accurate or more, one of both truly. By ascending share; of equal points
 * the first.
 */
export function paretoFront<P extends ParetoPoint>(points: readonly P[]): P[] {
  const sorted = points
    .filter(({ kept, accuracy }) => Number.isFinite(kept) && Number.isFinite(accuracy))
    .map((point, i) => ({ point, i }))
    .sort((a, b) => a.point.kept - b.point.kept || b.point.accuracy - a.point.accuracy || a.i - b.i);
  const front: P[] = [];
  for (const { point } of sorted) if (point.accuracy > (front.at(-1)?.accuracy ?? -Infinity)) front.push(point);
  return front;
}
