// @ts-check

/** Of the time that passes, rendering may take one part in ten: a storm of lines leaves the rest to the page. */
const REST_PER_COST = 9;

/**
 * Runs a piece of rendering at most once per animation frame, however often it is asked for, and rests after costly
 * runs.
 */
export class FrameSchedule {
  /** @type {() => void} */ #work;
  /** @type {number | null} */ #frame = null;
  /** Until when to rest, as performance.now() counts. */
  #notBefore = 0;

  /** @param {() => void} work */
  constructor(work) {
    this.#work = work;
  }

  /** Asks for a run in a coming frame. */
  request() {
    this.#frame ??= requestAnimationFrame(() => this.#tick());
  }

  /** Takes the request back. */
  cancel() {
    if (this.#frame !== null) cancelAnimationFrame(this.#frame);
    this.#frame = null;
  }

  #tick() {
    this.#frame = null;
    const begun = performance.now();
    if (begun < this.#notBefore) {
      this.request();
      return;
    }
    this.#work();
    const ended = performance.now();
    this.#notBefore = ended + (ended - begun) * REST_PER_COST;
  }
}
