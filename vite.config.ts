import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';
import { VitePWA } from 'vite-plugin-pwa';
import { readFileSync } from 'node:fs';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

/** Shaders without comments and indentation in the built page: half of their compressed size. */
const shortShaders: Plugin = {
  name: 'short-shaders',
  apply: 'build',
  enforce: 'pre',
  load(id) {
    const [file, query] = id.split('?');
    if (!file?.endsWith('.wgsl') || query !== 'raw') return null;
    return `export default ${JSON.stringify(shorten(readFileSync(file, 'utf8')))};`;
  },
};
/** `//#` lines are instructions to the preprocessor. */
const shorten = (wgsl: string): string =>
  wgsl
    .split('\n')
    .map((line) => line.replace(/\/\/(?!#).*$/, '').trim())
    .filter(Boolean)
    .join('\n');

export default defineConfig({
  // Relative addresses: the built folder works under any path of any static server.
  base: './',
  define: { __APP_VERSION__: JSON.stringify(version) },
  plugins: [
    shortShaders,
    react(),
    // The whole page in the browser's cache after one visit. The page registers the worker itself and decides when to change over.
    VitePWA({
      registerType: 'prompt',
      injectRegister: null,
      includeManifestIcons: false,
      workbox: {
        globPatterns: ['**/*'],
        // Data sets beside the page have a store of their own; pictures of the README and source maps are not the page.
        globIgnores: ['**/*.map', 'data/**', 'screenshots/**', 'sw.js'],
        maximumFileSizeToCacheInBytes: 32e6,
        navigateFallback: 'index.html',
        navigateFallbackDenylist: [/\/(data|screenshots)\//],
        sourcemap: false,
        cleanupOutdatedCaches: true,
        clientsClaim: true,
        inlineWorkboxRuntime: true,
      },
      manifest: {
        id: './',
        name: 'Q3R Playground',
        short_name: 'Q3R',
        description: 'Train a Vision Transformer in the browser on WebGPU and watch the singular values of its matrices.',
        lang: 'en',
        start_url: './',
        scope: './',
        display: 'standalone',
        background_color: '#fcfcfb',
        theme_color: '#fcfcfb',
        categories: ['education', 'science'],
        icons: [
          { src: 'favicon.svg', sizes: 'any', type: 'image/svg+xml' },
          { src: 'icons/icon-192.png', sizes: '192x192', type: 'image/png' },
          { src: 'icons/icon-512.png', sizes: '512x512', type: 'image/png' },
          { src: 'icons/maskable-512.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
        ],
      },
    }),
  ],
  worker: { format: 'es', plugins: () => [shortShaders] },
  build: { target: 'es2022', sourcemap: true },
  server: { port: 5173 },
});
