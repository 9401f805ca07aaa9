import type { ReactNode } from 'react';
import { fieldAt, valueAt, type Experiment } from '../../protocol/experiment';
import { LOCKABLE, partShown, standing, type Part, type Standing } from '../../protocol/locks';
import { useStore } from '../../store/store';
import { DATASET_CONFIGS } from '../datasets';
import { setting } from '../format';
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

/** A setting's value in words: "0.2", "on", "cosine", "qkv, proj". */
export function valueText(path: string, experiment: Experiment): string {
  if (path === 'dataset') return DATASET_CONFIGS[experiment.dataset].label;
  const value = valueAt(experiment, path);
  const field = fieldAt(path);
  if (typeof value === 'number') return field && 'unit' in field && field.unit ? `${setting(value)} ${field.unit}` : setting(value);
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (Array.isArray(value)) return value.length > 0 && typeof value[0] === 'string' ? value.join(', ') : String(value.length || 'none');
  if (field?.kind === 'choice') return field.options.find((o) => o.value === value)?.label ?? String(value);
  return value === undefined ? 'as the data set' : String(value);
}

/** A setting that cannot be changed here: its name with a lock, and a plain figure. */
export function LockedField({ path, why }: { path: string; why?: ReactNode }) {
  const text = useStore((s) => valueText(path, s.experiment));
  const label = fieldAt(path)?.label ?? LOCKABLE.find((l) => l.path === path)?.label ?? path;
  return (
    <div className="field locked">
      <span className="name">
        <Icon name="lock" />
        {label}
        <span className="sr">, locked</span>
      </span>
      <span />
      <span className="fixed">{text}</span>
      {why && <p className="why">{why}</p>}
    </div>
  );
}
