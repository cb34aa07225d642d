// @ts-check
// `npm run worlds:client -- --seed 7 --minutes 10`: runs histories by chance on the model's client and on the real crypto library.
// docs/soundness.md says what is compared.

import path from 'node:path';
import { ensureNpm } from './lib/packages.mjs';
import { main, root, say } from './lib/project.mjs';

main(async () => {
  const given = process.argv.slice(2);
  ensureNpm(path.join(root, 'tests'));
  // It is imported here, since the packages that it imports may have been installed only now.
  const { beside } = await import('../tests/machine/beside.mjs');
  const { alike, differs } = await beside(given.length ? given : ['--minutes', '2']);
  say(differs ?? JSON.stringify(alike));
  process.exitCode = differs ? 1 : 0;
});
