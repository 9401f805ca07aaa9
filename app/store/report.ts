import type { Fault } from '../protocol/messages';
import { getState } from './store';
import { shareUrl } from './actions';

/** Plain text with all that a maintainer asks for first. Holds nothing but what the page shows. */
export function faultReport(fault: Fault): string {
  const { device, running, experiment, step, liveBytes, timing } = getState();
  const lines: (string | undefined)[] = [
    `Q3R Playground ${__APP_VERSION__}`,
    `What: ${fault.kind}: ${fault.message}`,
    `Detail: ${fault.detail}`,
    fault.step === undefined ? undefined : `At step: ${fault.step}`,
    fault.tensor === undefined ? undefined : `First bad tensor: ${fault.tensor} (${fault.badCount ?? 0} values not finite)`,
    fault.gradNorm === undefined ? undefined : `Gradient norm: ${fault.gradNorm}`,
    fault.snapshotStep === undefined ? undefined : `Last good snapshot: step ${fault.snapshotStep}`,
    `Time: ${new Date().toISOString()}`,
    `Browser: ${navigator.userAgent}`,
    device
      ? `Device: ${device.name}${device.software ? ' (software)' : ''}, ${device.gflops.toFixed(1)} GFLOP/s, ${device.matmulVariant}, ${device.features.join(' ')}`
      : 'Device: none',
    device ? `Limits: buffer ${device.maxBufferSize}, binding ${device.maxStorageBufferBindingSize}` : undefined,
    `Run: step ${step}, ${liveBytes} bytes on the GPU${timing ? `, ${timing.msPerStep.toFixed(1)} ms a step` : ''}`,
    `Link: ${shareUrl()}`,
    `Experiment: ${JSON.stringify(running ?? experiment)}`,
  ];
  return lines.filter((line) => line !== undefined).join('\n');
}
