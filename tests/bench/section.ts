/** One line of a printed table; the keys are its column heads, with units. */
export type Row = Readonly<Record<string, string | number>>;

/** A module of `sections/`, run inside the bench page. */
export interface Section {
  readonly title: string;
  /** How the figures are to be read; printed under the table. */
  readonly note?: string;
  /** `argument` is what follows the name and a colon, where a section takes one. */
  run(argument?: string): Promise<Row[]>;
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? NaN) : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
};

/** Rounded to three significant digits, or to an integer where that has more. */
export const round = (value: number): number => (Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3)));

export const mebibytes = (bytes: number): number => round(bytes / 2 ** 20);
