// @ts-check
/**
 * Tells whether anybody could see an element: the tab is in front, and the element has a box in or near the viewport
 * (a closed `<details>`, `display: none` and a place far down the page all count as out of sight).
 *
 * @param {Element} element
 * @param {(visible: boolean) => void} changed called when the answer changes; the first answer is "no" until it is called
 * @returns {() => void} stops watching
 */
export function watchVisibility(element, changed) {
  const document = element.ownerDocument;
  // Until the observer's first report, which comes with the next frame, the element's own word has to do.
  let inView = element.checkVisibility?.() ?? true;
  let visible = false;

  const update = () => {
    const now = inView && document.visibilityState === 'visible';
    if (now === visible) return;
    visible = now;
    changed(now);
  };
  // Begun a little early, so that what scrolls into view is already there.
  const observer = new IntersectionObserver(
    (reports) => {
      inView = reports[reports.length - 1].isIntersecting;
      update();
    },
    { rootMargin: '200px' },
  );
  observer.observe(element);
  document.addEventListener('visibilitychange', update);
  update();
  return () => {
    observer.disconnect();
    document.removeEventListener('visibilitychange', update);
  };
}
