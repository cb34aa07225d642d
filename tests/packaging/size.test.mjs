// @ts-check
// What a page loads must not grow unnoticed.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { unpacked } from './lib/consumer.mjs';

/**
 * Bytes of each entry, gzipped, as they were reached; see docs/bench/size.md. Whoever makes one smaller lowers the number,
 * whoever raises one says in the commit what for.
 */
const REACHED = {
  'index.js': 42_460,
  'light.js': 17_610,
  'light-core.js': 24_760,
  'worker.js': 4_740,
  'card.js': 13_700,
  'keep.js': 3_590,
  'react.js': 540,
  'analysis.js': 340_110,
};
/** What a compiler's or a compressor's new version may add. */
const SLACK = 1.02;
/** What a client may be asked to load for the default entry: 39 KiB, and three for what lines cannot tell: a call's streams, members and facts, requests. */
const DEFAULT_MAX = 42 * 1024;

for (const [name, reached] of Object.entries(REACHED)) {
  test(`${name} is at most two percent larger than what was reached`, () => {
    const bytes = gzipSync(readFileSync(join(unpacked(), name)), { level: 9 }).length;
    assert.ok(bytes <= reached * SLACK, `${name} has ${bytes} bytes gzipped, ${reached} were reached`);
  });
}

test('the default entry, WebAssembly included, has at most 42 KiB gzipped', () => {
  assert.ok(gzipSync(readFileSync(join(unpacked(), 'index.js')), { level: 9 }).length <= DEFAULT_MAX);
});
