// A module that fails as soon as it is loaded, as matrix-js-sdk may.
console.error(
  'Failed to process outgoing request 0: [400] One time key signed_curve25519:AAAAAAAAAA0 already exists.',
);
