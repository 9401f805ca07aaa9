import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../run.mjs';
import { SIZES, THEMES } from './sizes.mjs';

const HELP = `npm run screenshot [-- OPTIONS]: pictures of every view of the built page, from runs made now.

  readme             only the pictures that README.md shows, small, into public/screenshots
  --views A,B        only views whose name begins so; --list names them all
  --sizes 1440,390   of ${Object.keys(SIZES).join(', ')}
  --themes dark      of ${THEMES.join(', ')}
  --out FOLDER       instead of screenshots/
  --no-build         takes dist/ as it is
  --list             names the views

SHOT_CHROMIUM_ARGS chooses the adapter; the software adapter by default.`;

/** Names out of a comma-separated option. @throws Error that says which are known */
function some(text, known, what) {
  if (text === undefined) return known;
  const names = text.split(',').filter(Boolean);
  const wrong = names.filter((name) => !known.includes(name));
  if (wrong.length > 0 || names.length === 0) throw new Error(`--${what} takes some of ${known.join(', ')}, not "${text}".`);
  return known.filter((name) => names.includes(name));
}

/**
 * What the command line asks for.
 * @param {string[]} args without node and script
 * @throws Error naming what is wrong with them
 */
export function readOptions(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    allowNegative: true,
    options: {
      views: { type: 'string' },
      sizes: { type: 'string' },
      themes: { type: 'string' },
      out: { type: 'string' },
      build: { type: 'boolean', default: true },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const wrong = positionals.filter((word) => word !== 'readme');
  if (wrong.length > 0) throw new Error(`"${wrong[0]}" is no word of this command; "readme" is, and --help says the rest.`);
  const readme = positionals.includes('readme');
  if (readme && (values.views || values.sizes || values.themes)) throw new Error('"readme" says itself which views, sizes and themes.');
  return {
    readme,
    help: values.help ? HELP : null,
    list: values.list,
    build: values.build,
    views: values.views?.split(',').filter(Boolean) ?? null,
    sizes: some(values.sizes, Object.keys(SIZES), 'sizes'),
    themes: some(values.themes, THEMES, 'themes'),
    folder: resolve(values.out ?? join(ROOT, ...(readme ? ['public', 'screenshots'] : ['screenshots']))),
  };
}
