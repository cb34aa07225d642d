// @ts-check
// `npm run record [scenario …]`: records the live scenarios anew into tests/fixtures/bundles.

import path from 'node:path';
import { build } from './build.mjs';
import { run } from './lib/process.mjs';
import { main, root, step } from './lib/project.mjs';
import { setUpTests } from './setup.mjs';

main(async () => {
  const { env } = await setUpTests();
  await step('build', build);
  run(process.execPath, [path.join(root, 'tests/live/record.mjs'), ...process.argv.slice(2)], { env });
});
