/**
 * `npm test`: lint, types, unit tests, build, end-to-end tests; stops at the first stage that fails. Lint and types need one core and
 * no browser, so they run beside the unit tests, and what they print comes when they are done.
 * The last line is `N passed, N failed`: every test counts as one, and so do lint, types and build.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureChromium } from './ensureChromium.mjs';
import { ROOT, run } from './run.mjs';

const UNIT = join(ROOT, 'test-results', 'unit.json');
const E2E = join(ROOT, 'test-results', 'e2e.json');

/** A stage without tests of its own is one check. */
const check = (code) => ({ passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 });

/** Counts from a reporter's file; a runner that fails beyond its tests (a crash, no tests at all) counts as one failure. */
function tests(code, file, read) {
  let counts;
  try {
    counts = read(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    console.error(`No results: ${error.message}`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
  if (counts.passed + counts.failed === 0) console.error('No test ran.');
  const broken = counts.failed === 0 && (code !== 0 || counts.passed === 0);
  return broken ? { ...counts, failed: 1 } : counts;
}

/** Runs commands one after the other while something else has the terminal; stops at the first that fails. */
async function aside(name, ...commands) {
  const from = performance.now();
  const chunks = [];
  let code = 0;
  for (const [command, ...args] of commands) code ||= await run(command, args, 0, {}, (chunk) => chunks.push(chunk));
  return { name, output: Buffer.concat(chunks).toString(), time: seconds(from), ...check(code) };
}

const beside = async () => [
  await aside('lint', ['eslint', '.', '--max-warnings', '0'], ['prettier', '--check', '--log-level', 'warn', '.']),
  await aside('types', ['tsc', '--noEmit']),
];

const stages = [
  {
    name: 'unit',
    run: async () =>
      tests(await run('vitest', ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${UNIT}`]), UNIT, (json) => ({
        passed: json.numPassedTests,
        failed: json.numFailedTests,
        skipped: json.numPendingTests + (json.numTodoTests ?? 0),
      })),
    beside,
  },
  { name: 'build', run: async () => check(await run('vite', ['build'])) },
  {
    name: 'end to end',
    run: async () =>
      tests(await run('playwright', ['test']), E2E, ({ stats }) => ({
        passed: stats.expected + stats.flaky,
        failed: stats.unexpected,
        skipped: stats.skipped,
        flaky: stats.flaky,
      })),
  },
];

const results = [];
const total = { passed: 0, failed: 0 };
const seconds = (from) => `${((performance.now() - from) / 1000).toFixed(1)} s`;

async function main() {
  rmSync(join(ROOT, 'test-results'), { recursive: true, force: true });
  mkdirSync(join(ROOT, 'test-results'));
  try {
    const { path, version } = await ensureChromium();
    process.env.CHROMIUM_PATH = path;
    console.log(`Chromium ${version} at ${path}`);
  } catch (error) {
    console.error(`\n${error.message}`);
    total.failed = 1;
    return;
  }
  for (const stage of stages) {
    console.log(`\n── ${stage.name}`);
    const from = performance.now();
    const others = stage.beside?.() ?? [];
    const result = { name: stage.name, ...(await stage.run()), time: seconds(from) };
    for (const { output, ...other } of await others) {
      console.log(`\n── ${other.name}\n${output}`);
      take(other);
    }
    take(result);
    if (total.failed > 0) break;
  }
}

function take(result) {
  results.push(result);
  total.passed += result.passed;
  total.failed += result.failed;
}

const begin = performance.now();
await main();
console.log('\n── summary');
for (const { name, time, passed, failed, skipped, flaky } of results)
  console.log(
    `${failed > 0 ? '✗' : '✓'} ${name.padEnd(11)} ${String(passed).padStart(4)} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}${flaky ? `, ${flaky} at the second try` : ''}  ${time}`,
  );
const notRun = stages.map(({ name }) => name).filter((name) => !results.some((result) => result.name === name));
if (notRun.length > 0) console.log(`not run: ${notRun.join(', ')}`);
console.log(`took ${seconds(begin)}\n`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 ? 1 : 0;
