// @ts-check
// WebKitGTK's MiniBrowser, through WebKitWebDriver. It has no headless mode: it gets an X server, a D-Bus session and a
// home folder of its own, so that it needs no desktop and touches nobody's settings. The home folder also says where
// downloads go; they are real files, saved without a question.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { start, temporaryFolder } from '../../scripts/lib/process.mjs';
import { freePort } from '../../scripts/lib/server.mjs';
import { EVALUATE_MS, NAVIGATION_MS, START_MS, bounded, pause, until } from '../../scripts/lib/wait.mjs';
import { perPreferences } from './preferences.mjs';
import { dbusSession, miniBrowser, startScreen, webkitDriver } from './programs.mjs';
import { clickActions, command, keyActions } from './webdriver.mjs';

/**
 * How long one WebDriver command may wait inside the page, in milliseconds. A session runs one command at a time, so a longer wait
 * would keep its other pages from acting.
 */
const HOLD_MS = 100;

/**
 * MiniBrowser's toolbar is 447 pixels wide and no page can be narrower; without its padding and icons, phones fit too.
 * The bar that tells of a download takes its height from the page; it gets none.
 */
const CHROME_STYLE = `
  * { min-width: 0; min-height: 0; padding: 0; margin: 0; border: 0; font-size: 1px; -gtk-icon-source: none; }
  infobar { margin-top: -1000px; }
`;

/** How often a window may be resized until its viewport has the size that was asked for. */
const RESIZES = 10;

/** @type {import('./browser.mjs').StartEngine} */
export async function startWebkit({ inbox, args }) {
  const programs = { dbus: dbusSession(), driver: webkitDriver(), browser: miniBrowser() };
  const screen = await startScreen();
  try {
    const engine = await perPreferences((preferences) =>
      startSession({ programs, inbox, args, screen: screen.env, preferences }),
    );
    return {
      ...engine,
      async close() {
        await engine.close();
        await screen.stop();
      },
    };
  } catch (error) {
    await screen.stop();
    throw error;
  }
}

/**
 * A home folder in which downloads go to `inbox` without a question, and the desktop has the user's preferences.
 * @param {string} inbox
 * @param {import('./browser.mjs').Preferences} preferences
 */
function makeHome(inbox, { reducedMotion }) {
  const home = temporaryFolder('webkit');
  const config = join(home.path, '.config');
  const runtime = join(home.path, 'run');
  mkdirSync(join(config, 'gtk-3.0'), { recursive: true });
  mkdirSync(runtime, { mode: 0o700 });
  writeFileSync(join(config, 'user-dirs.dirs'), `XDG_DOWNLOAD_DIR="${inbox}"\n`);
  const animations = reducedMotion === 'reduce' ? 0 : 1;
  writeFileSync(join(config, 'gtk-3.0', 'settings.ini'), `[Settings]\ngtk-enable-animations=${animations}\n`);
  writeFileSync(join(config, 'gtk-3.0', 'gtk.css'), CHROME_STYLE);
  const env = {
    HOME: home.path,
    XDG_CONFIG_HOME: config,
    XDG_CACHE_HOME: join(home.path, '.cache'),
    XDG_DATA_HOME: join(home.path, '.local', 'share'),
    XDG_RUNTIME_DIR: runtime,
    TMPDIR: home.path,
    GSETTINGS_BACKEND: 'memory',
    GTK_THEME: undefined,
    DBUS_SESSION_BUS_ADDRESS: undefined,
  };
  return { env, remove: home.remove };
}

/**
 * One WebKitWebDriver with its one session; a driver takes no second.
 * @param {object} options
 * @param {{ dbus: string, driver: string, browser: string }} options.programs
 * @param {string} options.inbox
 * @param {string[]} options.args
 * @param {Record<string, string | undefined>} options.screen
 * @param {import('./browser.mjs').Preferences} options.preferences
 * @returns {Promise<import('./browser.mjs').Engine>}
 */
