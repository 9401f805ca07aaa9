/** A picture of the page that can be saved, and the data behind it. */
export type Item = 'loss' | 'accuracy' | 'regularizer' | 'lr' | 'wall' | 'spectrum' | 'heat' | 'truncation' | 'roofline';
export type Format = 'png' | 'svg' | 'csv';

export const ITEM_NAMES: Record<Item, string> = {
  loss: 'Loss',
  accuracy: 'Accuracy',
  regularizer: 'Q3R value',
  lr: 'Learning rate',
  wall: 'Spectrum wall',
  spectrum: 'Spectrum',
  heat: 'Spectrum over time',
  truncation: 'Truncation',
  roofline: 'Roofline',
};
