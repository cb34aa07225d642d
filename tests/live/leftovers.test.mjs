// @ts-check
// Whatever happens to a live test, it leaves no process and no file behind.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { root } from '../../scripts/lib/project.mjs';
import { isRunning, start } from '../../scripts/lib/process.mjs';
import { WAIT_MS, until } from '../../scripts/lib/wait.mjs';
import { SYNAPSE_VERSION } from '../../scripts/setup-synapse.mjs';

/** Every process below `pid`, by its parent's id in /proc. */
function descendants(/** @type {number} */ pid) {
  /** @type {Map<number, number[]>} */
  const children = new Map();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
    } catch {
      // It ended while we looked.
    }
  }
  /** @type {(parent: number) => number[]} */
  const below = (parent) => (children.get(parent) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(pid);
}

/**
 * Runs `body` in a process and a temporary folder of its own. Once it prints "up", notes its descendants and calls `then`; after
 * its end nothing may be left of them or in the folder.
 *
 * @param {string} body
 * @param {{then?: (child: import('node:child_process').ChildProcess) => void, env?: NodeJS.ProcessEnv}} [options]
 * @returns {Promise<{code: number | null, stderr: string, processes: number}>}
 */
async function runAndLookBehind(body, { then, env } = {}) {
  const folder = mkdtempSync(path.join(tmpdir(), 'cd-left-'));
  // A short name: Chromium puts a socket below it, whose path may not exceed 107 bytes. PostgreSQL's account must be able to walk through.
  chmodSync(folder, 0o711);
  try {
    const { child, ended } = start(process.execPath, ['--input-type=module', '-e', body], {
      cwd: path.join(root, 'tests/live'),
      env: { ...env, TMPDIR: folder, NODE_OPTIONS: '', NODE_TEST_CONTEXT: undefined },
    });
    /** @type {number[]} */
    let pids = [];
    child.stdout?.on('data', (text) => {
      if (!text.includes('up')) return;
      pids = descendants(/** @type {number} */ (child.pid));
      then?.(child);
      // The body goes on when it may.
      child.kill('SIGUSR2');
    });
    const { code, err: stderr } = await ended;

    await until(
      () => !pids.some(isRunning),
      WAIT_MS,
      () => `processes are left: ${pids.filter(isRunning)}`,
    );
    assert.deepEqual(readdirSync(folder), [], 'no file is left');
    return { code, stderr, processes: pids.length };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Prints "up" and waits until the test has looked. */
const LOOK = `
  const looked = new Promise((resolve) => process.once('SIGUSR2', resolve));
  const alive = setInterval(() => {}, 1000);
  console.log('up');
  await looked;
  clearInterval(alive);`;

const SERVERS = `import { startServers } from './servers.mjs';
  const servers = await startServers();`;

/** PostgreSQL alone is half a dozen processes, and Synapse is one. */
const A_FEW = 5;

test('stop() ends PostgreSQL and Synapse and removes their folder', async () => {
  const { code, stderr, processes } = await runAndLookBehind(
    `${SERVERS} ${LOOK} await servers.stop(); await servers.stop();`,
  );
  assert.equal(code, 0, stderr);
  assert.ok(processes >= A_FEW, `${processes} processes ran`);
});

test('a test body that throws leaves nothing behind', async () => {
  const { code, stderr, processes } = await runAndLookBehind(
    `${SERVERS} ${LOOK} throw new Error('the body failed');`,
  );
  assert.equal(code, 1);
  assert.match(stderr, /the body failed/);
  assert.ok(processes >= A_FEW, `${processes} processes ran`);
});

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  test(`${signal} leaves nothing behind`, async () => {
    const { code, processes } = await runAndLookBehind(
      `${SERVERS} ${LOOK} await new Promise(() => setInterval(() => {}, 1000));`,
      {
        then: (child) => child.kill(signal),
      },
    );
    assert.equal(code, signal === 'SIGINT' ? 130 : 143);
    assert.ok(processes >= A_FEW, `${processes} processes ran`);
  });
}

test('a browser and two signed-in users on top leave nothing behind either, when the body throws', async () => {
  const { code, stderr, processes } = await runAndLookBehind(`
    import { meet, signInTwo, startRig } from './rig.mjs';
    const rig = await startRig();
    const [alice, bob] = await signInTwo(rig);
    await meet(alice, bob);
    ${LOOK}
    throw new Error('the body failed');`);
  assert.equal(code, 1);
  assert.match(stderr, /the body failed/);
  assert.ok(processes > A_FEW + 1, `${processes} processes ran`);
});

test('a Synapse that does not start says why, and PostgreSQL does not outlive it', async () => {
  const cache = mkdtempSync(path.join(tmpdir(), 'crypto-diag-cache-'));
  try {
    const venv = path.join(cache, `synapse-${SYNAPSE_VERSION}`);
    mkdirSync(path.join(venv, 'bin'), { recursive: true });
    writeFileSync(path.join(venv, '.crypto-diag-ready'), SYNAPSE_VERSION);
    writeFileSync(path.join(venv, 'bin', 'python'), '#!/bin/sh\necho "no such module: synapse"\nexit 3\n', {
      mode: 0o755,
    });
    const { code, stderr } = await runAndLookBehind(SERVERS, { env: { CRYPTO_DIAG_CACHE: cache } });
    assert.equal(code, 1);
    assert.match(stderr, /Synapse 1\.155\.0 did not start:[^]*no such module: synapse/);
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
});
