import { useMemo } from 'react';
import { heatColumns, type SpectraColumns } from './heat';
import { useFrames } from './useFrames';

/** A matrix of the run on screen over its steps; a new object with every spectrum, null before the second. */
export function useSpectraColumns(name: string): SpectraColumns | null {
  const { frames, version } = useFrames();
  // eslint-disable-next-line react-hooks/exhaustive-deps -- the version stands for what the frames are
  return useMemo(() => heatColumns(frames.all(), name), [frames, name, version]);
}
