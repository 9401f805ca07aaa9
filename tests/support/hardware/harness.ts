import {
  ASYMMETRIC_MATCHERS_OBJECT,
  GLOBAL_EXPECT,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  chai,
  customMatchers,
  getState,
  setState,
} from '@vitest/expect';
import { restoreAllMocks, spyOn, fn } from '@vitest/spy';

/** As much of vitest as the tests of kernels and engine use, in one Node process: this module takes its place. */

type Body = (...args: never[]) => unknown;
interface Case {
  readonly name: string;
  readonly body: Body;
  readonly args: readonly unknown[];
  readonly hooks: readonly Hooks[];
}
interface Hooks {
  readonly beforeEach: Body[];
  readonly afterEach: Body[];
}
interface File {
  readonly cases: Case[];
  readonly before: Body[];
  readonly after: Body[];
}

let file: File = { cases: [], before: [], after: [] };
let suite: { names: string[]; hooks: Hooks[] } = { names: [], hooks: [{ beforeEach: [], afterEach: [] }] };

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);
export const expect = ((value: unknown, message?: string) => chai.expect(value, message)) as unknown as typeof import('vitest').expect;
Object.assign(expect, chai.expect, (globalThis as never)[ASYMMETRIC_MATCHERS_OBJECT]);
(globalThis as Record<symbol, unknown>)[GLOBAL_EXPECT] = expect;
(chai.expect as unknown as { extend(of: unknown, matchers: unknown): void }).extend(expect, customMatchers);
setState(
  { ...getState(expect as never), assertionCalls: 0, isExpectingAssertions: false, expectedAssertionsNumber: null },
  expect as never,
);

/** `%s`, `%i`, `$name` and the like are left as they are: a name only has to be found again. */
const titled = (name: string, args: readonly unknown[]): string =>
  args.length === 0 ? name : `${name} ${JSON.stringify(args, (_, v: unknown) => (ArrayBuffer.isView(v) ? '…' : v))?.slice(0, 100)}`;

function add(name: string, body: Body, args: readonly unknown[] = []): void {
  file.cases.push({ name: [...suite.names, titled(name, args)].join(' › '), body, args, hooks: [...suite.hooks] });
}
type Rows = readonly unknown[];
const spread = (row: unknown): readonly unknown[] => (Array.isArray(row) ? row : [row]);
const nothing = Object.assign(() => undefined, { each: () => () => undefined });

export const test = Object.assign((name: string, body: Body) => add(name, body), {
  each: (rows: Rows) => (name: string, body: Body) => rows.forEach((row) => add(name, body, spread(row))),
  skip: nothing,
  runIf: (condition: unknown) => (condition ? test : nothing),
});
export const it = test;

export const describe = Object.assign(
  (name: string, body: Body, args: readonly unknown[] = []) => {
    const outer = suite;
    suite = { names: [...outer.names, titled(name, args)], hooks: [...outer.hooks, { beforeEach: [], afterEach: [] }] };
    body(...(args as never[]));
    suite = outer;
  },
  {
    each: (rows: Rows) => (name: string, body: Body) => rows.forEach((row) => describe(name, body, spread(row))),
    runIf: (condition: unknown) => (condition ? describe : nothing),
  },
);
export const beforeAll = (body: Body): number => file.before.push(body);
export const afterAll = (body: Body): number => file.after.unshift(body);
export const beforeEach = (body: Body): number => suite.hooks.at(-1)!.beforeEach.push(body);
export const afterEach = (body: Body): number => suite.hooks.at(-1)!.afterEach.unshift(body);
/** Until the check no longer throws, for a second. */
async function waitFor(check: () => unknown): Promise<void> {
  for (let left = 50; ; left--)
    try {
      await check();
      return;
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
}
export const vi = { restoreAllMocks, spyOn, fn, waitFor };

export interface Outcome {
  readonly name: string;
  /** Empty where it passed. */
  readonly error: string;
  readonly ms: number;
}

const call = async (bodies: readonly Body[], args: readonly unknown[] = []): Promise<void> => {
  for (const body of bodies) await body(...(args as never[]));
};
const words = (error: unknown): string =>
  error instanceof Error ? `${error.message}\n${error.stack?.split('\n').find((l) => l.includes('.mjs')) ?? ''}` : String(error);

/** Runs the tests that loading a module registers. What fails in a hook fails every test of the file. */
export async function runFile(load: () => Promise<unknown>): Promise<Outcome[]> {
  file = { cases: [], before: [], after: [] };
  suite = { names: [], hooks: [{ beforeEach: [], afterEach: [] }] };
  const outcomes: Outcome[] = [];
  try {
    await load();
    await call(file.before);
  } catch (error) {
    return [{ name: 'the file', error: words(error), ms: 0 }];
  }
  for (const { name, body, args, hooks } of file.cases) {
    const from = performance.now();
    let error = '';
    try {
      await call(hooks.flatMap((h) => h.beforeEach));
      await call([body], args);
    } catch (thrown) {
      error = words(thrown) || 'thrown';
    }
    try {
      await call([...hooks].reverse().flatMap((h) => h.afterEach));
    } catch (thrown) {
      error ||= words(thrown);
    }
    outcomes.push({ name, error, ms: performance.now() - from });
  }
  await call(file.after);
  return outcomes;
}
