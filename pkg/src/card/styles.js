// @ts-check
/**
 * The card's looks, as a constructable style sheet: under `style-src 'self'` a `<style>` in a shadow root and inline
 * styles are refused, an adopted sheet is not.
 *
 * An application themes the card by the variables named in PALETTE, each with the prefix `--crypto-diag-`, and by the
 * shadow parts. Light or dark follows the `color-scheme` that the card inherits; `theme="light"` and `theme="dark"` on
 * the element decide otherwise.
 */

/** Each colour: for light, for dark. Texts on the surface they are used on have a contrast of at least 4.5 to 1. */
const PALETTE = {
  surface: ['#ffffff', '#1e1f25'],
  'surface-variant': ['#f4f4f7', '#26282f'],
  border: ['#e1e2e9', '#373a44'],
  text: ['#1b1d23', '#e8e9ee'],
  'text-quiet': ['#565b68', '#a9aebb'],
  accent: ['#4453b8', '#aab6ff'],
  'on-accent': ['#ffffff', '#161b42'],
  critical: ['#9f1d22', '#ffb4b0'],
  'critical-surface': ['#fce8e6', '#4a2124'],
  caution: ['#744800', '#f2d28b'],
  'caution-surface': ['#fcf0d8', '#40331a'],
  good: ['#14623a', '#9fe0ba'],
  'good-surface': ['#e0f3e7', '#1b3c2a'],
};

/** The variables that are no colours. */
const MEASURES = {
  radius: '12px',
  font: "system-ui, -apple-system, 'Segoe UI', Roboto, Ubuntu, 'Noto Sans', sans-serif",
  'font-code': "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace",
};

/**
 * @param {(light: string, dark: string) => string} choose
 * @returns {string} declarations of the private variables, each open to an override from outside
 */
function palette(choose) {
  return Object.entries(PALETTE)
    .map(([name, [light, dark]]) => `--_${name}: var(--crypto-diag-${name}, ${choose(light, dark)});`)
    .join('\n');
}

