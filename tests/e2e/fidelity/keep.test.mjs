// @ts-check
// Pages that are kept for the report of the next one: what outlives a reload and a killed process, whose it is, and what is never stored.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { launch } from '../../support/browser.mjs';
import { schemaErrors } from '../../support/report-schema.mjs';
import { bounded, until } from '../../../scripts/lib/wait.mjs';
import { fidelity } from './harness.mjs';

/** Until a page is loaded once more, in milliseconds. */
const LOAD_MS = 10_000;

const ALICE = { user: '@alice:example.org', device: 'ALICEDEVIC' };
const BOB = { user: '@bob:example.org', device: 'BOBDEVICEX' };

const claimed = fidelity({
  '/keep-kit.js': `
    import { load, silence, until } from '/kit.js';
    import { keepPages, observeClient } from '/pkg/keep.js';

    export const clientOf = ({ user, device }) => ({ getUserId: () => user, getDeviceId: () => device });

    /** Starts a page that is kept, of a user if one is given. */
    export async function keep(who) {
      silence();
      const diag = await load();
      diag.install({ keep: keepPages });
      if (who) observeClient(clientOf(who));
      return { diag, observeClient, report: (of) => JSON.parse(diag.buildReport(of ? clientOf(of) : null)) };
    }

    /** Everything that the tab's storage holds of ours. */
    export const stored = () =>
      Object.keys(sessionStorage).filter((key) => key.startsWith('crypto-diag.')).sort().map((key) => sessionStorage[key]);

    export const holds = (text) => until(() => stored().some((page) => page.includes(text)), 'the storage holds ' + text);
  `,
});

/**
 * Registers one test for each engine, on a page in whose tab nothing is stored.
 * @param {string} what @param {Parameters<typeof claimed>[1]} body
 */
const claim = (what, body) =>
  claimed(what, async (scene) => {
    await scene.page.evaluate(() => sessionStorage.clear());
    await body(scene);
  });

/** A refusal of a one-time key, by its number. */
const refusal = (/** @type {number} */ number) =>
  `One time key signed_curve25519:AAAAAAAAA${number} already exists. Old key: {}`;

/**
 * Prints a line on a page of a user, and waits until it is stored.
 * @param {import('../../support/browser.mjs').Page} page @param {object | null} who @param {string} line
 */
const say = (page, who, line) =>
  page.evaluate(
    async (who, line) => {
      // @ts-ignore: served by this test
      const { holds, keep } = await import('/keep-kit.js');
      await keep(who);
      console.error(line);
      await holds(line.slice(0, 'One time key signed_curve25519:AAAAAAAAA1'.length));
    },
    who,
    line,
  );

/**
 * The report of a page that has printed nothing yet.
 * @param {import('../../support/browser.mjs').Page} page @param {object | null} who
 */
const report = (page, who) =>
  page.evaluate(async (who) => {
    // @ts-ignore: served by this test
    const { keep } = await import('/keep-kit.js');
    return (await keep(who)).report(who);
  }, who);

/** What the storage holds. @param {import('../../support/browser.mjs').Page} page @returns {Promise<string[]>} */
const stored = (page) =>
  page.evaluate(async () => {
    // @ts-ignore: served by this test
    return (await import('/keep-kit.js')).stored();
  });

/** The messages of a report's earlier pages, a list for each. @param {any} report */
const messages = (report) =>
  report.earlierPages.map((/** @type {any} */ { entries }) =>
    entries.map((/** @type {any} */ { message }) => message),
  );

