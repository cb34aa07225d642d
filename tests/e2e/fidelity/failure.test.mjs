// @ts-check
// The capture's own failure, and a page that breaks the language under it: the page goes on, and the report says what happened.
import assert from 'node:assert/strict';
import { fidelity } from './harness.mjs';

const claim = fidelity();
/** Firefox compiles a function once it has run some 1,500 times, and ends it when it finds the time; here soon, as on a page that has
 * run for long. Frames are small then. */
const compiled = fidelity({}, { preferences: { 'javascript.options.ion.threshold': 50 } });

/** What a page may have broken by the time that a line comes: an expression for the object, and the name of its property. */
const POISONS = [
  ...[
    'map',
    'push',
    'slice',
    'splice',
    'filter',
    'find',
    'findIndex',
    'forEach',
    'join',
    'concat',
    'indexOf',
    'reduce',
  ]
    .concat([
      'every',
      'some',
      'includes',
      'keys',
      'values',
      'entries',
      'toString',
      'toJSON',
      'Symbol.iterator',
      'Symbol.species',
    ])
    .map((name) => ['Array.prototype', name]),
  ['Object.prototype', 'toJSON'],
  ...['stringify', 'parse'].map((name) => ['JSON', name]),
  ...[
    'slice',
    'indexOf',
    'charCodeAt',
    'replace',
    'replaceAll',
    'split',
    'startsWith',
    'includes',
    'padStart',
    'toString',
  ]
    .concat(['valueOf', 'trim', 'match', 'Symbol.iterator', 'toJSON'])
    .map((name) => ['String.prototype', name]),
  ...['exec', 'test', 'toString', 'Symbol.match', 'Symbol.replace', 'Symbol.split', 'Symbol.search'].map(
    (name) => ['RegExp.prototype', name],
  ),
  ...['get', 'set', 'has', 'forEach', 'values', 'Symbol.iterator'].map((name) => ['Map.prototype', name]),
  ...['add', 'has', 'delete', 'forEach', 'Symbol.iterator'].map((name) => ['Set.prototype', name]),
  ...['get', 'set', 'has'].map((name) => ['WeakMap.prototype', name]),
  ...['add', 'has'].map((name) => ['WeakSet.prototype', name]),
  ['WeakRef.prototype', 'deref'],
  ...[
    'apply',
    'construct',
    'get',
    'ownKeys',
    'getPrototypeOf',
    'getOwnPropertyDescriptor',
    'defineProperty',
  ].map((name) => ['Reflect', name]),
  ...[
    'assign',
    'freeze',
    'keys',
    'entries',
    'fromEntries',
    'defineProperty',
    'getOwnPropertyDescriptor',
    'getPrototypeOf',
  ].map((name) => ['Object', name]),
  ...['apply', 'call', 'bind', 'toString', 'Symbol.hasInstance'].map((name) => ['Function.prototype', name]),
  ...['isError', 'prepareStackTrace', 'captureStackTrace'].map((name) => ['Error', name]),
  ['Error.prototype', 'toString'],
  ['Array', 'isArray'],
  ['Array', 'from'],
  ['Number.prototype', 'toString'],
  ['Number', 'isSafeInteger'],
  ...['max', 'min', 'round', 'trunc', 'floor'].map((name) => ['Math', name]),
  ['Date', 'now'],
  ['Date.prototype', 'toISOString'],
  ['Symbol.prototype', 'toString'],
  ['Symbol.prototype', 'Symbol.toPrimitive'],
  ['Promise.prototype', 'then'],
  ['TextEncoder.prototype', 'encodeInto'],
  ['TextDecoder.prototype', 'decode'],
  ['MessagePort.prototype', 'postMessage'],
  ['Object.getPrototypeOf(Uint8Array.prototype)', 'subarray'],
  ['Object.getPrototypeOf(Uint8Array.prototype)', 'set'],
  ['Object.getPrototypeOf([][Symbol.iterator]())', 'next'],
  ['globalThis', 'Uint8Array'],
  ['globalThis', 'TextEncoder'],
  ['globalThis', 'RegExp'],
  ['globalThis', 'URL'],
  ['globalThis', 'WebAssembly'],
  ['performance', 'now'],
];

