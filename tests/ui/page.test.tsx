import { act, lazy, Suspense, type ReactNode } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Fault, FaultKind } from '../../app/protocol/messages';
import { presetExperiment } from '../../app/protocol/presets';
import { openDevice, useWorker } from '../../app/store/actions';
import { getState, initialState, setState } from '../../app/store/store';
import { App } from '../../app/ui/App';
import { FieldControl } from '../../app/ui/controls/FieldControl';
import { AccumulateField } from '../../app/ui/panels/AccumulateField';
import { ImageSizeField } from '../../app/ui/panels/ImageSizeField';
import { Boundary } from '../../app/ui/states/Boundary';
import { rankLine } from '../../app/ui/panels/MethodGroup';
import { device, FakeWorker, matricesOf, planOf, spectraOf } from '../store/fakeWorker';

declare global {
  var IS_REACT_ACT_ENVIRONMENT: boolean;
}

let root: Root;
let box: HTMLElement;
let worker: FakeWorker;

beforeEach(async () => {
  globalThis.IS_REACT_ACT_ENVIRONMENT = true;
  setState(initialState());
  useWorker(() => {
    worker = new FakeWorker({
      init: () => device,
      plan: ({ experiment }) => planOf(experiment),
      configure: ({ experiment }) => planOf(experiment),
      view: () => undefined,
      warm: () => undefined,
      samples: () => ({ width: 1, height: 1, images: [new Uint8ClampedArray(4)], labels: [0] }),
      start: () => {
        worker.emit({ type: 'state', runId: 1, phase: 'running', step: 1, totalSteps: 10, elapsedMs: 1, liveBytes: 1 });
      },
    });
    return worker;
  });
  box = document.createElement('div');
  document.body.append(box);
  root = createRoot(box);
  await openDevice(true);
});
afterEach(async () => {
  await act(async () => root.unmount());
  box.remove();
});

const render = (node: ReactNode) => act(async () => root.render(node));
const button = (name: string | RegExp) =>
  [...document.querySelectorAll('button')].find((b) => {
    const label = b.getAttribute('aria-label') ?? b.textContent;
    return typeof name === 'string' ? label === name : name.test(label);
  });
const press = (name: string | RegExp) => act(async () => button(name)!.click());
const type = (input: HTMLInputElement, value: string) =>
  act(async () => {
    input.focus();
    // React listens to the native setter.
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')!.set!.call(input, value);
    input.dispatchEvent(new Event('input', { bubbles: true }));
    input.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
  });

describe('a number field', () => {
  const input = () => box.querySelector<HTMLInputElement>('input.val')!;

  test('takes what is typed, marks the change, and goes back', async () => {
    await render(<FieldControl path="train.lr" />);
    await type(input(), '4e-4');
    expect(getState().experiment.train.lr).toBe(4e-4);
    expect(box.querySelector('.changed')).not.toBeNull();
    await press('Learning rate: back to 0.001');
    expect(getState().experiment.train.lr).toBe(1e-3);
    expect(box.querySelector('.changed')).toBeNull();
  });

  test('keeps what does not fit in the box, says what is expected, and applies nothing', async () => {
    await render(<FieldControl path="train.lr" />);
    for (const [typed, said] of [
      ['7', 'from 0 to 1'],
      ['fast', 'must be a number from 0 to 1'],
    ] as const) {
      await type(input(), typed);
      expect(box.querySelector('[role=alert]')?.textContent).toContain(said);
      expect(input().value).toBe(typed);
      expect(input().getAttribute('aria-invalid')).toBe('true');
      expect(getState().experiment.train.lr).toBe(1e-3);
    }
    await type(input(), '0.5');
    expect(box.querySelector('[role=alert]')).toBeNull();
  });

  test('the image size follows the data set until another is given, and again after', async () => {
    await render(<ImageSizeField />);
    expect(input().value).toBe('32 px');
    await type(input(), '64');
    expect(getState().experiment.model.imageSize).toBe(64);
    expect(box.textContent).toContain('The GPU resizes the images of 32 pixels.');
    await type(input(), '30');
    expect(box.querySelector('[role=alert]')?.textContent).toContain('must divide the image side of 30 pixels');
    expect(getState().experiment.model.imageSize).toBe(64);
    await type(input(), '64');
    await press('Image size: back to 32');
    expect(getState().experiment.model).not.toHaveProperty('imageSize');
    await type(input(), '64');
    await type(input(), '32');
    expect(getState().experiment.model).not.toHaveProperty('imageSize');
    await act(async () => setState({ experiment: presetExperiment('tiny16'), preset: 'tiny16' }));
    await press('Follow the data set');
    expect(getState().experiment.model).not.toHaveProperty('imageSize');
    await press('Image size: back to 224');
    expect(getState().experiment.model.imageSize).toBe(224);
  });

  test('a batch may pass in any number of parts that divides it', async () => {
    await render(<AccumulateField />);
    const select = box.querySelector('select')!;
    const { batchSize } = getState().experiment.train;
    const offered = [...select.options].map((o) => Number(o.value));
    expect(offered).toEqual(Array.from({ length: batchSize }, (_, i) => i + 1).filter((n) => batchSize % n === 0));
    await act(async () => {
      select.value = '4';
      select.dispatchEvent(new Event('change', { bubbles: true }));
    });
    expect(getState().experiment.train.accumulate).toBe(4);
    expect(box.textContent).toContain(`${batchSize / 4} images at a time`);
    await press('Accumulation: back to none');
    expect(getState().experiment.train.accumulate).toBe(1);
  });

  test('every field has a name, a line of why and a control that says so', async () => {
    setState({ screen: 'main' });
    await render(<App />);
    // The panels come one a frame.
    await vi.waitFor(() => expect(box.querySelectorAll('.field').length).toBeGreaterThan(25), 10_000);
    for (const field of box.querySelectorAll('.field')) {
      expect(field.querySelector('.why')?.textContent, field.textContent).not.toBe('');
      const control = field.querySelector<HTMLInputElement>('input, select, [role=group]');
      if (control) expect(control.labels?.length || control.hasAttribute('aria-labelledby'), field.textContent).toBeTruthy();
    }
  });
});

