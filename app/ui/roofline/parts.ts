import type { StepPart } from '../../protocol/roofline';
import type { Palette } from '../charts/canvas';
import type { Marker } from '../charts/runStyle';

export const PART_NAMES: Record<StepPart, string> = {
  forward: 'Forward',
  backward: 'Backward',
  optimizer: 'Optimizer',
  q3r: 'Regularizer',
  svd: 'SVD refresh',
};

/** How the parts of a step are told apart: by shape; what rank costs has the colour that it has above the wall. */
export const PART_MARKERS: Record<StepPart, Marker> = {
  forward: 'ring',
  backward: 'circle',
  optimizer: 'square',
  q3r: 'diamond',
  svd: 'triangle-down',
};
export const isRank = (part: StepPart): boolean => part === 'q3r' || part === 'svd';
export const partColour = (p: Palette, part: StepPart): string => (isRank(part) ? p.timeQ3r : p.text2);

/** What a kernel computes, for people: `blocks.*.mlp.fc1.dWeight` is "mlp.fc1.dWeight". */
export const shortName = (name: string): string => name.replace(/^blocks\.\*\./, '');
