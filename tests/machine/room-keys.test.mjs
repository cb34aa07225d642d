// @ts-check
// The pinned packages print the recorded lines about room keys, with which the readers and the model are tested.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { root } from '../../scripts/lib/project.mjs';
import { scenes } from './room-keys.mjs';

/** Puts a name in place of each value that differs from run to run. @param {import('./room-keys.mjs').Scene} scene */
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

test('real clients print the recorded lines about missing room keys', async () => {
  const recorded = JSON.parse(fs.readFileSync(path.join(root, 'tests/fixtures/room-keys.json'), 'utf8'));
  const printed = (await scenes()).map(withoutChance);
  assert.deepEqual(printed, recorded.map(withoutChance));
  assert.equal(printed.filter(({ lines }) => lines.length === 2).length, 5);
});
