// What a server renders, where there is no window and nothing is captured.
import { createElement as h } from 'react';
import { renderToString } from 'react-dom/server';
import { useCryptoDiag } from 'crypto-diag/react';

function Reader() {
  const { entries, counts, status } = useCryptoDiag();
  return h('p', null, [entries.length, counts.total, counts.byMeaning.failure, status.state].join(' '));
}

console.log(renderToString(h(Reader)));
