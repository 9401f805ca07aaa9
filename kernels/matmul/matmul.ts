import erf from '../lib/erf.wgsl?raw';
import halvesLib from '../lib/halves.wgsl?raw';
import { expand, fields, type BindingField, type KernelSpec, type ParamField } from '../spec';
import fragmentsSource from './fragments.wgsl?raw';
import operand from './operand.wgsl?raw';
import output from './output.wgsl?raw';
import panelsSource from './panels.wgsl?raw';
import reduce from './reduce.wgsl?raw';
import register from './register.wgsl?raw';

/** How a product is tiled. All tilings add up k in the same order with the same fma: they differ in speed, not in bits. */
export interface MatmulVariant {
  /**
   * `r…`: register tiles read straight from memory. `q…`: the same by four lanes that share their loads of A.
   * `s…`: tiles staged in workgroup memory. `m…`: the same by matrix units. Then rows × columns per invocation, or per workgroup for
   * `s…` and `m…`.
   */
  readonly id: string;
  /** Rows and columns of outputs per invocation, or per subgroup where there is a `unit`; multiples of 4. */
  readonly mt: number;
  readonly nt: number;
  /** Invocations, or subgroups, of a workgroup along n and m. */
  readonly wx: number;
  readonly wy: number;
  /** Depth of a workgroup-memory panel, a multiple of 4; 0 for register tiles. */
  readonly kt: number;
  /** The workgroup is four lanes of one subgroup: the device must have the feature `subgroups`. */
  readonly lanes: boolean;
  /** k's written out one after the other, a multiple of 4 that divides kt; absent for register tiles. */
  readonly unroll?: number;
  /** Two panels of each operand take turns. */
  readonly twice?: boolean;
  /** Products are rounded to half precision first and made by matrix units: only where `roundsOperands` says that this may be. */
  readonly unit?: MatrixUnit;
}

/** A product that a device makes in one operation of a subgroup: m × k times k × n, in f16 with f32 sums, by so many lanes. */
export interface MatrixUnit {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly lanes: number;
}

const tiles = (mt: number, nt: number, wx: number, wy: number): MatmulVariant => ({
  id: `r${mt}x${nt}`,
  mt,
  nt,
  wx,
  wy,
  kt: 0,
  lanes: false,
});
const quads = (mt: number, nt: number): MatmulVariant => ({ id: `q${mt}x${nt}`, mt, nt, wx: 4, wy: 1, kt: 0, lanes: true });
const panels = (
  mt: number,
  nt: number,
  wx: number,
  wy: number,
  kt: number,
  o: { unroll?: number; twice?: boolean } = {},
): MatmulVariant => {
  const id = `s${mt * wy}x${nt * wx}`;
  for (const rows of [mt * wy, nt * wx])
    if (rows % 32 || (rows * kt) % (4 * wx * wy)) throw new Error(`${id}: ${rows} rows of ${kt} do not share out among its invocations`);
  return { id, mt, nt, wx, wy, kt, lanes: false, unroll: o.unroll ?? kt, twice: o.twice };
};

/**
 * Measured on SwiftShader, one busy core, 2080 × 192 × 192 NT, GFLOP/s and seconds to compile: r4x4 0.8, 0.1; r8x8 1.0,
 * 0.2; q8x4 1.3, 0.1; q16x8 1.5, 0.35. Tiles of 16 × 16 reached 1.4 at 0.8 s and were dropped. Beside q16x8, in turns: q24x8 1.1
 * times as fast, 0.1 s longer to compile; 32 × 4 0.93, 16 × 12 0.88, 12 × 8 0.88 times, and dropped.
 */
export const MATMUL_VARIANTS: readonly MatmulVariant[] = [
  tiles(4, 4, 8, 8),
  tiles(8, 8, 4, 4),
  quads(8, 4),
  quads(16, 8),
  quads(24, 8),
  panels(4, 4, 8, 8, 16, { unroll: 4 }),
  panels(8, 4, 16, 8, 16, { twice: true }),
  panels(8, 12, 8, 8, 16),
  panels(8, 8, 16, 16, 8, { twice: true }),
];

/**
 * What WebGPU calls products by a whole subgroup while they are experimental: Chrome offers them behind
 * chrome://flags/#enable-unsafe-webgpu. The name is not among the types yet.
 */
export const MATRIX_FEATURE = 'chromium-experimental-subgroup-matrix' as GPUFeatureName;
const MATRIX_EXTENSION = 'chromium_experimental_subgroup_matrix';
const UNIT_FEATURES: readonly GPUFeatureName[] = ['shader-f16', 'subgroups', MATRIX_FEATURE];