const CSS = `
:host {
  ${Object.entries(MEASURES)
    .map(([name, value]) => `--_${name}: var(--crypto-diag-${name}, ${value});`)
    .join('\n')}
  ${palette((light, dark) => `light-dark(${light}, ${dark})`)}
  --_radius-small: min(8px, var(--_radius));
  display: block;
  container-type: inline-size;
  color: var(--_text);
  font: 400 0.9375rem/1.45 var(--_font);
  text-align: start;
}
:host([hidden]) { display: none; }
:host([theme='light']) { color-scheme: light; }
:host([theme='dark']) { color-scheme: dark; }

/* Engines that do not know light-dark() yet follow the system or the attribute. */
@supports not (color: light-dark(#000, #fff)) {
  :host { ${palette((light) => light)} }
  :host([theme='dark']) { ${palette((_, dark) => dark)} }
  @media (prefers-color-scheme: dark) {
    :host(:not([theme='light'])) { ${palette((_, dark) => dark)} }
  }
}

*, ::before, ::after { box-sizing: border-box; }
[hidden] { display: none !important; }
p, ul, ol, dl, dd { margin: 0; padding: 0; }
ul, ol { list-style: none; }

.unseen {
  position: absolute;
  inline-size: 1px;
  block-size: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}

.card {
  position: relative;
  display: flex;
  flex-direction: column;
  gap: 1rem;
  min-inline-size: 0;
  padding: 1rem;
  background: var(--_surface);
  border: 1px solid var(--_border);
  border-radius: var(--_radius);
}

/* Each text has the direction of its own language: English ones stay readable in a page that runs right to left. */
p, dd, .title, .badge, .quiet, .family-name > span, .family-failures, .capture-text, .button, .preview-title, .preview-heading {
  unicode-bidi: plaintext;
}

/* Head */
.head { display: flex; flex-wrap: wrap; align-items: center; gap: 0.375rem 0.75rem; }
.title { margin: 0; font-size: 1rem; font-weight: 600; line-height: 1.5; }
.badge {
  display: inline-flex;
  align-items: center;
  padding: 0.125rem 0.625rem;
  border-radius: 999px;
  border: 1px solid transparent;
  background: var(--_surface-variant);
  color: var(--_text-quiet);
  font-size: 0.8125rem;
  font-weight: 600;
  font-variant-numeric: tabular-nums;
}
.badge[data-failing] { background: var(--_critical-surface); color: var(--_critical); }
.quiet { color: var(--_text-quiet); font-size: 0.8125rem; font-variant-numeric: tabular-nums; }
.description { flex-basis: 100%; color: var(--_text-quiet); font-size: 0.875rem; max-inline-size: 68ch; }

/* Families */
.families { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 14.5rem), 1fr)); gap: 0.5rem; }
.family {
  display: flex;
  flex-direction: column;
  gap: 0.125rem;
  padding: 0.625rem 0.75rem;
  border: 1px solid transparent;
  border-radius: var(--_radius-small);
  background: var(--_surface-variant);
}
.family-name { display: flex; align-items: baseline; gap: 0.5rem; font-size: 0.875rem; font-weight: 500; }
.family-id { font: 600 0.75rem/1.4 var(--_font-code); color: var(--_text-quiet); white-space: nowrap; }
.family-count { display: flex; flex-wrap: wrap; gap: 0 0.625rem; align-items: baseline; font-size: 0.8125rem; }
.family-failures { color: var(--_text-quiet); font-variant-numeric: tabular-nums; }
.family[data-failing] { background: var(--_critical-surface); }
.family[data-failing] :is(.family-id, .family-failures, .quiet) { color: var(--_critical); }
.family[data-failing] .family-failures { font-weight: 600; }

/* Capture state */
.capture { display: flex; gap: 0.5rem; align-items: baseline; font-size: 0.875rem; color: var(--_text-quiet); }
.capture::before {
  content: '';
  flex: none;
  inline-size: 0.5rem;
  block-size: 0.5rem;
  border-radius: 50%;
  background: var(--_text-quiet);
}
.capture[data-mood='good']::before { background: light-dark(#2b9a5c, #5fcf93); }
.capture[data-mood='caution']::before { background: light-dark(#c98500, #f0b942); }
.capture[data-mood='critical']::before { background: light-dark(#cf3238, #ff7d77); }
.capture[data-mood='caution'] { color: var(--_caution); }
.capture[data-mood='critical'] { color: var(--_critical); }
.capture-text { min-inline-size: 0; overflow-wrap: anywhere; }
.analysis { font-size: 0.875rem; }
.whole { white-space: nowrap; }

/* Capture session */
.session { display: flex; flex-direction: column; gap: 0.625rem; padding: 0.75rem; border: 1px solid var(--_border); border-radius: var(--_radius-small); }
.session-head { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.125rem 0.75rem; }
.session-title { margin: 0; font-size: 0.875rem; font-weight: 600; }
.session-state { color: var(--_text-quiet); font-size: 0.8125rem; }
.session-running, .session-free, .session-buttons { display: flex; flex-wrap: wrap; gap: 0.5rem; }
.session-free { flex: 1 1 18rem; }
.session-words {
  flex: 1 1 9rem;
  min-inline-size: 0;
  min-block-size: 2.25rem;
  padding: 0.375rem 0.625rem;
  border: 1px solid var(--_border);
  border-radius: var(--_radius-small);
  background: var(--_surface);
  color: inherit;
  font: 0.875rem/1.3 var(--_font);
}
.session-words::placeholder { color: var(--_text-quiet); opacity: 1; }
.marks { display: flex; flex-direction: column; gap: 0.125rem; max-block-size: 12rem; overflow: auto; font-size: 0.8125rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.marks time { color: var(--_text-quiet); }
.session-steps { list-style: decimal; display: flex; flex-direction: column; gap: 0.375rem; font-size: 0.8125rem; }
.fold > .session-steps { padding-inline-start: 2rem; }

/* Actions */
.actions { display: flex; flex-wrap: wrap; gap: 0.5rem; }
.button {
  appearance: none;
  min-block-size: 2.25rem;
  margin: 0;
  padding: 0.375rem 0.875rem;
  border: 1px solid var(--_border);
  border-radius: var(--_radius-small);
  background: var(--_surface-variant);
  color: var(--_text);
  font: 500 0.875rem/1.3 var(--_font);
  cursor: pointer;
  transition: background-color 120ms, border-color 120ms;
}
.button:hover { border-color: var(--_text-quiet); }
.button:active { background: var(--_border); }
.button.primary { border-color: var(--_accent); background: var(--_accent); color: var(--_on-accent); }
.button.primary:hover { filter: brightness(1.07); }
.button.clear { margin-inline-start: auto; background: transparent; border-color: transparent; color: var(--_text-quiet); }
.button.clear:hover { border-color: var(--_border); }
.button.clear[data-armed] { border-color: var(--_critical); background: var(--_critical-surface); color: var(--_critical); }
.button.small { min-block-size: 1.875rem; padding: 0.1875rem 0.625rem; font-size: 0.8125rem; }
.button[aria-disabled='true'] { opacity: 0.65; cursor: progress; }
:focus-visible { outline: 2px solid var(--_accent); outline-offset: 2px; }
.feedback { min-inline-size: 0; font-size: 0.875rem; color: var(--_text-quiet); overflow-wrap: anywhere; }
.feedback:empty { display: none; }
.feedback[data-mood='critical'] { color: var(--_critical); }
.queries {
  inline-size: 100%;
  min-block-size: 8rem;
  padding: 0.625rem;
  border: 1px solid var(--_border);
  border-radius: var(--_radius-small);
  background: var(--_surface-variant);
  color: inherit;
  font: 0.75rem/1.5 var(--_font-code);
}

/* Preview */
.preview { display: flex; flex-direction: column; gap: 1rem; padding-block-start: 1rem; border-block-start: 1px solid var(--_border); }
.preview-content { display: flex; flex-direction: column; gap: 1.125rem; }
.preview-content:empty { display: none; }
.preview-head { display: flex; flex-wrap: wrap; align-items: center; gap: 0.25rem 0.75rem; }
.preview-title { margin: 0; font-size: 0.9375rem; font-weight: 600; }
.preview-note { flex-basis: 100%; color: var(--_text-quiet); font-size: 0.8125rem; }
.preview-section { display: flex; flex-direction: column; gap: 0.5rem; min-inline-size: 0; }
.preview-heading { margin: 0; font-size: 0.8125rem; font-weight: 600; color: var(--_text-quiet); }
.preview-redactions { align-self: start; padding: 0.1875rem 0.625rem; border-radius: var(--_radius-small); background: var(--_good-surface); color: var(--_good); font-size: 0.8125rem; }
.facts { display: grid; grid-template-columns: minmax(7rem, auto) minmax(0, 1fr); gap: 0.25rem 1rem; font-size: 0.8125rem; }
.facts dt { color: var(--_text-quiet); overflow-wrap: anywhere; }
.facts dd { overflow-wrap: anywhere; }
.fold { border: 1px solid var(--_border); border-radius: var(--_radius-small); }
.fold > summary { padding: 0.4375rem 0.75rem; border-radius: var(--_radius-small); cursor: pointer; font-size: 0.8125rem; font-weight: 500; }
.fold > :not(summary) { margin: 0; padding: 0.625rem 0.75rem; border-block-start: 1px solid var(--_border); }
.raw { max-block-size: 24rem; overflow: auto; font: 0.75rem/1.5 var(--_font-code); white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; text-align: left; }
.scroller { max-block-size: 30rem; overflow: auto; border: 1px solid var(--_border); border-radius: var(--_radius-small); }

/* Entries */
.entry { content-visibility: auto; contain-intrinsic-block-size: auto 2.5rem; border-block-start: 1px solid var(--_border); }
.entry:first-child { border-block-start: 0; }
.entry-head { display: flex; align-items: baseline; gap: 0.25rem 0.625rem; padding: 0.5rem 0.75rem; font-size: 0.8125rem; }
summary.entry-head { cursor: pointer; list-style: none; }
summary.entry-head::-webkit-details-marker { display: none; }
summary.entry-head:hover { background: var(--_surface-variant); }
summary.entry-head:focus-visible { outline-offset: -2px; border-radius: var(--_radius-small); }
.entry-time { color: var(--_text-quiet); font-variant-numeric: tabular-nums; white-space: nowrap; }
.entry-family { font: 600 0.75rem/1.4 var(--_font-code); white-space: nowrap; }
.entry-meaning { flex: none; padding: 0 0.5rem; border-radius: 999px; background: var(--_surface-variant); color: var(--_text-quiet); font-size: 0.75rem; font-weight: 500; }
.entry[data-meaning='failure'] .entry-meaning { background: var(--_critical-surface); color: var(--_critical); }
.entry[data-meaning='transient'] .entry-meaning { background: var(--_caution-surface); color: var(--_caution); }
.entry[data-meaning='delivered'] .entry-meaning { background: var(--_good-surface); color: var(--_good); }
.entry-redactions { flex: none; color: var(--_text-quiet); font-size: 0.75rem; }
.entry-excerpt { flex: 1; min-inline-size: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font: 0.75rem/1.5 var(--_font-code); unicode-bidi: isolate; direction: ltr; text-align: left; }
details[open] > summary .entry-excerpt { visibility: hidden; }
.entry-body { display: flex; flex-direction: column; gap: 0.5rem; padding: 0 0.75rem 0.75rem; }
/* Console lines are written left to right; the isolation keeps a line's own direction marks inside it. */
.entry-message { margin: 0; font: 0.75rem/1.55 var(--_font-code); white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; direction: ltr; text-align: left; }
.entry-message.block { padding: 0.5rem 0.625rem; border-radius: var(--_radius-small); background: var(--_surface-variant); }
.empty { padding: 0.75rem; color: var(--_text-quiet); font-size: 0.875rem; text-align: center; }

@container (inline-size < 34rem) {
  .card { padding: 0.875rem; }
  .actions .button, .session .button { flex: 1 1 auto; min-block-size: 2.75rem; }
  .session-words { flex-basis: 100%; min-block-size: 2.75rem; }
  .actions .button.primary { flex-basis: 100%; }
  .actions .button.clear { margin-inline-start: 0; border-color: var(--_border); }
  .facts { grid-template-columns: minmax(0, 1fr); gap: 0; }
  .facts dd { margin-block-end: 0.5rem; }
  .entry-head { flex-wrap: wrap; }
  .entry-excerpt { flex-basis: 100%; }
  details[open] > summary .entry-excerpt { display: none; }
}

@media (prefers-reduced-motion: reduce) {
  *, ::before, ::after { transition: none !important; animation: none !important; }
}

/* Forced colours drop backgrounds: what they said is said by borders. */
@media (forced-colors: active) {
  .badge, .entry-meaning, .family, .preview-redactions { border: 1px solid CanvasText; }
  .badge[data-failing], .family[data-failing] { border-width: 2px; }
  .capture::before { forced-color-adjust: none; background: CanvasText; }
  .capture[data-mood='critical']::before { background: LinkText; }
  .button.clear { border-color: ButtonBorder; }
  .button.primary, .button.clear[data-armed] { border-width: 2px; }
}
`;

/** One sheet per document: a sheet cannot be adopted by another document than the one it was made in. */
const sheets = /** @type {WeakMap<Document, CSSStyleSheet>} */ (new WeakMap());

/**
 * @param {ShadowRoot} root
 */
export function adoptStyles(root) {
  const document = root.ownerDocument;
  let sheet = sheets.get(document);
  if (!sheet) {
    const Sheet = document.defaultView?.CSSStyleSheet ?? CSSStyleSheet;
    sheet = new Sheet();
    sheet.replaceSync(CSS);
    sheets.set(document, sheet);
  }
  root.adoptedStyleSheets = [sheet];
}
