import { wordSum } from '../data/formats/checksums';
import type { DeviceInfo, Gpu } from '../gpu/device';
import { OutOfMemoryError } from '../gpu/buffers';
import { stepProducts, type VitPlan } from '../model/memory';
import { defaultMatmulTuning, matmulShapeKey, type MatmulShape, type MatmulTuning } from '../ops/matmul';
import { tuneMatmul } from '../ops/tune';
import { heaviest, tuneShapes, type ShapeChoices } from '../ops/tuneShapes';

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
  if (stored) {
    const { shapes: _, ...general } = stored;
    // What was not decided yet when this was stored is as on a device that has not been measured.
    return { ...defaultMatmulTuning(gpu.info), ...general };
  }
  const tuning = await tuneMatmul(gpu);
  await writeTuning(key, tuning);
  return tuning;
}

/** Choices by shape of every adapter measured since the page was opened: also where nothing can be stored, a device that comes back has them. */
const measured = new Map<string, ShapeChoices>();

/**
 * The tuning with what is fastest for exactly the products of this plan, on a graphics card; measured in under two seconds where it is
 * not remembered. Software adapters, which compile slowly and are alike in all shapes, keep the tuning as it is.
 */
export async function tuningFor<T extends MatmulTuning>(gpu: Gpu, tuning: T, plan: VitPlan): Promise<T> {
  if (gpu.info.software) return tuning;
  const shapes = heaviest(stepProducts(plan).map(({ shape }) => shape));
  const key = keyOf(gpu.info);
  const known = measured.get(key) ?? (await readTuning(key))?.shapes ?? {};
  const missing = shapes.filter((shape) => !known[matmulShapeKey(shape)]);
  const all = { ...known, ...(missing.length > 0 ? await choicesFor(gpu, missing) : {}) };
  measured.set(key, all);
  if (missing.length > 0) {
    const stored = await readTuning(key);
    if (stored) await writeTuning(key, { ...stored, shapes: all });
  }
  // Only those of the plan, in its order: equal plans have equal tunings, whatever else was measured before.
  const own = shapes.flatMap((shape) => {
    const choice = all[matmulShapeKey(shape)];
    return choice ? [[matmulShapeKey(shape), choice] as const] : [];
  });
  return { ...tuning, shapes: Object.fromEntries(own) };
}

async function choicesFor(gpu: Gpu, shapes: readonly MatmulShape[]): Promise<ShapeChoices> {
  try {
    return await tuneShapes(gpu, shapes);
  } catch (error) {
    // No room to measure in: the run decides by the rates, as it does for the shapes there was no time for.
    if (error instanceof OutOfMemoryError) return {};
    throw error;
  }
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
