import { defineConfig } from '@playwright/test';
import { QUIET_ARGS, SOFTWARE_GPU_ARGS, chromiumPath } from './tests/support/chromium.mjs';
import { freePort } from './tests/support/freePort.mjs';

// Workers read this file again and must find the port that was chosen first.
process.env.Q3R_E2E_PORT ??= String(await freePort());
const port = process.env.Q3R_E2E_PORT;
// A sub-path, so that every run proves that the built page works under any address.
const base = '/some/folder/';
const baseURL = `http://127.0.0.1:${port}${base}`;

const browser = (args: readonly string[]) => ({ launchOptions: { executablePath: chromiumPath(), args: [...QUIET_ARGS, ...args] } });

/** The built page in `dist/`, in headless Chromium; `vite build` comes first. */
export default defineConfig({
  testDir: 'tests/e2e',
  outputDir: 'test-results/e2e',
  reporter: [['list'], ['json', { outputFile: 'test-results/e2e.json' }]],
  // Two browsers: one waits for its page while the other keeps the cores busy.
  workers: 2,
  forbidOnly: !!process.env.CI,
  // A crowded machine without a graphics card can starve one test; what passes only at the second try is reported as flaky.
  retries: process.env.CI ? 1 : 0,
  timeout: 240_000,
  expect: { timeout: 30_000 },
  use: { baseURL, viewport: { width: 1440, height: 900 }, screenshot: 'only-on-failure', trace: 'on-first-retry' },
  projects: [
    { name: 'chromium', testIgnore: '**/*.nowebgpu.spec.ts', use: browser(SOFTWARE_GPU_ARGS) },
    { name: 'no-webgpu', testMatch: '**/*.nowebgpu.spec.ts', use: browser([]) },
  ],
  webServer: {
    command: `node node_modules/vite/bin/vite.js preview --host 127.0.0.1 --port ${port} --strictPort --base ${base}`,
    url: baseURL,
    reuseExistingServer: false,
    timeout: 60_000,
  },
});
