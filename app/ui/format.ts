import { day, setting } from '../protocol/numbers';

export { day, parseNumber, setting } from '../protocol/numbers';

const THIN = '\u2009';
const MINUS = '\u2212';

/** 12 480, with thin spaces. */
export const whole = (value: number): string =>
  (value < 0 ? MINUS : '') +
  Math.abs(Math.round(value))
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, THIN);

export interface Figure {
  readonly value: string;
  readonly unit: string;
}

const scaled = (value: number, units: readonly string[], base: number): Figure => {
  let i = 0;
  while (Math.abs(value) >= base && i < units.length - 1) {
    value /= base;
    i++;
  }
  return {
    value: i === 0 ? whole(value) : value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0),
    unit: units[i]!,
  };
};
/** 5.36 M */
export const count = (value: number): Figure => scaled(value, ['', 'k', 'M', 'G'], 1000);
/** 1.32 GB, decimal units as on the wire. */
export const bytes = (value: number): Figure => scaled(value, ['B', 'kB', 'MB', 'GB', 'TB'], 1000);
/** Megabytes with one decimal, for a download. */
export const megabytes = (value: number): string => (value / 1e6).toFixed(1);
export const text = ({ value, unit }: Figure): string => (unit ? `${value} ${unit}` : value);

/** "4 min 50 s", "16.0 s", "2 h 05 min"; a dash where it is not known. */
export function duration(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds) || seconds < 0) return '–';
  if (seconds < 60) return seconds < 20 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
  return `${Math.round(minutes / 1440)} days`;
}
/** For sentences: "about 2 min". */
export function roughly(seconds: number): string {
  if (seconds < 50) return `${Math.max(1, Math.round(seconds / 5) * 5)} s`;
  if (seconds < 90 * 60) return `${Math.max(1, Math.round(seconds / 60))} min`;
  return seconds < 48 * 3600 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}

/** The length of a run in epochs: "0.03", "2.4", "50"; never 0 for a run that has a length. */
export const epochs = (n: number): string => (n > 0 && n < 0.005 ? '< 0.01' : String(Number(n.toFixed(n < 0.095 ? 2 : n < 10 ? 1 : 0))));

/** "from 1e−4 to 10" */
export const range = (min: number, max: number): string => `from ${setting(min)} to ${setting(max)}`;
/** "1 block", "3 blocks" */
export const plural = (n: number, word: string): string => `${whole(n)} ${word}${n === 1 ? '' : 's'}`;

/** "12 Nov 2026, 14:05", where the visitor is. */
export const moment = (date: number): string =>
  `${day(date)}, ${new Date(date).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })}`;

/** "just now", "4 minutes ago", "3 hours ago", "2 days ago". */
export function ago(milliseconds: number): string {
  const minutes = Math.round(milliseconds / 60_000);
  if (!(minutes >= 1)) return 'just now';
  if (minutes < 90) return `${plural(minutes, 'minute')} ago`;
  return minutes < 36 * 60 ? `${plural(Math.round(minutes / 60), 'hour')} ago` : `${plural(Math.round(minutes / 1440), 'day')} ago`;
}