/** Tiles of a workgroup by matrix units, best bets first: outputs of a subgroup, subgroups along n and m, depth of a panel. */
const UNIT_TILES = [
  { mt: 32, nt: 32, wx: 2, wy: 2, kt: 32 },
  { mt: 64, nt: 32, wx: 2, wy: 2, kt: 32 },
  { mt: 16, nt: 16, wx: 2, wy: 2, kt: 16 },
  { mt: 64, nt: 32, wx: 4, wy: 2, kt: 32 },
] as const;

/** Rows longer against bank conflicts, and what a half takes. */
const PAD = 8;
const HALF_BYTES = 2;

function unitVariant(tile: (typeof UNIT_TILES)[number], unit: MatrixUnit): MatmulVariant {
  const { m, n, k, lanes } = unit;
  return { id: `m${tile.mt * tile.wy}x${tile.nt * tile.wx}.${m}x${n}x${k}.${lanes}`, ...tile, lanes: false, unit };
}

/** Bytes of workgroup memory that a variant of a matrix unit takes at most, whichever way its operands are stored. */
function unitBytes({ mt, nt, wx, wy, kt }: MatmulVariant, { m, n }: MatrixUnit): number {
  const panel = (side: number): number => HALF_BYTES * Math.max(side * (kt + PAD), kt * (side + PAD));
  return panel(mt * wy) + panel(nt * wx) + 4 * wx * wy * m * n;
}

/** What a device says of its matrix units and workgroups, in WebGPU's words. */
export interface UnitLimits {
  readonly units: readonly MatrixUnit[];
  readonly maxComputeWorkgroupStorageSize: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
}

/** Tilings for a device's units that fit the memory and the invocations of a workgroup, smallest first. */
export function unitVariants({ units, ...limits }: UnitLimits): MatmulVariant[] {
  return units.flatMap((unit) =>
    UNIT_TILES.map((tile) => unitVariant(tile, unit)).filter((variant) => {
      const { mt, nt, wx, wy, kt } = variant;
      const threads = wx * wy * unit.lanes;
      const shares = [mt * wy, nt * wx].every((side) => (side * kt) % (4 * threads) === 0);
      const whole = mt % unit.m === 0 && nt % unit.n === 0 && kt % unit.k === 0 && unit.n % 4 === 0;
      return (
        shares &&
        whole &&
        threads <= limits.maxComputeInvocationsPerWorkgroup &&
        unitBytes(variant, unit) <= limits.maxComputeWorkgroupStorageSize
      );
    }),
  );
}

const byId = new Map(MATMUL_VARIANTS.map((variant) => [variant.id, variant]));

/** @throws Error for an id that no variant has. */
export function matmulVariant(id: string): MatmulVariant {
  const known = byId.get(id);
  if (known) return known;
  const [, m, n, k, lanes] = /^m\d+x\d+\.(\d+)x(\d+)x(\d+)\.(\d+)$/.exec(id)?.map(Number) ?? [];
  const unit = { m: m!, n: n!, k: k!, lanes: lanes! };
  const variant = m === undefined ? undefined : UNIT_TILES.map((tile) => unitVariant(tile, unit)).find((v) => v.id === id);
  if (!variant) throw new Error(`there is no matrix product variant ${id}`);
  byId.set(id, variant);
  return variant;
}

/** What is done with a product before it is stored; see output.wgsl for the order. */
export interface MatmulEpilogue {
  readonly bias?: boolean;
  readonly gelu?: boolean;
  /** Times GELU's derivative, at what gelu() of takes the place. */
  readonly dGelu?: boolean;
  readonly residual?: boolean;
  readonly accumulate?: boolean;
}

/** What is stored as halves, two to a word; see lib/halves.wgsl. Bias and residual stay f32. */
export interface MatmulHalves {
  readonly a?: boolean;
  readonly b?: boolean;
  readonly out?: boolean;
  readonly pre?: boolean;
}

/** True where a product's numbers pass through half precision anyway: then its operands may, too. */
export const roundsOperands = ({ a, b, out }: MatmulHalves = {}): boolean => a === true || b === true || out === true;

/** Which of the specialised kernels: transposition, width of the loads and stores, epilogue. */
export interface MatmulForm extends MatmulEpilogue {
  readonly transA: boolean;
  readonly transB: boolean;
  /** Four neighbours of the operand may be loaded as one vec4: its row length and its batch stride are multiples of 4. */
  readonly vecA: boolean;
  readonly vecB: boolean;
  /** n, the batch stride and the row length of the output are multiples of 4. */
  readonly vecOut: boolean;
  /** Halves need the wide loads or stores of their operand. */
  readonly halves?: MatmulHalves;
  /** Every part of k is a multiple of the depth of a panel: nothing is masked along k. */
  readonly whole?: boolean;
  /** Rows of the output are longer than n, with the items of a batch side by side in them. */
  readonly rowOut?: boolean;
}

