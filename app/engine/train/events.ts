import type { Event, Fault, RunPhase } from '../../protocol/messages';
import { OutOfMemoryError } from '../gpu/buffers';
import { DeviceLostError, GpuUnavailableError } from '../gpu/device';

export type Emit = (event: Event) => void;

/** A failure that ends what was going on and that the page explains with a next step. */
export class FaultError extends Error {
  constructor(readonly fault: Fault) {
    super(fault.message);
    this.name = 'FaultError';
  }
}

/** Turns any error into a fault: what happened in plain words, with the exact text for the report. */
export function faultOf(error: unknown): Fault {
  if (error instanceof FaultError) return error.fault;
  const detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  if (error instanceof GpuUnavailableError) return { kind: error.problem, message: error.message, detail };
  if (error instanceof DeviceLostError)
    return { kind: 'device-lost', message: 'The graphics device went away while it was in use.', detail: `${detail} (${error.reason})` };
  if (error instanceof OutOfMemoryError) return { kind: 'out-of-memory', message: error.message, detail };
  return { kind: 'internal', message: 'Something in the training engine failed; this is a defect of the page.', detail };
}

/** Phases in which steps may be asked for. */
export const canStep = (phase: RunPhase): boolean => phase === 'idle' || phase === 'paused';
