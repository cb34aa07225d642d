// @ts-check
// The browsers and drivers of this machine, and the screen for the one that cannot do without.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, start } from '../../scripts/lib/process.mjs';
import { START_MS, until } from '../../scripts/lib/wait.mjs';

/** What installs everything that WebKitGTK needs, on Debian and Ubuntu. */
const WEBKIT_APT = 'webkit2gtk-driver xvfb dbus';

export const chromium = () =>
  findProgram({
    name: 'Chromium',
    candidates: ['/usr/bin/chromium', 'chromium', 'chromium-browser', 'google-chrome'],
    apt: 'chromium',
    variable: 'CRYPTO_DIAG_CHROMIUM',
  });

export const chromedriver = () =>
  findProgram({
    name: 'chromedriver',
    candidates: ['/usr/bin/chromedriver', 'chromedriver'],
    apt: 'chromium-driver',
  });

export const firefox = () =>
  findProgram({
    name: 'Firefox',
    candidates: ['/usr/bin/firefox-esr', 'firefox-esr', 'firefox'],
    apt: 'firefox-esr',
    variable: 'CRYPTO_DIAG_FIREFOX',
  });

export const webkitDriver = () =>
  findProgram({
    name: 'WebKitWebDriver',
    candidates: ['/usr/bin/WebKitWebDriver', 'WebKitWebDriver'],
    apt: WEBKIT_APT,
    variable: 'CRYPTO_DIAG_WEBKIT_DRIVER',
  });

export const miniBrowser = () =>
  findProgram({
    name: "WebKitGTK's MiniBrowser",
    candidates: miniBrowsers(),
    apt: WEBKIT_APT,
    variable: 'CRYPTO_DIAG_MINIBROWSER',
  });

export const dbusSession = () =>
  findProgram({ name: 'dbus-run-session', candidates: ['dbus-run-session'], apt: WEBKIT_APT });

/** Browsers' sandboxes refuse to run as root. */
export const isRoot = process.getuid?.() === 0;

/** Where Debian and Fedora keep MiniBrowser: below the library folder of the machine's architecture. */
function miniBrowsers() {
  const libraries = ['/usr/lib', '/usr/libexec', '/usr/lib64'].flatMap((folder) => {
    try {
      return [folder, ...readdirSync(folder).map((name) => join(folder, name))];
    } catch {
      return [];
    }
  });
  const versions = ['webkit2gtk-4.1', 'webkitgtk-6.0', 'webkit2gtk-4.0'];
  const found = versions
    .flatMap((version) => libraries.map((folder) => join(folder, version, 'MiniBrowser')))
    .filter((path) => existsSync(path));
  return [...found, 'MiniBrowser'];
}

/**
 * An X server on a display that nobody uses: WebKitGTK has no headless mode.
 * @returns {Promise<{ env: Record<string, string | undefined>, stop: () => Promise<void> }>} what a WebKitGTK program needs in its
 *   environment to be shown there
 */
export async function startScreen() {
  const xvfb = findProgram({ name: 'Xvfb', candidates: ['Xvfb'], apt: WEBKIT_APT });
  const args = ['-displayfd', '1', '-screen', '0', '1920x1200x24', '-nolisten', 'tcp', '-noreset'];
  // SIGTERM lets the server remove its socket.
  const server = start(xvfb, args, { signal: 'SIGTERM' });
  const display = await until(
    async () => {
      if (!server.running()) throw new Error(`Xvfb ended at once: ${server.printed()}`);
      return /^\d+$/m.exec(server.printed())?.[0];
    },
    START_MS,
    () => `Xvfb names no display: ${server.printed()}`,
  );
  return {
    env: {
      DISPLAY: `:${display}`,
      WAYLAND_DISPLAY: undefined,
      GDK_BACKEND: 'x11',
      NO_AT_BRIDGE: '1',
      ...(isRoot ? { WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1' } : {}),
    },
    stop: server.stop,
  };
}
