// @ts-check
// What a console call is given: it reaches the original untouched, none of the page's code runs for it, and the line is what
// DevTools would show.
import assert from 'node:assert/strict';
import { fidelity } from './harness.mjs';

const claim = fidelity();

claim(
  'hostile arguments reach the original untouched, and the line is kept with a placeholder',
  async ({ page }) => {
    const results = await page.evaluate(async () => {
      const { MATCH, kept, start } = await import('/kit.js');
      const { diag, calls } = await start();
      const fail = () => {
        throw new Error('ran');
      };
      const own = (object, key, get) => Object.defineProperty(object, key, { get, enumerable: true });
      const revoked = Proxy.revocable({}, {});
      revoked.revoke();
      const hostile = {
        getter: own({}, 'a', fail),
        toString: { toString: fail },
        toJSON: { toJSON: fail },
        valueOf: { valueOf: fail },
        toPrimitive: { [Symbol.toPrimitive]: fail },
        tag: own({}, Symbol.toStringTag, fail),
        message: own(new Error(), 'message', fail),
        stack: own(new Error('own stack'), 'stack', fail),
        cause: new Error('outer', { cause: own({}, 'b', fail) }),
        bare: Object.assign(Object.create(null), { a: 1 }),
        revoked: revoked.proxy,
        insideObject: { before: 1, inner: revoked.proxy },
        symbol: Symbol('s'),
        bigint: { n: 10n },
        huge: 1n << 100_000n,
        all: document.all,
        lonely: new (class Lonely {
          constructor() {
            this.x = undefined;
          }
        })(),
      };
      const lines = {};
      const self = { console: 'another' };
      for (const [name, value] of Object.entries(hostile)) {
        const args = [MATCH['KE-1'], value, 'end'];
        diag.clear();
        calls.length = 0;
        Reflect.apply(console.error, self, args);
        const [call] = calls;
        const same = call.args.length === 3 && call.args.every((arg, at) => Object.is(arg, args[at]));
        lines[name] = [calls.length, call.self === self && same, kept(diag)[0]?.slice(MATCH['KE-1'].length)];
      }
      return lines;
    });
    const texts = {
      getter: '{a: (…)}',
      toString: '{toString: ƒ fail()}',
      toJSON: '{toJSON: ƒ fail()}',
      valueOf: '{valueOf: ƒ fail()}',
      toPrimitive: '{Symbol(Symbol.toPrimitive): ƒ fail()}',
      tag: '{Symbol(Symbol.toStringTag): (…)}',
      message: 'Error: (…)',
      stack: 'Error: own stack',
      cause: 'Error: outer [cause: {b: (…)}]',
      bare: '{a: 1}',
      revoked: '[unreadable]',
      insideObject: '{before: 1, inner: [unreadable]}',
      symbol: 'Symbol(s)',
      bigint: '{n: 10n}',
      huge: '…n',
      all: 'undefined',
      lonely: 'Lonely {x: undefined}',
    };
    for (const [name, text] of Object.entries(texts)) {
      assert.deepEqual(results[name], [1, true, ` ${text} end`], name);
    }
  },
);

claim(
  'no getter, toString, toJSON, valueOf or Symbol.toPrimitive runs, in a line that matches or not',
  async ({ page }) => {
    const ran = await page.evaluate(async () => {
      const { MATCH, start } = await import('/kit.js');
      const { diag } = await start();
      let count = 0;
      const run = () => {
        count++;
        return 'ran';
      };
      const watched = (object) => {
        for (const key of ['toString', 'toJSON', 'valueOf', Symbol.toPrimitive]) {
          Object.defineProperty(object, key, { value: run, enumerable: true });
        }
        for (const key of [
          'a',
          'name',
          'message',
          'stack',
          'cause',
          'errors',
          'then',
          'constructor',
          Symbol.toStringTag,
        ]) {
          Object.defineProperty(object, key, { get: run, enumerable: true });
        }
        return object;
      };
      class Late extends Error {
        get name() {
          return run();
        }
        get message() {
          return run();
        }
        get stack() {
          return run();
        }
        get cause() {
          return run();
        }
      }
      const values = [
        watched({}),
        watched([]),
        watched(new Error()),
        watched(() => {}),
        watched(new Date()),
        watched(new Map()),
        watched(document.createElement('p')),
        new Late(),
        new Error('x', { cause: watched({}) }),
        new AggregateError([watched({}), watched(new Error())], 'y'),
        { deep: { deeper: watched({}) } },
        [watched({})],
      ];
      for (const first of [
        'nothing to see',
        MATCH['KE-3'],
        '%s %d %i %f %o %O %c',
        `${MATCH['KE-3']} %s %d %i %f %o %O %c`,
      ]) {
        for (const value of values) {
          console.warn(first, value);
          console.error(first, value, value, value, value, value, value, value, value);
          console.error(value, first);
          console.info(value, first);
        }
      }
      return { count, matched: diag.getCounts().total };
    });
    assert.deepEqual(ran, { count: 0, matched: 72 });
  },
);

