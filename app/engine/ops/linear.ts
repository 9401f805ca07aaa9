import type { MatmulHalves } from '../../../kernels/matmul/matmul';
import type { View } from '../gpu/buffers';
import type { Recorder } from '../gpu/recorder';
import { recordMatmul, type MatmulShape, type MatmulTuning } from './matmul';
import { recordColumnParts, type PendingSums } from './pendingSums';
import { recordColumnSum } from './reduce';

export interface LinearShape {
  /** Samples or tokens. */
  readonly rows: number;
  /** Columns of the input and of the weight. */
  readonly inputs: number;
  /** Rows of the weight. */
  readonly outputs: number;
}

/** The matrix products of y = x Wᵀ + b and its gradients. */
export const linearProducts = ({ rows, inputs, outputs }: LinearShape) =>
  ({
    forward: { m: rows, n: outputs, k: inputs, transB: true },
    dInput: { m: rows, n: inputs, k: outputs },
    dWeight: { m: outputs, n: inputs, k: rows, transA: true },
  }) as const satisfies Record<string, MatmulShape>;

export interface LinearArgs extends LinearShape {
  /** f32 [rows, inputs]. */
  readonly x: View;
  /** f32 [outputs, inputs]. */
  readonly weight: View;
  /** f32 [outputs]. */
  readonly bias: View;
  /** f32 [rows, outputs]. */
  readonly out: View;
  /** Receives x Wᵀ + b; out becomes its GELU. */
  readonly gelu?: View;
  /** f32 [rows, outputs], added to out. */
  readonly residual?: View;
  /** What is stored in half precision instead, see `MatmulArgs.halves`: the input, or the output with `gelu`. */
  readonly halves?: { readonly x?: boolean; readonly out?: boolean };
  /** Room for products split over k; see `MatmulArgs.scratch`. */
  readonly scratch: View;
  /** Name of the layer: `${label}.weight` is the parameter. */
  readonly label: string;
}

/** How a model computes its linear layers: `recordLinear`, or something that gives nearly the same with other weights. */
export type RecordLinear = (recorder: Recorder, tuning: MatmulTuning, args: LinearArgs) => void;

/** What of a product that stores the output is in half precision. */
export const forwardHalves = ({ halves = {}, gelu }: LinearArgs): MatmulHalves => ({
  a: halves.x === true,
  out: halves.out === true,
  pre: halves.out === true && gelu !== undefined,
});

/** out = x Wᵀ + b, with GELU or a residual in the same dispatch. */
export function recordLinear(recorder: Recorder, tuning: MatmulTuning, args: LinearArgs): void {
  const { x, weight, bias, out, gelu, residual, scratch, label } = args;
  const halves = forwardHalves(args);
  recordMatmul(recorder, tuning, { ...linearProducts(args).forward, a: x, b: weight, bias, out, gelu, residual, halves, scratch, label });
}

export interface LinearBackwardArgs extends LinearShape {
  readonly x: View;
  readonly weight: View;
  /** f32 [rows, outputs]. */
  readonly dOut: View;
  /** f32 [rows, inputs]; left out where nothing upstream needs it. */
  readonly dInput?: View;
  /** f32 [outputs, inputs]. */
  readonly dWeight: View;
  /** f32 [outputs]; left out where it is summed elsewhere. */
  readonly dBias?: View | undefined;
  /** What is stored in half precision instead. */
  readonly halves?: { readonly x?: boolean; readonly dOut?: boolean; readonly dInput?: boolean };
  /** Where dBias waits to be added up, on a graphics card; outputs is a multiple of 4 then. */
  readonly sums?: PendingSums | undefined;
  /**
   * f32 [rows, inputs], or in half precision as dInput is: the input of the GELU whose output x was. dInput becomes the gradient of that,
   * and GELU's output takes its place.
   */
  readonly dGelu?: View | undefined;
  /** At least `columnSumScratch(rows, outputs)` elements. */
  readonly scratch: View;
  readonly label: string;
}

/** dInput = dOut W. */
export function recordLinearInput(recorder: Recorder, tuning: MatmulTuning, args: Omit<LinearBackwardArgs, 'x' | 'dWeight'>): void {
  const { dOut, weight, dInput, dGelu, halves, scratch, label } = args;
  if (!dInput) return;
  recordMatmul(recorder, tuning, {
    ...linearProducts(args).dInput,
    a: dOut,
    b: weight,
    out: dInput,
    dGelu,
    halves: { a: halves?.dOut === true, out: halves?.dInput === true, pre: dGelu !== undefined && halves?.dInput === true },
    scratch,
    label: `${label}.dInput`,
  });
}

/** dWeight = dOutᵀ x, dBias = column sums of dOut. */
export function recordLinearWeight(recorder: Recorder, tuning: MatmulTuning, args: Omit<LinearBackwardArgs, 'weight' | 'dInput'>): void {
  const { rows, outputs, x, dOut, dWeight, dBias, sums, halves, scratch, label } = args;
  recordMatmul(recorder, tuning, {
    ...linearProducts(args).dWeight,
    a: dOut,
    b: x,
    out: dWeight,
    halves: { a: halves?.dOut === true, b: halves?.x === true },
    scratch,
    label: `${label}.dWeight`,
  });
  if (!dBias) return;
  const bias = { rows, cols: outputs, input: dOut, halves: halves?.dOut, out: dBias, label: `${label}.dBias` };
  if (sums) recordColumnParts(recorder, sums, bias);
  else recordColumnSum(recorder, { ...bias, scratch });
}

/** All three gradients, that of the input last: it may take the place of x. */
export function recordLinearBackward(recorder: Recorder, tuning: MatmulTuning, args: LinearBackwardArgs): void {
  recordLinearWeight(recorder, tuning, args);
  recordLinearInput(recorder, tuning, args);
}
