import { wordSum } from '../data/formats/checksums';
import type { DeviceInfo, Gpu } from '../gpu/device';
import type { MatmulTuning } from '../ops/matmul';
import { tuneMatmul } from '../ops/tune';

/** Kernels change with the page: a choice measured by another version is measured again. */
const VERSION = __APP_VERSION__;
const FILE = 'tuning.json';

export type Tuning = MatmulTuning & { readonly gflops: number };

/** Name of a device for people. */
export function deviceName({ vendor, architecture, device, description, software }: DeviceInfo): string {
  if (software)
    return /swiftshader/i.test(`${vendor} ${architecture} ${device} ${description}`)
      ? 'SwiftShader (software)'
      : `${description || device || architecture} (software)`;
  const named = description || device;
  if (named) return named;
  const words = [vendor, architecture].filter(Boolean).map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return words.join(' ') || 'Graphics device';
}

const keyOf = ({ vendor, architecture, device, description }: DeviceInfo): string =>
  [VERSION, vendor, architecture, device, description].join('|');

/** Equal exactly where the same kernels run on the same kind of device, by the same version of the page. */
export function tuningKey(info: DeviceInfo, { gflops: _, ...choices }: Tuning): string {
  return `${keyOf(info)}|${wordSum(new TextEncoder().encode(JSON.stringify(choices))).toString(16)}`;
}

/**
 * The kernel variants measured to be fastest here. Measured once per adapter and version and remembered, so that noise in a
 * later measurement cannot change a curve.
 */
export async function rememberedTuning(gpu: Gpu): Promise<Tuning> {
  const key = keyOf(gpu.info);
  const stored = await readTuning(key);
  if (stored) return stored;
  const tuning = await tuneMatmul(gpu);
  await writeTuning(key, tuning);
  return tuning;
}

async function readTuning(key: string): Promise<Tuning | undefined> {
  try {
    const root = await navigator.storage.getDirectory();
    const file = await (await root.getFileHandle(FILE)).getFile();
    const all = JSON.parse(await file.text()) as Record<string, Tuning>;
    const found = all[key];
    return found && found.version === 1 && found.gflops > 0 ? found : undefined;
  } catch {
    // No storage, no file, or not ours: measured again.
    return undefined;
  }
}

async function writeTuning(key: string, tuning: Tuning): Promise<void> {
  try {
    const root = await navigator.storage.getDirectory();
    const handle = await root.getFileHandle(FILE, { create: true });
    const stream = await handle.createWritable();
    await stream.write(JSON.stringify({ [key]: tuning }));
    await stream.close();
  } catch {
    // Not remembered; the next visit measures again.
  }
}
