// @ts-check
// The recorded lines about room keys, which the readers and the model are tried with, are what the pinned packages print.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { root } from '../../scripts/lib/project.mjs';
import { scenes } from './room-keys.mjs';

/** What is another one in each run stands under its name instead. @param {import('./room-keys.mjs').Scene} scene */
function withoutChance({ what, event, notice, lines }) {
  const { ciphertext: _, ...content } = event.content;
  const time = new Date(event.origin_server_ts).toISOString();
  const text = JSON.stringify({ what, content, notice, lines });
  return JSON.parse(
    text
      .replaceAll(time, 'TIME')
      .replaceAll(content.sender_key, 'SENDER_KEY')
      .replaceAll(content.session_id, 'SESSION'),
  );
}

test('real clients print of room keys what was recorded', async () => {
  const recorded = JSON.parse(fs.readFileSync(path.join(root, 'tests/fixtures/room-keys.json'), 'utf8'));
  const printed = (await scenes()).map(withoutChance);
  assert.deepEqual(printed, recorded.map(withoutChance));
  assert.equal(printed.filter(({ lines }) => lines.length === 2).length, 5);
});
