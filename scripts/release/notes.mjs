// @ts-check
// A release's notes: what CHANGELOG.md says of the version.

import { Explained } from '../lib/project.mjs';

/**
 * @param {string} changelog
 * @param {string} version
 * @returns {string} the version's section; "Unreleased" where it has none yet, which its first line then says
 * @throws {Explained} where there is neither
 */
export function notes(changelog, version) {
  const sections = changelog.split(/^## /m).slice(1);
  const section = (/** @type {string} */ name) =>
    sections.find((text) => new RegExp(`^\\[?${name.replaceAll('.', '\\.')}\\]?(\\s|$)`).test(text));
  const own = section(version);
  const found = own ?? section('Unreleased');
  if (!found) throw new Explained(`CHANGELOG.md has no section for ${version}, and none that is unreleased.`);
  const text = found.slice(found.indexOf('\n') + 1).trim();
  const rehearsal = own
    ? ''
    : `CHANGELOG.md has no section for ${version} yet: this is what is unreleased.\n\n`;
  return `# crypto-diag ${version}\n\n${rehearsal}${text}\n`;
}
