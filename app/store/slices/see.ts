import type { Inspection, Survey } from '../../protocol/inspection';

export type SeeTab = 'samples' | 'confusion' | 'attention';

/** What the attention view looks at. */
export type SeeSource =
  | { readonly kind: 'test'; readonly index: number }
  /** The visitor's own picture. `invert` is set once the visitor has chosen; before, the engine does. */
  | { readonly kind: 'picture'; readonly blob: Blob; readonly name: string; readonly invert?: boolean };

/** What the model was found to say; of the run on screen. */
export interface SeeResults {
  survey: Survey | null;
  /** With what was looked at. */
  inspection: { readonly source: SeeSource; readonly value: Inspection } | null;
  /** Why the last look failed; nothing is tried again until the visitor asks. */
  seeError: string | null;
}

/** The view that shows what the model sees. */
export interface SeeSlice extends SeeResults {
  /** It stands in place of the stage. */
  seeOpen: boolean;
  seeTab: SeeTab;
  seeSource: SeeSource;
  /** A look is under way. */
  seeBusy: boolean;
}

export const seeResults = (): SeeResults => ({ survey: null, inspection: null, seeError: null });

export const seeSlice = (): SeeSlice => ({
  ...seeResults(),
  seeOpen: false,
  seeTab: 'samples',
  seeSource: { kind: 'test', index: 0 },
  seeBusy: false,
});
