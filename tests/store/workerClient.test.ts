import { describe, expect, test, vi } from 'vitest';
import { ConfigError } from '../../app/protocol/experiment';
import type { Fault } from '../../app/protocol/messages';
import { WorkerClient, WorkerError, type Report } from '../../app/store/workerClient';
import { FakeWorker } from './fakeWorker';

const setup = (handlers: ConstructorParameters<typeof FakeWorker>[0] = {}) => {
  const workers: FakeWorker[] = [];
  const reports: Report[] = [];
  const crashes: Fault[] = [];
  const client = new WorkerClient(
    () => {
      const worker = new FakeWorker(handlers);
      workers.push(worker);
      return worker;
    },
    (report) => reports.push(report),
    (fault) => crashes.push(fault),
  );
  return { client, workers, reports, crashes };
};
const failure = (promise: Promise<unknown>): Promise<WorkerError> =>
  promise.then(
    () => {
      throw new Error('it succeeded');
    },
    (error: unknown) => error as WorkerError,
  );

describe('WorkerClient', () => {
  test('answers reach the command that asked, in any order', async () => {
    const { client, workers } = setup();
    const first = client.send('history', {});
    const second = client.send('evaluate', {});
    const [a, b] = workers[0]!.asked;
    workers[0]!.emit({ type: 'reply', id: b!.id, ok: true, value: { loss: 1, accuracy: 0.5, count: 10 } });
    workers[0]!.emit({ type: 'reply', id: a!.id, ok: true, value: [] });
    expect(await second).toEqual({ loss: 1, accuracy: 0.5, count: 10 });
    expect(await first).toEqual([]);
  });

  test('a failed command keeps the name and the field of the worker’s error', async () => {
    const { client } = setup({
      plan: () => {
        throw new ConfigError('model.numHeads', 'Heads must divide the width.');
      },
    });
    const error = await failure(client.send('plan', { experiment: {} as never }));
    expect(error).toBeInstanceOf(WorkerError);
    expect(error).toMatchObject({ name: 'ConfigError', field: 'model.numHeads', message: 'Heads must divide the width.' });
  });

  test('arrays are copied unless their buffers are to be transferred', async () => {
    const { client, workers } = setup({ importWeights: () => undefined, predict: () => new Float32Array(1) });
    const images = new Float32Array([1, 2, 3]);
    await client.send('predict', { images });
    expect(images.length).toBe(3);
    const bytes = new Uint8Array([1, 2, 3]);
    await client.send('importWeights', { bytes }, [bytes.buffer]);
    expect(bytes.length).toBe(0);
    expect(workers[0]!.asked[1]).toMatchObject({ bytes: new Uint8Array([1, 2, 3]) });
  });

  test('what cannot be cloned is refused at once', async () => {
    const { client } = setup();
    const error = await failure(client.send('plan', { experiment: (() => 1) as never }));
    expect(error.name).toBe('DataCloneError');
  });

  test.each([
    ['error', (worker: FakeWorker) => worker.crash('out of stack'), 'out of stack'],
    ['messageerror', (worker: FakeWorker) => worker.garble(), 'could not be read'],
  ])('%s: every pending command is rejected, the worker ended, the crash told once', async (_, provoke, detail) => {
    const { client, workers, crashes } = setup();
    const pending = [failure(client.send('history', {})), failure(client.send('evaluate', {}))];
    provoke(workers[0]!);
    for (const error of await Promise.all(pending)) expect(error.fault?.kind).toBe('worker-crash');
    expect(workers[0]!.terminated).toBe(true);
    expect(crashes).toHaveLength(1);
    expect(crashes[0]!.detail).toContain(detail);
    // A crashed worker has nothing more to say.
    workers[0]!.crash('again');
    expect(crashes).toHaveLength(1);
  });

  test('after a restart a fresh worker answers, and the old one is not heard', async () => {
    const { client, workers, reports } = setup({ history: () => [] });
    await client.send('history', {});
    client.restart();
    await client.send('history', {});
    expect(workers).toHaveLength(2);
    workers[0]!.emit({ type: 'stages', stages: [], progress: 0.5 });
    expect(reports).toEqual([]);
    workers[1]!.emit({ type: 'stages', stages: [], progress: 0.5 });
    expect(reports).toHaveLength(1);
  });

  test('no worker is made before it is needed', () => {
    const create = vi.fn(() => new FakeWorker());
    new WorkerClient(
      create,
      () => undefined,
      () => undefined,
    );
    expect(create).not.toHaveBeenCalled();
  });
});
