// Where the core comes from: for the light entry, from the file beside it.

export const coreText = () => import('./light-core.js').then(({ CORE_TEXT }) => CORE_TEXT);
