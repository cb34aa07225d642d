// @ts-check
// `npm run fuzz`, `npm run fuzz -- 3600`, `npm run fuzz -- 60 har`: gives readers broken input for so many seconds each.

import { watch } from './lib/process.mjs';
import { main, say } from './lib/project.mjs';

main(async () => {
  const [seconds = '600', target] = process.argv.slice(2);
  if (!(Number(seconds) > 0)) {
    say(`Not a number of seconds: ${seconds}. Usage: npm run fuzz -- SECONDS [TARGET]`);
    process.exitCode = 2;
    return;
  }
  const { code } = await watch(
    'cargo',
    [
      ...['test', '--profile', 'fuzz', '-p', 'crypto-diag-fuzz', '--test', '*', '--', '--nocapture'],
      ...(target ? ['--exact', target] : []),
    ],
    // Half as long again for the compiler, and for inputs that take their time.
    { env: { FUZZ_SECONDS: seconds, FUZZ_SEED: 'clock' }, seconds: 900 + Number(seconds) * 12 },
  );
  process.exitCode = code ?? 1;
});
