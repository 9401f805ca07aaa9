import type { Cut, CutBy, CutCurve, CutCurves, ModelFigures, TruncationReport } from '../../protocol/truncation';

export type { CutCurve, CutCurves };

/** What is known of the run's truncated weights. */
export interface TruncationSlice {
  /** The last complete curves; in parts where there is no complete one yet. */
  curves: CutCurves;
  /** A curve under way. */
  measuring: { readonly by: CutBy; readonly done: number; readonly total: number } | null;
  /** The exact figures at the slider. */
  cut: (Cut & { readonly by: CutBy; readonly full: ModelFigures }) | null;
  /** The slider's figures are being evaluated. */
  cutBusy: boolean;
}

export const truncationSlice = (): TruncationSlice => ({ curves: {}, measuring: null, cut: null, cutBusy: false });

/** What the visitor looks at; it stays from run to run. */
export interface CutViewSlice {
  cutBy: CutBy;
  /** Kept share of the parameters, and of the energy, that the slider stands at. */
  cutAt: Readonly<Record<CutBy, number>>;
  cutShows: 'accuracy' | 'loss';
}

export const cutViewSlice = (): CutViewSlice => ({ cutBy: 'fraction', cutAt: { fraction: 0.2, energy: 0.95 }, cutShows: 'accuracy' });

/** From so many shares on a report is a curve, and not the answer to a slider. */
const CURVE = 3;

/** Takes in a report of the engine; `done` of `total` shares are in it. */
export function withTruncation(
  before: TruncationSlice,
  { by, full, step, cuts }: TruncationReport,
  done: number,
  total: number,
): Partial<TruncationSlice> {
  if (total === 0) return { measuring: null };
  if (total < CURVE) return {};
  const complete = done >= total;
  const measuring = complete ? null : { by, done, total };
  const old = before.curves[by];
  // A complete curve stays on screen while the next one is measured.
  if (!complete && old && old.step !== step && old.cuts.length >= CURVE) return { measuring };
  if (cuts.length === 0) return { measuring };
  // What was known of the same weights stays known.
  const share = (cut: Cut) => (by === 'energy' ? cut.energy : cut.fraction);
  const asked = new Set(cuts.map(share));
  const others = old?.step === step ? old.cuts.filter((cut) => !asked.has(share(cut))) : [];
  const curve: CutCurve = { step, by, full, cuts: [...others, ...cuts].sort((a, b) => a.fraction - b.fraction) };
  return { measuring, curves: { ...before.curves, [by]: curve } };
}
