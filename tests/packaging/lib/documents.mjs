// @ts-check
// The project's Markdown as tests read it: links, headings and examples.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import GithubSlugger from 'github-slugger';
import MarkdownIt from 'markdown-it';
import { quietly } from '../../../scripts/lib/process.mjs';
import { root } from '../../../scripts/lib/project.mjs';

const parser = new MarkdownIt({ html: true });

/** Every Markdown file of the repository, from its root. */
export const documents = quietly('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'])
  .split('\n')
  .filter(Boolean);

/** @param {string} file from the root */
const read = (file) => readFileSync(join(root, file), 'utf8');

/** A document's parts, flat: a heading's or a paragraph's inline parts follow it. @param {string} file */
function parts(file) {
  return parser.parse(read(file), {}).flatMap((token) => [token, ...(token.children ?? [])]);
}

/** Where a document's links and pictures lead, in Markdown and in HTML. @param {string} file */
export function targets(file) {
  return parts(file).flatMap((token) => {
    if (token.type.startsWith('html_'))
      return [...token.content.matchAll(/\b(?:href|src|srcset)="([^"]*)"/g)].map(([, target]) => target);
    const target = token.attrGet(token.type === 'image' ? 'src' : 'href');
    return target === null ? [] : [String(target)];
  });
}

/** The fragments that lead to a document's headings, as GitHub makes them. @param {string} file */
export function headings(file) {
  const slugger = new GithubSlugger();
  const tokens = parser.parse(read(file), {});
  return tokens.flatMap((token, at) => {
    if (token.type !== 'heading_open') return [];
    const words = (tokens[at + 1].children ?? []).filter(({ type }) =>
      ['text', 'code_inline'].includes(type),
    );
    return [slugger.slug(words.map(({ content }) => content).join(''))];
  });
}

/**
 * The examples of a document.
 * @param {string} file
 * @returns {{ language: string, text: string, line: number }[]} the language is empty for an indented block
 */
export function examples(file) {
  return parts(file)
    .filter(({ type }) => type === 'fence' || type === 'code_block')
    .map(({ info, content, map }) => ({ language: info.trim(), text: content, line: (map?.[0] ?? 0) + 1 }));
}

/**
 * The commands of a document that begin with one of these programs, each on a line of its own.
 * @param {string} file
 * @param {string} program
 * @returns {string[]}
 */
export function commands(file, program) {
  return examples(file)
    .filter(({ language }) => ['', 'sh', 'bash'].includes(language))
    .flatMap(({ text }) => text.replace(/\\\n\s*/g, '').split('\n'))
    .map((line) => line.trim().replace(/^[a-z]+=\$\((.*)\)$/, '$1'))
    .filter((line) => line.startsWith(`${program} `));
}
