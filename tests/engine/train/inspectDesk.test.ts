import { encode } from 'fast-png';
import { expect, test } from 'vitest';
import { mnist } from '../../../app/engine/data/mnist/config';
import { readPicture } from '../../../app/engine/train/picture';
import { Session } from '../../../app/engine/train/session';
import { tiny } from './support';

const png = (width: number, height: number, pixel: (x: number, y: number) => readonly number[]): Blob => {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => pixel(((i / 3) % width) | 0, (i / 3 / width) | 0)[i % 3]!);
  return new Blob([new Uint8Array(encode({ width, height, channels: 3, depth: 8, data }))], { type: 'image/png' });
};

test('a picture is cut to its centre; on a grey set it becomes luma, and ink on paper its negative', async () => {
  // Red at both ends, green in the middle: the ends are cut off.
  const wide = png(96, 32, (x) => (x >= 32 && x < 64 ? [0, 200, 0] : [255, 0, 0]));
  const { bytes } = await readPicture(wide, { imageSize: 32, channels: 3, mean: [0.5, 0.5, 0.5] });
  expect([bytes[0], bytes[1024], bytes[2048], bytes[1024 + 31]]).toEqual([0, 200, 0, 200]);
  const ink = png(28, 28, (x, y) => (x > 10 && x < 16 && y > 5 && y < 22 ? [0, 0, 0] : [255, 255, 255]));
  const grey = await readPicture(ink, mnist);
  expect(grey).toMatchObject({ inverted: true });
  expect([grey.bytes[0], grey.bytes[13 * 28 + 13]]).toEqual([0, 255]);
  const asIs = await readPicture(ink, mnist, false);
  expect([asIs.bytes[0], asIs.bytes[13 * 28 + 13], asIs.inverted]).toEqual([255, 0, false]);
  const luma = await readPicture(
    png(28, 28, () => [200, 100, 50]),
    mnist,
    false,
  );
  expect(luma.bytes[5]).toBe(Math.round(0.299 * 200 + 0.587 * 100 + 0.114 * 50));
  await expect(readPicture(new Blob(['no picture']), mnist)).rejects.toThrow(/could not be read.*PNG or JPEG/);
});

test('a session surveys, looks at test images and pictures, names what it cannot, and frees what it took', async () => {
  const session = new Session(() => undefined);
  await session.init('/nowhere/');
  await session.configure(tiny({ model: { depth: 1, imageSize: 48 }, train: { evalCount: 20, batchSize: 4 } }));
  await session.step(2);
  const { inspection } = session;
  const cut = { fraction: 0.4 };
  await inspection.survey({ cut });
  const held = session.memory();
  const survey = await inspection.survey({ cut });
  expect(survey).toMatchObject({ step: 2, count: 20, classes: 10, best: 3, average: false, cut: { choice: cut } });
  expect(survey.full.accuracy).toBeCloseTo((await session.evaluate()).accuracy, 6);

  const look = await inspection.inspect({ source: { indices: [3, 0] }, cut });
  expect(look).toMatchObject({ step: 2, count: 2, shape: { layers: 1, heads: 2, tokens: 37, side: 6, query: 'class' } });
  expect([...look.labels!]).toEqual([survey.labels[3], survey.labels[0]]);
  const best = (logits: Float32Array) => logits.indexOf(Math.max(...logits));
  expect([best(look.full.logits.slice(0, 10)), best(look.cut!.logits.slice(10))]).toEqual([survey.full.top[9], survey.cut!.top[0]]);
  expect(look.pixels!.images.map((image) => image.length)).toEqual([4096, 4096]);

  // A picture that is a test image is seen as that.
  const [rgba] = (await inspection.testImages([3])).images;
  const same = png(32, 32, (x, y) => [...rgba!.subarray(4 * (32 * y + x), 4 * (32 * y + x) + 3)]);
  const mine = await inspection.inspect({ source: { picture: same } });
  expect(mine.pixels!.images[0]).toEqual(rgba);
  expect(mine.full.logits.every((v, i) => Math.abs(v - look.full.logits[i]!) < 1e-4)).toBe(true);
  expect([mine.labels, mine.cut]).toEqual([null, null]);

  await expect(inspection.inspect({ source: { indices: [2000] } })).rejects.toThrow('no test image 2000; they are numbered 0 to 1999');
  await expect(inspection.inspect({ source: { indices: Array.from({ length: 17 }, () => 0) } })).rejects.toThrow('17 images; 1 to 16');
  await expect(inspection.inspect({ source: { images: new Float32Array(5) } })).rejects.toThrow('expected a multiple of');
  await expect(inspection.inspect({ source: { picture: new Blob(['x']) } })).rejects.toThrow('could not be read');
  expect(session.memory()).toMatchObject({ liveBytes: held.liveBytes, liveBuffers: held.liveBuffers });
  // A batch that does not fit is no step.
  await expect(session.weights.trainOn({ images: new Float32Array(5), labels: new Int32Array(1) })).rejects.toThrow(
    'expected a multiple of',
  );
  expect((await session.step(1)).map((r) => r.step)).toEqual([3]);
  await session.dispose();
});
