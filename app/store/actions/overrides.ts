import { ConfigError, type MatrixOverride } from '../../protocol/experiment';
import { overrideFor, slicesOf } from '../../protocol/overrides';
import { getState } from '../store';
import { setField } from './form';

/** An entry's place: a weight, a part of one or `blocks.*`, and its rows where it is a slice. */
export type OverrideKey = Pick<MatrixOverride, 'name' | 'rows'>;
/** New values; undefined goes back to the method's own. */
export interface OverrideValues {
  readonly rank?: number | undefined;
  readonly lambda?: number | undefined;
  readonly off?: boolean | undefined;
}

const FIELD = 'method.overrides';
const same = (a: OverrideKey, b: OverrideKey): boolean => a.name === b.name && String(a.rows) === String(b.rows);
const current = (): readonly MatrixOverride[] => getState().experiment.method.overrides;

/** The entry of exactly this place. */
export const entryAt = (list: readonly MatrixOverride[], key: OverrideKey): MatrixOverride | undefined => list.find((o) => same(o, key));

/** Sets the list; the message of what does not fit, undefined where it was taken. */
function apply(list: readonly MatrixOverride[]): string | undefined {
  try {
    setField(FIELD, list);
    return undefined;
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}

/**
 * Changes what one place gets; other values that count for it so far are kept. An entry for all blocks takes the place of those
 * of single blocks, so that what is set is what is had. Returns a message where it does not fit; nothing is changed then.
 */
export function setOverride(key: OverrideKey, values: OverrideValues): string | undefined {
  const list = current();
  const before =
    entryAt(list, key) ??
    (key.rows ? slicesOf(list, key.name).find((o) => String(o.rows) === String(key.rows)) : overrideFor(list, key.name));
  const merged = { rank: before?.rank, lambda: before?.lambda, off: before?.off, ...values };
  const next: MatrixOverride = {
    name: key.name,
    ...(key.rows ? { rows: key.rows } : {}),
    ...(merged.off
      ? { off: true }
      : {
          ...(merged.rank !== undefined ? { rank: merged.rank } : {}),
          ...(merged.lambda !== undefined ? { lambda: merged.lambda } : {}),
        }),
  };
  const covered = (o: MatrixOverride): boolean =>
    same(o, key) || (key.name.includes('*') && !o.rows && o.name.replace(/^blocks\.\d+\./, 'blocks.*.') === key.name);
  const at = list.findIndex((o) => same(o, key));
  const rest = list.filter((o) => !covered(o));
  const says = next.rows !== undefined || next.off || next.rank !== undefined || next.lambda !== undefined;
  if (!says) return apply(rest);
  const place = at < 0 ? rest.length : list.slice(0, at).filter((o) => !covered(o)).length;
  return apply([...rest.slice(0, place), next, ...rest.slice(place)]);
}

/** Forgets what one place gets; a slice is a part of its weight again. */
export const removeOverride = (key: OverrideKey): string | undefined => apply(current().filter((o) => !same(o, key)));

/** Makes rows [from, to) of a weight a matrix of their own. */
export const addSlice = (name: string, from: number, to: number): string | undefined => apply([...current(), { name, rows: [from, to] }]);

/** No matrix gets anything of its own. */
export const clearOverrides = (): string | undefined => apply([]);
