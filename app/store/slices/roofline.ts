import type { RooflineReport } from '../../protocol/roofline';

/** What the device can do, and what the kernels of a step make of it. */
export interface RooflineSlice {
  /** The view stands in place of the stage. */
  rooflineOpen: boolean;
  /** The last measurement of this visit. */
  roofline: RooflineReport | null;
  /** A measurement is under way: what is being done, and how far it is, 0 to 1. */
  rooflineProgress: { readonly stage: string; readonly share: number } | null;
  /** Why the last one failed. */
  rooflineError: string | null;
}

export const rooflineSlice = (): RooflineSlice => ({
  rooflineOpen: false,
  roofline: null,
  rooflineProgress: null,
  rooflineError: null,
});
