export function table(rows: readonly Readonly<Record<string, string | number>>[]): string;
