/**
 * What a kernel is: WGSL text plus the data the engine needs to bind and launch it.
 * Nothing here touches a device, so every spec can be checked without a GPU.
 */

export type ScalarType = 'u32' | 'i32' | 'f32';

/** One 4-byte scalar of a kernel's `Params` struct, in declaration order. */
export interface ParamField {
  readonly name: string;
  readonly type: ScalarType;
}

/** One storage buffer. Binding numbers follow the order of the list, after the params. */
export interface BindingField {
  readonly name: string;
  readonly access: 'read' | 'readwrite';
}

/**
 * A compute kernel with one entry point `main` and one bind group.
 * Binding 0 is a uniform `Params` struct when `params` is not empty; the storage buffers follow in order.
 */
export interface KernelSpec {
  /** Unique, `folder/variant`; the pipeline cache and GPU labels use it. */
  readonly name: string;
  readonly code: string;
  readonly params: readonly ParamField[];
  readonly bindings: readonly BindingField[];
  /** Default values for pipeline-overridable constants; a dispatch may override them. */
  readonly constants?: Readonly<Record<string, number>>;
  /** Optional device features the WGSL enables (`subgroups`, `shader-f16`). */
  readonly features?: readonly GPUFeatureName[];
}

export type Grid = readonly [number, number, number];

/** Largest workgroup count per dimension under WebGPU's default limits. */
export const MAX_GROUPS = 65535;

export const ceilDiv = (a: number, b: number): number => Math.ceil(a / b);

/**
 * Folds a linear number of workgroups into x and y so that no dimension passes the limit.
 * A kernel recovers the linear index as `wid.x + wid.y * num_workgroups.x` and masks the excess.
 */
export function foldGrid(groups: number, limit: number = MAX_GROUPS): Grid {
  const count = Math.max(1, groups);
  if (count <= limit) return [count, 1, 1];
  const y = ceilDiv(count, limit);
  return [ceilDiv(count, y), y, 1];
}

/**
 * Packs scalars by the declared list, 4 bytes each; the size is rounded up to 16 as uniform structs require.
 * @throws Error naming a missing or unknown field.
 */
export function packParams(fields: readonly ParamField[], values: Readonly<Record<string, number>>): ArrayBuffer {
  const out = new ArrayBuffer(Math.max(16, ceilDiv(fields.length * 4, 16) * 16));
  const view = new DataView(out);
  const known = new Set<string>();
  fields.forEach((field, i) => {
    known.add(field.name);
    const value = values[field.name];
    if (value === undefined) throw new Error(`kernel parameter ${field.name} is missing`);
    if (field.type === 'f32') view.setFloat32(i * 4, value, true);
    else if (field.type === 'u32') view.setUint32(i * 4, value, true);
    else view.setInt32(i * 4, value, true);
  });
  for (const name of Object.keys(values)) {
    if (!known.has(name)) throw new Error(`kernel parameter ${name} is not declared`);
  }
  return out;
}

/** Shorthand for a parameter list: `fields('u32 m, u32 n, f32 scale')`. */
export function fields(text: string): ParamField[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)
    .map((part) => {
      const [type, name] = part.split(/\s+/);
      if (name === undefined || (type !== 'u32' && type !== 'i32' && type !== 'f32'))
        throw new Error(`bad parameter declaration "${part}"`);
      return { name, type };
    });
}

/**
 * Unrolls `//#for VAR COUNT` … `//#end` blocks and replaces `${name}` by a value.
 * Register tiles need it: WGSL has no unrolling, and an indexed array of accumulators may be spilled to memory.
 * COUNT is a number or a name in `values`; blocks nest; `${VAR}` is the running index.
 */
export function expand(source: string, values: Readonly<Record<string, number | string>>): string {
  const lines = source.split('\n');
  const run = (from: number, to: number, scope: Readonly<Record<string, number | string>>): string[] => {
    const out: string[] = [];
    for (let i = from; i < to; i++) {
      const line = lines[i] ?? '';
      const head = /^\s*\/\/#for (\w+) (\w+)\s*$/.exec(line);
      if (!head) {
        out.push(
          line.replace(/\$\{(\w+)\}/g, (_, name: string) => {
            const value = scope[name];
            if (value === undefined) throw new Error(`template value ${name} is missing`);
            return String(value);
          }),
        );
        continue;
      }
      const [, name = '', limit = ''] = head;
      let depth = 1;
      let end = i + 1;
      for (; end < to; end++) {
        if (/^\s*\/\/#for /.test(lines[end] ?? '')) depth++;
        else if (/^\s*\/\/#end\s*$/.test(lines[end] ?? '') && --depth === 0) break;
      }
      if (end === to) throw new Error(`//#for ${name} has no //#end`);
      const count = Number(scope[limit] ?? limit);
      if (!Number.isInteger(count)) throw new Error(`//#for ${name}: ${limit} is not a count`);
      for (let k = 0; k < count; k++) out.push(...run(i + 1, end, { ...scope, [name]: k }));
      i = end;
    }
    return out;
  };
  return run(0, lines.length, values).join('\n');
}
