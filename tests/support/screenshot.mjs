/**
 * `npm run screenshot`: pictures of every view of the built page at three sizes, light and dark, from runs made now and the recordings that
 * the page ships; `-- --help` says how to make fewer, `-- readme` makes those of README.md. Ends with what it saw cut, too small or beyond an edge.
 */
import { join } from 'node:path';
import { preview } from 'vite';
import { ensureChromium } from './ensureChromium.mjs';
import { freePort } from './freePort.mjs';
import { ROOT, run } from './run.mjs';
import { readOptions } from './screenshot/options.mjs';
import { README } from './screenshot/readme.mjs';
import { openStudio } from './screenshot/studio.mjs';
import { STORIES } from './screenshot/views/index.mjs';

async function main() {
  const options = readOptions(process.argv.slice(2));
  if (options.help) return console.log(options.help);
  if (options.list) return console.log(STORIES.map(({ name, shots }) => `${name}: ${shots.join(', ')}`).join('\n'));
  const wanted = options.readme
    ? (name, size, theme) => README.find((p) => p.view === name && p.size === size && p.theme === theme)?.file ?? null
    : (name, size, theme) =>
        (options.views?.some((start) => name.startsWith(start)) ?? true) && options.sizes.includes(size) && options.themes.includes(theme)
          ? `${name}-${size}-${theme}.png`
          : null;
  const stories = STORIES.filter(({ shots }) =>
    shots.some((name) => (options.readme ? README.some((p) => p.view === name) : wanted(name, options.sizes[0], options.themes[0]))),
  );
  if (stories.length === 0) throw new Error(`No view begins with ${options.views?.join(' or ')}; --list names them all.`);

  const { path } = await ensureChromium();
  if (options.build && (await run('vite', ['build', '--logLevel', 'warn'])) !== 0) throw new Error('The page does not build.');
  const port = await freePort();
  const server = await preview({ root: ROOT, logLevel: 'warn', preview: { host: '127.0.0.1', port, strictPort: true } });
  const studio = openStudio({ address: `http://127.0.0.1:${port}/`, path, folder: options.folder, readme: options.readme, wanted });
  const failed = [];
  try {
    for (const story of stories) {
      const from = performance.now();
      console.log(story.name);
      // A story that breaks leaves the others their pictures.
      await story.run(studio).catch((error) => {
        failed.push(story.name);
        console.error(`  ${story.name} broke off: ${error.stack ?? error.message}`);
      });
      await studio.tidy();
      console.log(`  ${((performance.now() - from) / 1000).toFixed(0)} s`);
    }
  } finally {
    await studio.close();
    await server.close();
  }
  if (studio.remarks.length > 0) console.log(`\nTo look at:\n${studio.remarks.join('\n')}`);
  console.log(`\n${studio.made()} pictures in ${join(options.folder, '')}`);
  if (failed.length > 0) throw new Error(`Broke off: ${failed.join(', ')}.`);
}

await main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
