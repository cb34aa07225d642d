// @ts-check
// The model's client does what the real crypto library does, in some histories by chance. `npm run worlds:client` tries more of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beside } from './beside.mjs';
import { Machines } from './machine.mjs';

test('the model offers, is refused, opens and prints what the real client does', async (t) => {
  const { alike, differs } = await beside(['--seed', '2', '--histories', '6']);
  assert.ok(alike, differs);
  t.diagnostic(JSON.stringify(alike));
  for (const [what, count] of Object.entries(alike)) assert.ok(count > 0, `${what}: none`);
});

test('the comparison finds a client whose store is not set back', async () => {
  const machines = new Machines();
  const { differs } = await beside(['--seed', '4', '--histories', '12'], {
    answer: (question) =>
      question.do === 'set back' && question.from.startsWith('backup')
        ? machines.answer({ do: 'nothing' })
        : machines.answer(question),
  });
  assert.match(differs ?? 'no difference was found', /is set back to its backup[^]*the library/);
});