/** For each round: breaks everything named, logs some lines, reads everything back, and mends it again. */
const breakAndLog = async (/** @type {string[][][]} */ rounds) => {
  const { start } = await import('/kit.js');
  const { diag, calls } = await start();
  const frame = document.body.appendChild(document.createElement('iframe'));
  await new Promise((resolve) => setTimeout(resolve));
  diag.subscribe(() => {});
  const logs = [
    console.error,
    console.warn,
    console.info,
    /** @type {any} */ (frame.contentWindow).console.error,
  ];
  const long = 'x '.repeat(100_000);
  // Looked up beforehand: what mends must not need what is broken.
  const { apply, defineProperty, deleteProperty } = Reflect;
  const broken = () => {
    throw new Error('broken by the page');
  };
  const symbolOf = (name) => (name.startsWith('Symbol.') ? Symbol[name.slice(7)] : name);

  return rounds.map((poisons) => {
    diag.clear();
    calls.length = 0;
    const breaks = poisons.map(([object, name]) => {
      const target = (0, eval)(object);
      return { target, key: symbolOf(name), was: Reflect.getOwnPropertyDescriptor(target, symbolOf(name)) };
    });
    const failed = [];
    const attempt = (what, work) => {
      try {
        return work();
      } catch (/** @type {any} */ error) {
        failed[failed.length] = what + ': ' + error.message + ' ' + error.stack;
        return undefined;
      }
    };
    const error = new Error('missing key at index 2', { cause: new Error('the cause') });
    let text;
    let read;
    for (let at = 0; at < breaks.length; at++) {
      defineProperty(breaks[at].target, breaks[at].key, {
        value: broken,
        configurable: true,
        writable: true,
      });
    }
    try {
      attempt('plain', () => logs[0]('missing key at index 1'));
      attempt('error', () => logs[1]('prefix', error, { a: [1, 'x"y', Symbol.iterator], b: { c: 1 } }));
      attempt('template', () => logs[0]('%s key at index %d %o', 'missing', 3, [1]));
      attempt('frame', () => logs[3]('missing key at index 4'));
      attempt('long', () => logs[0]('missing key at index 5 ', long));
      attempt('sent', () =>
        logs[2]('Enqueuing batch of to-device messages. type=x txnid=y', ['@a:b/C (msgid 1)']),
      );
      attempt('nothing', () => logs[1]('nothing', 7, { a: 1 }));
      read = attempt('getEntries', () => diag.getEntries().length);
      attempt('getCounts', () => diag.getCounts().total);
      attempt('getCaptureStatus', () => diag.getCaptureStatus().state);
      text = attempt('buildReport', () => diag.buildReport(null));
    } finally {
      for (let at = breaks.length - 1; at >= 0; at--) {
        const { target, key, was } = breaks[at];
        if (was) apply(defineProperty, undefined, [target, key, was]);
        else deleteProperty(target, key);
      }
    }
    const report = text && JSON.parse(text);
    return {
      failed,
      read,
      messages: report?.entries.map((entry) => entry.message.slice(0, 120)),
      calls: calls.length,
      counts: report?.counts['KE-2'],
      sent: report?.sent.length,
      state: report?.capture.state,
      realm: report?.entries[3]?.realm.kind,
      documents: report?.capture.frames.documents.length,
    };
  });
};

/** What is the same, whatever is broken. */
const checkRound = (/** @type {any} */ seen, /** @type {string} */ name) => {
  assert.deepEqual(seen.failed, [], name);
  assert.deepEqual(
    seen.messages,
    [
      'missing key at index 1',
      'prefix Error: missing key at index 2 [cause: Error: the cause] {a: [1, "x\\"y", Symbol(Symbol.iterator)], b: {c: 1}}',
      'missing key at index 3 [1]',
      'missing key at index 4',
      'missing key at index 5  ' + 'x '.repeat(48),
    ],
    name,
  );
  assert.deepEqual(
    [seen.read, seen.counts, seen.sent, seen.state, seen.realm],
    [5, 5, 1, 'capturing', 'frame'],
    name,
  );
  assert.deepEqual([seen.calls, seen.documents], [6, 1], name);
};

