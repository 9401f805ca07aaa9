import { Gpu } from '../../../app/engine/gpu/device';
import { round, type Row } from '../section';
import { benchSvd } from '../svd';

export const title = 'A Q3R refresh of ViT-Tiny, as the trainer does it';
export const note = 'Weights move between refreshes as in a run; a software adapter gets two of the twelve blocks.';

export async function run(): Promise<Row[]> {
  const gpu = await Gpu.open();
  try {
    return (await benchSvd(gpu)).map(({ name, matrices, ms, note: what }) => ({ what: name, matrices, ms: round(ms), how: what }));
  } finally {
    gpu.dispose();
  }
}
