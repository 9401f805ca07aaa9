import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright';
import { QUIET_ARGS, SOFTWARE_GPU_ARGS } from '../chromium.mjs';
import { judge } from './judge.mjs';
import { SIZES, THEMES } from './sizes.mjs';
import { smaller } from './smaller.mjs';

/** Milliseconds in which charts and canvases follow a new size or theme. */
const SETTLE_MS = 350;

/**
 * Where pictures are made: one browser, a fresh context for each story, and a second browser without WebGPU only where a story asks for one.
 * @param {object} job `address` of the page, `path` of Chromium, `folder`, `readme`
 * @param {(name: string, size: string, theme: string) => string | null} job.wanted the file's name, null where the picture is not wanted
 */
export function openStudio({ address, path, folder, readme, wanted }) {
  const adapter = process.env.SHOT_CHROMIUM_ARGS?.split(/\s+/).filter(Boolean) ?? SOFTWARE_GPU_ARGS;
  const extra = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];
  const browsers = new Map();
  const contexts = [];
  const remarks = [];
  let made = 0;
  mkdirSync(folder, { recursive: true });

  const browser = async (gpu) => {
    if (!browsers.has(gpu))
      browsers.set(gpu, await chromium.launch({ executablePath: path, args: [...QUIET_ARGS, ...extra, ...(gpu ? adapter : [])] }));
    return browsers.get(gpu);
  };

  /** A page at the address with `hash`, in a context of its own; `ready` waits until scripts can reach it and its device is open. */
  async function open(hash = '', { gpu = true, ready = gpu, prepare, clipboard = false, query = '' } = {}) {
    const context = await (
      await browser(gpu)
    ).newContext({ viewport: SIZES[1440], deviceScaleFactor: readme ? 1.5 : 1, reducedMotion: 'reduce' });
    contexts.push(context);
    if (clipboard) await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    const page = await context.newPage();
    page.on('pageerror', (error) => console.error(`page: ${error.message}`));
    await prepare?.(page);
    await page.goto(`${address}${query}${hash}`);
    if (ready) {
      await page.waitForFunction(() => 'q3r' in window, undefined, { timeout: 60_000 });
      await page.evaluate(() => window.q3r.memory());
    }
    return page;
  }

  /** Whether any picture of these views is wanted; a story spares itself the way to the others. */
  const wants = (...names) => names.some((name) => Object.keys(SIZES).some((size) => THEMES.some((theme) => wanted(name, size, theme))));

  /** Gives the page a size, and the pointer that belongs to it. */
  async function size(page, key) {
    const { width, height, touch } = SIZES[key];
    await page.setViewportSize({ width, height });
    const session = (page.session ??= await page.context().newCDPSession(page));
    await session.send('Emulation.setTouchEmulationEnabled', { enabled: touch, maxTouchPoints: 1 });
  }

  /**
   * Pictures of what the page shows, in every size and theme that is wanted of `name`.
   * `at(size)` goes to where a size keeps it, for instance to a tab of the phone.
   */
  async function shot(name, page, { at, sizes = Object.keys(SIZES) } = {}) {
    let taken = false;
    for (const key of sizes) {
      const files = THEMES.map((theme) => [theme, wanted(name, key, theme)]).filter(([, file]) => file);
      if (files.length === 0) continue;
      taken = true;
      await size(page, key);
      await at?.(key);
      for (const [theme, file] of files) {
        await page.emulateMedia({ colorScheme: theme });
        await page.waitForTimeout(SETTLE_MS);
        const png = await page.screenshot({ timeout: 60_000 });
        const bytes = readme ? await smaller(page.context(), png) : png;
        writeFileSync(join(folder, file), bytes);
        made++;
      }
      const said = await judge(page);
      remarks.push(...said.map((line) => `${name} ${key}: ${line}`));
    }
    if (taken) {
      await size(page, '1440');
      console.log(`  ${name}`);
    }
  }

  /** Ends a story's pages. */
  const tidy = async () => {
    for (const context of contexts.splice(0)) await context.close();
  };
  const close = async () => {
    await tidy();
    for (const each of browsers.values()) await each.close();
  };
  return { open, shot, wants, tidy, close, remarks, made: () => made };
}
