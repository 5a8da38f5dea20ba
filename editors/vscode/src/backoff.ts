/** How long to wait before a server that ended is started again. */

const FIRST_MS = 250;
const LONGEST_MS = 60_000;
/** A server that ran so long was well: what ends it now is another matter. */
const WELL_MS = 120_000;

export class Backoff {
  private ends = 0;

  /** Note that the server ended after `ranMs`; give the wait, and whether it is the first end. */
  next(ranMs: number): { waitMs: number; first: boolean } {
    if (ranMs >= WELL_MS) {
      this.ends = 0;
    }
    this.ends += 1;
    const waitMs = Math.min(FIRST_MS * 2 ** (this.ends - 1), LONGEST_MS);
    return { waitMs, first: this.ends === 1 };
  }

  /** The person started it: begin anew. */
  reset(): void {
    this.ends = 0;
  }
}
