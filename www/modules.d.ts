// The package, where the site has it.
declare module '*/crypto-diag/index.js' {
  export * from 'crypto-diag';
}
declare module '*/crypto-diag/analysis.js' {
  export * from 'crypto-diag/analysis';
}
