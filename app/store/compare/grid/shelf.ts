import type { RunRecord } from '../../../protocol/run/record';
import type { CellFigures } from './cellFigures';
import type { GridDefinition } from './definition';

/** What became of a run of a grid. */
export interface CellResult {
  /** Null where the run failed. */
  readonly figures: CellFigures | null;
  /** Why it failed. */
  readonly problem: string | null;
  /** Milliseconds that it took, with preparation and measuring. */
  readonly wallMs: number;
}

/** A grid as it is kept: results by the run's index, with gaps where a run is still to come. */
export interface KeptGrid {
  readonly definition: GridDefinition;
  readonly results: readonly (CellResult | undefined)[];
}

const NAME = 'q3r-grids';
const GRIDS = 'grids';
const RECORDS = 'records';
/** Grids kept; older ones go when another begins. */
const KEEP = 12;

const asked = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('the browser could not read its storage'));
  });
const done = (transaction: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onerror = transaction.onabort = () => reject(transaction.error ?? new Error('the browser could not write to its storage'));
  });

/** Grids and the runs of their cells in the browser's storage. Every call may reject where the browser keeps nothing. */
export class Shelf {
  private opening: Promise<IDBDatabase> | undefined;

  constructor(private readonly name = NAME) {}

  private open(): Promise<IDBDatabase> {
    this.opening ??= new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open(this.name, 1);
      request.onupgradeneeded = () => {
        request.result.createObjectStore(GRIDS, { keyPath: 'definition.id' });
        request.result.createObjectStore(RECORDS);
      };
      request.onsuccess = () => {
        const db = request.result;
        // Closed under this page, as by a visitor who clears the site's data, it is opened anew; and it stands in no other page's way.
        db.onclose = () => (this.opening = undefined);
        db.onversionchange = () => {
          db.close();
          this.opening = undefined;
        };
        resolve(db);
      };
      request.onerror = () => reject(request.error ?? new Error('the browser keeps nothing'));
    }).catch((error: unknown) => {
      this.opening = undefined;
      throw error;
    });
    return this.opening;
  }

  /** Newest first. */
  async list(): Promise<KeptGrid[]> {
    const db = await this.open();
    const all = await asked(db.transaction(GRIDS).objectStore(GRIDS).getAll() as IDBRequest<KeptGrid[]>);
    return all.sort((a, b) => b.definition.date - a.definition.date);
  }

  /** Keeps a grid; the oldest beyond the limit go, with their runs. */
  async put(grid: KeptGrid): Promise<void> {
    const db = await this.open();
    const transaction = db.transaction(GRIDS, 'readwrite');
    transaction.objectStore(GRIDS).put(grid);
    await done(transaction);
    for (const old of (await this.list()).slice(KEEP)) await this.remove(old.definition.id);
  }

  /** Keeps the result of a run, and the run, both or neither. */
  async putCell(id: string, index: number, result: CellResult, record: RunRecord | null): Promise<void> {
    const db = await this.open();
    const transaction = db.transaction([GRIDS, RECORDS], 'readwrite');
    const grids = transaction.objectStore(GRIDS);
    const grid = await asked(grids.get(id) as IDBRequest<KeptGrid | undefined>);
    if (!grid) return;
    const results = [...grid.results];
    results[index] = result;
    grids.put({ ...grid, results });
    if (record) transaction.objectStore(RECORDS).put(record, `${id}/${index}`);
    await done(transaction);
  }

  async record(id: string, index: number): Promise<RunRecord | null> {
    const db = await this.open();
    const found = await asked(db.transaction(RECORDS).objectStore(RECORDS).get(`${id}/${index}`) as IDBRequest<RunRecord | undefined>);
    return found ?? null;
  }

  /** Removes a grid with its runs. */
  async remove(id: string): Promise<void> {
    const db = await this.open();
    const transaction = db.transaction([GRIDS, RECORDS], 'readwrite');
    transaction.objectStore(GRIDS).delete(id);
    transaction.objectStore(RECORDS).delete(IDBKeyRange.bound(`${id}/`, `${id}/\uffff`));
    await done(transaction);
  }

  async close(): Promise<void> {
    const db = await this.opening?.catch(() => undefined);
    this.opening = undefined;
    db?.close();
  }
}
