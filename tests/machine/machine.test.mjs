// @ts-check
// The model's client is the real crypto library, as far as histories by chance show. `npm run worlds:client` tries more of them.
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

test('a client whose store does not go back when it is set back is told from the model', async () => {
  const machines = new Machines();
  const { differs } = await beside(['--seed', '4', '--histories', '12'], {
    answer: (question) =>
      question.do === 'set back' && question.from.startsWith('backup')
        ? machines.answer({ do: 'nothing' })
        : machines.answer(question),
  });
  assert.match(differs ?? 'no difference was found', /is set back to its backup[^]*the library/);
});
