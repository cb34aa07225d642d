// @ts-check
// `npm run format`: brings Rust and JavaScript into the shape that `npm run check` asks for.

import path from 'node:path';
import { run } from './lib/process.mjs';
import { main, root } from './lib/project.mjs';
import { ensureNpm } from './lib/packages.mjs';
import { FORMATTED } from './lib/formatted.mjs';

main(() => {
  ensureNpm(path.join(root, 'tests'));
  run('cargo', ['fmt', '--all']);
  run(path.join(root, 'tests/node_modules/.bin/prettier'), ['--write', '--log-level', 'warn', ...FORMATTED]);
});
