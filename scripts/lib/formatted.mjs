// @ts-check
/** Everything that prettier keeps in shape. */
export const FORMATTED = [
  'scripts',
  'bench',
  'docs/site/.vitepress',
  'pkg/src',
  'www/*.{js,mjs,css,html,json}',
  'www/triage',
  'tests/**/*.{mjs,js,ts,tsx}',
  'eslint.config.mjs',
  'tsconfig*.json',
];
