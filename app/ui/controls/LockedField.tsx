import type { ReactNode } from 'react';
import { partShown, standing, type Part, type Standing } from '../../protocol/locks';
import { labelOf, valueText } from '../../protocol/settings';
import { useStore } from '../../store/store';
import { Icon } from '../icons';

/** How a setting stands under the locks of the page's link. */
export const useStanding = (path: string): Standing => useStore((s) => standing(s.locks, path));
/** The same as a function of the path, for lists of settings. */
export function useStandings(): (path: string) => Standing {
  const locks = useStore((s) => s.locks);
  return (path) => standing(locks, path);
}
/** A figure that cannot be changed here, in the place of its field. */
export const LockedFigure = ({ label, text }: { label: string; text: string }) => (
  <span className="locked-figure" title="Locked by the link of this page">
    <Icon name="lock" />
    <span className="sr">{label}, locked: </span>
    {text}
  </span>
);
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
