import { cancelled, type Progress } from './types';

/** Longest stretch of decoding without letting the worker answer messages, a cancel among them. */
const SLICE_MS = 24;
const REPORT_MS = 100;
const RATE_WINDOW_MS = 3000;

/**
 * Keeps a long load polite: yields to the worker's message loop, notices a cancel, and reports progress at most ten
 * times a second. One per load.
 */
export class Pace {
  stage = '';
  bytes = 0;
  totalBytes = 0;
  images = 0;
  totalImages = 0;
  private resumed = performance.now();
  private reported = -Infinity;
  private marks: { at: number; bytes: number }[] = [];

  constructor(
    readonly signal: AbortSignal,
    private readonly onProgress: Progress,
  ) {}

  /** Throws a `cancelled` DataError once the load was cancelled. */
  check(): void {
    if (this.signal.aborted) throw cancelled(this.stage || 'data set');
  }

  /** Call it often, at least once per few hundred microseconds of work. */
  async breathe(): Promise<void> {
    this.check();
    this.report(false);
    if (performance.now() - this.resumed < SLICE_MS) return;
    await new Promise((resume) => setTimeout(resume, 0));
    this.resumed = performance.now();
    this.check();
  }

  /** Begins a stage. The byte counter and its rate start afresh. */
  begin(stage: string, totalBytes: number): void {
    this.stage = stage;
    this.bytes = 0;
    this.totalBytes = totalBytes;
    this.marks = [];
    this.report(true);
  }

  /** Tells the page where it stands; without `now` only when the last report is old enough. */
  report(now: boolean): void {
    const at = performance.now();
    if (!now && at - this.reported < REPORT_MS) return;
    this.reported = at;
    this.marks.push({ at, bytes: this.bytes });
    while (this.marks.length > 2 && at - (this.marks[0]?.at ?? at) > RATE_WINDOW_MS) this.marks.shift();
    const first = this.marks[0] ?? { at, bytes: 0 };
    const bytesPerSecond = at > first.at ? ((this.bytes - first.bytes) / (at - first.at)) * 1000 : 0;
    this.onProgress({
      stage: this.stage,
      bytes: this.bytes,
      totalBytes: this.totalBytes,
      bytesPerSecond,
      images: this.images,
      totalImages: this.totalImages,
    });
  }
}
