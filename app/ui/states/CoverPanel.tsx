import { useStore } from '../../store/store';
import { LoadingReplay } from '../replay/LoadingReplay';
import { Downloading } from './Downloading';
import { FaultPanel } from './FaultPanel';
import { Preparing } from './Preparing';

/** What stands in place of the stage: a fault, a load, a preparation. */
export type Cover = 'fault' | 'load' | 'prepare' | 'replay' | null;

/** A cover's panel. */
export function CoverPanel({ cover }: { cover: Exclude<Cover, null> }) {
  const fault = useStore((s) => s.fault);
  if (cover === 'fault') return fault && <FaultPanel fault={fault} />;
  if (cover === 'replay') return <LoadingReplay />;
  return cover === 'load' ? <Downloading /> : <Preparing />;
}
