/** `npm run icons`: the PNG icons in public/icons, drawn from public/favicon.svg on the page's light surface. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright';
import { QUIET_ARGS } from './chromium.mjs';
import { ensureChromium } from './ensureChromium.mjs';
import { ROOT } from './run.mjs';

/** Share of the side that the mark takes: systems cut a maskable icon to a circle of 80 %. */
const ICONS = [
  { name: 'icon-192', size: 192, mark: 0.8 },
  { name: 'icon-512', size: 512, mark: 0.8 },
  { name: 'maskable-512', size: 512, mark: 0.54 },
  { name: 'apple-touch-icon', size: 180, mark: 0.68 },
];

const folder = join(ROOT, 'public', 'icons');
const svg = readFileSync(join(ROOT, 'public', 'favicon.svg'), 'utf8');
const { path } = await ensureChromium();
const browser = await chromium.launch({ executablePath: path, args: QUIET_ARGS });
try {
  mkdirSync(folder, { recursive: true });
  for (const { name, size, mark } of ICONS) {
    const page = await browser.newPage({ viewport: { width: size, height: size }, colorScheme: 'light' });
    await page.setContent(`<style>body{margin:0;height:100vh;display:grid;place-content:center;background:#fcfcfb}
      svg{width:${Math.round(size * mark)}px;height:${Math.round(size * mark)}px}</style>${svg}`);
    writeFileSync(join(folder, `${name}.png`), await page.screenshot());
    await page.close();
  }
} finally {
  await browser.close();
}
