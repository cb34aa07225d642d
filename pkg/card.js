/* crypto-diag 0.1.0 | MIT OR Apache-2.0 | THIRD-PARTY.md */
import*as c from"./index.js";function n(r,e={},...t){let i=document.createElement(r);for(let[a,s]of Object.entries(e))s!==!1&&(i.setAttribute(a,s===!0?"":s),a==="part"&&!("class"in e)&&i.setAttribute("class",String(s)));return i.append(...t),i}function o(r,e){r.textContent!==e&&(r.textContent=e)}var $=200,O=240,R=32,F={failure:"entryFailure",transient:"entryTransient",delivered:"entryDelivered",unrelated:"entryUnrelated"},U=50,u=class{element;#t;#e;#r;#i=[];constructor(e,{folded:t,newestFirst:i}){this.#t=e,this.#e=t,this.#r=i,this.element=n("ol",{part:"entries",role:"list","aria-label":e.say("entriesLabel")})}show(e){let t=e.slice(-$),{kept:i,gone:a}=this.#o(t),s=this.#l();a.length>U&&!s&&!this.#i.some(l=>l.open)?this.#n(t):this.#s(t,i,a,s)}#n(e){for(let i of this.#i.splice(e.length))i.element.remove();let t=this.#i.length;this.#i.forEach((i,a)=>i.show(e[a],this.#t)),this.#a(e.slice(t),[])}#s(e,t,i,a){for(let s of i)s.element.remove();this.#i=t,this.#a(e.slice(t.length),i.filter(s=>s!==a))}#a(e,t){let i=e.map(s=>{let l=t.pop()??new E(this.#e);return l.show(s,this.#t),l}),a=i.map(s=>s.element);this.#r?this.element.prepend(...a.reverse()):this.element.append(...a),this.#i.push(...i)}#o(e){let t=[],i=[];for(let a of this.#i){let s=e[t.length];s!==void 0&&a.shows(s)?t.push(a):i.push(a)}return{kept:t,gone:i}}#l(){let e=this.element.getRootNode(),t=e instanceof ShadowRoot||e instanceof Document?e.activeElement:null;if(!(!t||!this.element.contains(t)))return this.#i.find(i=>i.element.contains(t))}},E=class{element;#t=n("time",{part:"entry-time"});#e=n("span",{part:"entry-family"});#r=n("span",{part:"entry-meaning"});#i=n("span",{part:"entry-redactions"});#n=n("span",{part:"entry-excerpt"});#s=n("div",{part:"entry-body"});#a=null;#o=null;#l=null;constructor(e){let t=[this.#t,this.#e,this.#r,this.#i];e?(this.#a=n("details",{},n("summary",{part:"entry-head"},...t,this.#n),this.#s),this.#a.addEventListener("toggle",()=>this.#d()),this.element=n("li",{part:"entry"},this.#a)):this.element=n("li",{part:"entry"},n("div",{part:"entry-head"},...t),this.#s)}get open(){return this.#a?.open===!0}shows(e){let t=this.#o;return t===e||t!==null&&t.ts===e.ts&&t.ke===e.ke&&t.meaning===e.meaning&&t.level===e.level&&t.realm?.path===e.realm?.path&&t.message===e.message}show(e,t){e!==this.#o&&(this.#o=e,this.#l=t,this.element.dataset.meaning=String(e.meaning),this.element.dataset.ke=String(e.ke),o(this.#t,t.time(e.ts)),o(this.#e,String(e.ke)),o(this.#r,Object.hasOwn(F,e.meaning)?t.say(F[e.meaning]):""),o(this.#i,e.redactions>0?t.say("entryRedactions",{count:e.redactions}):""),this.#i.hidden=!(e.redactions>0),this.#s.hasChildNodes()&&this.#s.replaceChildren(),this.#a?(this.#a.open&&(this.#a.open=!1),o(this.#n,Q(e))):this.#d())}#d(){this.#o===null||this.#l===null||this.#s.hasChildNodes()||this.#s.append(...V(this.#o,this.#l))}};function Q(r){let e=String(r.message),t=e.indexOf(r.signature);return t<=R?e.slice(0,O):`\u2026 ${e.slice(t-R,t).replace(/^\S*\s+/,"")}${e.slice(t,t+O)}`}function V(r,e){let t=[["entrySignature",String(r.signature)],["entryRealm",W(r,e)],["entrySource",r.source==="uncaught"?e.say("sourceUncaught"):e.say("sourceConsole",{level:r.level})]],i=n("dl",{part:"facts"});for(let[s,l]of t)i.append(n("dt",{},e.say(s)),n("dd",{},l));let a=[n("pre",{part:"entry-message",class:"entry-message block"},String(r.message)),i];return typeof r.truncatedFrom=="number"&&a.push(n("p",{class:"quiet"},e.say("entryTruncated",{count:r.truncatedFrom}))),r.stack&&i.append(n("dt",{},e.say("entryStack")),n("dd",{},n("pre",{class:"entry-message"},r.stack))),a}function W(r,e){let t=r.realm?.path??"";return r.realm?.kind==="frame"?e.say("realmFrame",{path:t}).trim():r.realm?.kind==="worker"?e.say("realmWorker",{path:t}).trim():e.say("realmMain")}var K=new Set(["schema","schemaVersion","entries"]),g=class{element;#t;#e;#r;#i=n("p",{class:"preview-note"});#n=n("div",{part:"preview-content",class:"preview-content"});#s=0;constructor(e,t,i){this.#t=e,this.#e=t,this.#r=i;let a=b(e.say("previewTitle"),i+1,"preview-title");a.id="preview-title";let s=n("button",{part:"button",type:"button",class:"button small"},e.say("previewUpdate"));s.addEventListener("click",()=>{this.load()}),this.element=n("section",{part:"preview",id:"preview","aria-labelledby":"preview-title",hidden:!0},n("div",{class:"preview-head"},a,s,this.#i),this.#n)}get open(){return!this.element.hidden}async load(){this.element.hidden=!1;let e=++this.#s;try{let t=this.#e();typeof t!="string"&&o(this.#i,this.#t.say("previewLoading"));let i=await t;e===this.#s&&this.#a(i)}catch(t){if(e!==this.#s)return;this.#n.replaceChildren(),o(this.#i,this.#t.say("previewFailed",{reason:w(t)}))}}close(){this.#s++,this.element.hidden=!0,this.#n.replaceChildren()}#a(e){let t=this.#t,i=JSON.parse(e),a=Array.isArray(i.entries)?i.entries:[],s=Number(i.capture?.redactions??0);o(this.#i,t.say("previewMade",{time:t.time(Number(i.generatedAt))}));let l=n("dl",{part:"facts"}),d=[];for(let[h,m]of Object.entries(i)){if(K.has(h))continue;let z=t.sayIfKnown(`field.${h}`)??h;m!==null&&typeof m=="object"&&h!=="tool"?d.push(L(z,H(m))):l.append(n("dt",{},z),n("dd",{},n("bdi",{},this.#o(h,m))))}let p=new u(t,{folded:!1,newestFirst:!1});p.show(a),this.#n.replaceChildren(n("p",{class:"preview-redactions"},t.say("previewRedactions",{count:s})),this.#l(t.say("previewFacts"),l),this.#l(t.say("previewEntries",{count:a.length}),a.length>0?this.#d(p.element):""),this.#l(t.say("previewDetails"),...d),L(t.say("previewRaw"),()=>e))}#o(e,t){let i=this.#t;return t===null?i.say("previewUnknown"):typeof t=="boolean"?i.say(t?"previewYes":"previewNo"):e==="generatedAt"&&Number.isFinite(t)?new Date(t).toISOString():e==="tool"?Object.values(t).join(" "):String(t)}#l(e,...t){return n("div",{class:"preview-section"},b(e,this.#r+2,"preview-heading"),...t.filter(i=>i!==""))}#d(e){let t=this.#t.say("entriesLabel");return n("div",{class:"scroller",tabindex:"0",role:"group","aria-label":t},e)}};function w(r){return r instanceof Error?r.message:String(r)}function b(r,e,t){return n("div",{part:t,role:"heading","aria-level":String(Math.min(e,6))},r)}function H(r){return()=>JSON.stringify(r,null,2)}function L(r,e){let t=n("pre",{part:"raw",class:"raw",tabindex:"0",role:"group","aria-label":r}),i=n("details",{class:"fold"},n("summary",{},r),t);return i.addEventListener("toggle",()=>o(t,i.open?e():"")),i}var y=class{#t;#e=null;#r=0;constructor(e){this.#t=e}request(){this.#e??=requestAnimationFrame(()=>this.#i())}cancel(){this.#e!==null&&cancelAnimationFrame(this.#e),this.#e=null}#i(){this.#e=null;let e=performance.now();if(e<this.#r){this.request();return}this.#t(),setTimeout(()=>{let t=performance.now();this.#r=t+Math.min((t-e)*9,1e3)})}};var X={title:"Crypto diagnostics",description:"Watches this page\u2019s console for known end-to-end encryption failures. Nothing leaves this browser until you download a report.",noFailures:"No failures",failures:{one:"{count} failure",other:"{count} failures"},transient:{one:"{count} retry",other:"{count} retries"},delivered:{one:"{count} delivered key",other:"{count} delivered keys"},unrelated:{one:"{count} unrelated line",other:"{count} unrelated lines"},announcement:"{failures}. {families}","KE-1":"One-time key conflicts","KE-2":"Call media keys","KE-3":"Undecryptable events","KE-4":"Delayed events of calls",OLM:"Olm sessions",familiesLabel:"Failures by family",familyDetail:"{family}: {what}",familyNone:"none",watching:"Watching the main window.",watchingFrames:{one:"Watching the main window and {count} call frame.",other:"Watching the main window and {count} call frames."},blindFrames:{one:"Blind to {count} frame.",other:"Blind to {count} frames."},starting:"Starting; matching lines wait until the core is ready.",stopped:"Stopped; what was kept before is still here.",blind:"Blind; no line is kept.",failed:"The capture failed; what it had kept is still here.",notInstalled:"Not capturing; install() has not run in this page.",actionsLabel:"Report",download:"Download report",downloading:"Preparing the report \u2026",downloaded:"Saved as {name}.",downloadFailed:"The report could not be saved: {reason}",preview:"Preview",hidePreview:"Hide preview",copyQueries:"Copy server queries",queriesCopied:"Server queries copied.",queriesFailed:"The server queries could not be made: {reason}",queriesByHand:"The clipboard is closed to this page. The queries are selected below; copy them from there.",queriesLabel:"Server queries",clear:"Clear",clearConfirm:"Really clear?",clearWarning:{one:"{count} line of evidence will be gone. Click again to clear.",other:"{count} lines of evidence will be gone. Click again to clear."},cleared:"Cleared.",nothingToClear:"There is nothing to clear.",previewTitle:"What the report holds",previewMade:"As of {time}. A download is made anew and holds what has come since.",previewUpdate:"Update",previewLoading:"Making the report \u2026",previewFailed:"The report could not be made: {reason}",previewRedactions:{zero:"Nothing had to be closed.",one:"{count} thing that could be a secret was closed.",other:"{count} things that could be secrets were closed."},previewFacts:"About this session","field.generatedAt":"Made at","field.tool":"Made by","field.sdkVersion":"matrix-js-sdk","field.cryptoVersion":"Crypto library","field.deviceId":"Device id","field.userId":"User id","field.syncState":"Sync state","field.cryptoReady":"Crypto ready","field.userAgent":"Browser","field.page":"Page","field.clock":"Clock","field.storage":"Storage","field.crypto":"Crypto","field.unanswered":"Questions without an answer","field.counts":"Lines by family","field.tallies":"Counts, times and rates","field.capture":"The capture itself","field.sent":"Encrypted messages sent to devices",previewUnknown:"unknown",previewYes:"yes",previewNo:"no",previewEmptyList:"none",previewDetails:"Counts and capture",previewEntries:{zero:"No entries",one:"{count} entry",other:"{count} entries"},previewRaw:"The whole file, as it would be saved",entriesLabel:"Entries",noEntries:"No matching line yet.",entryFailure:"failure",entryTransient:"retry",entryDelivered:"delivered",entryUnrelated:"unrelated",entrySignature:"Matched",entryRealm:"Written in",realmMain:"main window",realmFrame:"frame {path}",realmWorker:"worker {path}",entrySource:"Came from",sourceConsole:"console.{level}",sourceUncaught:"an uncaught error",entryStack:"Stack",entryRedactions:{one:"{count} secret replaced",other:"{count} secrets replaced"},entryTruncated:"shortened from {count} characters"},B=Object.freeze(X),v=class{#t;#e;#r;#i;constructor(e,t){this.#t={...B,...e};let i=G(t);this.#e=new Intl.PluralRules(i),this.#r=new Intl.NumberFormat(i),this.#i=new Intl.DateTimeFormat(i,{hour:"2-digit",minute:"2-digit",second:"2-digit",hourCycle:"h23"})}say(e,t={}){return Y(this.#n(this.#t[e],t.count),t,this.#r)}sayIfKnown(e){return Object.hasOwn(this.#t,e)?this.say(e):null}number(e){return this.#r.format(e)}time(e){let t=new Date(e);return Number.isNaN(t.getTime())?"":this.#i.format(t)}#n(e,t){return typeof e=="string"?e:typeof t!="number"?e.other:t===0&&e.zero!==void 0?e.zero:e[this.#e.select(t)]??e.other}};function G(r){try{return Intl.getCanonicalLocales(r||"en")[0]??"en"}catch{return"en"}}function Y(r,e,t){return r.replace(/\{(\w+)\}/g,(i,a)=>{let s=Object.hasOwn(e,a)?e[a]:i;return typeof s=="number"?t.format(s):s})}var J={surface:["#ffffff","#1e1f25"],"surface-variant":["#f4f4f7","#26282f"],border:["#e1e2e9","#373a44"],text:["#1b1d23","#e8e9ee"],"text-quiet":["#565b68","#a9aebb"],accent:["#4453b8","#aab6ff"],"on-accent":["#ffffff","#161b42"],critical:["#9f1d22","#ffb4b0"],"critical-surface":["#fce8e6","#4a2124"],caution:["#744800","#f2d28b"],"caution-surface":["#fcf0d8","#40331a"],good:["#14623a","#9fe0ba"],"good-surface":["#e0f3e7","#1b3c2a"]},Z={radius:"12px",font:"system-ui, -apple-system, 'Segoe UI', Roboto, Ubuntu, 'Noto Sans', sans-serif","font-code":"ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace"};function x(r){return Object.entries(J).map(([e,[t,i]])=>`--_${e}: var(--crypto-diag-${e}, ${r(t,i)});`).join(`
`)}var ee=`
:host {
  ${Object.entries(Z).map(([r,e])=>`--_${r}: var(--crypto-diag-${r}, ${e});`).join(`
`)}
  ${x((r,e)=>`light-dark(${r}, ${e})`)}
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
  :host { ${x(r=>r)} }
  :host([theme='dark']) { ${x((r,e)=>e)} }
  @media (prefers-color-scheme: dark) {
    :host(:not([theme='light'])) { ${x((r,e)=>e)} }
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
  .actions .button { flex: 1 1 auto; min-block-size: 2.75rem; }
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
`,N=new WeakMap;function M(r){let e=r.ownerDocument,t=N.get(e);if(!t){let i=e.defaultView?.CSSStyleSheet??CSSStyleSheet;t=new i,t.replaceSync(ee),N.set(e,t)}r.adoptedStyleSheets=[t]}var te=["transient","delivered","unrelated"],_=class{element;clearButton;previewButton;downloadButton;copyButton;#t;#e=n("span",{part:"badge"});#r=n("span",{part:"noise",class:"quiet"});#i;#n=n("p",{part:"capture"});#s=n("span",{class:"capture-text"});#a=n("span",{});#o;#l=n("p",{part:"feedback",role:"status"});#d=n("p",{class:"unseen",role:"status"});#c;#u=new Map;constructor(e,t,i,a){this.#t=e,this.#i=n("ul",{part:"families",role:"list","aria-label":e.say("familiesLabel")}),this.#n.append(this.#s),this.#o=n("slot",{name:"analysis"},this.#a),this.#c=n("textarea",{part:"queries",readonly:!0,hidden:!0,"aria-label":e.say("queriesLabel")}),this.downloadButton=k(e,"download","primary",t.download),this.previewButton=k(e,"preview","",t.preview),this.previewButton.setAttribute("aria-controls","preview"),this.copyButton=k(e,"copyQueries","",t.copyQueries),this.clearButton=k(e,"clear","clear",t.clear);let s=b(e.say("title"),a,"title");s.id="title",this.element=n("section",{part:"card","aria-labelledby":"title"},n("div",{part:"head"},s,this.#e,this.#r,n("p",{part:"description"},e.say("description"))),this.#i,this.#n,n("div",{part:"analysis"},this.#o),n("div",{part:"actions",role:"group","aria-label":e.say("actionsLabel")},this.downloadButton,this.previewButton,this.copyButton,this.clearButton),this.#l,this.#c,i,this.#d),this.armClear(!1),this.setPreviewOpen(!1),this.offerQueries(!1),this.setAnalysis("")}show(e,t){let i=this.#t,a=e.byMeaning.failure;o(this.#e,f(i,a)),this.#e.toggleAttribute("data-failing",a>0),o(this.#r,P(i,e.byMeaning));for(let[d,p]of Object.entries(e.byKe))this.#f(d).show(p,i);let{text:s,mood:l}=ie(i,t);o(this.#s,s),this.#n.dataset.mood=l}#f(e){let t=this.#u.get(e);return t||(t=new T(e,this.#t),this.#u.set(e,t),this.#i.append(t.element)),t}announce(e){o(this.#d,e)}answer(e,t=""){o(this.#l,e),this.#l.dataset.mood=t,this.#c.hidden=!0}armClear(e){o(this.clearButton,this.#t.say(e?"clearConfirm":"clear")),this.clearButton.toggleAttribute("data-armed",e)}setPreviewOpen(e){o(this.previewButton,this.#t.say(e?"hidePreview":"preview")),this.previewButton.setAttribute("aria-expanded",String(e))}setDownloading(e){this.downloadButton.setAttribute("aria-disabled",String(e))}offerQueries(e){this.copyButton.hidden=!e}showQueries(e){this.#c.value=e,this.#c.hidden=!1,this.#c.focus(),this.#c.select()}setAnalysis(e){o(this.#a,e);let t=e===""&&this.#o.assignedNodes().length===0;this.#o.parentElement.hidden=t}onAnalysisSlot(e){this.#o.addEventListener("slotchange",e)}},T=class{#t=n("span",{class:"family-failures"});#e=n("span",{class:"quiet"});element;constructor(e,t){let i=n("span",{class:"family-name"},n("span",{class:"family-id"},e)),a=t.sayIfKnown(e);a!==null&&i.append(n("span",{},a)),this.element=n("li",{part:"family","data-ke":e},i,n("span",{class:"family-count"},this.#t,this.#e))}show(e,t){o(this.#t,f(t,e.failure)),o(this.#e,P(t,e)),this.element.toggleAttribute("data-failing",e.failure>0)}};function k(r,e,t,i){let a=n("button",{type:"button",part:`button ${e}-button`,class:`button ${t}`.trim()},r.say(e));return a.addEventListener("click",i),a}function f(r,e){return e>0?r.say("failures",{count:e}):r.say("noFailures")}function P(r,e){return te.filter(t=>e[t]>0).map(t=>r.say(t,{count:e[t]})).join(" \xB7 ")}function ie(r,e){if(e.state==="capturing"){let{frames:s,blindFrames:l}=e,d=s>0?r.say("watchingFrames",{count:s}):r.say("watching");return l===0?{text:d,mood:"good"}:{text:`${d} ${r.say("blindFrames",{count:l})}`,mood:"caution"}}let[t,i]=re[e.state],a=e.reason&&e.state!=="not-installed"?` ${e.reason}`:"";return{text:r.say(t)+a,mood:i}}var re={"not-installed":["notInstalled","caution"],starting:["starting","quiet"],stopped:["stopped","caution"],blind:["blind","critical"],failed:["failed","critical"]};function I(r,e){let t=r.ownerDocument,i=r.checkVisibility?.()??!0,a=!1,s=()=>{let d=i&&t.visibilityState==="visible";d!==a&&(a=d,e(d))},l=new IntersectionObserver(d=>{i=d[d.length-1].isIntersecting,s()},{rootMargin:"200px"});return l.observe(r),t.addEventListener("visibilitychange",s),s(),()=>{l.disconnect(),t.removeEventListener("visibilitychange",s)}}var ne=5e3,ae=1e4,se=2e3,oe=globalThis.HTMLElement??class{},D={},C=new Set;function ze(r){D={...r};for(let e of C)e.rebuild()}var S=class extends oe{#t=null;#e={};#r=new y(()=>this.update());#i=null;#n=null;connectedCallback(){for(let e of["strings","client","sdkVersion","filePrefix","analysis"])le(this,e);C.add(this),this.#t??=this.attachShadow({mode:"open"}),M(this.#t),this.rebuild(),this.#i??=I(this,e=>this.#s(e))}disconnectedCallback(){C.delete(this),this.#i?.(),this.#i=null,this.#s(!1)}get strings(){return this.#e}set strings(e){this.#e=e??{},this.rebuild()}rebuild(){if(!this.#t)return;let e=this.closest("[lang]")?.getAttribute("lang")??void 0,t=new v({...D,...this.#e},e);this.#t.replaceChildren(this.build(t)),this.update()}build(e){throw new Error("build is missing")}update(){throw new Error("update is missing")}refresh(){this.#n&&this.#r.request()}get watched(){return this.#n!==null}#s(e){e!==this.watched&&(e?(this.#n=c.subscribe(()=>this.#r.request()),this.#r.request()):(this.#n?.(),this.#n=null,this.#r.cancel()))}},q=class extends S{static observedAttributes=["heading-level"];#t=null;#e=null;#r=null;#i=null;#n=null;#s=null;#a=null;#o=!1;#l=!1;#d;#c;#u=null;#f=null;#m=!1;#b=e=>{this.#e&&!e.composedPath().includes(this.#e.clearButton)&&this.#h()};disconnectedCallback(){super.disconnectedCallback(),this.#h(),clearTimeout(this.#c),this.#c=void 0}attributeChangedCallback(){this.rebuild()}get client(){return this.#i}set client(e){this.#i=e??null}get sdkVersion(){return this.#n??this.getAttribute("sdk-version")}set sdkVersion(e){this.#n=e??null}get filePrefix(){return this.#s??this.getAttribute("file-prefix")}set filePrefix(e){this.#s=e??null}get analysis(){return this.#a}set analysis(e){this.#a=e??null,this.#f=null,this.#e?.setAnalysis(""),this.#e?.offerQueries(typeof this.#a?.serverQueries=="function"),this.watched&&this.#p()}build(e){this.#h();let t=Number(this.getAttribute("heading-level"))||2,i=new g(e,()=>this.#g(),t),a=new _(e,{download:()=>{this.#k()},preview:()=>this.#_(),copyQueries:()=>{this.#S()},clear:s=>this.#E(s)},i.element,t);return a.clearButton.addEventListener("keydown",s=>{(s.key==="Escape"||s.key==="Tab")&&this.#h()}),a.onAnalysisSlot(()=>{this.#p()}),a.offerQueries(typeof this.#a?.serverQueries=="function"),this.#t=e,this.#e=a,this.#r=i,this.#u=null,this.#f=null,a.element}update(){this.#e&&(this.#e.show(c.getCounts(),c.getCaptureStatus()),this.#u===null&&(this.#u=this.#w()),this.#c??=setTimeout(()=>{this.#c=void 0,this.watched&&this.#x()},ne))}#x(){let e=this.#w();e!==this.#u&&(this.#u=e,this.#e?.announce(e)),this.#p()}#w(){let e=this.#t,{byMeaning:t,byKe:i}=c.getCounts(),a=Object.entries(i).filter(([,l])=>l.failure>0).map(([l,d])=>e.say("familyDetail",{family:l,what:f(e,d.failure)})).join(", "),s=f(e,t.failure);return a===""?s:e.say("announcement",{failures:s,families:a})}#g(){return c.collectReport(this.#i,this.#y())}#y(){return{sdkVersion:this.sdkVersion??void 0,prefix:this.filePrefix??void 0}}async#k(){let e=this.#e,t=this.#t;if(!this.#o){this.#o=!0,e.setDownloading(!0),e.answer(t.say("downloading"));try{let i=await c.downloadReport(this.#i,this.#y());e.answer(t.say("downloaded",{name:i})),this.#v("crypto-diag-download",{fileName:i})}catch(i){e.answer(t.say("downloadFailed",{reason:w(i)}),"critical")}finally{this.#o=!1,e.setDownloading(!1)}}}#_(){let e=this.#r;e.open?e.close():e.load(),this.#e?.setPreviewOpen(e.open)}async#S(){let e=this.#e,t=this.#t,i;try{i=await this.#a?.serverQueries?.(await this.#g())??""}catch(a){e.answer(t.say("queriesFailed",{reason:w(a)}),"critical");return}try{await navigator.clipboard.writeText(i),e.answer(t.say("queriesCopied"))}catch{e.answer(t.say("queriesByHand")),e.showQueries(i)}}#E(e){let t=this.#e,i=this.#t,{total:a}=c.getCounts();a===0?(this.#h(),t.answer(i.say("nothingToClear"))):this.#l?e.detail<=1&&(this.#h(),c.clear(),t.answer(i.say("cleared")),this.#v("crypto-diag-clear",null)):(this.#T(),t.answer(i.say("clearWarning",{count:a}),"critical"))}#T(){this.#l=!0,this.#e?.armClear(!0),this.#d=setTimeout(()=>this.#h(),ae),document.addEventListener("click",this.#b,!0)}#h(){this.#l&&(this.#l=!1,clearTimeout(this.#d),document.removeEventListener("click",this.#b,!0),this.#e?.armClear(!1),this.#e?.answer(""))}async#p(){let e=this.#e,t=c.getCounts(),i=this.#a?.sentence;if(i||e?.setAnalysis(""),!(!i||this.#m||this.#f===t)){this.#f=t,this.#m=!0;try{let a=String(await i(await this.#g()));this.#a?.sentence===i&&e?.setAnalysis(a)}catch{e?.setAnalysis("")}setTimeout(()=>{this.#m=!1,this.isConnected&&this.#p()},se)}}#v(e,t){this.dispatchEvent(new CustomEvent(e,{detail:t,bubbles:!0,composed:!0}))}},A=class extends S{#t=null;#e=null;build(e){return this.#t=new u(e,{folded:!0,newestFirst:!0}),this.#e=n("p",{part:"empty"},e.say("noEntries")),n("div",{},this.#e,this.#t.element)}update(){let e=c.getEntries();this.#t?.show(e),this.#t&&(this.#t.element.hidden=e.length===0),this.#e&&(this.#e.hidden=e.length>0)}};function le(r,e){if(!Object.hasOwn(r,e))return;let t=r[e];delete r[e],r[e]=t}function j(r,e){globalThis.customElements&&!customElements.get(r)&&customElements.define(r,e)}j("crypto-diag-card",q);j("crypto-diag-entries",A);export{q as CryptoDiagCard,A as CryptoDiagEntries,B as DEFAULT_STRINGS,ze as setStrings};
//# sourceMappingURL=card.js.map
