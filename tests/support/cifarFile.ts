import { join } from 'node:path';
import { CIFAR_DIR } from './playground';

const RECORD = 3073;

/**
 * Files of CIFAR-10 for a file chooser: real ones where they are beside the project, else as many drawn records in the same format, whose
 * class is in their colour and stripes.
 */
export function cifarFiles(): string | { name: string; mimeType: string; buffer: Buffer }[] {
  if (CIFAR_DIR) return join(CIFAR_DIR, 'cifar-10-binary-6k.tar.gz');
  const names = [...Array.from({ length: 5 }, (_, i) => `data_batch_${i + 1}.bin`), 'test_batch.bin'];
  return names.map((name, file) => ({ name, mimeType: 'application/octet-stream', buffer: drawn(1000, file) }));
}

function drawn(count: number, seed: number): Buffer {
  const out = Buffer.alloc(count * RECORD);
  let state = seed + 1;
  const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  for (let n = 0; n < count; n++) {
    const label = Math.floor(10 * next());
    out[n * RECORD] = label;
    for (let i = 0; i < RECORD - 1; i++) {
      const [x, channel] = [i % 32, i >> 10];
      const stripes = 60 * Math.sin((x * (1 + (label % 5))) / 5);
      const colour = 40 * ((label >> channel) & 1);
      out[n * RECORD + 1 + i] = Math.min(255, Math.max(0, 80 + stripes + colour + 60 * next()));
    }
  }
  return out;
}
