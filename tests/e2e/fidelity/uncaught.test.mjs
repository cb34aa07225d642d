// @ts-check
// What nobody caught: DevTools shows it, console wrappers never see it.
import assert from 'node:assert/strict';
import { fidelity } from './harness.mjs';

const claim = fidelity({
  '/thrower.html': `<!doctype html><script>
    Promise.reject(new Error('missing key at index 21'));
    setTimeout(() => { throw new Error('missing key at index 22'); });
  </script>`,
});

/** What a test needs of an entry. */
const brief = ({ message, source, level, realm, stack }) => ({
  message,
  source,
  level,
  realm,
  stack: stack !== null,
});

claim(
  'uncaught errors and unhandled rejections that match are kept, marked, and still reported by the browser',
  async ({ page }) => {
    const { entries, reported } = await page.evaluate(async () => {
      const { start, until } = await import('/kit.js');
      const { diag } = await start();
      const reported = [];
      window.onerror = (message, source, line, column, error) =>
        void reported.push(['error', error?.message ?? message]);
      addEventListener('unhandledrejection', (event) => reported.push(['rejection', event.defaultPrevented]));
      addEventListener('error', (event) => reported.push(['prevented', event.defaultPrevented]));
      setTimeout(() => {
        throw new Error('missing key at index 1');
      });
      setTimeout(() => {
        throw 'missing key at index 2';
      });
      setTimeout(() => {
        throw { text: 'missing key at index 3' };
      });
      setTimeout(() => {
        throw new Error('of no concern');
      });
      setTimeout(() => {
        throw null;
      });
      Promise.reject(new DOMException('missing key at index 4', 'AbortError'));
      Promise.reject(undefined);
      await until(
        () =>
          reported.filter(([kind]) => kind === 'prevented').length === 5 && diag.getEntries().length === 4,
      );
      await until(() => reported.filter(([kind]) => kind === 'rejection').length === 2);
      return { entries: diag.getEntries(), reported };
    });
    const uncaught = { source: 'uncaught', level: 'error', realm: { kind: 'main', path: null } };
    const sorted = entries.map(brief).sort((a, b) => (a.message < b.message ? -1 : 1));
    assert.deepEqual(
      sorted.map(({ stack, ...rest }) => rest),
      [
        { message: 'AbortError: missing key at index 4', ...uncaught },
        { message: 'Error: missing key at index 1', ...uncaught },
        { message: 'missing key at index 2', ...uncaught },
        { message: '{text: "missing key at index 3"}', ...uncaught },
      ],
    );
    assert.equal(sorted[1].stack, true);
    assert.ok(reported.every(([kind, value]) => kind === 'error' || value === false));
    assert.ok(reported.some(([kind, value]) => kind === 'error' && value === 'missing key at index 1'));
  },
);

claim('what nobody caught in a frame is kept with the frame', async ({ page }) => {
  const entries = await page.evaluate(async () => {
    const { add, start, until } = await import('/kit.js');
    const { diag } = await start();
    await add('iframe', { src: '/thrower.html?secret=1' });
    return until(() => diag.getEntries().length === 2 && diag.getEntries());
  });
  const frame = { source: 'uncaught', level: 'error', realm: { kind: 'frame', path: '/thrower.html' } };
  assert.deepEqual(
    entries
      .map(({ message, source, level, realm }) => ({ message, source, level, realm }))
      .sort((a, b) => (a.message < b.message ? -1 : 1)),
    [
      { message: 'Error: missing key at index 21', ...frame },
      { message: 'Error: missing key at index 22', ...frame },
    ],
  );
});

claim('installed again after uninstall, each uncaught error is kept once', async ({ page }) => {
  const kept = await page.evaluate(async () => {
    const { start, until } = await import('/kit.js');
    const { diag } = await start();
    diag.uninstall();
    diag.install();
    diag.uninstall();
    let over = 0;
    addEventListener('error', () => over++);
    setTimeout(() => {
      throw new Error('missing key at index 1');
    });
    await until(() => over === 1);
    const stopped = diag.getCounts().total;
    diag.install();
    setTimeout(() => {
      throw new Error('missing key at index 2');
    });
    await until(() => over === 2);
    return [stopped, diag.getCounts().total];
  });
  assert.deepEqual(kept, [0, 1]);
});

claim("events of the page's own making run none of its getters", async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const { start } = await import('/kit.js');
    const { diag } = await start();
    let ran = 0;
    const run = () => {
      ran++;
      return 'missing key at index 1';
    };
    for (const event of [
      new Event('error'),
      new ErrorEvent('error', { error: {} }),
      new Event('unhandledrejection'),
    ]) {
      for (const key of ['error', 'message', 'reason']) Object.defineProperty(event, key, { get: run });
      window.dispatchEvent(event);
    }
    window.dispatchEvent(new ErrorEvent('error', { message: 'missing key at index 2' }));
    return [ran, diag.getEntries().map((entry) => entry.message)];
  });
  assert.deepEqual(seen, [0, ['missing key at index 2']]);
});
