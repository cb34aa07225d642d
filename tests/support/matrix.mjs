// @ts-check
/** Whether `npm run test:matrix` asks for what `npm test` leaves out: every scenario, in every combination where one is not enough. */
export const everything = process.env.CRYPTO_DIAG_MATRIX === '1';
