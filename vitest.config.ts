import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { existsSync } from 'node:fs';
import { chromiumPath } from './tests/support/chromium.mjs';

const cifar = ['../shared/cifar10', '../../shared/cifar10'].find((path) => existsSync(path));

/** WebGPU without a graphics card: Chromium's own software adapter. */
export default defineConfig({
  define: { __APP_VERSION__: JSON.stringify('test'), __CIFAR_DIR__: JSON.stringify(cifar ?? '') },
  server: { fs: { allow: ['.', '../shared'] } },
  test: {
    include: ['tests/**/*.test.{ts,tsx}'],
    exclude: ['tests/e2e/**', 'node_modules/**'],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({
        launchOptions: {
          executablePath: chromiumPath(),
          args: ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--disable-background-networking'],
        },
      }),
      instances: [{ browser: 'chromium' }],
    },
  },
});
