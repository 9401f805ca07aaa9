import { createHash } from 'node:crypto';
import { createWriteStream, existsSync, openAsBlob } from 'node:fs';
import { copyFile, mkdir, open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { once } from 'node:events';
import { createServer } from 'vite';

const USAGE = `npm run data -- NAME [FILE|URL …]        NAME: cifar10, cifar100 or mnist

Fills public/data/NAME/ (and dist/data/NAME/, where dist exists), so that everyone who opens this site loads
the data set from it instead of from the internet.

  npm run data -- cifar10                                downloads the two Parquet files from Hugging Face (144 MB)
  npm run data -- cifar10 cifar-10-binary.tar.gz         takes the official archive
  npm run data -- cifar10 data_batch_*.bin test_batch.bin
  npm run data -- cifar10 train.parquet test.parquet
  npm run data -- cifar100 https://example.org/cifar-100-binary.tar.gz
  npm run data -- mnist train-images-idx3-ubyte.gz train-labels-idx1-ubyte.gz t10k-images-idx3-ubyte.gz t10k-labels-idx1-ubyte.gz

A download that breaks off continues where it stopped when the command is run again.`;

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const CACHE = join(ROOT, 'node_modules/.cache/q3r-data');
const RECORDS_PER_WRITE = 1000;

class UsageError extends Error {}

const megabytes = (n) => `${(n / 1e6).toFixed(1)} MB`;
const say = (line) => process.stdout.write(`${line}\n`);
const isTerminal = process.stderr.isTTY;
/** One line that overwrites itself on a terminal; nothing in a log file. */
function status(line) {
  if (isTerminal) process.stderr.write(`\r\x1b[K${line.slice(0, (process.stderr.columns ?? 100) - 1)}`);
}

/** Downloads to a file, continuing a partial one; returns its path. */
async function download(url, name, signal) {
  await mkdir(CACHE, { recursive: true });
  const key = createHash('sha256').update(url).digest('hex').slice(0, 16);
  const target = join(CACHE, `${key}-${name}`);
  if (existsSync(target)) {
    say(`${name}: already downloaded`);
    return target;
  }
  const partial = `${target}.part`;
  let have = existsSync(partial) ? (await stat(partial)).size : 0;
  let response = await request(url, name, have, signal);
  if (response.status === 416) {
    await rm(partial, { force: true });
    have = 0;
    response = await request(url, name, 0, signal);
  }
  if (!response.ok) throw new Error(`${name}: ${url} answers ${response.status} ${response.statusText}`);
  if (/text\/html/i.test(response.headers.get('content-type') ?? '')) throw new Error(`${name}: ${url} is a web page, not a data file`);
  const resumes = response.status === 206 && (response.headers.get('content-range') ?? '').startsWith(`bytes ${have}-`);
  if (!resumes) have = 0;
  const length = Number(response.headers.get('content-length') ?? 0);
  const total = length > 0 ? have + length : 0;
  const out = createWriteStream(partial, { flags: resumes ? 'a' : 'w' });
  const started = performance.now();
  const offset = have;
  try {
    for await (const chunk of response.body) {
      if (!out.write(chunk)) await once(out, 'drain', { signal });
      have += chunk.length;
      const rate = (have - offset) / Math.max(1, performance.now() - started) / 1000;
      status(`${name}: ${megabytes(have)}${total ? ` of ${megabytes(total)}` : ''}, ${rate.toFixed(1)} MB/s`);
    }
    if (total > 0 && have < total) throw new Error('it ended early');
  } catch (error) {
    throw new Error(
      `${name}: the connection broke after ${have} of ${total || 'an unknown number of'} bytes (${error.cause?.message ?? error.message}). Run the command again: it continues there.`,
      { cause: error },
    );
  } finally {
    out.end();
    await once(out, 'close');
    status('');
  }
  await rename(partial, target);
  say(`${name}: ${megabytes(have)} downloaded`);
  return target;
}

async function request(url, name, from, signal) {
  try {
    return await fetch(url, { signal, headers: from > 0 ? { range: `bytes=${from}-` } : {} });
  } catch (error) {
    throw new Error(`${name}: no answer from ${new URL(url).host} (${error.cause?.message ?? error.message})`, { cause: error });
  }
}

const isUrl = (text) => /^https?:\/\//i.test(text);

async function sources(given, hub, signal) {
  if (given.length > 0) {
    const paths = [];
    for (const text of given) {
      if (isUrl(text)) {
        const url = new URL(text);
        const name = basename(url.pathname) || 'download';
        paths.push({ path: await download(url.href, name, signal), name, temporary: true });
      } else {
        if (!existsSync(text) || !(await stat(text)).isFile()) throw new UsageError(`${text}: no such file`);
        paths.push({ path: text, name: basename(text) });
      }
    }
    return paths;
  }
  const paths = [];
  const base = process.env.Q3R_HUB ?? hub.base;
  for (const file of [hub.files.train, hub.files.test]) {
    const name = basename(file.path);
    const path = await download(new URL(file.path, base).href, name, signal);
    const sha = createHash('sha256');
    const handle = await open(path);
    for await (const chunk of handle.createReadStream()) sha.update(chunk);
    const found = sha.digest('hex');
    if (file.sha256 && found !== file.sha256)
      say(`Warning: ${name} is not the file whose checksum was published (SHA-256 ${found}, expected ${file.sha256}).`);
    paths.push({ path, name, temporary: true });
  }
  return paths;
}

/** Writes a split as canonical records and returns its line of the index. */
async function writeSplit(folder, name, split) {
  const pixels = split.images.length / split.count;
  const sha = createHash('sha256');
  const file = `${name}.bin`;
  const handle = await open(join(folder, `${file}.part`), 'w');
  try {
    for (let first = 0; first < split.count; first += RECORDS_PER_WRITE) {
      const count = Math.min(RECORDS_PER_WRITE, split.count - first);
      const bytes = new Uint8Array(count * (pixels + 1));
      for (let i = 0; i < count; i++) {
        bytes[i * (pixels + 1)] = split.labels[first + i];
        bytes.set(split.images.subarray((first + i) * pixels, (first + i + 1) * pixels), i * (pixels + 1) + 1);
      }
      sha.update(bytes);
      await handle.write(bytes);
    }
  } finally {
    await handle.close();
  }
  await rename(join(folder, `${file}.part`), join(folder, file));
  return { file, bytes: split.count * (pixels + 1), sha256: sha.digest('hex'), count: split.count };
}

async function main(args, signal) {
  if (args.includes('--help') || args.includes('-h')) return void say(USAGE);
  const [name, ...given] = args;
  if (!name) throw new UsageError('Which data set?');
  const vite = await createServer({
    root: ROOT,
    configFile: false,
    appType: 'custom',
    logLevel: 'error',
    server: { middlewareMode: true, hmr: false, watch: null, ws: false },
    optimizeDeps: { noDiscovery: true },
  });
  try {
    const data = await vite.ssrLoadModule('/app/engine/data/index.ts');
    if (!data.isPublished(name)) throw new UsageError(`Unknown data set "${name}".`);
    const { config, hub } = data.PUBLISHED[name];
    const paths = await sources(given, hub, signal);
    const forget = async () => {
      for (const { path, temporary } of paths) if (temporary) await rm(path, { force: true });
    };
    const files = [];
    for (const { path, name: file } of paths) files.push({ name: file, blob: await openAsBlob(path) });
    const started = performance.now();
    let loaded;
    try {
      loaded = await data.loadPublishedFiles(name, files, {
        signal,
        store: false,
        onProgress: (p) => status(`${p.stage}: ${p.images} images`),
      });
    } catch (error) {
      // A finished download that does not decode must not be found again by the next attempt.
      if (!signal.aborted) await forget();
      throw error;
    }
    status('');
    const { train, test, notices } = loaded;
    say(`${train.count} training and ${test.count} test images decoded in ${((performance.now() - started) / 1000).toFixed(1)} s`);
    for (const notice of notices) say(`Note: ${notice.text}`);
    const folder = join(ROOT, 'public/data', name);
    await mkdir(folder, { recursive: true });
    const index = join(folder, `${name}.json`);
    await rm(index, { force: true });
    const entries = { train: await writeSplit(folder, 'train', train), test: await writeSplit(folder, 'test', test) };
    await writeFile(index, `${JSON.stringify({ format: 'q3r-data', version: 1, name, ...entries }, null, 2)}\n`);
    await forget();
    say(`Written: ${relative(ROOT, folder)}/{${name}.json, train.bin, test.bin}, ${megabytes(entries.train.bytes + entries.test.bytes)}`);
    if (existsSync(join(ROOT, 'dist'))) {
      const copy = join(ROOT, 'dist/data', name);
      await mkdir(copy, { recursive: true });
      await rm(join(copy, `${name}.json`), { force: true });
      for (const file of ['train.bin', 'test.bin', `${name}.json`]) await copyFile(join(folder, file), join(copy, file));
      say(`Copied: dist/data/${name}`);
    }
    say(
      `Serve it with "npm start", or with "npm run build" and any static server for dist/. The page offers ${config.label} from this site.`,
    );
  } finally {
    await vite.close();
  }
}

const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
// openAsBlob is marked experimental in Node 20; nothing here depends on more than slices and streams of it.
process.removeAllListeners('warning');
process.on('warning', (warning) => {
  if (warning.name !== 'ExperimentalWarning') process.stderr.write(`${warning.stack}\n`);
});
try {
  await main(process.argv.slice(2), stop.signal);
} catch (error) {
  status('');
  if (stop.signal.aborted) {
    process.stderr.write('Stopped.\n');
    process.exitCode = 130;
  } else {
    process.stderr.write(`${error.message}\n`);
    if (error.nextStep) process.stderr.write(`${error.nextStep}\n`);
    if (error instanceof UsageError) process.stderr.write(`\n${USAGE}\n`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}
