// @ts-check

/** Of the time that passes, rendering may take one part in ten: a storm of lines leaves the rest to the page. */
const REST_PER_COST = 9;
/** Milliseconds that a rest lasts at most, or one slow frame would leave the card behind for long. */
const REST_MAX = 1000;

/**
 * Runs a piece of rendering at most once per animation frame, however often it is asked for, and rests after costly
 * frames.
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
    // Layout and painting follow in the same task as the frame's callbacks, so a timer runs after them. What else the
    // page was busy with meanwhile counts, too: a busy page is given more rest.
    setTimeout(() => {
      const now = performance.now();
      this.#notBefore = now + Math.min((now - begun) * REST_PER_COST, REST_MAX);
    });
  }
}
