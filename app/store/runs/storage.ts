import type { RunSummary } from '../slices/runs';
import { fromDisk, toDisk, type DiskRun } from './disk';
import type { StoredRun } from './pack';

/** Where runs are kept. Any call may reject: with a QuotaExceededError where there is no room. */
export interface RunStorage {
  /** In no order. */
  list(): Promise<RunSummary[]>;
  get(id: string): Promise<StoredRun | undefined>;
  /** Stores record and summary together, or neither. `merge` is given the stored summary, which another tab may have changed. */
  put(run: StoredRun, merge: (stored: RunSummary | undefined) => RunSummary): Promise<RunSummary>;
  /** Changes a summary; without effect where there is none. */
  patch(id: string, change: Partial<RunSummary>): Promise<void>;
  delete(ids: readonly string[]): Promise<void>;
}

const settled = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('the request failed'));
  });
const done = (transaction: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new DOMException('the transaction was aborted', 'AbortError'));
  });

/**
 * The browser's database: `records` by id, and the light `index` that is read when the page opens. A transaction covers both, and
 * every run is a value of its own, so that tabs never write over each other's.
 */
export class Database implements RunStorage {
  private opened: Promise<IDBDatabase> | null = null;

  constructor(private readonly name = 'q3r-runs') {}

  private open(): Promise<IDBDatabase> {
    if (this.opened) return this.opened;
    const opening = (async () => {
      const request = indexedDB.open(this.name, 1);
      request.onupgradeneeded = () => {
        request.result.createObjectStore('records', { keyPath: 'id' });
        request.result.createObjectStore('index', { keyPath: 'id' });
      };
      const database = await settled(request);
      // Another tab with a newer page, or the visitor clearing the site's data, must not wait for this one.
      database.onversionchange = () => {
        database.close();
        this.opened = null;
      };
      database.onclose = () => (this.opened = null);
      return database;
    })();
    this.opened = opening;
    opening.catch(() => (this.opened = null));
    return opening;
  }

  async list(): Promise<RunSummary[]> {
    const transaction = (await this.open()).transaction('index');
    return settled(transaction.objectStore('index').getAll() as IDBRequest<RunSummary[]>);
  }

  async get(id: string): Promise<StoredRun | undefined> {
    const transaction = (await this.open()).transaction('records');
    const found = await settled(transaction.objectStore('records').get(id) as IDBRequest<DiskRun | StoredRun | undefined>);
    return found && fromDisk(found);
  }

  async put(run: StoredRun, merge: (stored: RunSummary | undefined) => RunSummary): Promise<RunSummary> {
    const transaction = (await this.open()).transaction(['records', 'index'], 'readwrite');
    const finished = done(transaction);
    // Told of below; the requests' own failures are the transaction's.
    finished.catch(() => undefined);
    try {
      const index = transaction.objectStore('index');
      const summary = merge(await settled(index.get(run.id) as IDBRequest<RunSummary | undefined>));
      index.put(summary);
      transaction.objectStore('records').put(toDisk(run));
      await finished;
      return summary;
    } catch (error) {
      // Why the transaction ended says more than the request that was the first to fail.
      await finished;
      throw error;
    }
  }

  async patch(id: string, change: Partial<RunSummary>): Promise<void> {
    const transaction = (await this.open()).transaction('index', 'readwrite');
    const finished = done(transaction);
    finished.catch(() => undefined);
    const index = transaction.objectStore('index');
    const stored = await settled(index.get(id) as IDBRequest<RunSummary | undefined>);
    if (stored) index.put({ ...stored, ...change });
    await finished;
  }

  async delete(ids: readonly string[]): Promise<void> {
    const transaction = (await this.open()).transaction(['records', 'index'], 'readwrite');
    for (const id of ids) {
      transaction.objectStore('records').delete(id);
      transaction.objectStore('index').delete(id);
    }
    await done(transaction);
  }
}
