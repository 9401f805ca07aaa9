import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { QUIET_ARGS, SOFTWARE_GPU_ARGS, chromiumPath } from './tests/support/chromium.mjs';
import { streamServer } from './tests/support/streamServer.mjs';

const cifar = ['../shared/cifar10', '../../shared/cifar10'].find((path) => existsSync(path));

/** What works on the GPU. */
const ENGINE = 'tests/{kernels,engine/{gpu,ops,optim,linalg,model,regularizers,factorization,profile,train}}/**/*.test.ts';

/**
 * Unit tests in headless Chromium, one file at a time. Those of the engine share one page, and with it one device and its pipelines: a
 * software adapter spends most of their time compiling what another file has compiled already. All others have a page for each file.
 */
export default defineConfig({
  define: { __APP_VERSION__: JSON.stringify('test'), __CIFAR_DIR__: JSON.stringify(cifar ? resolve(cifar) : '') },
  plugins: [streamServer()],
  // Found while tests run, they would reload the page under a running test.
  optimizeDeps: {
    include: [
      ...['fast-check', 'fast-png', 'fflate', 'hyparquet', 'hyparquet-writer', 'recharts', 'tinykeys', 'valibot'],
      ...['react', 'react/jsx-runtime', 'react/jsx-dev-runtime', 'react-dom/client', 'zustand', 'zustand/react/shallow'],
    ],
  },
  server: { fs: { allow: ['.', ...(cifar ? [cifar] : [])] } },
  test: {
    projects: [
      { extends: true, test: { name: 'engine', include: [ENGINE], isolate: false } },
      { extends: true, test: { name: 'page', include: ['tests/**/*.test.{ts,tsx}'], exclude: [ENGINE, 'tests/e2e/**'] } },
    ],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 60_000,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({
        launchOptions: {
          executablePath: chromiumPath(),
          args: [...QUIET_ARGS, ...SOFTWARE_GPU_ARGS],
        },
      }),
      instances: [{ browser: 'chromium' }],
    },
  },
});
