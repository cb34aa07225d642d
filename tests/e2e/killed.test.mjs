// @ts-check
// A browser that is killed as a whole and started again with its profile: what its tabs still have of pages that were kept (docs/keep.md).
// WebKitGTK's browser restores no tabs.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { start, temporaryFolder } from '../../scripts/lib/process.mjs';
import { root } from '../../scripts/lib/project.mjs';
import { folder, serve } from '../../scripts/lib/server.mjs';
import { until } from '../../scripts/lib/wait.mjs';
import { chromium, firefox, isRoot } from '../support/programs.mjs';

/** A browser writes what a tab stores when it likes: Firefox every 15 s, Chromium after 5 s or within a minute. */
const WRITTEN_MS = 150_000;
/** Until a browser has loaded the page. */
const LOADED_MS = 90_000;

/** Part of what is stored, and of nothing else; in no packed form it is split. */
const MARK = 'kXq7Zw';
const LINE = 'One time key signed_curve25519:AAAAAAAAA1 already exists. Old key: {}';

/** Reports what it finds of earlier pages, and then has something to keep. */
const PAGE = `<!doctype html><meta charset="utf-8"><script type="module">
  import { buildReport, install } from '/pkg/index.js';
  import { keepPages, observeClient } from '/pkg/keep.js';
  install({ keep: keepPages });
  const client = { getUserId: () => '@${MARK}:example.org', getDeviceId: () => 'ALICEDEVIC' };
  observeClient(client);
  await fetch('/report', { method: 'POST', body: buildReport(client) });
  console.error(${JSON.stringify(LINE)});
</script>`;

/** Whether a file below a folder holds the mark, in one of the two forms of a text. @param {string} below */
function holdsMark(below) {
  const forms = [Buffer.from(MARK), Buffer.from(MARK, 'utf16le')];
  const files = existsSync(below) ? readdirSync(below) : [];
  return files.some((name) => forms.some((form) => readFileSync(path.join(below, name)).includes(form)));
}

/**
 * How a browser is run: whether it has written what its tab stores, and how it comes to restore tabs.
 * @typedef {{program: () => string, args: (profile: string) => string[], hasWritten: (profile: string) => boolean,
 *   prepare: (profile: string, restores: boolean) => void, restored: (profile: string) => void}} Way
 * @type {Record<'chromium' | 'firefox', Way>}
 */
const WAYS = {
  chromium: {
    program: chromium,
    args: (profile) => [
      '--headless=new',
      '--disable-gpu',
      '--no-first-run',
      `--user-data-dir=${profile}`,
      ...(isRoot ? ['--no-sandbox'] : []),
    ],
    hasWritten: (profile) =>
      existsSync(path.join(profile, 'Default/Preferences')) &&
      holdsMark(path.join(profile, 'Default/Session Storage')),
    prepare() {},
    // After a crash it asks the user, who says yes here.
    restored(profile) {
      const file = path.join(profile, 'Default/Preferences');
      const preferences = JSON.parse(readFileSync(file, 'utf8'));
      assert.equal(preferences.profile.exit_type, 'Crashed');
      Object.assign(preferences.profile, { exit_type: 'Normal', exited_cleanly: true });
      preferences.session = { ...preferences.session, restore_on_startup: 1 };
      writeFileSync(file, JSON.stringify(preferences));
    },
  },
  firefox: {
    program: firefox,
    args: (profile) => ['--headless', '--no-remote', '--profile', profile],
    hasWritten: (profile) => holdsMark(path.join(profile, 'sessionstore-backups')),
    prepare(profile, restores) {
      const preferences = {
        'browser.startup.page': restores ? 3 : 0,
        'browser.sessionstore.resume_from_crash': restores,
        'toolkit.startup.max_resumed_crashes': -1,
        'browser.shell.checkDefaultBrowser': false,
        'browser.aboutwelcome.enabled': false,
        'browser.startup.homepage_override.mstone': 'ignore',
        'datareporting.policy.dataSubmissionEnabled': false,
      };
      const lines = Object.entries(preferences).map(
        ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`,
      );
      writeFileSync(path.join(profile, 'user.js'), lines.join(''));
    },
    restored() {},
  },
};

for (const [engine, way] of Object.entries(WAYS)) {
  describe(`${engine}, killed and started again with its profile`, () => {
    /** @type {Awaited<ReturnType<typeof serve>>} */
    let server;
    /** What pages reported, in their order. @type {any[]} */
    const reports = [];

    before(async () => {
      server = await serve({
        '/': PAGE,
        '/pkg/': folder(path.join(root, 'pkg/dist')),
        async '/report'(request, response) {
          reports.push(JSON.parse(await text(request)));
          response.end();
        },
      });
    });
    after(() => server?.close());

    /** What the page of a browser that was killed says when it is loaded once more. @param {boolean} restores whether the browser restores its tabs */
    async function loadedAgain(restores) {
      const profile = temporaryFolder(`killed-${engine}`);
      way.prepare(profile.path, restores);
      const run = (/** @type {string[]} */ ...addresses) =>
        start(way.program(), [...way.args(profile.path), ...addresses], { env: { TMPDIR: profile.path } });
      const loaded = async (/** @type {number} */ count) => {
        await until(
          () => reports.length >= count,
          LOADED_MS,
          () => 'the page is not loaded',
        );
        return reports[count - 1];
      };
      const before = reports.length;
      let browser = run(`${server.url}/`);
      try {
        assert.deepEqual((await loaded(before + 1)).earlierPages, []);
        await until(
          () => way.hasWritten(profile.path),
          WRITTEN_MS,
          () => 'the browser has not written what its tab stored',
        );
        await browser.stop();
        if (restores) way.restored(profile.path);
        browser = run(...(restores ? [] : [`${server.url}/`]));
        return await loaded(before + 2);
      } finally {
        await browser.stop();
        profile.remove();
      }
    }

    test('a tab that it restores has what the browser had written', async () => {
      const { earlierPages } = await loadedAgain(true);
      const messages = earlierPages.map((/** @type {any} */ { entries }) =>
        entries.map((/** @type {any} */ { message }) => message),
      );
      assert.deepEqual(messages, [[LINE]]);
      assert.equal(earlierPages[0].left, false);
    });

    // Firefox writes nothing of a tab where it is not to restore any.
    if (engine === 'chromium')
      test('a new tab has nothing', async () => {
        assert.deepEqual((await loadedAgain(false)).earlierPages, []);
      });
  });
}
