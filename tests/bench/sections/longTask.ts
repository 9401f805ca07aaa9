import type {} from '../../../app/store/api';
import { round, type Row } from '../section';

export const title = 'Main thread while a run streams at full speed';
export const note = 'The built page at 1440 × 900; tasks of 50 ms and more are what the browser calls long.';

const SECONDS = 15;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The page in a frame of the same origin, ready for commands. */
async function openPage(): Promise<{ frame: HTMLIFrameElement; page: Window & typeof globalThis }> {
  const frame = document.createElement('iframe');
  frame.style.cssText = 'width: 1440px; height: 900px; border: 0';
  frame.src = new URL('../../', location.href).href;
  const loaded = new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }));
  document.body.append(frame);
  await loaded;
  const page = frame.contentWindow as Window & typeof globalThis;
  for (let i = 0; i < 600 && !('q3r' in page); i++) await sleep(50);
  if (!('q3r' in page)) throw new Error('the page has no window.q3r');
  return { frame, page };
}

export async function run(): Promise<Row[]> {
  const { frame, page } = await openPage();
  try {
    const { q3r } = page;
    // The long run must not end while it is watched.
    await q3r.configure({ train: { steps: 1_000_000 } });
    await q3r.start();
    while (q3r.history().length === 0) await sleep(100);
    const tasks: number[] = [];
    const observer = new page.PerformanceObserver((list) => {
      for (const entry of list.getEntries()) tasks.push(entry.duration);
    });
    observer.observe({ type: 'longtask' });
    const before = q3r.history().length;
    await sleep(SECONDS * 1000);
    const steps = q3r.history().length - before;
    observer.disconnect();
    await q3r.pause();
    return [
      {
        seconds: SECONDS,
        steps,
        'long tasks': tasks.length,
        'longest ms': tasks.length > 0 ? round(Math.max(...tasks)) : 'under 50',
        'blocked ms': round(tasks.reduce((sum, ms) => sum + ms - 50, 0)),
      },
    ];
  } finally {
    frame.remove();
  }
}
