import { chromium } from 'playwright';

export const title = 'From Play to the first loss point, first visit';
export const note =
  'Median of three fresh browsers. The processor time of the GPU process and of the page with its worker, from Play to the first point, tells apart a slow start from a busy machine.';

const ROUNDS = 3;
const MODES = [
  { name: 'Play at once', reading: 0 },
  { name: 'after 6 s of reading', reading: 6000 },
];

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** Runs in the page: presses Play as soon as it can be pressed; `mark` is called at the press and at the first point. */
async function visit(reading) {
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const button = () => [...window.document.querySelectorAll('button.primary')].find(({ textContent }) => textContent.includes('Play'));
  while (!button()) await sleep(5);
  await sleep(reading);
  while (button().disabled) await sleep(5);
  await window.mark('press');
  const pressed = performance.now();
  button().click();
  while (window.q3r.history().length === 0) await sleep(5);
  const first = performance.now();
  await window.mark('first');
  return { pressed, first };
}

async function once({ path, args, url }, reading) {
  const browser = await chromium.launch({ executablePath: path, args });
  try {
    const processes = await browser.newBrowserCDPSession();
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    const seconds = {};
    await page.exposeFunction('mark', async (name) => {
      const { processInfo } = await processes.send('SystemInfo.getProcessInfo');
      seconds[name] = Object.fromEntries(processInfo.map(({ type, id, cpuTime }) => [`${type} ${id}`, { type, cpuTime }]));
    });
    await page.goto(url, { waitUntil: 'commit' });
    const times = await page.evaluate(visit, reading);
    const spent = (wanted) =>
      Object.entries(seconds.first)
        .filter(([, { type }]) => type === wanted)
        .reduce((sum, [key, { cpuTime }]) => sum + cpuTime - (seconds.press[key]?.cpuTime ?? 0), 0);
    return { ...times, gpu: spent('GPU'), page: spent('renderer') };
  } finally {
    await browser.close();
  }
}

/** A section of its own kind: it opens browsers instead of running in a page of one. `args` choose the adapter, `url` is the built page. */
export async function run(o) {
  const rows = [];
  for (const { name, reading } of MODES) {
    const visits = [];
    for (let i = 0; i < ROUNDS; i++) visits.push(await once(o, reading));
    const seconds = (pick) => Number(median(visits.map(pick)).toFixed(2));
    rows.push({
      visit: name,
      'open to Play s': reading > 0 ? '' : seconds((v) => v.pressed / 1000),
      'Play to first loss s': seconds((v) => (v.first - v.pressed) / 1000),
      'GPU process CPU s': seconds((v) => v.gpu),
      'page CPU s': seconds((v) => v.page),
    });
  }
  return rows;
}
