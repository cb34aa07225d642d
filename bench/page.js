// @ts-check
// The cases of `npm run bench`, in a page of their own.

const ROUNDS = 7;
const NODES = 10_000;

const pad = (/** @type {string} */ text, /** @type {number} */ length) => text.padEnd(length, ' lorem ipsum');
const deep = () => {
  /** @type {any} */
  let value = {};
  for (let at = 0; at < 20_000; at++) value = { value };
  return value;
};

/** @type {Record<string, {calls: number, args: unknown[]}>} */
const CASES = {
  'no match, 200 characters': { calls: 20_000, args: [pad('a line', 200)] },
  'no match, 3 arguments with an Error': {
    calls: 10_000,
    args: ['[x]', 'a line', new Error('of another kind')],
  },
  'no match, 2 KB': { calls: 10_000, args: [pad('a line', 2048)] },
  'match, 200 characters': { calls: 5_000, args: [pad('missing key at index 3 for participant', 200)] },
  '5 MB string': { calls: 5, args: [pad('a line', 5 << 20)] },
  'object of 200,000 keys': {
    calls: 3,
    args: [Object.fromEntries(Array.from({ length: 200_000 }, (_, at) => [`k${at}`, at]))],
  },
  'object 20,000 deep': { calls: 200, args: [deep()] },
};

const NEEDLES = [
  'already exists',
  'missing key at index',
  'MissingKey',
  'key set not found',
  'DecryptionError',
].concat(['io.element.call.encryption_keys', 'update_delayed_event', 'delayed event']);

/** What a simple capturer does: joins the arguments and looks for eight words. */
function trivial(/** @type {(...args: unknown[]) => void} */ original) {
  /** @type {string[]} */
  const kept = [];
  return (/** @type {unknown[]} */ ...args) => {
    const line = args.map(String).join(' ');
    if (NEEDLES.some((needle) => line.includes(needle))) kept[kept.length % 200] = line;
    original(...args);
  };
}

/** Nanoseconds a call. */
function time(
  /** @type {(...args: unknown[]) => void} */ call,
  /** @type {{calls: number, args: unknown[]}} */ { calls, args },
) {
  const start = performance.now();
  for (let at = 0; at < calls; at++) call(...args);
  return ((performance.now() - start) * 1e6) / calls;
}

/** Milliseconds for a burst of nodes, until observers have run. */
async function insertNodes() {
  const host = document.createElement('div');
  document.body.append(host);
  const start = performance.now();
  for (let at = 0; at < NODES; at++) {
    const node = document.createElement('div');
    node.append(document.createElement('span'), 'text');
    host.append(node);
  }
  await Promise.resolve();
  const spent = performance.now() - start;
  host.remove();
  return spent;
}

const median = (/** @type {number[]} */ values) => values.sort((a, b) => a - b)[values.length >> 1];
const rounded = (/** @type {number} */ value) =>
  value < 10 ? Math.round(value * 100) / 100 : Math.round(value);

/** @param {string} library the URL of the package */
export async function run(library) {
  const native = console.warn;
  const nothing = () => {};
  // The capture wraps a console whose method does nothing, so that only the capture is timed.
  console.warn = nothing;
  const diag = await import(library);
  const before = [];
  for (let round = 0; round < ROUNDS; round++) before.push(await insertNodes());
  const start = performance.now();
  diag.install();
  const started = performance.now() - start;
  const captured = console.warn;
  const plain = trivial(nothing);

  const results = [];
  for (const [name, work] of Object.entries(CASES)) {
    /** @type {Record<string, number[]>} */
    const times = { capture: [], trivial: [], native: [] };
    // `String` cannot be had of the deepest and largest values within reason; then there is nothing to compare with.
    for (let round = 0; round < ROUNDS; round++) {
      times.capture.push(time(captured, work));
      times.trivial.push(time(plain, work));
      times.native.push(time(native.bind(console), { ...work, calls: Math.min(work.calls, 50) }));
    }
    const [capture, other, own] = [times.capture, times.trivial, times.native].map(median);
    results.push({
      name,
      'capture, ns': rounded(capture),
      'trivial wrapper, ns': rounded(other),
      'native, ns': rounded(own),
      'to trivial': rounded(capture / other),
      'to native': rounded(capture / own),
    });
  }
  const after = [];
  for (let round = 0; round < ROUNDS; round++) after.push(await insertNodes());
  results.push({
    name: `${NODES} nodes added, ms`,
    'with the frame watcher': rounded(median(after)),
    without: rounded(median(before)),
    ratio: rounded(median(after) / median(before)),
  });
  results.push({ name: 'install(), ms', once: rounded(started) });
  return results;
}
