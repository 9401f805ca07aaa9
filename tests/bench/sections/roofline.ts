import { PRESETS, presetExperiment } from '../../../app/protocol/presets';
import { kernelTime, ratesOf } from '../../../app/protocol/roofline';
import { STEP_LIMIT_MS, openEngine } from '../engine';
import { round, type Row } from '../section';

export const title = 'The kernels of a step against peak and bandwidth, slowest first';
export const note =
  'The largest preset that takes less than a second a step, AdamQ3R. GFLOP and MB by formula; of roof: share of what peak and bandwidth allow. ' +
  'The first line is the device. SVD: its share of a step.';

export async function run(): Promise<Row[]> {
  const engine = await openEngine();
  try {
    let key = PRESETS[0]!.key;
    // ViT-Tiny/4 where it is fast enough: what the targets are about.
    for (const preset of PRESETS.filter((p) => ['nano', 'micro', 'mini', 'tiny'].includes(p.key))) {
      const expected = await engine.estimate(presetExperiment(preset.key));
      if (typeof expected === 'number' && expected <= STEP_LIMIT_MS) key = preset.key;
    }
    const report = await engine.client.send('roofline', { experiment: presetExperiment(key) });
    const total = kernelTime(report.kernels);
    const rows: Row[] = [
      {
        kernel: `${PRESETS.find((p) => p.key === key)!.label}, step ${round(report.stepMilliseconds)} ms in one piece`,
        ms: round(total),
        'GFLOP/s': round(report.peaks.gflops),
        'GB/s': round(report.peaks.gbps),
      },
    ];
    for (const kernel of [...report.kernels].sort((a, b) => b.milliseconds - a.milliseconds)) {
      const { share, gflops, gbps, ofRoof } = ratesOf(kernel, report.peaks, total);
      if (share < 0.003) break;
      rows.push({
        kernel: kernel.name.replace(/^blocks\.\*\./, ''),
        part: kernel.part,
        n: round(kernel.dispatches),
        ms: round(kernel.milliseconds),
        share: `${(100 * share).toFixed(1)} %`,
        GFLOP: round(kernel.flops / 1e9),
        MB: round(kernel.bytes / 1e6),
        'GFLOP/s': round(gflops),
        'GB/s': round(gbps),
        'of roof': `${(100 * ofRoof).toFixed(0)} %`,
        variant: kernel.kernel,
      });
    }
    return rows;
  } finally {
    engine.close();
  }
}