claim('with any one builtin broken after install, capture and report go on', async ({ page }) => {
  const seen = await page.evaluate(
    breakAndLog,
    POISONS.map((poison) => [poison]),
  );
  assert.equal(seen.length, POISONS.length);
  for (const [at, round] of seen.entries()) checkRound(round, POISONS[at].join(' '));
});

claim(
  'with any one builtin broken, a collected report is made, and no rejection reaches the page',
  async ({ page }) => {
    const seen = await page.evaluateUndisturbed(async (/** @type {string[][]} */ poisons) => {
      const { start } = await import('/kit.js');
      const { diag } = await start();
      console.error('missing key at index 1');
      /** @type {string[]} */
      const rejections = [];
      let broke = '';
      window.addEventListener('unhandledrejection', ({ reason }) => {
        rejections[rejections.length] = `${broke}: ${reason?.stack}`;
      });
      const { defineProperty, deleteProperty, getOwnPropertyDescriptor } = Reflect;
      const broken = () => {
        throw new Error('broken by the page');
      };
      const failed = [];
      for (let at = 0; at < poisons.length; at++) {
        const [object, name] = poisons[at];
        broke = `${object}.${name}`;
        const target = (0, eval)(object);
        const key = name.startsWith('Symbol.') ? Symbol[name.slice(7)] : name;
        const was = getOwnPropertyDescriptor(target, key);
        defineProperty(target, key, { value: broken, configurable: true, writable: true });
        let text;
        try {
          text = await diag.collectReport(null);
        } catch (/** @type {any} */ error) {
          text = error;
        }
        if (was) defineProperty(target, key, was);
        else deleteProperty(target, key);
        // A rejection that nobody handles is told in a task of its own.
        await new Promise((resolve) => setTimeout(resolve, 5));
        try {
          if (JSON.parse(text).entries.length !== 1) throw new Error('the line is not there');
        } catch (/** @type {any} */ error) {
          failed.push(`${broke}: ${error.message} ${text?.stack ?? ''}`);
        }
      }
      return { failed, rejections };
    }, POISONS);
    assert.deepEqual(seen, { failed: [], rejections: [] });
  },
);

claim('with all of them broken at once, capture and report go on', async ({ page }) => {
  const [seen] = await page.evaluate(breakAndLog, [POISONS]);
  checkRound(seen, 'all');
});

/**
 * Installs with a core whose exports the test can reach: \`dead\` is called in the place of an export.
 * Runs in the page.
 */
const PREPARE = `
  window.prepare = async () => {
    const kit = await import('/kit.js');
    const { Instance } = WebAssembly;
    window.entered = 0;
    WebAssembly.Instance = class {
      constructor(...args) {
        const { exports } = new Instance(...args);
        window.real = exports;
        this.exports = {};
        for (const [name, value] of Object.entries(exports)) {
          this.exports[name] = typeof value !== 'function' ? value : (...given) => {
            window.entered++;
            return (window.instead?.[name] ?? value)(...given);
          };
        }
      }
    };
    const started = await kit.start();
    window.started = started;
    return { ...kit, ...started };
  };
`;

/** What is the same after every death. */
const checkDead = (/** @type {any} */ seen) => {
  assert.equal(seen.state, 'failed');
  assert.match(seen.reason, /^The core failed: /);
  assert.equal(seen.enteredAfter, 0, 'the dead instance is never entered again');
  assert.deepEqual(seen.thrown, []);
  assert.equal(seen.report.capture.state, 'failed');
  assert.equal(seen.report.capture.reason, seen.reason);
  assert.deepEqual(
    seen.report.capture.failures.map(({ what }) => what),
    [seen.reason],
  );
  assert.ok(seen.report.entries.length >= 2);
  for (const { message } of seen.report.entries.slice(0, 2))
    assert.match(message, /^missing key at index [12]$/);
  assert.ok(seen.report.counts['KE-2'] >= 2);
  assert.equal(seen.passed, seen.logged, 'every call reached its original');
  assert.ok(seen.told > 0, 'subscribers are told');
};

