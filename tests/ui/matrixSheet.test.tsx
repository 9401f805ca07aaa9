import { act } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fieldsOf } from '../../app/engine/regularizers/config';
import { fieldAt, type MethodName } from '../../app/protocol/experiment';
import { openDevice, planNow, setField, useWorker } from '../../app/store/actions';
import { getState, initialState, setState } from '../../app/store/store';
import { MethodGroup } from '../../app/ui/panels/MethodGroup';
import { device, FakeWorker, planOf } from '../store/fakeWorker';

let root: Root;
let box: HTMLElement;

beforeEach(async () => {
  globalThis.IS_REACT_ACT_ENVIRONMENT = true;
  setState(initialState());
  useWorker(
    () =>
      new FakeWorker({
        init: () => device,
        plan: ({ experiment }) => planOf(experiment),
        configure: ({ experiment }) => planOf(experiment),
        view: () => undefined,
        warm: () => undefined,
        samples: () => ({ width: 1, height: 1, images: [new Uint8ClampedArray(4)], labels: [0] }),
      }),
  );
  box = document.createElement('div');
  document.body.append(box);
  root = createRoot(box);
  await openDevice(true);
  await act(async () => root.render(<MethodGroup />));
});
afterEach(async () => {
  await act(async () => root.unmount());
  box.remove();
});

const overrides = () => getState().experiment.method.overrides;
const named = <T extends HTMLElement>(name: string): T => {
  const found = [...box.querySelectorAll<HTMLElement>('button, input, select')].find(
    (e) => (e.getAttribute('aria-label') ?? e.textContent) === name,
  );
  if (!found) throw new Error(`nothing is called ${name}`);
  return found as T;
};
const press = (name: string) => act(async () => named(name).click());
const type = (input: HTMLInputElement, value: string) =>
  act(async () => {
    input.focus();
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')!.set!.call(input, value);
    input.dispatchEvent(new Event('input', { bubbles: true }));
    input.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }));
  });
/** The plan follows a moment after the experiment. */
const planned = async (ready: () => void): Promise<void> => {
  await act(async () => {
    await planNow();
  });
  ready();
};

test('ranks, factors of λ and switches by kind and by block; each goes back to the method’s own', async () => {
  await press('Matrix by matrix…');
  expect(box.querySelector('dialog')!.open).toBe(true);
  await type(named('Target rank of fc1'), '7');
  expect(overrides()).toEqual([{ name: 'blocks.*.mlp.fc1.weight', rank: 7 }]);
  await planned(() => expect(named<HTMLInputElement>('Target rank of fc1').value).toBe('7'));
  await press('fc1, block by block');
  await type(named('Factor of λ of fc1, block 1'), '0.5');
  // What counted for the block before is kept.
  expect(overrides()).toContainEqual({ name: 'blocks.1.mlp.fc1.weight', rank: 7, lambda: 0.5 });
  await act(async () => named<HTMLInputElement>('The method acts on Q').click());
  expect(overrides()).toContainEqual({ name: 'blocks.*.attn.qkv.weight[0]', off: true });
  await planned(() => expect(box.querySelectorAll('.matrix-table tr.own').length).toBeGreaterThan(2));
  expect(box.textContent).toContain('3 overrides');
  await press('fc1, block 1: back to the method’s own');
  expect(overrides()).toHaveLength(2);
  await press('Reset 2 overrides');
  expect(overrides()).toEqual([]);
});

test('what does not fit stays in the box with its reason, and nothing is applied', async () => {
  await press('Matrix by matrix…');
  for (const [typed, said] of [
    ['1.5', 'whole number'],
    ['-2', 'from 0 to 4096'],
    ['many', 'whole number'],
  ] as const) {
    const input = named<HTMLInputElement>('Target rank of K');
    await type(input, typed);
    expect(input.getAttribute('aria-invalid')).toBe('true');
    expect(box.querySelector('[role=alert]')?.textContent).toContain(said);
    expect(overrides()).toEqual([]);
  }
});

test('slices: made, shown as matrices of their own, refused where they overlap, and removed', async () => {
  await press('Matrix by matrix…');
  const form = box.querySelector('form')!;
  const [from, to] = [...form.querySelectorAll('input')];
  const add = async (first: string, last: string): Promise<void> => {
    await type(from!, first);
    await type(to!, last);
    await press('Add slice');
  };
  await act(async () => {
    const select = form.querySelector('select')!;
    Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, 'value')!.set!.call(select, 'blocks.*.attn.qkv.weight');
    select.dispatchEvent(new Event('change', { bubbles: true }));
  });
  await add('0', '23');
  expect(overrides()).toEqual([{ name: 'blocks.*.attn.qkv.weight', rows: [0, 24] }]);
  await planned(() => expect(named('Target rank of QKV 0–23')).toBeDefined());
  await add('20', '30');
  expect(box.querySelector('[role=alert]')?.textContent).toContain('overlap');
  expect(overrides()).toHaveLength(1);
  await type(named('Target rank of QKV 0–23'), '3');
  expect(overrides()).toEqual([{ name: 'blocks.*.attn.qkv.weight', rows: [0, 24], rank: 3 }]);
  await press('Remove the slice QKV 0–23');
  expect(overrides()).toEqual([]);
});

const NAMES: MethodName[] = ['adamw', 'adamq3r', 'q3r', 'hoyer', 'hoyerSquare', 'lora', 'lorita', 'loritaQ3r', 'loritaAdamq3r'];
test.each(NAMES)('%s: exactly its fields are on the page, with a line of why', async (name) => {
  await act(async () => setField('method.name', name));
  const labels = [...box.querySelectorAll('.field > label, .field > .name')].map((e) => e.firstChild?.textContent);
  const used = fieldsOf(name);
  for (const key of [
    'loraRank',
    'loraAlpha',
    'loritaDepth',
    'lambda',
    'reweightEvery',
    'epsilonSchedule',
    'targetModules',
    'targetRank',
  ] as const)
    expect(labels.includes(fieldAt(`method.${key}`)!.label), key).toBe(used.has(key));
  expect(box.querySelector('.field .why')?.textContent).not.toBe('');
});
