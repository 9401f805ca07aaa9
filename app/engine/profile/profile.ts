import type { Gpu } from '../gpu/device';
import type { DispatchInfo, Phase, Program } from '../gpu/recorder';
import { DispatchClock, timeByWall } from './clock';
import { costsOf } from './costs';
import type { Spectral } from './spectralCosts';

/** All dispatches with one purpose and kernel: sums over what was run. */
export interface Group {
  /** Of the program; the refresh is told apart by whoever knows it. */
  readonly phase: Phase;
  /** Label, the number of a block or of a part of the batch replaced by a star. */
  readonly name: string;
  readonly kernel: string;
  dispatches: number;
  milliseconds: number;
  flops: number;
  bytes: number;
  counted: boolean;
}

const nameOf = (label: string): string => label.replace(/blocks\.\d+\./, 'blocks.*.').replace(/^accumulate\.\d+$/, 'accumulate.*');
const keyOf = ({ phase, label, kernel }: DispatchInfo): string => `${phase} ${nameOf(label)} ${kernel}`;

/** Runs programs with every dispatch timed, and adds up what they took and had to do. Owns the clock. */
export class Profiler {
  readonly clock: 'timestamps' | 'wall';
  private readonly timer: DispatchClock | undefined;
  private readonly groups = new Map<string, Group>();

  /** @param step called before each submit; may throw to end it */
  constructor(
    private readonly gpu: Gpu,
    private readonly step: () => void,
    timestamps = true,
  ) {
    this.timer = timestamps ? DispatchClock.create(gpu) : undefined;
    this.clock = this.timer ? 'timestamps' : 'wall';
  }

  /**
   * Runs a program once. Times are known at once; what it had to do, when its `spectral` is asked for: how the refresh in it went shows
   * only afterwards.
   */
  async run(program: Program, spectral: () => Promise<Spectral | undefined>): Promise<void> {
    const dispatches = program.describe();
    const { timer, gpu, step } = this;
    const ms = timer ? await timer.time(program, step) : await timeByWall(gpu, program, dispatches.map(keyOf), step);
    const costs = costsOf(dispatches, await spectral());
    dispatches.forEach((d, i) => {
      const { flops, bytes, counted } = costs[i]!;
      const key = keyOf(d);
      let group = this.groups.get(key);
      if (!group) {
        const { phase, kernel } = d;
        group = { phase, name: nameOf(d.label), kernel, dispatches: 0, milliseconds: 0, flops: 0, bytes: 0, counted: true };
        this.groups.set(key, group);
      }
      group.dispatches++;
      // By the wall, a sweep after the last one is given the time of the first, which still had something to turn.
      if (this.clock === 'timestamps' || flops + bytes > 0) group.milliseconds += ms[i]!;
      group.flops += flops;
      group.bytes += bytes;
      group.counted &&= counted;
    });
  }

  /** What was run since the last call, in order of first appearance. */
  take(): Group[] {
    const all = [...this.groups.values()];
    this.groups.clear();
    return all;
  }

  dispose(): void {
    this.timer?.dispose();
  }
}