/** Kills the core by some code, goes on logging, and reports. */
const kill = (/** @type {string} */ how) =>
  `(async () => {
  ${PREPARE}
  const { diag, calls, until } = await window.prepare();
  let told = 0;
  diag.subscribe(() => told++);
  let logged = 0;
  const thrown = [];
  const log = (...args) => {
    logged++;
    try { console.error(...args); } catch (error) { thrown.push(String(error)); }
  };
  log('missing key at index 1');
  log('missing key at index 2');
  await until(() => told > 0);
  told = 0;
  ${how}
  for (let at = 0; at < 20 && diag.getCaptureStatus().state !== 'failed'; at++) log('missing key at index 3 ' + at, LONG);
  const entered = window.entered;
  log('missing key at index 4');
  const frame = document.body.appendChild(document.createElement('iframe'));
  await new Promise((resolve) => setTimeout(resolve, 20));
  frame.contentWindow.console.error('missing key at index 5');
  frame.contentWindow.console.error('nothing');
  diag.clear();
  diag.install();
  const report = JSON.parse(await diag.collectReport(null));
  const { state, reason } = diag.getCaptureStatus();
  diag.uninstall();
  await until(() => told > 0);
  return { state, reason, report, thrown, told, logged, passed: calls.length, enteredAfter: window.entered - entered };
})()`.replace('LONG', "'x '.repeat(30_000)");

claim(
  'after a panic the dead instance is never entered again, and the report holds what was kept',
  async ({ page }) => {
    // A request for more room than there is ends the core inside its own state, as a panic does anywhere.
    const seen = await page.evaluate(
      kill(
        'try { window.real.inbox(0xffffffff); throw new Error("it lives"); } catch (error) { window.trap = error; }',
      ),
    );
    checkDead(seen);
    const trap = await page.evaluate(() => [
      window['trap'].name,
      window['trap'] instanceof WebAssembly.RuntimeError,
    ]);
    assert.deepEqual(trap, ['RuntimeError', true]);
  },
);

claim('after a trap in the middle of a line the report holds what was kept', async ({ page }) => {
  const seen = await page.evaluate(
    kill(`window.instead = { record: (...given) => { window.real.inbox(0xffffffff); } };`),
  );
  checkDead(seen);
  assert.equal(seen.report.entries.length, 2);
});

claim(
  'with its memory exhausted the core is given up, and the report holds what was kept',
  async ({ page }) => {
    const seen = await page.evaluate(
      kill(`
      const before = window.real.memory.buffer.byteLength;
      for (;;) { try { window.real.memory.grow(1); } catch { break; } }
      window.sizes = [before, window.real.memory.buffer.byteLength];
      for (let at = 0; at < 400 && diag.getCaptureStatus().state !== 'failed'; at++) log('missing key at index 6 ' + at, LONG);
    `).replace('LONG', "'ä '.repeat(30_000)"),
    );
    checkDead(seen);
    const [before, after] = await page.evaluate(() => window['sizes']);
    assert.ok(before <= 2 << 20, `${before} bytes at the start`);
    assert.equal(after, 16 << 20, 'the memory has a maximum');
  },
);