claim('a page that was reloaded is in the next report, beside what that one holds', async ({ page }) => {
  await page.evaluate(
    async (who, lines) => {
      // In the page's last task: no time is left but that of the capture's own listener, which comes after this one.
      addEventListener('pagehide', () => console.error(lines[1]), true);
      // @ts-ignore: served by this test
      const { holds, keep } = await import('/keep-kit.js');
      const { diag } = await keep(who);
      diag.mark('no sound from Bob');
      console.error(lines[0]);
      await holds('AAA1');
    },
    ALICE,
    [refusal(1), refusal(2)],
  );
  await page.reload();
  const next = await page.evaluate(async (who) => {
    // @ts-ignore: served by this test
    const { keep } = await import('/keep-kit.js');
    const { diag } = await keep(who);
    console.error('missing key at index 3 for participant @user:server:DEVICE');
    return JSON.parse(await diag.collectReport({ getUserId: () => who.user, getDeviceId: () => who.device }));
  }, ALICE);
  assert.deepEqual(schemaErrors(next), []);
  assert.deepEqual(messages(next), [[refusal(1), refusal(2)]]);
  const [earlier] = next.earlierPages;
  assert.deepEqual(
    [earlier.userId, earlier.deviceId, earlier.page, earlier.left, earlier.omitted],
    [ALICE.user, ALICE.device, next.page, true, 0],
  );
  assert.deepEqual(
    earlier.marks.map((/** @type {any} */ { label }) => label),
    ['no sound from Bob'],
  );
  assert.deepEqual(
    earlier.tallies.map((/** @type {any} */ { ke, total }) => [ke, total]),
    [['KE-1', 2]],
  );
  assert.ok(earlier.timeOrigin <= earlier.storedAt && earlier.storedAt <= next.generatedAt);
  // Nothing of it is counted as this page's.
  assert.deepEqual([next.entries.length, next.counts['KE-1'], next.capture.linesMatched], [1, 0, 1]);
  assert.deepEqual([next.capture.keepsPage, next.marks], [true, []]);
});

claim('without the option nothing is stored, and the report says that nobody asked', async ({ page }) => {
  const seen = await page.evaluate(async (line) => {
    const { start, until } = await import('/kit.js');
    const { diag, report } = await start();
    console.error(line);
    await until(() => diag.getEntries().length > 0);
    document.dispatchEvent(new Event('visibilitychange'));
    window.dispatchEvent(new Event('pagehide'));
    const { capture, earlierPages } = report();
    return { kept: capture.keepsPage, earlierPages, stored: sessionStorage.length };
  }, refusal(1));
  assert.deepEqual(seen, { kept: null, earlierPages: [], stored: 0 });
});

claim(
  'a page on which nothing matches touches no storage, sets no timer and never starts the core',
  async ({ page }) => {
    const seen = await page.evaluate(async () => {
      const asked = [];
      for (const name of ['getItem', 'setItem', 'removeItem', 'key']) {
        const original = Storage.prototype[name];
        Storage.prototype[name] = function (...args) {
          asked.push(name);
          return original.apply(this, args);
        };
      }
      const { setTimeout } = window;
      /** @type {any} */ (window).setTimeout = (work, wait) => {
        if (String(new Error().stack).includes('/pkg/')) asked.push('setTimeout');
        return setTimeout(work, wait);
      };
      const { Instance } = /** @type {any} */ (WebAssembly);
      let started = 0;
      /** @type {any} */ (WebAssembly).Instance = class {
        constructor(module, imports) {
          if (imports) started++;
          return new Instance(module, imports);
        }
      };
      // @ts-ignore: served by this test
      const { keep } = await import('/keep-kit.js');
      await keep();
      for (let at = 0; at < 100; at++) console.error(`all is well ${at}`);
      window.dispatchEvent(new Event('pagehide'));
      await new Promise((resolve) => setTimeout(resolve, 50));
      return { asked, started };
    });
    assert.deepEqual(seen, { asked: [], started: 0 });
  },
);

/** The processes of pages that browsers of this test's process run: which of them shows a page is the browser's own matter. */
function pageProcesses() {
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const status = readFileSync(`/proc/${pid}/stat`, 'utf8');
        const [, parent] = status.slice(status.lastIndexOf(')') + 2).split(' ');
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return [{ pid: Number(pid), parent: Number(parent), command }];
      } catch {
        return []; // It has ended meanwhile.
      }
    });
  const found = [];
  const parents = [process.pid];
  for (let parent = parents.pop(); parent !== undefined; parent = parents.pop()) {
    for (const one of processes.filter((one) => one.parent === parent)) {
      parents.push(one.pid);
      if (/--type=renderer|-contentproc .*\btab\b|WebKitWebProcess/.test(one.command)) found.push(one.pid);
    }
  }
  return found;
}

