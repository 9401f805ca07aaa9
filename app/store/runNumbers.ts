/**
 * Numbers of the runs that the page shows, whoever made them. A worker counts its own runs from 1; a recording gets a number, too: above all
 * before it, so that what a worker still has to say of an older run is dropped, and below all after it.
 */
export class RunNumbers {
  /** The highest number given. */
  private highest = 0;
  /** The newest run of the present worker, as it counts and as the page does. */
  private ofWorker = 0;
  private ofPage = 0;

  /** The page's number for a worker's run; −1 for one older than its newest, 0 for none. */
  of(run: number): number {
    if (run <= 0) return 0;
    if (run < this.ofWorker) return -1;
    if (run > this.ofWorker) {
      this.ofWorker = run;
      this.ofPage = this.highest = Math.max(this.highest + 1, run);
    }
    return this.ofPage;
  }

  /** A number above all others, for a run that no worker makes. */
  next(): number {
    return ++this.highest;
  }

  /** A fresh worker counts from 1 again. */
  restart(): void {
    this.ofWorker = 0;
  }
}
