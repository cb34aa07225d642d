// @ts-check
/** Bundles the page with crypto-diag and one matrix-js-sdk, and serves it from memory. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { root } from '../../scripts/lib/project.mjs';
import { serve } from '../../scripts/lib/server.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const CRYPTO_WASM = '@matrix-org/matrix-sdk-crypto-wasm';

/** The SDK that the runbook names; others are npm aliases in tests/package.json. */
export const DEFAULT_SDK = 'matrix-js-sdk';

/** Which version of the SDK is installed under a package's name. */
export const sdkVersion = (/** @type {string} */ sdk) => versionOf(findPackage(sdk, here));

/**
 * @typedef {object} App
 * @property {string} sdkVersion of the bundled matrix-js-sdk
 * @property {string} cryptoWasmVersion
 * @property {() => Promise<{url: string, close: () => Promise<void>}>} serve
 *   on a new port: another origin, so localStorage and IndexedDB of its own
 */

/**
 * crypto-diag is the built package, or what CRYPTO_DIAG_ENTRY names (another build's index.js).
 *
 * @param {{sdk?: string}} [options] `sdk` is the package's name in tests/node_modules
 * @returns {Promise<App>}
 */
export async function bundleApp({ sdk = DEFAULT_SDK } = {}) {
  const entry = path.resolve(process.env.CRYPTO_DIAG_ENTRY || path.join(root, 'pkg/dist/index.js'));
  if (!existsSync(entry)) throw new Error(`${entry} is missing: run \`npm run build\` first`);
  const sdkFolder = findPackage(sdk, here);
  const wasmFolder = findPackage(CRYPTO_WASM, sdkFolder);
  const version = versionOf(sdkFolder);

  const bundle = await build({
    entryPoints: [path.join(here, 'app', 'main.js')],
    bundle: true,
    write: false,
    outfile: 'main.js',
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'error',
    define: { global: 'window', LIVE_SDK_VERSION: JSON.stringify(version) },
    alias: {
      'crypto-diag': entry,
      'crypto-diag/card': path.join(path.dirname(entry), 'card.js'),
      'matrix-js-sdk': sdkFolder,
    },
  });

  // A call's frame, as Element Call's is: LiveKit with its own worker.
  const call = await build({
    entryPoints: [path.join(here, '../support/call/side.js')],
    bundle: true,
    write: false,
    format: 'esm',
    logLevel: 'error',
  });
  const worker = path.join(findPackage('livekit-client', here), 'dist/livekit-client.e2ee.worker.mjs');

  const files = {
    '/': readFileSync(path.join(here, 'app', 'index.html')),
    '/call/': '<!doctype html><meta charset="utf-8"><body><script type="module" src="/call.js"></script>',
    '/call.js': call.outputFiles[0].text,
    '/worker.js': readFileSync(worker),
    '/record.js': readFileSync(path.join(here, 'app', 'record.js')),
    '/main.js': bundle.outputFiles[0].text,
    // The bundled crypto package asks for its module beside the bundle.
    '/pkg/matrix_sdk_crypto_wasm_bg.wasm': readFileSync(
      path.join(wasmFolder, 'pkg', 'matrix_sdk_crypto_wasm_bg.wasm'),
    ),
  };

  return { sdkVersion: version, cryptoWasmVersion: versionOf(wasmFolder), serve: () => serve(files) };
}

/** The folder of an installed package, looked for as Node does; its `exports` may hide package.json from require.resolve. */
function findPackage(/** @type {string} */ name, /** @type {string} */ from) {
  for (let dir = from; ; dir = path.dirname(dir)) {
    const folder = path.join(dir, 'node_modules', name);
    if (existsSync(path.join(folder, 'package.json'))) return folder;
    if (dir === path.dirname(dir)) throw new Error(`${name} is not installed: run npm install in tests/`);
  }
}

function versionOf(/** @type {string} */ folder) {
  return JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')).version;
}