claim(
  'a page whose process was killed is in the next report of its tab, but for WebKit, whose driver ends with it',
  async ({ engine, site }) => {
    const others = pageProcesses();
    const browser = await launch(engine);
    try {
      const page = await browser.newPage();
      await page.goto(`${site.url}/`);
      await say(page, ALICE, refusal(1));
      const own = pageProcesses().filter((pid) => !others.includes(pid));
      assert.notEqual(own.length, 0);
      for (const pid of own) process.kill(pid, 'SIGKILL');
      const gone = () => (pageProcesses().some((pid) => own.includes(pid)) ? undefined : true);
      await until(
        async () => gone(),
        30_000,
        () => 'the processes go on',
      );
      if (engine === 'webkit') {
        // WebKitGTK's driver deletes its session with the page's process, so that nobody can load the page again.
        await assert.rejects(page.goto(`${site.url}/`));
        return;
      }
      // A browser needs a moment to see it. Until it has, it refuses to load the page, or begins to and never says that it has.
      const load = () =>
        bounded(page.goto(`${site.url}/`), LOAD_MS, 'the page').then(
          () => true,
          () => undefined,
        );
      await until(load, 12 * LOAD_MS, () => 'the page cannot be loaded again');
      const next = await report(page, ALICE);
      assert.deepEqual(messages(next), [[refusal(1)]]);
      assert.equal(next.earlierPages[0].left, false);
    } finally {
      await browser.close();
    }
  },
);

claim('a page is kept where IndexedDB is broken', async ({ page }) => {
  await page.evaluate(() => {
    const broken = () => {
      throw new DOMException('The database is broken', 'UnknownError');
    };
    IDBFactory.prototype.open = broken;
    IDBFactory.prototype.databases = broken;
  });
  await say(page, ALICE, refusal(1));
  await page.reload();
  assert.deepEqual(messages(await report(page, ALICE)), [[refusal(1)]]);
});

claim(
  'where the storage is full, or refused, the page goes on, nothing is tried again, and the report says so',
  async ({ page, site }) => {
    for (const how of ['full', 'refused']) {
      await page.goto(`${site.url}/?${how}`);
      const seen = await page.evaluate(
        async (how, lines) => {
          const { until } = await import('/kit.js');
          let writes = 0;
          const original = Storage.prototype.setItem;
          if (how === 'full') {
            sessionStorage.clear();
            for (let size = 1 << 22; size >= 1; size >>= 1) {
              for (let at = 0; ; at++) {
                try {
                  sessionStorage[`app-${size}-${at}`] = 'x'.repeat(size);
                } catch {
                  break;
                }
              }
            }
            Storage.prototype.setItem = function (/** @type {[key: string, value: string]} */ ...args) {
              writes++;
              return original.apply(this, args);
            };
          } else {
            Object.defineProperty(window, 'sessionStorage', {
              get: () => {
                writes++;
                throw new DOMException('refused', 'SecurityError');
              },
            });
          }
          // @ts-ignore: served by this test
          const { keep } = await import('/keep-kit.js');
          const { report } = await keep();
          console.error(lines[0]);
          await until(() => writes > 0);
          console.error(lines[1]);
          window.dispatchEvent(new Event('pagehide'));
          const { capture, entries, earlierPages } = report();
          return {
            writes,
            entries: entries.length,
            earlierPages,
            kept: capture.keepsPage,
            failures: capture.failures,
          };
        },
        how,
        [refusal(1), refusal(2)],
      );
      assert.deepEqual(seen, { writes: 1, entries: 2, earlierPages: [], kept: false, failures: [] }, how);
    }
  },
);

claim(
  'an earlier page is shown to its own user alone, and goes once another one is there',
  async ({ page }) => {
    await say(page, ALICE, refusal(1));
    await page.reload();
    // Nobody is known yet: neither user's.
    assert.deepEqual(messages(await report(page, null)), []);
    await page.reload();
    assert.deepEqual(messages(await report(page, ALICE)), [[refusal(1)]]);
    await page.reload();
    // The client that is observed is asked, also where the report is made without one.
    const unasked = await page.evaluate(async (who) => {
      // @ts-ignore: served by this test
      const { keep } = await import('/keep-kit.js');
      return (await keep(who)).report(null);
    }, ALICE);
    assert.deepEqual(messages(unasked), [[refusal(1)]]);
    await page.reload();
    assert.deepEqual(messages(await report(page, BOB)), []);
    assert.deepEqual(await stored(page), []);
  },
);