compiled(
  'a runaway recursion that logs a match leaves the core alive, whatever its frames are like',
  async ({ page }) => {
    const seen = await page.evaluate(async () => {
      const { start, until } = await import('/kit.js');
      const { diag } = await start();
      console.warn = console.error = () => {};
      diag.uninstall();
      console.warn = console.error = () => {};
      diag.install();
      let told = 0;
      diag.subscribe(() => told++);
      // Only some of the last frames log, and all of the very last, since their stack is the spent one: a storm from all of them
      // takes minutes on a slow machine.
      const LAST = 3000;
      const EACH = 16;
      const VERY_LAST = 100;
      // Made here: Firefox takes a tenth of a second for one that is made so deep.
      const ERROR = new Error('x');
      // Nearly fills the queue, so that a line which comes next has the core entered within its call.
      const FILL = 'missing key at index 0 ' + 'x '.repeat(32_000);
      let depth = 0;
      let end = Infinity;
      const log = (method, make) => {
        depth++;
        const left = end - depth;
        // At most so many, should the stack be deeper once more.
        if (left < LAST && left > -LAST && (left < VERY_LAST || depth % EACH === 0))
          console[method](...make());
      };
      const shapes = [
        function plain() {
          log('error', () => ['missing key at index 1']);
          plain();
        },
        function wide(a = 1, b = 2, c = 3, d = 4, e = 5, f = 6, g = 7, h = 8) {
          log('error', () => ['missing key at index 1', a + b + c + d + e + f + g + h]);
          wide(b, c, d, e, f, g, h, a);
        },
        function nested() {
          [1].forEach(() => {
            log('error', () => ['missing key at index 1', { a: 1 }, ERROR]);
            nested();
          });
        },
        function spread(...args) {
          log('warn', () => args);
          spread(...args, args.length < 50 ? 'missing key at index 1' : 'x');
          return args.length;
        },
        function json() {
          return JSON.stringify({
            toJSON() {
              log('error', () => ['missing key at index 1']);
              return json();
            },
          });
        },
      ];
      const thrown = [];
      const fall = (shape) => {
        depth = 0;
        try {
          shape();
        } catch (/** @type {any} */ error) {
          thrown.push(error instanceof RangeError || error.name === 'InternalError' || String(error));
        }
        return depth;
      };
      const reached = [];
      for (const shape of shapes) {
        // How deep a stack is changes while the engine compiles the functions.
        let deepest = fall(shape);
        for (let round = 0, before = 0; round < 30 && deepest !== before; round++) {
          before = deepest;
          deepest = fall(shape);
        }
        let logged = 0;
        for (let round = 0; round < 3; round++) {
          console.error(FILL);
          end = deepest;
          deepest = fall(shape);
          logged += Math.max(0, deepest - Math.max(0, end - LAST));
        }
        end = Infinity;
        reached.push(logged > 0);
        // What the stack's end has left behind is over with the task (docs/promises.md says what of, in Firefox).
        await new Promise((resolve) => setTimeout(resolve));
      }
      const { state, reason } = diag.getCaptureStatus();
      const before = diag.getCounts().total;
      console.error('missing key at index 2');
      await until(() => told > 0);
      told = 0;
      console.error('missing key at index 3');
      await until(() => told > 0);
      return {
        state,
        reason,
        thrown,
        reached,
        before,
        after: diag.getCounts().total,
        last: diag.getEntries().at(-1)?.message,
      };
    });
    assert.deepEqual([seen.state, seen.reason], ['capturing', null]);
    assert.ok(seen.thrown.length >= 20);
    assert.deepEqual(new Set(seen.thrown), new Set([true]));
    assert.deepEqual(seen.reached, Array(5).fill(true), 'each shape logged at the end of the stack');
    assert.ok(seen.before > 100, `${seen.before} lines`);
    assert.equal(seen.after, seen.before + 2);
    assert.equal(seen.last, 'missing key at index 3');
  },
);

claim('a download that the page breaks costs the download, not the capture', async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const { MATCH, start } = await import('/kit.js');
    const { diag } = await start();
    const { createObjectURL } = URL;
    URL.createObjectURL = () => {
      throw new Error('broken by the page');
    };
    const refused = await diag.downloadReport(null).then(
      () => 'downloaded',
      (error) => error.message,
    );
    URL.createObjectURL = createObjectURL;
    console.error(MATCH['KE-1']);
    return [refused, diag.getCaptureStatus().state, diag.getEntries().length];
  });
  assert.deepEqual(seen, ['broken by the page', 'capturing', 1]);
});