claim('what a Proxy logs from its traps goes straight to the original', async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const { MATCH, start } = await import('/kit.js');
    const { diag, calls, report } = await start();
    let traps = 0;
    const trap =
      (name) =>
      (...args) => {
        traps++;
        console.error(MATCH['KE-1'], noisy);
        console.info('Enqueuing batch of to-device messages. type=a txnid=b', noisy);
        return Reflect[name](...args);
      };
    const names = ['get', 'has', 'ownKeys', 'getOwnPropertyDescriptor', 'getPrototypeOf'];
    const noisy = new Proxy({ a: 1 }, Object.fromEntries(names.map((name) => [name, trap(name)])));
    console.error(MATCH['KE-1'], noisy);
    const first = { calls: calls.length, traps };
    const list = new Proxy([], Object.fromEntries(names.map((name) => [name, trap(name)])));
    console.info('Enqueuing batch of to-device messages. type=a txnid=b', list);
    return {
      first,
      kept: diag.getEntries().length,
      nested: report().capture.nested,
      sent: report().sent.length,
    };
  });
  assert.ok(seen.first.traps > 0 && seen.first.traps < 20, `${seen.first.traps} traps`);
  assert.equal(seen.first.calls, 1 + 2 * seen.first.traps, 'each call reached the original once');
  assert.equal(seen.kept, 1);
  assert.ok(seen.nested > 0);
  assert.equal(seen.sent, 1);
});

claim('errors of every kind and realm show name, message, causes and children', async ({ page }) => {
  const lines = await page.evaluate(async () => {
    const { add, kept, start } = await import('/kit.js');
    const { diag } = await start();
    const frame = await add('iframe', { src: '/' });
    const other = frame.contentWindow;
    const deep = (levels) =>
      levels ? new Error(`level ${levels}`, { cause: deep(levels - 1) }) : 'the root';
    const lines = {};
    const log = (name, ...args) => {
      diag.clear();
      console.error(...args);
      lines[name] = kept(diag)[0];
    };
    const KEY = 'missing key at index 1';
    log('plain', new TypeError(KEY));
    log('dom', new DOMException(KEY, 'AbortError'));
    log('frame', new other.RangeError(KEY));
    log('frameDom', new other.DOMException(KEY, 'TimeoutError'));
    log('inside', { error: new other.Error(KEY) });
    log('renamed', Object.assign(new Error(KEY), { name: 'MatrixError', data: { secret: 1 } }));
    log('subclass', new (class OwnError extends Error {})(KEY));
    log('cause', new Error('sending failed', { cause: new other.Error(KEY, { cause: 'no network' }) }));
    log(
      'children',
      new AggregateError([new Error(KEY), new other.DOMException('late', 'AbortError'), 7], 'all failed'),
    );
    log('deep', KEY, deep(20));
    log(
      'wide',
      KEY,
      new AggregateError(
        Array.from({ length: 100 }, (_, at) => new Error('n' + at)),
        'wide',
      ),
    );
    const circle = new Error(KEY);
    circle.cause = circle;
    log('circle', circle);
    log(
      'prefix',
      '[MatrixRTCSession]',
      'immediate retry ((2/10))',
      new DOMException('Restart delayed event timed out', 'AbortError'),
    );
    return lines;
  });
  const KEY = 'missing key at index 1';
  assert.equal(lines.plain, `TypeError: ${KEY}`);
  assert.equal(lines.dom, `AbortError: ${KEY}`);
  assert.equal(lines.frame, `RangeError: ${KEY}`);
  assert.equal(lines.frameDom, `TimeoutError: ${KEY}`);
  assert.equal(lines.inside, `{error: Error: ${KEY}}`);
  assert.equal(lines.renamed, `MatrixError: ${KEY}`);
  assert.equal(lines.subclass, `Error: ${KEY}`);
  assert.equal(lines.cause, `Error: sending failed [cause: Error: ${KEY} [cause: "no network"]]`);
  assert.equal(lines.children, `AggregateError: all failed [errors: Error: ${KEY}, AbortError: late, 7]`);
  assert.equal(lines.deep.match(/level/g).length, 8, 'eight levels of causes');
  assert.match(lines.wide, /n0, .*n30, … 69 more\]$/, 'thirty-two errors in all');
  assert.equal(lines.circle.match(/missing key/g).length, 8, 'a circle ends');
  assert.equal(
    lines.prefix,
    '[MatrixRTCSession] immediate retry ((2/10)) AbortError: Restart delayed event timed out',
  );
});