describe('the page', () => {
  test('a part that does not arrive says so, and leaves the rest; another place is another try', async () => {
    const quiet = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const Lost = lazy(() => Promise.reject<never>(new TypeError('Failed to fetch dynamically imported module: x.js')));
    const part = (at: string, node: ReactNode) =>
      render(
        <>
          <p>rest</p>
          <Boundary at={at}>
            <Suspense>{node}</Suspense>
          </Boundary>
        </>,
      );
    await part('one', <Lost />);
    expect(box.textContent).toContain('rest');
    expect(box.querySelector('[role=alert]')?.textContent).toContain('The network lost it');
    expect(button('Reload')).toBeDefined();
    await part('two', <p>there</p>);
    expect(box.textContent).toContain('there');
    quiet.mockRestore();
  });

  test('opens with the first page; Play leads to the instrument', async () => {
    await render(<App />);
    expect(box.textContent).toContain('Train a Vision Transformer in this tab');
    expect(box.textContent).toContain('ViT-Micro/4 on Apple M2 Pro');
    button('Play')!.focus();
    await press('Play');
    await vi.waitFor(() => expect(button('Pause')).toBeDefined());
    expect(getState().phase).toBe('running');
    // The button is gone; the keys go on from the heading of what came.
    await vi.waitFor(() => expect(document.activeElement?.tagName).toBe('H1'));
  });

  test('a model that does not fit: Play is off, the reason is on the page, the nearest is one click away', async () => {
    const nearest = presetExperiment('nano');
    setState((s) => ({
      screen: 'main',
      plan: { ...s.plan!, refusal: { reason: 'This model needs 9 GB.', nearest, nearestText: 'ViT-Nano' } },
    }));
    await render(<App />);
    expect(button('Play')!.disabled).toBe(true);
    expect(box.querySelector('.stage [role=alert]')?.textContent).toContain('This model needs 9 GB.');
    await press('Use ViT-Nano');
    expect(getState().experiment).toEqual(nearest);
  });

  test('a change that ends a run asks in a dialog', async () => {
    setState({ screen: 'main' });
    await render(<App />);
    await press('Play');
    await vi.waitFor(() => expect(getState().phase).toBe('running'));
    await act(async () => setState({ ask: { next: presetExperiment('nano'), preset: 'nano', what: 'train.batchSize' } }));
    const dialog = document.querySelector('dialog')!;
    expect(dialog.open).toBe(true);
    expect(dialog.textContent).toContain('This starts a new run from step 0');
    expect(dialog.textContent).toContain('Batch size');
    await press('Keep running');
    expect(dialog.open).toBe(false);
    expect(getState().ask).toBeNull();
  });

  test('what a link had wrong is listed as text, never as markup', async () => {
    setState({ screen: 'main', notices: [{ id: 1, level: 'warn', message: 'One part', lines: ['<img src=x>: There is no setting.'] }] });
    await render(<App />);
    expect(box.querySelector('.notices img')).toBeNull();
    expect(box.querySelector('.notices')?.textContent).toContain('<img src=x>');
    await press('Dismiss');
    expect(getState().notices).toEqual([]);
  });

  const detail: Record<FaultKind, { title: string; actions: string[]; extra?: Partial<Fault> }> = {
    'no-webgpu': { title: 'no WebGPU', actions: ['Try again', 'Copy report'] },
    'no-adapter': { title: 'cannot reach the GPU', actions: ['Try again', 'Copy report'] },
    'no-device': { title: 'refused to open', actions: ['Try again', 'Copy report'] },
    'device-lost': { title: 'The GPU was lost', actions: ['Start again', 'Copy report'] },
    'out-of-memory': { title: 'no memory left', actions: ['Use a batch of 32 images', 'Change the settings', 'Copy report'] },
    'non-finite': {
      title: 'at step 1\u2009284',
      actions: ['Back to step 1\u2009250 at lr 1e\u22124', 'Choose the rate', 'Copy report'],
      extra: { step: 1284, snapshotStep: 1250, suggestedLr: 1e-4, tensor: 'blocks.3.mlp.fc1.weight', badCount: 12 },
    },
    'worker-crash': { title: 'worker stopped', actions: ['Start again', 'Back to the settings', 'Copy report'] },
    internal: { title: 'went wrong', actions: ['Start again', 'Copy report'] },
    'storage-quota': { title: '', actions: [] },
    data: { title: '', actions: [] },
  };
  test.each(Object.entries(detail).filter(([, d]) => d.title))(
    '%s: says what happened and what to do',
    async (kind, { title, actions, extra }) => {
      const fault: Fault = { kind: kind as FaultKind, message: 'In plain words.', detail: 'exact text', ...extra };
      setState({ screen: 'main', fault });
      await render(<App />);
      const panel = box.querySelector(`[data-fault="${kind}"]`)!;
      expect(panel.querySelector('h1')?.textContent).toContain(title);
      expect(panel.querySelector('[role=alert]')?.textContent).toContain(extra?.tensor ?? 'In plain words.');
      expect([...panel.querySelectorAll('button')].map((b) => b.textContent)).toEqual(expect.arrayContaining(actions));
      if (kind.startsWith('no-')) expect(panel.querySelectorAll('.browsers tbody tr')).toHaveLength(3);
    },
  );
});

