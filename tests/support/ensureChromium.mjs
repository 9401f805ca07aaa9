import { existsSync, readFileSync } from 'node:fs';
import { chromium } from 'playwright';
import { QUIET_ARGS, chromiumPath } from './chromium.mjs';
import { run } from './run.mjs';

const INSTALL_LIMIT_MS = 5 * 60_000;
const QUIET_APT = { DEBIAN_FRONTEND: 'noninteractive' };

const isRoot = () => process.getuid?.() === 0;
const isDebian = () => existsSync('/etc/debian_version') || (existsSync('/etc/os-release') && /debian|ubuntu/i.test(osRelease()));
const osRelease = () => readFileSync('/etc/os-release', 'utf8');

/**
 * Finds a Chromium that starts, and installs one when there is none: Playwright's own first, then, where downloading it is
 * impossible and this is root on Debian or a relative, the distribution's.
 * @returns {Promise<{path: string, version: string}>}
 * @throws Error that says what to do when no way leads to a browser.
 */
export async function ensureChromium() {
  const tried = [];
  const apt = isRoot() && isDebian();
  const ways = [
    { name: '', can: true, install: async () => 0 },
    // With its system libraries, which apt installs and only root may.
    {
      name: 'npx playwright install --with-deps chromium',
      can: apt,
      install: () => run('playwright', ['install', '--with-deps', 'chromium'], INSTALL_LIMIT_MS, QUIET_APT),
    },
    {
      name: 'npx playwright install chromium',
      can: true,
      install: () => run('playwright', ['install', 'chromium'], INSTALL_LIMIT_MS),
    },
    {
      name: 'apt-get install chromium',
      can: apt,
      install: async () =>
        (await run('apt-get', ['update'], INSTALL_LIMIT_MS, QUIET_APT)) ||
        (await run('apt-get', ['install', '-y', '--no-install-recommends', 'chromium'], INSTALL_LIMIT_MS, QUIET_APT)),
    },
  ];
  for (const { name, can, install } of ways) {
    if (!can) continue;
    if (name) console.log(`\nNo usable Chromium yet; trying: ${name}`);
    const code = await install();
    const path = chromiumPath();
    if (code !== 0) tried.push(`${name} ended with code ${code}`);
    if (!path) continue;
    try {
      return { path, version: await version(path) };
    } catch (error) {
      tried.push(`${path} does not start: ${reason(error)}`);
      if (process.env.CHROMIUM_PATH) break;
    }
  }
  throw new Error(
    [
      'The tests need a Chromium and none could be found or installed.',
      ...tried.map((line) => `  - ${line}`),
      'Install Chromium or Chrome 113 or newer by any means and name it: CHROMIUM_PATH=/path/to/chromium npm test',
    ].join('\n'),
  );
}

/** The first line of Playwright's report, and the missing library where the browser's own log names one. */
function reason(error) {
  const text = String(error);
  const library = /error while loading shared libraries: .*/.exec(text)?.[0];
  return [text.split('\n')[0], library].filter(Boolean).join('; ');
}

async function version(executablePath) {
  const browser = await chromium.launch({ executablePath, args: QUIET_ARGS, timeout: 60_000 });
  try {
    return browser.version();
  } finally {
    await browser.close();
  }
}
