/**
 * `npm test`: lint, types, unit tests, build, end-to-end tests; stops before the end-to-end tests when anything failed. The unit tests of
 * the engine keep little more than one core busy, so everything else runs beside them, and what it prints comes when it is done.
 * The last line is `N passed, N failed`: every test counts as one, and so do lint, types and build.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureChromium } from './ensureChromium.mjs';
import { ROOT, run } from './run.mjs';

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

/** Runs commands one after the other, up to the first that fails; returns its exit code. `onOutput`: see `run`. */
async function inTurn(commands, onOutput) {
  let code = 0;
  for (const [command, ...args] of commands) code ||= await run(command, args, 0, {}, onOutput);
  return code;
}

const checks = (name, ...commands) => ({ name, run: async (onOutput) => check(await inTurn(commands, onOutput)) });

/** The unit tests of a project of vitest.config.ts. */
const unit = (project) => ({
  name: `unit: ${project}`,
  run: async (onOutput) => {
    const file = join(ROOT, 'test-results', `unit-${project}.json`);
    const args = ['run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
    return tests(await run('vitest', args, 0, {}, onOutput), file, (json) => ({
      passed: json.numPassedTests,
      failed: json.numFailedTests,
      skipped: json.numPendingTests + (json.numTodoTests ?? 0),
    }));
  },
});

const endToEnd = {
  name: 'end to end',
  run: async () =>
    tests(await run('playwright', ['test']), E2E, ({ stats }) => ({
      passed: stats.expected + stats.flaky,
      failed: stats.unexpected,
      skipped: stats.skipped,
      flaky: stats.flaky,
    })),
};

/** `beside` runs one after the other, beside `main`. */
const stages = [
  {
    main: unit('engine'),
    beside: [
      checks('lint', ['eslint', '.', '--max-warnings', '0'], ['prettier', '--check', '--log-level', 'warn', '.']),
      checks('types', ['tsc', '--noEmit']),
      checks('build', ['vite', 'build']),
      unit('page'),
    ],
  },
  { main: endToEnd, beside: [] },
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
  for (const { main, beside } of stages) {
    console.log(`\n── ${main.name}`);
    const others = aside(beside);
    take(await timed(main));
    for (const { output, ...other } of await others) {
      console.log(`\n── ${other.name}\n${output}`);
      take(other);
    }
    if (total.failed > 0) break;
  }
}

async function timed({ name, run }, onOutput) {
  const from = performance.now();
  return { name, ...(await run(onOutput)), time: seconds(from) };
}

/** Runs tasks one after the other while another has the terminal. */
async function aside(tasks) {
  const results = [];
  for (const task of tasks) {
    const chunks = [];
    const result = await timed(task, (chunk) => chunks.push(chunk));
    results.push({ ...result, output: Buffer.concat(chunks).toString() });
  }
  return results;
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
    `${failed > 0 ? '✗' : '✓'} ${name.padEnd(12)} ${String(passed).padStart(4)} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}${flaky ? `, ${flaky} at the second try` : ''}  ${time}`,
  );
const notRun = stages
  .flatMap(({ main, beside }) => [main, ...beside].map(({ name }) => name))
  .filter((name) => !results.some((result) => result.name === name));
if (notRun.length > 0) console.log(`not run: ${notRun.join(', ')}`);
console.log(`took ${seconds(begin)}\n`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 ? 1 : 0;