const PRODUCT_PARAMS = fields(
  'u32 m, u32 n, u32 k, u32 tiles, u32 tiles_n, u32 items, u32 splits, u32 k_chunk, u32 stride_a, u32 stride_b, u32 stride_out',
);
const REDUCE_PARAMS = fields('u32 m, u32 n, u32 batch, u32 splits, u32 stride_partial, u32 stride_out');
const ROW_PARAM = fields('u32 row_out');
/** Invocations of a workgroup of matmul/reduce, each four outputs. */
export const REDUCE_WORKGROUP = 64;

const specs = new Map<string, KernelSpec>();
const once = (name: string, make: () => Omit<KernelSpec, 'name'>): KernelSpec => {
  let spec = specs.get(name);
  if (!spec) specs.set(name, (spec = { name, ...make() }));
  return spec;
};
const flag = (on: boolean | undefined): number => (on ? 1 : 0);
const rowName = (rowOut: boolean | undefined): string => (rowOut ? '-row' : '');
const type = (vec: boolean, half = false): string => (half ? 'vec2u' : vec ? 'vec4f' : 'f32');
const halvesName = (halves: MatmulHalves = {}): string => {
  const names = (['a', 'b', 'out', 'pre'] as const).filter((name) => halves[name]);
  return names.length > 0 ? `-halves.${names.join('.')}` : '';
};
const struct = (params: readonly ParamField[]): string =>
  `struct Params {\n${params.map((f) => `  ${f.name}: ${f.type},\n`).join('')}}\n@group(0) @binding(0) var<uniform> p: Params;\n`;

function epilogueName(e: MatmulEpilogue): string {
  const parts = (['bias', 'gelu', 'dGelu', 'residual', 'accumulate'] as const).filter((name) => e[name]);
  return parts.map((part) => `-${part}`).join('');
}

/** The output bindings and `store`, from binding `first` on. Only what the epilogue uses is declared. */
function outputPart(
  e: MatmulEpilogue,
  vec: boolean,
  first: number,
  rowOut: boolean,
  halves: MatmulHalves = {},
): { code: string; bindings: BindingField[] } {
  const bindings: BindingField[] = [{ name: 'out', access: 'readwrite' }];
  if (e.bias) bindings.push({ name: 'bias', access: 'read' });
  if (e.gelu || e.dGelu) bindings.push({ name: 'pre', access: 'readwrite' });
  if (e.residual) bindings.push({ name: 'residual', access: 'read' });
  const at = (name: string): number => first + bindings.findIndex((binding) => binding.name === name);
  const code = expand(output, {
    TYPE: type(vec),
    OUT_TYPE: type(vec, halves.out),
    PRE_TYPE: type(vec, halves.pre),
    PACK_OUT: halves.out ? 'pack_halves' : '',
    UNPACK_OUT: halves.out ? 'unpack_halves' : '',
    PACK_PRE: halves.pre ? 'pack_halves' : '',
    UNPACK_PRE: halves.pre ? 'unpack_halves' : '',
    VEC: flag(vec),
    SCALAR: flag(!vec),
    BIAS: flag(e.bias),
    GELU: flag(e.gelu),
    D_GELU: flag(e.dGelu),
    PRE: flag(e.gelu || e.dGelu),
    RESIDUAL: flag(e.residual),
    ACCUMULATE: flag(e.accumulate),
    OUT: first,
    BIAS_AT: at('bias'),
    PRE_AT: at('pre'),
    RESIDUAL_AT: at('residual'),
    ROW: rowOut ? 'p.row_out' : 'p.n',
    COLUMN: rowOut ? '(base + col)' : 'col',
  });
  return { code: e.gelu || e.dGelu ? erf + code : code, bindings };
}

/**
 * The kernel for one tiling and form. Bindings: a, b, out, then bias, pre, residual as far as the epilogue has them.
 * Names are unique per combination and calls are memoised.
 */
