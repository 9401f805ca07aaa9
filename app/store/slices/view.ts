import type { LessonName } from '../../protocol/lessons';

/** Something to tell that does not stop the page. `lines` are shown under the message, one each. */
export interface Notice {
  readonly id: number;
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly lines: readonly string[];
  /** What can be done about it, once; the notice goes with it. */
  readonly action?: { readonly label: string; readonly run: () => void };
}

/** `lesson` is the list of lessons, or the lesson under way. */
export type Screen = 'first' | 'main' | 'compare' | 'lesson';
export type Tab = 'watch' | 'matrix' | 'runs' | 'setup';

/** What is shown and how; nothing here changes a run. */
export interface ViewSlice {
  screen: Screen;
  /** The pane shown on a narrow screen. */
  tab: Tab;
  /** The settings sheet of a medium screen is open. */
  setupOpen: boolean;
  /** What the visitor chose, and what that comes to. */
  theme: 'system' | 'light' | 'dark';
  resolvedTheme: 'light' | 'dark';
  wallView: 'run' | 'baseline';
  /** Name of the matrix in the inspector; empty before a plan exists. */
  selected: string;
  hovered: string | null;
  /** Weight of the exponential average in the charts, 0 (none) to 0.99. */
  smoothing: number;
  lengthUnit: 'steps' | 'epochs';
  notices: readonly Notice[];
  /** The page is a frame in another page: run, wall and charts only. */
  embed: boolean;
  /** Text of the dialog that takes a command of the reference; null while it is closed. */
  command: string | null;
  /** Larger type, and the rails away, for a room. */
  projector: boolean;
  /** The lesson on the lesson screen; null for their list. */
  lesson: LessonName | null;
  /** The run whose end was read and put away; null for none. */
  endRead: number | null;
}

export const viewSlice = (): ViewSlice => ({
  screen: 'first',
  tab: 'watch',
  setupOpen: false,
  theme: 'system',
  resolvedTheme: 'light',
  wallView: 'run',
  selected: '',
  hovered: null,
  smoothing: 0.9,
  lengthUnit: 'steps',
  notices: [],
  embed: false,
  command: null,
  projector: false,
  lesson: null,
  endRead: null,
});