claim('of a page without a known user nothing is shown to one', async ({ page }) => {
  await say(page, null, refusal(1));
  await page.reload();
  assert.deepEqual(messages(await report(page, ALICE)), []);
  await page.reload();
  assert.deepEqual(messages(await report(page, null)), [[refusal(1)]]);
});

claim(
  'a page without a line erases earlier ones as it is left, once its user has logged out',
  async ({ page }) => {
    await say(page, ALICE, refusal(1));
    await page.reload();
    const before = await page.evaluate(async (who) => {
      // @ts-ignore: served by this test
      const { keep, stored } = await import('/keep-kit.js');
      sessionStorage.setItem('of-the-app', who.user);
      const { observeClient } = await keep();
      observeClient({ getUserId: () => sessionStorage.getItem('of-the-app'), getDeviceId: () => who.device });
      window.dispatchEvent(new Event('pagehide'));
      const there = stored().length;
      sessionStorage.removeItem('of-the-app');
      return there;
    }, ALICE);
    assert.equal(before, 1);
    await page.reload();
    assert.deepEqual(await stored(page), []);
  },
);

claim(
  'a report that is made with another account’s client shows no earlier page, and erases none',
  async ({ page }) => {
    await say(page, ALICE, refusal(1));
    await page.reload();
    const [bobs, alices] = await page.evaluate(
      async (alice, bob) => {
        // @ts-ignore: served by this test
        const { keep } = await import('/keep-kit.js');
        const { report } = await keep(alice);
        return [report(bob), report(alice)];
      },
      ALICE,
      BOB,
    );
    assert.deepEqual(messages(bobs), []);
    assert.deepEqual(messages(alices), [[refusal(1)]]);
    assert.equal(bobs.capture.keepsPage, true);
  },
);

claim('a client that is observed again and again is listened to once', async ({ page }) => {
  const listeners = await page.evaluate(async () => {
    // @ts-ignore: served by this test
    const { keep } = await import('/keep-kit.js');
    const { observeClient } = await keep();
    let listeners = 0;
    const client = { getUserId: () => '@alice:example.org', on: () => listeners++ };
    for (let at = 0; at < 20; at++) observeClient(client);
    return listeners;
  });
  assert.equal(listeners, 1);
});

claim('a page whose address is too long to be read back is kept all the same', async ({ page, site }) => {
  await page.evaluate(() => history.replaceState(null, '', `/${'long/'.repeat(1000)}`));
  await say(page, ALICE, refusal(1));
  await page.goto(`${site.url}/?next`);
  const { earlierPages } = await report(page, ALICE);
  assert.deepEqual(messages({ earlierPages }), [[refusal(1)]]);
  assert.equal(earlierPages[0].page.length, 1024);
});

claim('where the storage is full, earlier pages give way to this one', async ({ page }) => {
  for (const number of [1, 2]) {
    await say(page, ALICE, refusal(number));
    await page.reload();
  }
  const pages = await page.evaluate(
    async (who, line) => {
      const { setItem } = Storage.prototype;
      Storage.prototype.setItem = function (/** @type {[key: string, value: string]} */ ...args) {
        // Room for one page, as where the app has taken the rest.
        if (this.length > 0) throw new DOMException('full', 'QuotaExceededError');
        return setItem.apply(this, args);
      };
      // @ts-ignore: served by this test
      const { holds, keep, stored } = await import('/keep-kit.js');
      const { report } = await keep(who);
      console.error(line);
      await holds('AAA3');
      return { stored: stored().length, kept: report(who).capture.keepsPage };
    },
    ALICE,
    refusal(3),
  );
  assert.deepEqual(pages, { stored: 1, kept: true });
});