export function matmulKernel(variant: MatmulVariant, form: MatmulForm): KernelSpec {
  const kind = `${form.transA ? 't' : 'n'}${form.transB ? 't' : 'n'}`;
  const width = [form.vecA, form.vecB, form.vecOut].map((vec) => (vec ? 4 : 1)).join('');
  return once(
    `matmul/${variant.id}/${kind}${width}${epilogueName(form)}${rowName(form.rowOut)}${halvesName(form.halves)}${form.whole ? '-whole' : ''}`,
    () => {
      const { mt, nt, wx, wy, kt, lanes, unroll = kt, twice, unit } = variant;
      const { halves = {} } = form;
      const part = (X: 'a' | 'b', SIZE: string, BINDING: number, vec: boolean, across: boolean): string =>
        expand(operand, {
          X,
          SIZE,
          BINDING,
          TYPE: type(vec, halves[X]),
          QUAD: unit ? 'vec4h' : 'vec4f',
          UNPACK: halves[X] ? (unit ? 'bitcast<vec4h>' : 'unpack_halves') : unit ? 'vec4h' : '',
          VEC: flag(vec),
          SCALAR: flag(!vec),
          ACROSS: flag(across),
          PLAIN: flag(!across),
          MASK: flag(!form.whole),
        });
      const layout = { A_N: flag(!form.transA), A_T: flag(form.transA), B_N: flag(!form.transB), B_T: flag(form.transB) };
      // vec4 loads along k are used only where k is a multiple of 4.
      const tail = !((!form.transA && form.vecA) || (form.transB && form.vecB));
      const main =
        kt === 0
          ? expand(register, {
              ...layout,
              SHARE: flag(lanes),
              OWN: flag(!lanes),
              SHARED_N: flag(lanes && !form.transA),
              SHARED_T: flag(lanes && form.transA),
              OWN_N: flag(!lanes && !form.transA),
              OWN_T: flag(!lanes && form.transA),
              // Subgroup operations need control flow that all lanes share.
              BUSY: lanes ? 'item < p.items' : 'live',
              ALONG_N: lanes ? 'lane' : 'lid.x',
              MT: mt,
              NT: nt,
              WX: wx,
              WY: wy,
              MV: mt / 4,
              NV: nt / 4,
              TAIL: flag(tail),
            })
          : unit
            ? expand(fragmentsSource, {
                ...layout,
                UM: unit.m,
                UN: unit.n,
                UK: unit.k,
                TM: mt * wy,
                TN: nt * wx,
                KT: kt,
                LANES: unit.lanes,
                SUBGROUPS: wx * wy,
                COLS: wx,
                FM: mt / unit.m,
                FN: nt / unit.n,
                LA: (mt * kt) / (4 * wx * unit.lanes),
                LB: (nt * kt) / (4 * wy * unit.lanes),
              })
            : expand(panelsSource, {
                ...layout,
                TX: wx,
                TY: wy,
                KT: kt,
                MV: mt / 4,
                NV: nt / 4,
                LA: (mt * kt) / (4 * wx),
                LB: (nt * kt) / (4 * wy),
                UNROLL: unroll / 4,
                PANELS: twice ? 2 : 1,
                ONCE: flag(!twice),
              });
      const end = outputPart(form, form.vecOut, 3, form.rowOut === true, halves);
      const params = form.rowOut ? [...PRODUCT_PARAMS, ...ROW_PARAM] : PRODUCT_PARAMS;
      return {
        code: [
          ...(lanes ? ['enable subgroups;'] : []),
          ...(unit ? ['enable f16;', 'enable subgroups;', `enable ${MATRIX_EXTENSION};`, 'requires subgroup_id;'] : []),
          ...(halvesName(halves) ? [halvesLib] : []),
          struct(params),
          part('a', 'm', 1, form.vecA, form.transA),
          part('b', 'n', 2, form.vecB, !form.transB),
          end.code,
          main,
        ].join('\n'),
        params,
        bindings: [{ name: 'a', access: 'read' }, { name: 'b', access: 'read' }, ...end.bindings],
        ...(lanes ? { features: ['subgroups'] as const } : {}),
        ...(unit ? { features: UNIT_FEATURES } : {}),
      };
    },
  );
}

/** Adds the partial products of a split over K in order and applies the epilogue. Bindings: partial, then as above. */
export function matmulReduceKernel(epilogue: MatmulEpilogue, vec: boolean, rowOut = false, halves: MatmulHalves = {}): KernelSpec {
  const { out, pre } = halves;
  return once(`matmul/reduce/${vec ? 4 : 1}${epilogueName(epilogue)}${rowName(rowOut)}${halvesName({ out, pre })}`, () => {
    const end = outputPart(epilogue, vec, 2, rowOut, halves);
    const params = rowOut ? [...REDUCE_PARAMS, ...ROW_PARAM] : REDUCE_PARAMS;
    const main = expand(reduce, { TYPE: type(vec), VEC: flag(vec), SCALAR: flag(!vec) });
    return {
      code: [...(out || pre ? [halvesLib] : []), struct(params), end.code, main].join('\n'),
      params,
      bindings: [{ name: 'partial', access: 'read' }, ...end.bindings],
    };
  });
}
