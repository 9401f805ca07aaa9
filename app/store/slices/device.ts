import type { DeviceReport, Fault, Stage } from '../../protocol/messages';

/** The machine, and what went wrong with it. */
export interface DeviceSlice {
  /** Null until the worker has opened and measured the device. */
  device: DeviceReport | null;
  /** What stopped the run or keeps it from starting; the page shows it in place of the stage. */
  fault: Fault | null;
  /** A lost device is being opened anew. */
  recovering: boolean;
  /** Bytes of live GPU buffers. */
  liveBytes: number;
  /** Preparation list; empty when nothing is being prepared. */
  stages: readonly Stage[];
  /** Share of the preparation that is done, 0 to 1. */
  stagesProgress: number;
  /** True from Play until the first step is under way. */
  starting: boolean;
}

export const deviceSlice = (): DeviceSlice => ({
  device: null,
  fault: null,
  recovering: false,
  liveBytes: 0,
  stages: [],
  stagesProgress: 0,
  starting: false,
});
