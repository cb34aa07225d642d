// @ts-check
// The page: takes files, has the worker read them, shows the answer. When files are added or taken away, all are triaged again.

import './closed.js';
import { byId, button, html, plain, size } from './dom.js';
import { FILES_MAX, TooMany, add, chosen, dropped } from './given.js';
import { start } from './run.js';
import { saveButton } from './save.js';
import { show } from './show.js';
import { fillZones, zoneOf } from './zones.js';

const drop = byId('drop');
const zone = byId('zone');
const bar = byId('bar');
const where = byId('where');
const rows = byId('rows');
const result = byId('result');
const problem = byId('problem');

/** The files, by the name that answers call them. @type {Map<string, File>} */
const files = new Map();

/** The table cells of each file. @type {{ kind: HTMLElement, state: HTMLElement, actions: HTMLElement }[]} */
let cells = [];

/** Ends the run that is under way. @type {(() => void) | null} */
let end = null;

/** Says something to who cannot see it. @param {string} text */
const announce = (text) => {
  byId('status').textContent = text;
};

/** @param {string} text nothing hides it */
function complain(text) {
  problem.textContent = text;
  problem.hidden = text === '';
}

/** Shows the parts of the page that apply to the present files and answer. */
function arrange() {
  const any = files.size > 0;
  byId('accepted').hidden = any;
  byId('files').hidden = !any;
  byId('progress').hidden = end === null;
  byId('again').hidden = end !== null || result.childElementCount > 0 || !any;
  drop.classList.toggle('compact', any);
}

function list() {
  cells = [];
  rows.replaceChildren(
    ...[...files].map(([name, file]) => {
      const kind = html('td', { 'data-cell': 'kind' }, '…');
      const state = html('td', { 'data-cell': 'state' }, 'waits');
      const remove = button('Take away', { class: 'button small', 'aria-label': `Take away ${name}` }, () => {
        files.delete(name);
        triage();
        drop.focus();
      });
      const cell = html('th', { scope: 'row' }, html('bdi', {}, name));
      const actions = html('td', {}, remove);
      cells.push({ kind, state, actions });
      return html('tr', {}, cell, html('td', {}, size(file.size)), kind, state, actions);
    }),
  );
  byId('count').textContent = `${files.size} ${files.size === 1 ? 'file' : 'files'}`;
}

/** Reads everything and shows the answer. */
function triage() {
  stop();
  complain('');
  result.replaceChildren();
  byId('problems').hidden = true;
  byId('zone-unknown').hidden = true;
  list();
  if (files.size === 0) {
    announce('No files.');
    arrange();
    return;
  }
  byId('files').open = true;
  const names = [...files.keys()];
  const sizes = [...files.values()].map((file) => file.size);
  const total = sizes.reduce((sum, bytes) => sum + bytes, 0);
  const read = sizes.map(() => 0);
  let current = names[0];
  const progress = () => {
    const sum = read.reduce((all, bytes) => all + bytes, 0);
    bar.value = total === 0 ? 1 : sum / total;
    where.textContent = `Reading ${plain(current)}: ${size(sum)} of ${size(total)}`;
  };
  progress();
  announce(`Reading ${names.length} ${names.length === 1 ? 'file' : 'files'}.`);
  end = start(files, zoneOf(zone), {
    kind(index, kind) {
      cells[index].kind.textContent = kind;
    },
    read(index, bytes) {
      current = names[index];
      read[index] = bytes;
      cells[index].state.textContent = 'is read';
      progress();
    },
    done(index, used) {
      read[index] = sizes[index];
      cells[index].state.textContent = used ? 'used' : 'not used';
      cells[index].state.className = used ? '' : 'unused';
      progress();
    },
    answer(answer) {
      end = null;
      finish(answer);
    },
    failed(why) {
      end = null;
      arrange();
      complain(
        `The triage broke off while it read ${current}: ${why}. Take that file away and try again, ` +
          `or run “crypto-diag triage” on the same files, which has more memory.`,
      );
      announce('The triage broke off.');
    },
  });
  arrange();
}

