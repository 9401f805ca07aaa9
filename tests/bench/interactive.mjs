import { chromium } from 'playwright';

export const title = 'From opening the page to the moment it can be used';
export const note =
  'Median of five fresh browsers, nothing throttled. Interactive: the first moment after the first contentful paint at which Play can be pressed and no task of the page’s thread longer than 50 ms begins for a second.';

const ROUNDS = 5;
const QUIET_MS = 1000;
const VISITS = [
  { visit: 'first', visited: false },
  { visit: 'later', visited: true },
];

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** Runs in the page before anything of it: notes paints, long tasks and when Play can be pressed, milliseconds since the start of the load. */
function watch({ visited }) {
  const seen = { fcp: null, play: null, tasks: [] };
  window.seen = seen;
  // The note of an earlier visit, which opens the page with the instrument.
  if (visited) localStorage.setItem('q3r.visited', '1');
  new PerformanceObserver((list) => {
    for (const { name, startTime } of list.getEntries()) if (name === 'first-contentful-paint') seen.fcp = startTime;
  }).observe({ type: 'paint', buffered: true });
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) seen.tasks.push([startTime, startTime + duration]);
  }).observe({ type: 'longtask', buffered: true });
  const look = () => {
    const button = [...window.document.querySelectorAll('button.primary')].find(({ textContent }) => textContent.includes('Play'));
    if (button && !button.disabled) seen.play = performance.now();
    else setTimeout(look, 5);
  };
  look();
}

/** The end of the last long task before a second without any, at the earliest `from`; null while that second is not over. */
function interactive({ fcp, play, tasks }, now) {
  if (fcp === null || play === null) return null;
  let at = Math.max(fcp, play);
  for (const [start, end] of tasks) if (end > at && start < at + QUIET_MS) at = end;
  return now >= at + QUIET_MS ? at : null;
}

async function once({ path, args, url }, { visited }) {
  const browser = await chromium.launch({ executablePath: path, args });
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    await page.addInitScript(watch, { visited });
    await page.goto(url, { waitUntil: 'commit' });
    for (;;) {
      await page.waitForTimeout(200);
      const { seen, now } = await page.evaluate(() => ({ seen: window.seen, now: performance.now() }));
      const at = interactive(seen, now);
      if (at === null) continue;
      const before = seen.tasks.filter(([start]) => start < at);
      return {
        ...seen,
        at,
        blocked: before.reduce((sum, [start, end]) => sum + Math.max(0, end - start - 50), 0),
        longest: Math.max(0, ...before.map(([start, end]) => end - start)),
      };
    }
  } finally {
    await browser.close();
  }
}

/** A section that opens browsers of its own, as `start` does. */
export async function run(o) {
  const rows = [];
  for (const visit of VISITS) {
    const visits = [];
    for (let i = 0; i < ROUNDS; i++) visits.push(await once(o, visit));
    const of = (pick) => Math.round(median(visits.map(pick)));
    rows.push({
      visit: visit.visit,
      'first paint ms': of((v) => v.fcp),
      'Play ms': of((v) => v.play),
      'interactive ms': of((v) => v.at),
      'slowest ms': Math.round(Math.max(...visits.map((v) => v.at))),
      'longest task ms': of((v) => v.longest),
      'blocking ms': of((v) => v.blocked),
    });
  }
  return rows;
}
