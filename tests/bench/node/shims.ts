import type { Event } from '../../../app/protocol/messages';
import type { WorkerLike } from '../../../app/store/workerClient';

/**
 * What the bench sections and the engine expect around them in a browser, in Node: `navigator.gpu` by Dawn's package `webgpu`, and the
 * engine's worker in the same thread. Imported before anything of the engine.
 */

interface Dawn {
  create(flags: readonly string[]): GPU;
  readonly globals: Record<string, unknown>;
}

/** Without rounding the GPU's clock to 0.1 ms, as browsers do; DAWN_FLAGS adds to it, separated by semicolons. */
const FLAGS = ['disable-dawn-features=timestamp_quantization', ...(process.env.DAWN_FLAGS ?? '').split(';').filter(Boolean)];

/** The package, installed, or in a folder `webgpu` beside the built program. */
async function dawn(): Promise<Dawn> {
  const places = [new URL('./webgpu/index.js', import.meta.url).href, 'webgpu'];
  const reasons: string[] = [];
  for (const place of places)
    try {
      return (await import(/* @vite-ignore */ place)) as Dawn;
    } catch (error) {
      reasons.push(`${place}: ${(error instanceof Error ? error.message : String(error)).split('\n')[0]}`);
    }
  throw new Error(`Dawn's Node package is not there; \`npm i --no-save webgpu\` installs it.\n${reasons.join('\n')}`);
}

export async function install(): Promise<void> {
  const { create, globals } = await dawn();
  Object.assign(globalThis, globals);
  const define = (name: string, value: unknown) => Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  define('navigator', { gpu: create(FLAGS), hardwareConcurrency: 1 });
  define('location', new URL('http://localhost/tests/bench/'));
  define('benchWorker', engineHere);
}

type Listener = (event: MessageEvent<Event>) => void;
interface Sent {
  readonly type: string;
  readonly id: number;
}

let listeners: Listener[] = [];
let command: ((event: { data: unknown }) => void) | undefined;
let started: Promise<unknown> | undefined;
/** The answer to `init`: the engine, and with it the device, is one for all sections. */
let device: unknown;

function tell(message: Event): void {
  setTimeout(() => listeners.forEach((listener) => listener({ data: message } as MessageEvent<Event>)));
}

/** The engine's worker module listens on the global scope and posts there; here that leads to whoever is the client now. */
function start(): Promise<unknown> {
  Object.assign(globalThis, {
    postMessage: tell,
    addEventListener: (type: string, listener: typeof command) => {
      if (type === 'message') command = listener;
    },
  });
  return import('../../../app/engine/worker');
}

function engineHere(): WorkerLike {
  let initial: number | undefined;
  const mine: Listener = ({ data }) => {
    if (data.type === 'reply' && data.id === initial && data.ok) device = data.value;
  };
  listeners = [mine];
  return {
    postMessage: (data) => {
      const { type, id } = data as Sent;
      if (type === 'init' && device !== undefined) {
        tell({ type: 'reply', id, ok: true, value: device });
        return;
      }
      if (type === 'init') initial = id;
      void (started ??= start()).then(() => command?.({ data }));
    },
    terminate: () => {
      listeners = [];
    },
    addEventListener: ((type: string, listener: Listener) => {
      if (type === 'message') listeners.push(listener);
    }) as WorkerLike['addEventListener'],
  };
}