async function startSession({ programs, inbox, args, screen, preferences }) {
  const home = makeHome(inbox, preferences);
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const driver = start(programs.dbus, ['--', programs.driver, `--port=${port}`], {
    env: { ...home.env, ...screen },
  });
  const stop = async () => {
    await driver.stop();
    home.remove();
  };

  try {
    await until(
      async () => {
        if (!driver.running()) throw new Error(`WebKitWebDriver ended at once: ${driver.printed()}`);
        return command(origin, 'GET', '/status').then(
          () => true,
          () => undefined,
        );
      },
      START_MS,
      () => `WebKitWebDriver does not answer on ${origin}: ${driver.printed()}`,
    );
    const browserArgs = [
      '--automation',
      ...(preferences.colorScheme === 'dark' ? ['--dark-mode'] : []),
      ...args,
    ];
    const { sessionId, capabilities } = await bounded(
      command(origin, 'POST', '/session', {
        capabilities: {
          alwaysMatch: {
            'webkitgtk:browserOptions': { binary: programs.browser, args: browserArgs },
            timeouts: { script: EVALUATE_MS, pageLoad: NAVIGATION_MS, implicit: 0 },
            unhandledPromptBehavior: 'dismiss',
          },
        },
      }),
      START_MS,
      'a WebKit session',
    );
    const session = openSession(`${origin}/session/${sessionId}`);
    return {
      version: capabilities.browserVersion,
      newPage: ({ viewport }) => openPage(session, viewport),
      async close() {
        // MiniBrowser may already be gone; the process group is ended either way.
        await bounded(session.send('DELETE', ''), 5_000, 'the end of the session').catch(() => {});
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Runs the commands of a session one after another.
 * @param {string} url
 */
function openSession(url) {
  /** @type {Promise<unknown>} */
  let last = Promise.resolve();
  let current = '';
  /** @param {'GET' | 'POST' | 'DELETE'} method @param {string} path @param {object} [body] */
  const send = (method, path, body) => command(url, method, path, body);
  return {
    send,
    /**
     * @template T
     * @param {() => Promise<T>} work
     * @returns {Promise<T>}
     */
    alone(work) {
      const result = last.then(work);
      last = result.catch(() => {});
      return result;
    },
    /** Directs the next commands to a window; only inside `alone`. @param {string} handle */
    async turnTo(handle) {
      if (handle === current) return;
      await send('POST', '/window', { handle });
      current = handle;
    },
    forget: () => (current = ''),
  };
}

/**
 * A page in a window of its own, so that none is hidden behind another.
 * @param {ReturnType<typeof openSession>} session
 * @param {{ width: number, height: number }} viewport
 * @returns {Promise<import('./browser.mjs').EnginePage>}
 */
async function openPage(session, viewport) {
  const { handle } = await session.alone(() => session.send('POST', '/window/new', { type: 'window' }));

  /** @param {'GET' | 'POST' | 'DELETE'} method @param {string} path @param {object} [body] */
  const send = (method, path, body) =>
    session.alone(async () => {
      await session.turnTo(handle);
      return session.send(method, path, body);
    });

  /** @param {string} script @param {unknown[]} args */
  const execute = (script, ...args) => send('POST', '/execute/sync', { script, args });

  await resize(send, execute, viewport);

  let tickets = 0;
  return {
    async goto(url) {
      await send('POST', '/url', { url });
      // The driver does not report a connection that was refused, and goes on naming the address; the page itself is blank.
      const arrived = await execute('return location.href;');
      if (arrived === 'about:blank' && url !== arrived) throw new Error(`${url} did not load`);
    },
    reload: () => send('POST', '/refresh'),
    async run(source, undisturbed) {
      const ticket = String((tickets += 1));
      let { json, gone } = await send('POST', '/execute/async', {
        script: `${HOLD} hold(arguments[0], ${source}, arguments[1], arguments[arguments.length - 1]);`,
        args: [ticket, undisturbed ? EVALUATE_MS : HOLD_MS],
      });
      while (json === undefined && !gone) {
        await pause(HOLD_MS / 4);
        ({ json, gone } = await send('POST', '/execute/async', {
          script: `${HOLD} hold(arguments[0], undefined, arguments[1], arguments[arguments.length - 1]);`,
          args: [ticket, HOLD_MS],
        }));
      }
      if (gone) throw new Error('the page navigated away while this was evaluated');
      return json;
    },
    clickAt: (x, y) => send('POST', '/actions', { actions: clickActions(x, y) }),
    keys: (strokes) => send('POST', '/actions', { actions: keyActions(strokes) }),
    async setFiles(marker, paths) {
      const input = await execute(`${FIND} return find(document, arguments[0]);`, marker);
      const [id] = Object.values(input);
      await send('POST', `/element/${id}/value`, { text: paths.join('\n') });
    },
    screenshot: async () => Buffer.from(await send('GET', '/screenshot'), 'base64'),
    async close() {
      await send('DELETE', '/window');
      session.forget();
    },
    // WebDriver's classic protocol tells neither.
    messages: () => null,
    requests: () => null,
  };
}

/**
 * Inside the page: awaits a promise for at most `ms` milliseconds, and keeps it under its ticket to be asked for again.
 * The map is the page's, so a navigation forgets it.
 */
const HOLD = `
  const hold = (ticket, promise, ms, done) => {
    const kept = (window[Symbol.for('crypto-diag test driver')] ??= new Map());
    if (promise) kept.set(ticket, promise);
    if (!kept.has(ticket)) return done({ gone: true });
    let over = false;
    const timer = setTimeout(() => { over = true; done({}); }, ms);
    kept.get(ticket).then((json) => {
      // Too late for this command; the next one asks again.
      if (over) return;
      clearTimeout(timer);
      kept.delete(ticket);
      done({ json });
    });
  };`;

/** Inside the page: the first match of a selector, in open shadow roots too. */
const FIND = `
  const find = (root, selector) => {
    const match = root.querySelector(selector);
    if (match) return match;
    for (const host of root.querySelectorAll('*')) {
      const inner = host.shadowRoot && find(host.shadowRoot, selector);
      if (inner) return inner;
    }
    return null;
  };`;

/**
 * WebDriver sizes windows; this asks for the window whose viewport has the size.
 * @param {(method: 'POST', path: string, body: object) => Promise<any>} send
 * @param {(script: string) => Promise<any>} execute
 * @param {{ width: number, height: number }} viewport
 */
async function resize(send, execute, { width, height }) {
  let [outerWidth, outerHeight] = [width, height];
  let inner = [0, 0];
  for (let i = 0; i < RESIZES; i += 1) {
    await send('POST', '/window/rect', { width: outerWidth, height: outerHeight });
    inner = await execute('return [innerWidth, innerHeight];');
    if (inner[0] === width && inner[1] === height) return;
    // The page learns of its window's new size a moment later: look once more before the next correction.
    await pause(30);
    inner = await execute('return [innerWidth, innerHeight];');
    if (inner[0] === width && inner[1] === height) return;
    outerWidth += width - inner[0];
    outerHeight += height - inner[1];
  }
  throw new Error(`newPage: WebKit gives a viewport of ${inner.join(' × ')}, not ${width} × ${height}`);
}
