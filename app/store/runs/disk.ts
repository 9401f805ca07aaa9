import type { PackedFrame, StoredRun } from './pack';

/** Where a frame's arrays lie behind the rows: lengths in elements, one frame behind the other. */
interface Place extends Pick<PackedFrame, 'step' | 'plan'> {
  readonly sigma: number;
  readonly figures: number;
}

/**
 * A record as the database holds it. Its long arrays are one blob: rows (float64), then each frame's figures (float64) and σ (float32,
 * filled up to 8 bytes). Cloning them as values would hold the page for 100 ms in a long run; a blob of blobs is copied elsewhere.
 */
export type DiskRun = Omit<StoredRun, 'rows' | 'packed'> & {
  readonly rows: number;
  readonly packed: readonly Place[];
  readonly bytes: Blob;
};

const known = new WeakMap<Float32Array, Blob>();
const fill = (bytes: number): number => -bytes & 7;

/** A frame's bytes; made once, since every later state of the run has the frame, too. */
function blobOf({ sigma, figures }: PackedFrame): Blob {
  const before = known.get(sigma);
  if (before) return before;
  const made = new Blob([figures as BlobPart, sigma as BlobPart, new Uint8Array(fill(sigma.byteLength))]);
  known.set(sigma, made);
  return made;
}

/** Makes a frame's bytes ahead of the storing. */
export const prepareFrame = (frame: PackedFrame): void => void blobOf(frame);

/** A record for the database; cheap, since nothing but the rows is copied here. */
export function toDisk({ rows, packed, ...rest }: StoredRun): DiskRun {
  return {
    ...rest,
    rows: rows.length,
    packed: packed.map(({ step, plan, sigma, figures }) => ({ step, plan, sigma: sigma.length, figures: figures.length })),
    bytes: new Blob([rows as BlobPart, ...packed.map(blobOf)]),
  };
}

/** The record that was stored, also by a version that stored arrays as values. @throws where the blob cannot be read */
export async function fromDisk(run: DiskRun | StoredRun): Promise<StoredRun> {
  if (!('bytes' in run)) return run;
  const { rows, packed, bytes, ...rest } = run;
  const buffer = await bytes.arrayBuffer();
  let at = 8 * rows;
  return {
    ...rest,
    rows: new Float64Array(buffer, 0, rows),
    packed: packed.map(({ step, plan, sigma, figures }): PackedFrame => {
      const own = new Float64Array(buffer, at, figures);
      at += own.byteLength;
      const values = new Float32Array(buffer, at, sigma);
      at += values.byteLength + fill(values.byteLength);
      return { step, plan, sigma: values, figures: own };
    }),
  };
}
