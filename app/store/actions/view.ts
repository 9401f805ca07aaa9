import type { LessonName } from '../../protocol/lessons';
import { anyLocks } from '../../protocol/locks';
import { getState, setState, type AppState, type Notice, type Tab } from '../store';
import { engine } from './engine';

/** Puts a matrix into the inspector. */
export const select = (name: string): void => setState({ selected: name });
/** Points at a matrix of the wall; null when the pointer leaves it. */
export const hover = (name: string | null): void => setState({ hovered: name });
export const setWallView = (wallView: 'run' | 'baseline'): void => setState({ wallView });
export const setLengthUnit = (lengthUnit: 'steps' | 'epochs'): void => setState({ lengthUnit });
export const showScreen = (screen: AppState['screen']): void => setState({ screen });
export const showTab = (tab: Tab): void => setState({ tab });
/** Puts away what is told of a run that has ended. */
export const readEnd = (): void => setState(({ runId }) => ({ endRead: runId }));
export const openSetup = (setupOpen: boolean): void => setState({ setupOpen });

/** Chart smoothing, 0 (none) to 0.99; the worker averages the full data anew. */
export function setSmoothing(smoothing: number): void {
  const value = Math.min(0.99, Math.max(0, smoothing));
  setState({ smoothing: value });
  // A run that has ended or never began has nothing to smooth; the value is sent again with the next run.
  engine()
    .send('view', { smoothing: value })
    .catch(() => undefined);
}

let lastNotice = 0;
/** Tells the visitor something; the same message is not shown twice. Returns its id. */
export function notify(level: Notice['level'], message: string, lines: readonly string[] = [], action?: Notice['action']): number {
  const same = getState().notices.find((n) => n.message === message && n.lines.join() === lines.join());
  if (same && !action) return same.id;
  if (same) dismiss(same.id);
  const notice = { id: ++lastNotice, level, message, lines, ...(action && { action }) };
  setState((s) => ({ notices: [...s.notices, notice].slice(-4) }));
  return notice.id;
}
export const dismiss = (id: number): void => setState((s) => ({ notices: s.notices.filter((n) => n.id !== id) }));
export const dismissFault = (): void => setState({ fault: null });

const THEME_KEY = 'q3r.theme';
const darkMedia = () => matchMedia('(prefers-color-scheme: dark)');

/** Follows the system unless the visitor chose; the choice is remembered. */
export function setTheme(theme: 'system' | 'light' | 'dark'): void {
  const resolvedTheme = theme === 'system' ? (darkMedia().matches ? 'dark' : 'light') : theme;
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  remember(THEME_KEY, theme);
  setState({ theme, resolvedTheme });
}
/** The list of lessons, or one of them; they set what a locked page holds. */
export function openLessons(lesson: LessonName | null = null): void {
  if (anyLocks(getState().locks)) notify('warn', 'The link of this page locks settings that the lessons change.');
  else setState({ screen: 'lesson', lesson });
}

/** Larger type for a room, canvases included. */
export function setProjector(projector: boolean): void {
  if (projector) document.documentElement.dataset.projector = '';
  else delete document.documentElement.dataset.projector;
  setState({ projector });
}
export const toggleProjector = (): void => setProjector(!getState().projector);

export const toggleTheme = (): void => setTheme(getState().resolvedTheme === 'dark' ? 'light' : 'dark');

/** Reads the remembered theme and follows the system's changes. Call once. */
export function followTheme(): void {
  const saved = recall(THEME_KEY);
  setTheme(saved === 'light' || saved === 'dark' ? saved : 'system');
  darkMedia().addEventListener('change', () => {
    if (getState().theme === 'system') setTheme('system');
  });
}

/** Private windows refuse storage; the page then forgets, and works. */
export function recall(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}
export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // forgetting is all that happens
  }
}
