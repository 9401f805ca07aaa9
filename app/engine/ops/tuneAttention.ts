import type { View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import { Recorder } from '../gpu/recorder';
import {
  attentionCuts,
  attentionFlops,
  attentionKey,
  recordAttentionBackward,
  type AttentionCut,
  type AttentionShape,
  type AttentionTuning,
} from './attention';
import { Contestants, Race, awake, within } from './timing';

/** Attention with less than this share of all of it is left to the default. */
const LEAST_SHARE = 0.01;

/** Attention of a step: its sizes, and whether it is stored in half precision. */
export interface AttentionCase {
  readonly shape: AttentionShape;
  readonly halves: boolean;
}
type Cuts = NonNullable<AttentionTuning['attention']>;

/** The cases that carry a step and leave a choice on a graphics card, each once, the heaviest first. */
export function attentionCases(gpu: Gpu, cases: readonly AttentionCase[]): AttentionCase[] {
  const found = new Map<string, { one: AttentionCase; work: number }>();
  let all = 0;
  for (const one of cases) {
    const work = attentionFlops(one.shape).backward;
    all += work;
    const key = attentionKey(one.shape, one.halves);
    found.set(key, { one, work: work + (found.get(key)?.work ?? 0) });
  }
  return [...found.values()]
    .filter(({ one, work }) => work >= LEAST_SHARE * all && attentionCuts(one.shape, one.halves, gpu.info).length > 1)
    .sort((a, b) => b.work - a.work)
    .map(({ one }) => one);
}

/**
 * Measures whether the backward pass of exactly this attention is faster in one kernel or in two, in at most `budgetMs` and one more timing; a
 * case for which not all could be timed has no entry. All cuts give the same within rounding. Frees everything it allocates, a program
 * that was still being compiled at the end as soon as it is. Measurements differ from call to call: keep the result.
 * @throws OutOfMemoryError where operands of this size find no room beside what is there
 */
export async function tuneAttention(gpu: Gpu, cases: readonly AttentionCase[], o: { budgetMs: number }): Promise<Cuts> {
  const end = performance.now() + o.budgetMs;
  const out: Record<string, AttentionCut> = {};
  for (const one of attentionCases(gpu, cases)) {
    if (performance.now() >= end) break;
    const best = await measure(gpu, one, end);
    if (best) out[attentionKey(one.shape, one.halves)] = best;
  }
  return out;
}

async function measure(gpu: Gpu, { shape, halves }: AttentionCase, end: number): Promise<AttentionCut | undefined> {
  const { batch, tokens, queries, heads, headSize } = shape;
  const inputs = (batch * tokens * 3 * heads * headSize * 4) / (halves ? 2 : 1);
  const outputs = (batch * queries * heads * headSize * 4) / (halves ? 2 : 1);
  const rows = batch * heads * queries * 4;
  const views = await gpu.guard('measuring attention', () => {
    const room = (name: string, bytes: number): View => gpu.buffers.allocate(`tune.${name}`, bytes);
    return {
      ...{ qkv: room('qkv', inputs), dQkv: room('dQkv', inputs), out: room('out', outputs), dOut: room('dOut', outputs) },
      ...{ lse: room('lse', rows), delta: room('delta', rows) },
    };
  });
  const contestants = new Contestants();
  try {
    const cuts = attentionCuts(shape, halves, gpu.info);
    const building = cuts.map((cut) => {
      const recorder = new Recorder(gpu, 'tune');
      recordAttentionBackward(recorder, { shape, ...views, halves, variant: 'tiled', cut });
      return contestants.add(recorder.build());
    });
    const programs = await within(awake(gpu, Promise.all(building), { end }), end);
    if (!programs) return undefined;
    const race = new Race<AttentionCut>(gpu);
    for (const [i, program] of programs.entries()) {
      if (performance.now() >= end) return undefined;
      if (program) await race.enter(cuts[i]!, program);
    }
    return race.best;
  } finally {
    contestants.dispose();
    for (const view of Object.values(views)) gpu.buffers.free(view);
  }
}