claim('what is kept of a page asks no element, no room and no request', async ({ page }) => {
  const asked = await page.evaluate(async (line) => {
    // @ts-ignore: served by this test
    const { holds, keep } = await import('/keep-kit.js');
    const asked = [];
    const { observeClient } = await keep();
    const client = { getUserId: () => '@alice:example.org', getDeviceId: () => 'ALICEDEVIC' };
    observeClient(
      new Proxy(client, {
        get: (target, name) => {
          asked.push(String(name));
          return target[name];
        },
      }),
    );
    const { querySelectorAll } = Document.prototype;
    Document.prototype.querySelectorAll = function (/** @type {[string]} */ ...args) {
      asked.push('querySelectorAll');
      return querySelectorAll.apply(this, args);
    };
    console.error(line);
    await holds('AAA1');
    return [...new Set(asked)].sort();
  }, refusal(1));
  assert.deepEqual(asked, ['getCrypto', 'getDeviceId', 'getSyncState', 'getUserId', 'on']);
});

claim(
  'once the user is gone or another one, what was kept is erased and the page is kept no more',
  async ({ page, site }) => {
    for (const how of ['nobody', 'another', 'told']) {
      await page.goto(`${site.url}/?${how}`);
      const seen = await page.evaluate(
        async (how, [alice, bob], lines) => {
          // @ts-ignore: served by this test
          const { holds, keep, stored } = await import('/keep-kit.js');
          let who = alice;
          let logOut = () => {};
          const { diag, observeClient } = await keep();
          observeClient({
            getUserId: () => who?.user ?? null,
            getDeviceId: () => who?.device ?? null,
            on: (event, listener) => event === 'Session.logged_out' && (logOut = listener),
          });
          console.error(lines[0]);
          await holds('AAA1');
          if (how === 'told') logOut();
          else who = how === 'another' ? bob : null;
          console.error(lines[1]);
          diag.getEntries();
          window.dispatchEvent(new Event('pagehide'));
          return { stored: stored(), entries: diag.getEntries().length };
        },
        how,
        [ALICE, BOB],
        [refusal(1), refusal(2)],
      );
      assert.deepEqual(seen, { stored: [], entries: 2 }, how);
    }
  },
);

claim('a page inside another one of its origin keeps nothing: the outer one hears it', async ({ page }) => {
  await say(page, ALICE, refusal(1));
  const inner = await page.evaluate(
    async (who, line) => {
      const { add } = await import('/kit.js');
      const frame = await add('iframe', { src: '/' });
      const inside = async (who, line) => {
        // @ts-ignore: served by this test
        const { keep, stored } = await import('/keep-kit.js');
        const { diag, report } = await keep(who);
        console.error(line);
        diag.getEntries();
        window.dispatchEvent(new Event('pagehide'));
        const { capture, earlierPages, entries } = report(who);
        return { kept: capture.keepsPage, earlierPages, entries: entries.length, stored: stored().length };
      };
      const source = `(${inside})(${JSON.stringify(who)}, ${JSON.stringify(line)})`;
      return /** @type {any} */ (frame).contentWindow.eval(source);
    },
    ALICE,
    refusal(2),
  );
  assert.deepEqual(inner, { kept: false, earlierPages: [], entries: 1, stored: 1 });
});

claim('clear() and uninstall() erase this page and the earlier ones', async ({ page }) => {
  for (const how of ['clear', 'uninstall']) {
    await page.reload();
    await say(page, ALICE, refusal(1));
    await page.reload();
    await say(page, ALICE, refusal(2));
    assert.equal((await stored(page)).length, 2, how);
    const left = await page.evaluate(async (how) => {
      const diag = await (await import('/kit.js')).load();
      diag[how]();
      window.dispatchEvent(new Event('pagehide'));
      // @ts-ignore: served by this test
      return (await import('/keep-kit.js')).stored();
    }, how);
    assert.deepEqual(left, [], how);
  }
});

