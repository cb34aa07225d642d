// What `npm run check` asks of the JavaScript that builds, tests and measures. Prettier has the shape, TypeScript the types; here is
// what neither sees, above all a promise that nobody awaits.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

// The linter is among the tests' packages: `npm start` installs none of them.
const require = createRequire(new URL('./tests/package.json', import.meta.url));
const { parser, plugin } = require('typescript-eslint');

export default [
  {
    ignores: [
      '**/node_modules/',
      'pkg/dist/',
      'www/dist/',
      'target/',
      '.cache/',
      'tests/fixtures/',
      'tests/browser/built/',
      'tests/packaging/app/unused/',
    ],
  },
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: { parser },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    plugins: { '@typescript-eslint': plugin },
    rules: {
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-else-return': 'error',
      'no-unreachable': 'error',
      'no-unsafe-finally': 'error',
      'no-unused-expressions': ['error', { allowShortCircuit: true, allowTernary: true }],
      'no-useless-return': 'error',
      'no-useless-rename': 'error',
      'no-var': 'error',
      'object-shorthand': 'error',
      'prefer-const': ['error', { destructuring: 'all' }],
      'require-yield': 'error',
    },
  },
  {
    // Where tsc knows the types.
    files: [
      'scripts/**/*.mjs',
      'bench/**/*.mjs',
      'tests/{live,packaging,cinny,support,e2e}/**/*.mjs',
      'tests/browser/*.mjs',
    ],
    ignores: [
      'tests/cinny/fixture/**',
      'tests/packaging/app*/**',
      'tests/live/app/**',
      'tests/e2e/fidelity/**',
    ],
    languageOptions: {
      parserOptions: {
        project: 'tsconfig.tools.json',
        tsconfigRootDir: fileURLToPath(new URL('.', import.meta.url)),
      },
    },
    rules: {
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: 'node:test', name: ['test', 'describe', 'before', 'after'] },
          ],
        },
      ],
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
    },
  },
];
