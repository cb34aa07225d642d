// The report's types are in report.d.ts; this file makes `import 'crypto-diag/report'` resolve where types are not erased.
export {};