claim('no secret stands in what is stored', async ({ page }) => {
  const secret = 'mct_q8ZxVn2LpR5tYw7KcB4dHs9JfG3aEuNm_Xy12Q';
  await page.evaluate(
    async (line, secret) => {
      // @ts-ignore: served by this test
      const { holds, keep } = await import('/keep-kit.js');
      const { diag } = await keep();
      diag.mark(`token ${secret}`);
      history.replaceState(null, '', `/?access_token=${secret}#${secret}`);
      console.info(`Enqueuing batch of to-device messages. type=m.x txnid=${secret}`, [
        `@a:b/${secret} (msgid 1)`,
      ]);
      console.error(`${line} Authorization: Bearer ${secret}`, new Error(`access_token=${secret}`));
      await holds('AAA1');
    },
    refusal(1),
    secret,
  );
  await page.reload();
  const pages = await stored(page);
  assert.equal(pages.length, 1);
  for (let at = 0; at + 8 <= secret.length; at++)
    assert.ok(!pages[0].includes(secret.slice(at, at + 8)), pages[0]);
  assert.match(pages[0], /\[closed/);
});

claim('what is stored has bounds: four pages, 64 KB each, the newest lines of each', async ({ page }) => {
  for (let number = 1; number <= 6; number++) {
    await page.reload();
    await page.evaluate(
      async (number, who) => {
        const { MATCH, until } = await import('/kit.js');
        // @ts-ignore: served by this test
        const { keep, stored } = await import('/keep-kit.js');
        await keep(who);
        for (let at = 0; at < 150; at++)
          console.error(
            `${MATCH['KE-1']} page ${number} line ${at} ${'x '.repeat(at % 7 === 0 ? 6000 : 400)}`,
          );
        await until(() => stored().some((text) => text.includes(`page ${number} line 149 `)));
      },
      number,
      ALICE,
    );
  }
  const pages = await stored(page);
  assert.equal(pages.length, 4);
  for (const text of pages)
    assert.ok(text.length > 20_000 && text.length <= 32 * 1024, `${text.length} code units`);
  await page.reload();
  const { earlierPages } = await report(page, ALICE);
  assert.deepEqual(
    earlierPages.map((/** @type {any} */ { entries }) =>
      / page \d /.exec(entries.at(-1).message)?.[0].trim(),
    ),
    ['page 3', 'page 4', 'page 5', 'page 6'],
  );
  for (const { entries, omitted, tallies } of earlierPages) {
    assert.equal(entries.length + omitted, 150);
    assert.equal(tallies[0].total, 150);
    assert.match(entries.at(-1).message, /line 149 /);
  }
});

claim(
  'what somebody else has put into the storage is read field by field, and redacted',
  async ({ page }) => {
    await say(page, ALICE, refusal(1));
    await page.reload();
    const secret = 'syt_YWxpY2U_q8ZxVn2LpR5tYw7KcB4d_0aBcDe';
    const next = await page.evaluate(
      async (who, secret) => {
        const [name] = Object.keys(sessionStorage).filter((key) => key.startsWith('crypto-diag.page.'));
        const good = JSON.parse(sessionStorage[name]);
        const put = (number, value) => {
          const text = typeof value === 'string' ? value : JSON.stringify(value);
          sessionStorage[`crypto-diag.page.${name.slice(17, 30)}.${number}`] = text;
        };
        delete sessionStorage[name];
        put(1, {
          ...good,
          entries: [
            { ...good.entries[0], message: `Bearer ${secret}` },
            { ...good.entries[0], ke: 'KE-9' },
            7,
          ],
        });
        put(2, {
          ...good,
          page: `https://x/?access_token=${secret}`,
          extra: secret,
          tallies: [{ ...good.tallies[0], total: -1 }],
        });
        put(3, '{"__proto__":{"polluted":1},');
        put(4, { ...good, storedAt: good.storedAt - 25 * 3600 * 1000 });
        put(5, { ...good, userId: { toString: 1 } });
        put(6, 'x'.repeat(40_000));
        put(7, null);
        sessionStorage['crypto-diag.page.no-number'] = 'x';
        sessionStorage['of-the-app'] = 'stays';
        // @ts-ignore: served by this test
        const { keep } = await import('/keep-kit.js');
        const report = (await keep(who)).report(who);
        return {
          report,
          polluted: /** @type {any} */ ({}).polluted ?? null,
          keys: Object.keys(sessionStorage).sort(),
        };
      },
      ALICE,
      secret,
    );
    const { earlierPages } = next.report;
    assert.deepEqual(schemaErrors(next.report), []);
    assert.equal(earlierPages.length, 2);
    assert.deepEqual([earlierPages[0].entries.length, earlierPages[1].tallies], [1, []]);
    assert.ok(!JSON.stringify(next.report).includes(secret.slice(4, 20)));
    assert.equal(next.polluted, null);
    // What is no page, or too old, has gone; what is not ours stays.
    assert.deepEqual(
      next.keys.map((/** @type {string} */ key) => key.replace(/\.\d{13}/, '')),
      ['crypto-diag.page.1', 'crypto-diag.page.2', 'of-the-app'],
    );
  },
);

claim(
  'what is read back is what was stored: closed stretches, lines and ids stay as they were',
  async ({ page }) => {
    const before = await page.evaluate(async (who) => {
      const { MATCH } = await import('/kit.js');
      // @ts-ignore: served by this test
      const { holds, keep } = await import('/keep-kit.js');
      const { diag, report } = await keep(who);
      for (const line of Object.values(MATCH))
        console.warn(line, new Error('access_token=c3VwZXJzZWNyZXR0b2tlbg'));
      console.info('Enqueuing batch of to-device messages. type=m.room.encrypted txnid=m17.3', [
        '@bob:server/BOB (msgid ab12)',
      ]);
      diag.getEntries();
      window.dispatchEvent(new Event('pagehide'));
      await holds('ab12');
      return report(who);
    }, ALICE);
    await page.reload();
    const [earlier] = (await report(page, ALICE)).earlierPages;
    assert.deepEqual(earlier.entries, before.entries);
    assert.deepEqual(earlier.sent, before.sent);
    assert.deepEqual(earlier.tallies, before.tallies);
    assert.equal(earlier.page, before.page);
  },
);

claim('whatever the page prints, it is stored once a second', async ({ page }) => {
  const seen = await page.evaluate(async (line) => {
    const { setItem } = Storage.prototype;
    let writes = 0;
    Storage.prototype.setItem = function (/** @type {[key: string, value: string]} */ ...args) {
      writes++;
      return setItem.apply(this, args);
    };
    let time = Date.now();
    Date.now = () => time;
    const timers = [];
    const { setTimeout } = window;
    /** @type {any} */ (window).setTimeout = (work, wait) => {
      if (!String(new Error().stack).includes('/pkg/')) return setTimeout(work, wait);
      return timers.push({ work, wait });
    };
    // @ts-ignore: served by this test
    const { keep } = await import('/keep-kit.js');
    const { until } = await import('/kit.js');
    const { diag } = await keep();
    let rounds = 0;
    diag.subscribe(() => rounds++);
    const print = async (lines) => {
      for (let at = 0; at < lines; at++) {
        const before = rounds;
        console.error(line);
        await until(() => rounds > before);
      }
    };
    await print(1);
    const first = writes;
    time += 100;
    await print(20);
    const within = { writes, timers: timers.map(({ wait }) => wait) };
    time += 900;
    timers[0].work();
    const then = { writes, timers: timers.length };
    time += 1000;
    await print(1);
    return { first, within, then, last: { writes, timers: timers.length } };
  }, refusal(1));
  assert.deepEqual(seen, {
    first: 1,
    within: { writes: 1, timers: [900] },
    then: { writes: 2, timers: 1 },
    last: { writes: 3, timers: 1 },
  });
});

claim('an option that is nothing of ours costs itself, and the capture goes on', async ({ page }) => {
  const seen = await page.evaluate(async (line) => {
    const { start } = await import('/kit.js');
    const { report } = await start({ keep: true });
    console.error(line);
    const { capture, entries } = report();
    return {
      entries: entries.length,
      watching: capture.frames.watching,
      failures: capture.failures.map(({ what }) => what),
    };
  }, refusal(1));
  assert.deepEqual([seen.entries, seen.watching], [1, true]);
  assert.match(String(seen.failures), /^install: the option keep/);
});
