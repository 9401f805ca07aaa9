import type { CommandMap } from '../../protocol/messages';
import type { Gpu } from '../gpu/device';
import type { Emit } from './events';

/** Makes something fail, so that what follows can be seen and tested. */
export function provoke(fault: CommandMap['provoke']['args']['fault'], gpu: Gpu, emit: Emit): void {
  switch (fault) {
    case 'device-lost':
      gpu.device.destroy();
      return;
    case 'worker-crash':
      setTimeout(() => {
        throw new Error('the worker was made to crash');
      });
      return;
    case 'out-of-memory':
      gpu.buffers.budget = gpu.buffers.liveBytes;
      return;
    case 'storage-quota':
      emit({
        type: 'fault',
        fault: {
          kind: 'storage-quota',
          message: 'The browser has no room left to keep the data set for the next visit. It is used from memory now.',
          detail: 'provoked',
        },
      });
      return;
  }
}
