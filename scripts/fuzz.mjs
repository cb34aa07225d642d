// @ts-check
// `npm run fuzz`, `npm run fuzz -- 3600`, `npm run fuzz -- 60 har`: gives readers broken input for so many seconds each.
// `npm run fuzz -- 600 secrets`: plants generated secrets for so many seconds.

import { HOST_PROFILE } from './lib/host-program.mjs';
import { watch } from './lib/process.mjs';
import { main, say } from './lib/project.mjs';

main(async () => {
  const [seconds = '600', target] = process.argv.slice(2);
  if (!(Number(seconds) > 0)) {
    say(`Not a number of seconds: ${seconds}. Usage: npm run fuzz -- SECONDS [TARGET]`);
    process.exitCode = 2;
    return;
  }
  if (target === 'secrets') {
    const planted = await watch(
      'cargo',
      [
        ...['test', '--profile', HOST_PROFILE, '-p', 'crypto-diag-core', '--test', 'generated'],
        ...['--', '--nocapture'],
      ],
      {
        env: { SECRETS_SECONDS: String(Math.ceil(Number(seconds))), SECRETS_SEED: String(Date.now()) },
        // The compiler's time, too.
        seconds: 900 + Number(seconds),
      },
    );
    process.exitCode = planted.code ?? 1;
    return;
  }
  const { code } = await watch(
    'cargo',
    [
      ...['test', '--profile', HOST_PROFILE, '-p', 'crypto-diag-fuzz', '--test', '*', '--', '--nocapture'],
      ...(target ? ['--exact', target] : []),
    ],
    // Half as long again for the compiler, and for inputs that take their time.
    { env: { FUZZ_SECONDS: seconds, FUZZ_SEED: 'clock' }, seconds: 900 + Number(seconds) * 12 },
  );
  process.exitCode = code ?? 1;
});
