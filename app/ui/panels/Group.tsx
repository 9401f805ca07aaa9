import type { ReactNode } from 'react';
import { Icon } from '../icons';

interface GroupProps {
  readonly title: string;
  /** Its content in one line, shown while it is closed. */
  readonly summary: string;
  readonly open?: boolean;
  readonly children: ReactNode;
}

/** A part of the settings that folds. */
export const Group = ({ title, summary, open = false, children }: GroupProps) => (
  <details className="grp" open={open}>
    <summary>
      <Icon name="right" />
      <span>{title}</span>
      <em>{summary}</em>
    </summary>
    <div className="in">{children}</div>
  </details>
);
