import type { CommandMap, CommandType, ErrorReply, Event, Fault } from '../protocol/messages';
import { guardCommand } from './actions/locks';

/** The part of `Worker` that is used; tests pass one of their own. */
export interface WorkerLike {
  postMessage(message: unknown, transfer: Transferable[]): void;
  terminate(): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<Event>) => void): void;
  addEventListener(type: 'error', listener: (event: ErrorEvent) => void): void;
  addEventListener(type: 'messageerror', listener: (event: MessageEvent) => void): void;
}

/** What the worker tells without being asked. */
export type Report = Exclude<Event, { type: 'reply' }>;

/** A command that failed. `name` is that of the worker's error: `ConfigError`, `DataError`, … */
export class WorkerError extends Error {
  readonly field: string | undefined;
  readonly fault: Fault | undefined;
  constructor(reply: ErrorReply) {
    super(reply.message);
    this.name = reply.name;
    this.field = reply.field;
    this.fault = reply.fault;
  }
}

export const createWorker = (): WorkerLike => new Worker(new URL('../engine/worker.ts', import.meta.url), { type: 'module', name: 'q3r' });

/**
 * Commands out, replies and reports in. Owns the worker; after a crash every pending promise is rejected, and `restart` makes a
 * fresh one.
 */
export class WorkerClient {
  private worker: WorkerLike | null = null;
  private nextId = 1;
  private readonly pending = new Map<number, { resolve: (value: never) => void; reject: (error: WorkerError) => void }>();

  constructor(
    private readonly create: () => WorkerLike,
    private readonly onReport: (report: Report) => void,
    private readonly onCrash: (fault: Fault) => void,
    /** Throws for a command that must not be sent; every worker of the page is held to the locks of its link. */
    private readonly check: (type: CommandType, args: object) => void = guardCommand,
  ) {}

  /**
   * Sends a command and waits for its answer. Arrays are copied unless their buffers are listed in `transfer`, which detaches them.
   * @throws WorkerError with the worker's error name, and `field` or `fault` where there is one.
   */
  send<K extends CommandType>(type: K, args: CommandMap[K]['args'], transfer: Transferable[] = []): Promise<CommandMap[K]['reply']> {
    return new Promise((resolve, reject) => {
      this.check(type, args);
      const worker = (this.worker ??= this.open());
      const id = this.nextId++;
      this.pending.set(id, { resolve: resolve, reject });
      try {
        worker.postMessage({ type, id, ...args }, transfer);
      } catch (error) {
        this.pending.delete(id);
        reject(new WorkerError({ name: 'DataCloneError', message: error instanceof Error ? error.message : String(error) }));
      }
    });
  }

  /** Ends the worker, crashed or not. The next command opens a fresh one. */
  restart(): void {
    this.close({ kind: 'worker-crash', message: 'The training worker was restarted.', detail: 'restart' });
  }

  private open(): WorkerLike {
    const worker = this.create();
    worker.addEventListener('message', ({ data }) => {
      if (worker !== this.worker) return;
      if (data.type !== 'reply') this.onReport(data);
      else {
        const waiting = this.pending.get(data.id);
        this.pending.delete(data.id);
        if (data.ok) waiting?.resolve(data.value as never);
        else waiting?.reject(new WorkerError(data.error));
      }
    });
    const crash = (detail: string) => {
      if (worker !== this.worker) return;
      const fault: Fault = { kind: 'worker-crash', message: 'The training worker stopped unexpectedly.', detail };
      this.close(fault);
      this.onCrash(fault);
    };
    worker.addEventListener('error', (event) => crash(event.message || 'the worker could not be loaded'));
    worker.addEventListener('messageerror', () => crash('a message from the worker could not be read'));
    return worker;
  }

  private close(fault: Fault): void {
    this.worker?.terminate();
    this.worker = null;
    const waiting = [...this.pending.values()];
    this.pending.clear();
    for (const { reject } of waiting) reject(new WorkerError({ name: 'WorkerCrash', message: fault.message, fault }));
  }
}
