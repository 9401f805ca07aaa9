/** Columns in order of first appearance, padded; numbers to the right. */
export function table(rows) {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cells = rows.map((row) => columns.map((column) => String(row[column] ?? '')));
  const widths = columns.map((column, i) => Math.max(column.length, ...cells.map((line) => (line[i].length > 48 ? 0 : line[i].length))));
  const right = columns.map((column) => rows.some((row) => typeof row[column] === 'number'));
  const line = (values) =>
    values.map((text, i) => (right[i] && text.length <= widths[i] ? text.padStart(widths[i]) : text.padEnd(widths[i]))).join('  ');
  return [line(columns), widths.map((width) => '─'.repeat(width)).join('  '), ...cells.map(line)].map((text) => text.trimEnd()).join('\n');
}
