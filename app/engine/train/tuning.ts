import { wordSum } from '../data/formats/checksums';
import type { DeviceInfo, Gpu } from '../gpu/device';
import { OutOfMemoryError } from '../gpu/buffers';
import { attentionShape, stepProducts, type VitPlan, type VitTuning } from '../model/memory';
import { attentionKey } from '../ops/attention';
import { defaultMatmulTuning, matmulShapeKey } from '../ops/matmul';
import { tuneMatmul } from '../ops/tune';
import { attentionCases, tuneAttention } from '../ops/tuneAttention';
import { heaviest, tuneShapes } from '../ops/tuneShapes';

/** Kernels change with the page: a choice measured by another version is measured again. */
const VERSION = __APP_VERSION__;
const FILE = 'tuning.json';

export type Tuning = VitTuning & { readonly gflops: number };

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
    const { shapes: _, attention: __, ...general } = stored;
    // What was not decided yet when this was stored is as on a device that has not been measured.
    return { ...defaultMatmulTuning(gpu.info), ...general };
  }
  const tuning = await tuneMatmul(gpu);
  await writeTuning(key, tuning);
  return tuning;
}

/** Choices for exact sizes, by name. */
type Choices = Required<Pick<VitTuning, 'shapes' | 'attention'>>;

/** Those of every adapter measured since the page was opened: also where nothing can be stored, a device that comes back has them. */
const measured = new Map<string, Choices>();

/** Time for all measurements of a plan, and the share of it that products may take where attention is measured, too. */
const BUDGET_MS = 1500;
const PRODUCTS_SHARE = 0.8;

/**
 * The tuning with what is fastest for exactly the products and the attention of this plan, on a graphics card; measured in under two
 * seconds where it is not remembered. Software adapters, which compile slowly and are alike in all shapes, keep the tuning as it is.
 * `candidates` are the tilings to try for products.
 */
export async function tuningFor<T extends VitTuning>(
  gpu: Gpu,
  tuning: T,
  plan: VitPlan,
  o: { budgetMs?: number; candidates?: readonly string[] } = {},
): Promise<T> {
  if (gpu.info.software) return tuning;
  const { budgetMs = BUDGET_MS, candidates } = o;
  const halves = plan.halves === true;
  const shapes = heaviest(stepProducts(plan).map(({ shape }) => shape));
  const cases = attentionCases(
    gpu,
    Array.from({ length: plan.config.depth }, (_, i) => ({ shape: attentionShape(plan, i), halves })),
  );
  const key = keyOf(gpu.info);
  const stored = measured.get(key) ?? (await readTuning(key));
  const known: Choices = { shapes: stored?.shapes ?? {}, attention: stored?.attention ?? {} };
  const newShapes = shapes.filter((shape) => !known.shapes[matmulShapeKey(shape)]);
  const newCases = cases.filter(({ shape }) => !known.attention[attentionKey(shape, halves)]);
  const end = performance.now() + budgetMs;
  const share = newCases.length > 0 ? PRODUCTS_SHARE : 1;
  const products = await unlessFull(() => tuneShapes(gpu, newShapes, { budgetMs: share * budgetMs, candidates, first: tuning }));
  const cuts = await unlessFull(() => tuneAttention(gpu, newCases, { budgetMs: end - performance.now() }));
  const all: Choices = { shapes: { ...known.shapes, ...products }, attention: { ...known.attention, ...cuts } };
  measured.set(key, all);
  if (newShapes.length + newCases.length > 0) {
    const file = await readTuning(key);
    if (file) await writeTuning(key, { ...file, ...all });
  }
  // Only those of the plan, in its order: equal plans have equal tunings, whatever else was measured before.
  return {
    ...tuning,
    shapes: pick(all.shapes, shapes.map(matmulShapeKey)),
    attention: pick(
      all.attention,
      cases.map(({ shape }) => attentionKey(shape, halves)),
    ),
  };
}

const pick = <T>(all: Readonly<Record<string, T>>, keys: readonly string[]): Record<string, T> =>
  Object.fromEntries(keys.flatMap((key) => (key in all ? [[key, all[key]!] as const] : [])));

/** What is measured; nothing where there is no room to measure in: the run decides as for what there was no time for. */
async function unlessFull<T extends object>(measure: () => Promise<T>): Promise<T | undefined> {
  try {
    return await measure();
  } catch (error) {
    if (error instanceof OutOfMemoryError) return undefined;
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
