import type { ReactNode } from 'react';
import { standing } from '../../protocol/locks';
import { useStore } from '../../store/store';
import { Icon } from '../icons';

interface GroupProps {
  readonly title: string;
  /** Its content in one line, shown while it is closed. */
  readonly summary: string;
  readonly open?: boolean;
  /** Settings in it; where the page's link hides them all, so it does the group. */
  readonly paths: readonly string[];
  readonly children: ReactNode;
}

const useEmpty = (paths: readonly string[]): boolean => useStore((s) => paths.every((path) => standing(s.locks, path) === 'hidden'));
/** Some of the settings are hidden, so that a summary must not tell them. */
const useSome = (paths: readonly string[]): boolean => useStore((s) => paths.some((path) => standing(s.locks, path) === 'hidden'));

/** A part of the settings that folds. */
export function Group({ title, summary, open = false, paths, children }: GroupProps) {
  const empty = useEmpty(paths);
  const some = useSome(paths);
  if (empty) return null;
  return (
    <details className="grp" open={open || some}>
      <summary>
        <Icon name="right" />
        <span>{title}</span>
        <em>{some ? '' : summary}</em>
      </summary>
      <div className="in">{children}</div>
    </details>
  );
}

/** Rarely used settings within a group. */
export function More({ summary, paths, children }: Pick<GroupProps, 'summary' | 'paths' | 'children'>) {
  if (useEmpty(paths)) return null;
  return (
    <details className="ranks more">
      <summary>{summary}</summary>
      <div className="in">{children}</div>
    </details>
  );
}
