import { afterAll, beforeAll, expect, test } from 'vitest';
import { augmentation, sampleIndex } from '../../../kernels/gather/gather';
import type { DatasetConfig } from '../../../app/engine/data';
import { Gpu } from '../../../app/engine/gpu/device';
import { GpuDataset } from '../../../app/engine/ops/gather';
import { previewBatch } from '../../../app/engine/train/preview';
import { defaultExperiment, patchExperiment } from '../../../app/protocol/experiment';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await Gpu.open();
});
afterAll(() => gpu.dispose());

const SIDE = 28;
const COUNT = 11;
/** Images of a gradient each, and labels that need more than a byte. */
function make(channels: number) {
  const pixels = channels * SIDE * SIDE;
  const images = Uint8Array.from({ length: COUNT * pixels }, (_, i) => (Math.floor(i / pixels) * 20 + (i % pixels) * 3) & 255);
  const labels = Uint16Array.from({ length: COUNT }, (_, i) => (i * 97) % 1000);
  const config = {
    channels,
    imageSize: SIDE,
    mean: [0.1, 0.5, 0.3].slice(0, channels),
    std: [0.3, 0.2, 0.6].slice(0, channels),
  } as unknown as DatasetConfig;
  const train = GpuDataset.upload(gpu, {
    images,
    labels,
    count: COUNT,
    channels,
    imageSize: SIDE,
    mean: config.mean,
    std: config.std,
    label: 'preview',
  });
  return { images, labels, config, train };
}

test.each([1, 3])('a preview is the batch that training gathers, as pixels: %d channels', async (channels) => {
  const { images, labels, config, train } = make(channels);
  const live = gpu.buffers.liveBytes;
  for (const augment of ['none', 'basic'] as const) {
    const experiment = patchExperiment(defaultExperiment(), { train: { augment, seed: 5 } });
    // The third draw of four goes past the end of the first epoch.
    for (const draw of [0, 2]) {
      const batch = await previewBatch(gpu, { train, config, trainCount: COUNT, experiment, count: 4, draw });
      expect(batch).toMatchObject({ width: SIDE, height: SIDE });
      expect(batch.images).toHaveLength(4);
      for (let b = 0; b < 4; b++) {
        const place = draw * 4 + b;
        const sample = sampleIndex(5, 0, place, COUNT);
        expect(batch.labels[b]).toBe(labels[sample]);
        const crop = augment === 'none' ? { dx: 4, dy: 4, flip: false } : augmentation(5, Math.floor(place / COUNT), sample);
        let worst = 0;
        for (let y = 0; y < SIDE; y++)
          for (let x = 0; x < SIDE; x++)
            for (let c = 0; c < 3; c++) {
              const sy = y + crop.dy - 4;
              const sx = (crop.flip ? SIDE - 1 - x : x) + crop.dx - 4;
              const inside = sy >= 0 && sy < SIDE && sx >= 0 && sx < SIDE;
              const from = channels === 3 ? c : 0;
              const wanted = inside ? images[((sample * channels + from) * SIDE + sy) * SIDE + sx]! : 0;
              worst = Math.max(worst, Math.abs(batch.images[b]![(y * SIDE + x) * 4 + c]! - wanted));
            }
        // Normalising and undoing it costs less than half a grey level in f32.
        expect(worst, `${augment}, draw ${draw}, image ${b}`).toBe(0);
        expect(batch.images[b]![3]).toBe(255);
      }
    }
  }
  expect(gpu.buffers.liveBytes).toBe(live);
  train.dispose();
});
