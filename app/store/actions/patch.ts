import { imageSizeOf, type Experiment } from '../../protocol/experiment';
import { notify } from './view';

/** Says that an experiment got another patch size than was wanted, since that one does not divide its images. */
export function tellPatch(wanted: number, { dataset, model }: Experiment): void {
  const { patchSize } = model;
  if (patchSize === wanted) return;
  const side = imageSizeOf({ dataset, model });
  notify('info', `Patches of ${wanted} do not divide images of ${side} × ${side} pixels: the patch size is now ${patchSize}.`);
}

/** Tokens beyond which attention takes most of a step's time. */
const MANY_TOKENS = 256;

/** The patch size that leaves an image of this side a moderate number of tokens; the present one where it does. */
export function moderatePatch(patchSize: number, side: number): number {
  let patch = patchSize;
  while ((side / patch) ** 2 > MANY_TOKENS && patch < 32) patch *= 2;
  return 32 % patch === 0 ? patch : patchSize;
}
