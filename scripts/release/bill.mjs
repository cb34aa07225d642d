// @ts-check
// Bills of materials in CycloneDX's form: which crates are inside what is released.

import path from 'node:path';
import { ensureNpm } from '../lib/packages.mjs';
import { Explained, root } from '../lib/project.mjs';
import { linkedCrates } from '../third-party.mjs';

/**
 * @param {{ name: string, version: string, description: string, kind: 'library' | 'application', crates: string[], target: string }} what
 *   the crates of this workspace that it is made of, compiled for that target
 * @returns {Promise<string>} JSON of CycloneDX 1.6
 * @throws {Explained} if the format's own schema refuses it
 */
export async function bill({ name, version, description, kind, crates, target }) {
  ensureNpm(path.join(root, 'scripts/release'));
  const { Enums, Models, Serialize, Spec, Validation } = await import('@cyclonedx/cyclonedx-library');
  const { PackageURL } = await import('packageurl-js');
  const purl = (/** @type {string} */ type, /** @type {string} */ name, /** @type {string} */ version) =>
    new PackageURL(type, null, name, version, null, null).toString();

  const type = kind === 'library' ? Enums.ComponentType.Library : Enums.ComponentType.Application;
  const own = purl(kind === 'library' ? 'npm' : 'cargo', name, version);
  const made = new Models.Component(type, name, { version, description, purl: own, bomRef: own });
  made.licenses.add(new Models.LicenseExpression('MIT OR Apache-2.0'));
  const bom = new Models.Bom({ metadata: new Models.Metadata({ component: made }) });
  for (const crate of linkedCrates({ crates, target })) {
    const reference = purl('cargo', crate.name, crate.version);
    const component = new Models.Component(Enums.ComponentType.Library, crate.name, {
      version: crate.version,
      purl: reference,
      bomRef: reference,
    });
    // Some older crates write a slash for OR.
    component.licenses.add(new Models.LicenseExpression(crate.license.replaceAll('/', ' OR ')));
    bom.components.add(component);
    made.dependencies.add(component.bomRef);
  }
  const { Spec1dot6, Version } = { Spec1dot6: Spec.Spec1dot6, Version: Spec.Version };
  const text = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec1dot6)).serialize(bom, {
    sortLists: true,
    space: 2,
  });
  const wrong = await new Validation.JsonStrictValidator(Version.v1dot6).validate(text);
  if (wrong)
    throw new Explained(`The bill of materials of ${name} is no CycloneDX: ${JSON.stringify(wrong)}`);
  return `${text}\n`;
}
