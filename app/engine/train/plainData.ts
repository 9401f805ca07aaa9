/** Plain data as JSON text without losing a bit: JSON has no NaN, infinities, −0 or typed arrays. */

const TAG = '~';
const ARRAYS = { Float32Array, Float64Array, Int32Array, Uint32Array, Uint8Array } as const;
type ArrayName = keyof typeof ARRAYS;

/** @throws Error for what cannot be written, such as a Map */
export function writePlain(value: unknown): string {
  return JSON.stringify(encode(value));
}

function encode(value: unknown): unknown {
  if (typeof value === 'number')
    return Number.isFinite(value) && !Object.is(value, -0) ? value : { [TAG]: Object.is(value, -0) ? '-0' : String(value) };
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(encode);
  const name = value.constructor.name;
  if (name in ARRAYS) return { [TAG]: name, values: Array.from(value as Iterable<number>, encode) };
  if (name !== 'Object') throw new Error(`A ${name} cannot be written as plain data.`);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, encode(part)]));
}

/** Reads what `writePlain` wrote. @throws SyntaxError */
export function readPlain(text: string): unknown {
  return decode(JSON.parse(text));
}

function decode(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(decode);
  if (Object.hasOwn(value, TAG)) {
    const { [TAG]: tag, values } = value as { [TAG]: unknown; values?: unknown };
    if (typeof tag === 'string' && Object.hasOwn(ARRAYS, tag) && Array.isArray(values))
      return ARRAYS[tag as ArrayName].from(values.map((x) => Number(decode(x))));
    return Number(tag);
  }
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, decode(part)]));
}

/**
 * Checks that data from a file have the form of `like`: the same keys, lengths and kinds of values. Where `like` has nothing yet,
 * anything flat enough passes. @throws Error naming the place
 */
export function requireLike(value: unknown, like: unknown, place: string): void {
  if (like === undefined || like === null) return requireFlat(value, place, 3);
  if (typeof like !== 'object') {
    if (typeof value !== typeof like) throw new Error(`${place} is no ${typeof like}.`);
    return;
  }
  if (typeof value !== 'object' || value === null || value.constructor !== like.constructor) throw new Error(`${place} has another form.`);
  if (Array.isArray(like) || ArrayBuffer.isView(like)) {
    const [a, b] = [value as ArrayLike<unknown>, like as ArrayLike<unknown>];
    if (a.length !== b.length) throw new Error(`${place} has ${a.length} entries and needs ${b.length}.`);
    for (let i = 0; i < b.length; i++) requireLike(a[i], b[i], `${place}[${i}]`);
    return;
  }
  for (const key of Object.keys(value)) if (!Object.hasOwn(like, key)) throw new Error(`${place} has an unknown part ${key}.`);
  for (const [key, part] of Object.entries(like)) requireLike((value as Record<string, unknown>)[key], part, `${place}.${key}`);
}

function requireFlat(value: unknown, place: string, depth: number): void {
  if (value === null || typeof value !== 'object') return;
  if (depth === 0) throw new Error(`${place} is nested too deeply.`);
  for (const [key, part] of Object.entries(value)) requireFlat(part, `${place}.${key}`, depth - 1);
}