/**
 * A HAR as a browser saves it holds the user's tokens. Each gets a button that saves it without secrets.
 * @param {{ name: string, text: string }[]} hars
 */
function offerWithoutSecrets(hars) {
  const names = [...files.keys()];
  for (const { name, text } of hars) {
    const saved = `${name
      .split('/')
      .at(-1)
      ?.replace(/\.har$/i, '')}.without-secrets.har`;
    const attributes = { class: 'button small', 'aria-label': `Save without secrets: ${name}` };
    const save = saveButton('Save without secrets', saved, 'application/json', text, attributes);
    cells[names.indexOf(name)]?.actions.prepend(save, ' ');
  }
}

/** @param {import('./run.js').Answer} answer */
function finish(answer) {
  const { problems, zoneUnknown, artefacts } = JSON.parse(answer.view);
  offerWithoutSecrets(JSON.parse(answer.hars));
  result.replaceChildren(...show(answer, announce));
  byId('problem-list').replaceChildren(
    ...problems.map((/** @type {string} */ text) => html('li', {}, html('bdi', {}, text))),
  );
  byId('problems').hidden = problems.length === 0;
  byId('zone-unknown').hidden = zoneUnknown.length === 0;
  byId('zone-logs').textContent = plain(zoneUnknown.join(', '));
  const unused = artefacts.filter((/** @type {any} */ { used }) => !used).length;
  byId('count').textContent =
    `${files.size} ${files.size === 1 ? 'file' : 'files'}, ${files.size - unused} used`;
  byId('files').open = problems.length > 0;
  byId('memory').textContent = `The last run read slice by slice and held ${size(answer.memory)} at most.`;
  arrange();
  announce('');
  // Move focus and view to the answer, for readers and for screen readers.
  byId('verdict').focus();
}

function stop() {
  end?.();
  end = null;
}

/** @param {import('./given.js').Found[] | Promise<import('./given.js').Found[]>} given */
async function take(given) {
  try {
    const found = await given;
    if (found.length === 0) return;
    add(files, found);
    triage();
  } catch (error) {
    complain(
      error instanceof TooMany
        ? `That is more than ${FILES_MAX} files. Give the folder of one bundle.`
        : `A file could not be opened: ${error instanceof Error ? error.message : error}. Give it again.`,
    );
  }
}

for (const id of ['choose-files', 'choose-folder']) {
  const input = /** @type {HTMLInputElement} */ (byId(id));
  input.addEventListener('change', () => {
    const found = input.files;
    if (found?.length) take(Promise.resolve(found).then(chosen));
  });
}

// Files can be dropped anywhere on the page: otherwise the browser would open a file that narrowly misses, in place of the page.
addEventListener('dragover', (event) => {
  event.preventDefault();
  drop.classList.add('over');
});
addEventListener('dragleave', (event) => {
  if (event.relatedTarget === null) drop.classList.remove('over');
});
addEventListener('drop', (event) => {
  event.preventDefault();
  drop.classList.remove('over');
  if (event.dataTransfer) take(dropped(event.dataTransfer));
});

byId('cancel').addEventListener('click', () => {
  stop();
  for (const { state } of cells) if (state.textContent === 'is read') state.textContent = 'waits';
  arrange();
  announce('Cancelled. The files are still listed.');
  byId('again').focus();
});
byId('again').addEventListener('click', triage);
byId('clear').addEventListener('click', () => {
  files.clear();
  triage();
  byId('choose-files').focus();
});
zone.addEventListener('change', () => {
  if (files.size > 0) triage();
});
// Open all details before printing, since nothing can be opened on paper.
addEventListener('beforeprint', () => {
  for (const fold of result.querySelectorAll('details')) fold.open = true;
});

fillZones(zone);
byId('save-page').hidden = location.protocol === 'file:';
byId('working').hidden = false;
arrange();