describe('target ranks in words', () => {
  const matrices = (patch: Partial<ReturnType<typeof presetExperiment>['method']>) => {
    const base = presetExperiment('micro');
    return matricesOf({ ...base, method: { ...base.method, ...patch } });
  };
  test('one share, none, and the dense baseline', () => {
    // 12 · (64 + 64) of 64 · 64 parameters, 12 · (128 + 64) of 128 · 64.
    expect(rankLine(matrices({ targetRank: 0.2 }), 'adamq3r')).toBe('12 of 64 singular values stay free, 28 to 38 % of their parameters.');
    expect(rankLine(matrices({ targetRank: 64 }), 'adamq3r')).toContain('No matrix is regularized');
    expect(rankLine(matrices({ name: 'adamw' }), 'adamw')).toContain('dense baseline');
    expect(rankLine(matrices({ name: 'hoyer' }), 'hoyer')).toContain('Nothing aims at it');
    // fc2 of micro reads 128 inputs: its first factor is 128 × 128, of which a fifth is 25.
    expect(rankLine(matrices({ name: 'loritaQ3r' }), 'loritaQ3r')).toContain('12 to 25 singular values');
  });
  test('spectra put the instrument on screen', async () => {
    const experiment = presetExperiment('micro');
    setState({ screen: 'main' });
    await render(<App />);
    await act(async () => worker.emit({ type: 'spectra', runId: 1, step: 0, matrices: spectraOf(experiment, 0.5) }));
    // The wall comes when the stage has been measured, and its neighbours on demand: not always in the same turn.
    await vi.waitFor(() => expect(box.querySelectorAll('[role=gridcell]').length).toBe(24), { timeout: 20_000 });
  });
});