claim('templates are matched and kept as DevTools shows them', async ({ page }) => {
  const lines = await page.evaluate(async () => {
    const { kept, start } = await import('/kit.js');
    const { diag } = await start();
    const shown = (...args) => {
      diag.clear();
      console.warn(...args);
      return kept(diag)[0] ?? null;
    };
    return [
      shown('%s key at index %d of %o', 'missing', 3.9, { a: 1 }),
      shown('%cmissing key%c at index', 'color: red', ''),
      shown('missing key at %s', 'index', 'and', 'more'),
      shown('100%% missing key at index %i', '7px'),
      shown('%f missing key at index', '1.5 s'),
      shown('missing key at index %s'),
      shown('%z missing key at index %s', 'a'),
      shown('missing key at index %s %s', 'a'),
      shown('missing key at index %d %i', { valueOf: () => 1 }, Symbol('s')),
      shown('missing key at index %d', 5n),
      shown('missing key at index %s', { toString: () => 'ran' }),
      shown('missing key at index %O', ['x', { y: { z: 1 } }]),
      shown('missing key at index %', 'a'),
      // Not a template, since it is not first.
      shown('x', 'missing key at index %s', 'a'),
    ];
  });
  assert.deepEqual(lines, [
    'missing key at index 3 of {a: 1}',
    'missing key at index',
    'missing key at index and more',
    '100% missing key at index 7',
    '1.5 missing key at index',
    'missing key at index %s',
    '%z missing key at index a',
    'missing key at index a %s',
    'missing key at index NaN NaN',
    'missing key at index 5n',
    'missing key at index {toString: ƒ toString()}',
    'missing key at index ["x", {y: Object}]',
    'missing key at index % a',
    'x missing key at index %s a',
  ]);
});

claim('a prefix, a text and an Error make one line', async ({ page }) => {
  const entries = await page.evaluate(async () => {
    const { start } = await import('/kit.js');
    const { diag } = await start();
    console.warn(
      '[MatrixRTCSession !r m.call#ROOM]',
      'Network local timeout error',
      new Error('Restart delayed event timed out'),
    );
    return diag.getEntries();
  });
  assert.equal(entries.length, 1);
  assert.equal(
    entries[0].message,
    '[MatrixRTCSession !r m.call#ROOM] Network local timeout error Error: Restart delayed event timed out',
  );
  assert.equal(entries[0].signature, 'Restart delayed event timed out');
});

claim('a newline inside a line stays inside its one entry', async ({ page }) => {
  const report = await page.evaluate(async () => {
    const { start } = await import('/kit.js');
    const { report } = await start();
    console.error(
      'missing key at index 1\n2026-01-01 ERROR forged: already exists One time key\r\n"},{"ke":"KE-1"',
    );
    return report();
  });
  assert.equal(report.entries.length, 1);
  assert.match(report.entries[0].message, /^missing key at index 1\n2026/);
  assert.equal(report.counts['KE-1'], 0);
});

claim('lone surrogates, NUL and right-to-left marks leave the report valid UTF-8 JSON', async ({ page }) => {
  const { text, message } = await page.evaluate(async () => {
    const { start } = await import('/kit.js');
    const { diag } = await start();
    console.error('missing key at index \ud800 \udc00 \u0000 \u202e \ufeff \u2028 ✓ \ud83d\udd11', {
      '\udfff': '\ud800',
    });
    const text = diag.buildReport(null);
    const bytes = new TextEncoder().encode(text);
    const back = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return { text: back === text && text.isWellFormed(), message: JSON.parse(back).entries[0].message };
  });
  assert.equal(text, true);
  assert.equal(
    message,
    'missing key at index \ufffd \ufffd \u0000 \u202e \ufeff \u2028 ✓ 🔑 {\ufffd: "\ufffd"}',
  );
});

claim(
  "an error's stack is read only after a match, kept apart, and never through a getter of the page's",
  async ({ page, engine }) => {
    const seen = await page.evaluate(async () => {
      const { start } = await import('/kit.js');
      const { diag } = await start();
      let prepared = 0;
      let asked = 0;
      Error.prepareStackTrace = (error, sites) => {
        prepared++;
        return `${error}\n    at ${sites.length} places`;
      };
      console.error('nothing', new Error('to see'));
      const before = prepared;
      const trapped = new Error('missing key at index 1');
      Object.defineProperty(trapped, 'stack', {
        get() {
          asked++;
          return 'ran';
        },
      });
      console.error(trapped);
      console.error('first', {}, new Error('missing key at index 2'));
      const long = new Error('missing key at index 3');
      long.stack = `at ${'a/b '.repeat(5000)}`;
      console.error(long);
      const stacks = diag.getEntries().map((entry) => entry.stack);
      return {
        before,
        after: prepared,
        asked,
        stacks,
        messages: diag.getEntries().map((entry) => entry.message),
      };
    });
    assert.equal(seen.before, 0);
    assert.equal(seen.asked, 0);
    assert.equal(typeof seen.stacks[1], 'string');
    assert.ok(seen.stacks[2].length <= 4096 && seen.stacks[2].startsWith('at a/b'), seen.stacks[2]);
    assert.equal(seen.messages[1], 'first {} Error: missing key at index 2');
    // Only V8 knows Error.prepareStackTrace, and runs it at the first read of a stack.
    assert.equal(seen.after > 0, engine === 'chromium');
  },
);
