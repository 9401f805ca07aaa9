import type { CSSProperties } from 'react';
import { formatPercent } from '../charts/format';
import { Icon } from '../icons';

export interface Ranked {
  readonly name: string;
  readonly probability: number;
}

/** The most probable classes with their probabilities, the predicted one first. */
export const Predicted = ({ ranked }: { ranked: readonly Ranked[] }) => (
  <span className="see-ranked">
    {ranked.map(({ name, probability }, i) => (
      <span key={i} style={{ '--p': Number.isFinite(probability) ? probability : 0 } as CSSProperties}>
        <span className="see-name">{name} </span>
        <span className="see-share">{formatPercent(probability, probability < 0.0995 ? 1 : 0)}</span>
      </span>
    ))}
  </span>
);

/** Right or wrong, said by an icon and in words. */
export const Verdict = ({ right, actual }: { right: boolean; actual: string }) => (
  <span className="see-verdict" data-right={right}>
    <Icon name={right ? 'check' : 'close'} />
    {right ? 'right' : `wrong: ${actual}`}
  </span>
);
