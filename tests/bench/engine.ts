import { WorkerClient, createWorker, type WorkerLike } from '../../app/store/workerClient';
import type { Experiment } from '../../app/protocol/experiment';
import { PRESETS, type Preset } from '../../app/protocol/presets';
import type { DeviceReport, Timing } from '../../app/protocol/messages';

/** Longest a single step may take, by the engine's own estimate, before a benchmark leaves a model out. */
export const STEP_LIMIT_MS = 1000;
const MEASURE_MS = 20_000;

/** The presets that are a model's size, on images drawn here, so that nothing is downloaded; all, or the one of a key. */
export const sizes = (key?: string): Preset[] => PRESETS.filter((preset) => !preset.whole && (key === undefined || preset.key === key));

/** Steps to time when one takes about `ms`: whole refresh periods of five, so that each has its share of the SVD. */
export const stepsFor = (ms: number): number => Math.min(100, Math.max(10, Math.round(MEASURE_MS / Math.max(ms, 1) / 5) * 5));

export interface EngineBench {
  readonly client: WorkerClient;
  readonly device: DeviceReport;
  /** Estimated milliseconds of one step, or the reason why the device refuses the model. */
  estimate(experiment: Experiment): Promise<number | string>;
  /** Steps of a fresh run after `warmup` ones; wall time over the last of them, and the GPU time by part. */
  time(experiment: Experiment, warmup: number, steps: number): Promise<Timing>;
  /** More steps of the run there is, or of a new one. `turn`: no look at the spectra, which takes a software adapter minutes of a wide model. */
  more(steps: number, turn?: boolean): Promise<Timing>;
  close(): void;
}

declare global {
  /** Runs the engine where there are no workers. */
  var benchWorker: (() => WorkerLike) | undefined;
}

/** The training worker alone: no page, no charts. */
export async function openEngine(): Promise<EngineBench> {
  let last: Timing | undefined;
  let crash: string | undefined;
  const client = new WorkerClient(
    globalThis.benchWorker ?? createWorker,
    (report) => {
      if (report.type === 'timing') last = report.timing;
      if (report.type === 'fault') crash = `${report.fault.message} ${report.fault.detail}`;
    },
    (fault) => (crash = fault.detail),
  );
  const more = async (count: number, turn = false): Promise<Timing> => {
    last = undefined;
    await client.send('step', { count, turn });
    if (crash !== undefined) throw new Error(crash);
    if (!last) throw new Error('the engine reported no timing');
    return last;
  };
  const device = await client.send('init', { baseUrl: new URL('../../', location.href).href });
  return {
    client,
    device,
    async estimate(experiment) {
      const plan = await client.send('plan', { experiment });
      if (plan.refusal) return plan.refusal.reason;
      return ((plan.secondsPerEpoch ?? 0) * 1000) / plan.stepsPerEpoch;
    },
    async time(experiment, warmup, steps) {
      await client.send('configure', { experiment });
      await client.send('reset', {});
      await client.send('step', { count: warmup });
      return more(steps);
    },
    more,
    close: () => client.restart(),
  };
}
