// The page of react.test.mjs: readers of the hook that write down what they saw.
import { createElement as h, startTransition, useLayoutEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { install } from 'crypto-diag';
import { useCryptoDiag } from 'crypto-diag/react';

install();

const LINE = 'One time key signed_curve25519:AAAAAAAAADQ already exists. Old key:';

/** What a test reads. */
const seen = { renders: 0, total: -1, first: -1, state: '', torn: false, mixed: false, errors: [] };
/** What every reader was given in the render that is being committed. */
let given = [];

window.addEventListener('error', ({ message }) => seen.errors.push(message));

function Reader({ slow = false }) {
  const diag = useCryptoDiag();
  if (slow) for (const end = performance.now() + 4; performance.now() < end;);
  seen.renders++;
  seen.mixed ||= diag.counts.total <= 200 && diag.entries.length !== diag.counts.total;
  useLayoutEffect(() => {
    given.push(diag);
  });
  return h('p', null, diag.counts.total);
}

function Noisy() {
  useCryptoDiag();
  console.error(LINE);
  return null;
}

let show;
function Page() {
  const diag = useCryptoDiag();
  const [what, setWhat] = useState({ slow: 0, noisy: false });
  show = setWhat;
  if (seen.first < 0) seen.first = diag.counts.total;
  // Runs after the layout effects of all readers.
  useLayoutEffect(() => {
    seen.torn ||= given.some((other) => other !== diag);
    given = [];
    seen.total = diag.counts.total;
    seen.state = diag.status.state;
  });
  const slow = Array.from({ length: what.slow }, (_, key) => h(Reader, { key, slow: true }));
  return h('main', null, h(Reader, { key: 'one' }), h(Reader, { key: 'two' }), slow, what.noisy && h(Noisy));
}

let root;
window.page = {
  seen,
  mount() {
    seen.first = -1;
    root = createRoot(document.body.appendChild(document.createElement('div')));
    root.render(h(Page));
  },
  unmount: () => root.unmount(),
  fail: (times = 1) => {
    for (let left = times; left > 0; left--) console.error(LINE);
  },
  /** Renders slow readers in a transition that React may interrupt, with lines logged all the while. */
  async renderSlowly() {
    startTransition(() => show({ slow: 30, noisy: false }));
    for (let left = 30; left > 0; left--) {
      console.error(LINE);
      await new Promise((resolve) => setTimeout(resolve, 4));
    }
  },
  makeNoise: (noisy) => show({ slow: 0, noisy }),
  frames: async (count) => {
    for (let left = count; left > 0; left--) await new Promise((resolve) => requestAnimationFrame(resolve));
  },
};
