import manifestUrl from '../golden/manifest.json?url';

interface Tolerance {
  atol: number;
  scale: number;
  f32_error: number;
  atol_rms?: number;
  skip_rows?: number[] | [number, number];
}
export interface GoldenCase {
  id: string;
  kind: string;
  file: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the manifest's parameters differ by kind
  params: any;
  inputs: string[];
  expected: Record<string, Tolerance>;
  scalars?: Record<string, { value: number; atol?: number; accept?: [number, number]; f32_error?: number }>;
}
export interface GoldenTensor {
  shape: number[];
  data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
}

const files = import.meta.glob<string>('../golden/*.safetensors', { query: '?url', import: 'default', eager: true });

/** All cases of one kind, with the tensors of their file. */
export async function goldenCases(kind: string): Promise<{ spec: GoldenCase; tensors: Map<string, GoldenTensor> }[]> {
  const manifest = (await (await fetch(manifestUrl)).json()) as { cases: GoldenCase[] };
  const cases = manifest.cases.filter((c) => c.kind === kind);
  const opened = new Map<string, Map<string, GoldenTensor>>();
  for (const c of cases) if (!opened.has(c.file)) opened.set(c.file, await goldenTensors(c.file));
  return cases.map((spec) => ({ spec, tensors: opened.get(spec.file)! }));
}

/** Parses one of the golden safetensors files. */
export async function goldenTensors(file: string): Promise<Map<string, GoldenTensor>> {
  const url = files[`../golden/${file}`];
  if (!url) throw new Error(`tests/golden/${file} is missing`);
  const bytes = await (await fetch(url)).arrayBuffer();
  const headerLength = Number(new DataView(bytes).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 8, headerLength))) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  const out = new Map<string, GoldenTensor>();
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const part = bytes.slice(8 + headerLength + data_offsets[0], 8 + headerLength + data_offsets[1]);
    out.set(name, { shape, data: dtype === 'I32' ? new Int32Array(part) : new Float32Array(part) });
  }
  return out;
}
