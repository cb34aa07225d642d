// @ts-check
// Browsers as a user has them: a fresh profile for each run, no debugger attached. The page posts what it measured.

import fs from 'node:fs';
import path from 'node:path';
import { json } from 'node:stream/consumers';
import { ask, start, temporaryFolder } from '../../scripts/lib/process.mjs';
import { Explained, say } from '../../scripts/lib/project.mjs';
import { serve } from '../../scripts/lib/server.mjs';
import { bounded } from '../../scripts/lib/wait.mjs';
import { chromium, firefox, isRoot } from '../../tests/support/programs.mjs';

/** Milliseconds after which a run is given up. */
const RUN_MS = 60_000;
/** A browser that did not come up, or a page that never answered, gets another chance. */
const TRIES = 3;

/**
 * Isolation gives a clock of microseconds, and Chromium's account of a page's memory. A page may connect to nothing but this
 * server.
 */
const HEADERS = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'content-security-policy': "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:",
  'cache-control': 'no-store',
};

const PAGE = '<!doctype html><title>bench</title><body><script type="module" src="/page.js"></script>';

/** Firefox asks its servers for news at every start of a fresh profile, unless it is told not to. */
const QUIET = {
  'app.normandy.enabled': false,
  'app.update.enabled': false,
  'browser.aboutwelcome.enabled': false,
  'browser.newtabpage.enabled': false,
  'browser.safebrowsing.downloads.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'browser.search.update': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage_override.mstone': 'ignore',
  'browser.startup.page': 0,
  'datareporting.healthreport.uploadEnabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'dom.push.connection.enabled': false,
  'extensions.getAddons.cache.enabled': false,
  'extensions.update.enabled': false,
  'media.gmp-manager.updateEnabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'network.dns.disablePrefetch': true,
  'services.settings.server': 'data:,#remote-settings-dummy/v1',
  'startup.homepage_welcome_url': 'about:blank',
  'toolkit.telemetry.enabled': false,
  'toolkit.telemetry.reportingpolicy.firstRun': false,
};

/** @typedef {'chromium' | 'firefox'} EngineName */

/** @type {Record<EngineName, {program: () => string, args: (profile: string, url: string) => string[]}>} */
const ENGINES = {
  chromium: {
    program: chromium,
    args: (profile, url) => [
      '--headless',
      ...(isRoot ? ['--no-sandbox'] : []),
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      // Else an account of the memory comes with the next garbage collection, half a minute later.
      '--enable-blink-features=ForceEagerMeasureMemory',
      `--user-data-dir=${profile}`,
      url,
    ],
  },
  firefox: {
    program: firefox,
    args: (profile, url) => {
      const lines = Object.entries(QUIET).map(
        ([k, v]) => `user_pref(${JSON.stringify(k)}, ${JSON.stringify(v)});`,
      );
      fs.writeFileSync(path.join(profile, 'user.js'), lines.join('\n'));
      return ['--headless', '--profile', profile, '--no-remote', url];
    },
  },
};

/** The engines that are measured. */
export const engines = /** @type {EngineName[]} */ (Object.keys(ENGINES));

/** What the browser calls itself. @param {EngineName} engine */
export function browserVersion(engine) {
  const text = ask(ENGINES[engine].program(), ['--version']) ?? '';
  return /[\d.]+/.exec(text)?.[0] ?? 'unknown';
}

/**
 * A server of the measuring pages.
 * @param {Record<string, string>} scripts Code by its path.
 */
export async function openHost(scripts) {
  /** @type {Map<string, (result: any) => void>} */
  const waiting = new Map();
  /** @param {import('node:http').IncomingMessage} request @param {import('node:http').ServerResponse} response */
  const takeResult = async (request, response) => {
    const run = new URL(request.url ?? '/', 'http://host').searchParams.get('run') ?? '';
    const answer = await json(request);
    response.end();
    waiting.get(run)?.(answer);
  };
  const server = await serve({ '/run': PAGE, '/result': takeResult, ...scripts }, { headers: HEADERS });
  let runs = 0;

  /**
   * An address to open, and the result that its page will post.
   * @param {string} engine
   * @param {Record<string, string>} query
   * @returns {{url: string, result: Promise<any>}}
   */
  function expect(engine, query) {
    const run = String(++runs);
    const what = `${engine}, ${JSON.stringify(query)}`;
    const answered = new Promise((resolve) => waiting.set(run, resolve));
    const result = bounded(answered, RUN_MS, what).then((answer) => {
      if (answer.error) throw new Explained(`${what}: ${answer.error}`);
      return answer;
    });
    result.finally(() => waiting.delete(run)).catch(() => {});
    return { url: `${server.url}/run?${new URLSearchParams({ ...query, run })}`, result };
  }

  /**
   * One run in a browser of its own.
   * @param {EngineName} engine
   * @param {Record<string, string>} query
   * @returns {Promise<any>}
   */
  async function once(engine, query) {
    const profile = temporaryFolder(`bench-${engine}`);
    const { program, args } = ENGINES[engine];
    const { url, result } = expect(engine, query);
    const browser = start(program(), args(profile.path, url), {
      env: { MOZ_DISABLE_CONTENT_SANDBOX: isRoot ? '1' : undefined },
    });
    try {
      const early = browser.ended.then(() => {
        throw new Explained(`${engine} ended early:\n${browser.printed()}`);
      });
      // Whichever comes second concerns nobody.
      early.catch(() => {});
      return await Promise.race([result, early]);
    } finally {
      await browser.stop();
      profile.remove();
    }
  }

  return {
    expect,
    /** @type {typeof once} */
    async run(engine, query) {
      for (let left = TRIES - 1; ; left--) {
        try {
          return await once(engine, query);
        } catch (error) {
          if (left === 0) throw error;
          say(`  ${/** @type {Error} */ (error).message}; trying again`);
        }
      }
    },
    close: server.close,
  };
}

/** @typedef {Awaited<ReturnType<typeof openHost>>} Host */
