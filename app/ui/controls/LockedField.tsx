import type { ReactNode } from 'react';
import { partShown, standing, type Part, type Standing } from '../../protocol/locks';
import { labelOf, valueText } from '../../protocol/settings';
import { useStore } from '../../store/store';
import { Icon } from '../icons';

/** How a setting stands under the locks of the page's link. */
export const useStanding = (path: string): Standing => useStore((s) => standing(s.locks, path));
/** Whether the page's link leaves a part of the page. */
export const usePart = (part: Part): boolean => useStore((s) => partShown(s.locks, part));

/** A setting that cannot be changed here: its name with a lock, and a plain figure. */
export function LockedField({ path, why }: { path: string; why?: ReactNode }) {
  const text = useStore((s) => valueText(s.experiment, path));
  return (
    <div className="field locked">
      <span className="name">
        <Icon name="lock" />
        {labelOf(path)}
        <span className="sr">, locked</span>
      </span>
      <span />
      <span className="fixed">{text}</span>
      {why && <p className="why">{why}</p>}
    </div>
  );
}
