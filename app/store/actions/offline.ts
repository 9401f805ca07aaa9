import { getState, setState } from '../store';
import { attempt } from './page';
import { pause } from './run';

/** A page that stays open asks for a newer version this often, milliseconds. */
const ASK = 60 * 60_000;
/** The browser has so long to keep the paused run before a reload, milliseconds. */
const KEEP = 5000;

let registration: ServiceWorkerRegistration | undefined;
/** The visitor asked for the new version in this tab. */
let asked = false;

/**
 * Has the browser keep the whole page, so that it opens and trains without a network, and tells when a newer version is there. Nothing
 * is ever reloaded without being asked. Not while developing, and under automation only when the address says `?offline`.
 */
export function keepPage(): void {
  const container = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  if (!container || !import.meta.env.PROD) return;
  if (navigator.webdriver && !new URLSearchParams(location.search).has('offline')) return;
  const first = container.controller === null;
  container.addEventListener('controllerchange', () => {
    if (asked) location.reload();
    else if (!first) setState({ pageUpdate: 'elsewhere' });
  });
  // Behind the page's own first load.
  const register = () => attempt(watch(container));
  if (document.readyState === 'complete') register();
  else addEventListener('load', register, { once: true });
}

async function watch(container: ServiceWorkerContainer): Promise<void> {
  try {
    registration = await container.register(new URL('sw.js', document.baseURI), { scope: new URL('.', document.baseURI).pathname });
  } catch (error) {
    // A private window, or a page in a foreign frame: the page works, and needs its server the next time.
    console.warn('The page is not kept for use without a network:', error);
    return;
  }
  const look = (worker: ServiceWorker | null): void => {
    if (!worker) return;
    const tell = () => {
      if (worker.state === 'installed' && container.controller) setState({ pageUpdate: 'waiting' });
      if (worker.state === 'activated') setState({ keepsPage: true });
    };
    worker.addEventListener('statechange', tell);
    tell();
  };
  for (const worker of [registration.waiting, registration.installing, registration.active]) look(worker);
  registration.addEventListener('updatefound', () => look(registration?.installing ?? null));
  setInterval(() => void registration?.update().catch(() => undefined), ASK);
}

/** Takes the newer version: a running run is paused and kept first, and the reloaded page offers it. */
export async function takeUpdate(): Promise<void> {
  if (getState().phase === 'running') await pause();
  await untilKept();
  const waiting = registration?.waiting;
  if (!waiting) {
    location.reload();
    return;
  }
  asked = true;
  waiting.postMessage({ type: 'SKIP_WAITING' });
}

/** Resolves when the browser has stored the run as it stands, or cannot. */
async function untilKept(): Promise<void> {
  const until = performance.now() + KEEP;
  const kept = () => {
    const { phase, step, keptHere } = getState();
    return (phase !== 'paused' && phase !== 'finished') || step === 0 || (keptHere?.step ?? -1) >= step;
  };
  while (!kept() && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 100));
}
