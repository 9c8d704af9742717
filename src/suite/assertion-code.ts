import { defined } from '../json/defined.ts';
import type { AssertionDeclaration } from '../model/assertion.ts';
import { findPackageFault, type VersionOf } from '../model/optional-packages.ts';
import type { CodeSource } from '../model/own-code.ts';
import type { CheckSpec } from '../model/verdict.ts';
import { type Located, locate } from './locate.ts';
import type { Problems } from './problems.ts';
import type { ReadCode } from './read-code.ts';

/** What an assertion may need beside its parameters. */
export interface Needs {
  readonly readCode: ReadCode;
  readonly packageVersion: VersionOf;
  readonly problems: Problems;
}

/** The user's own code of an assertion, if it runs any; a package that it lacks is reported. */
export function readNeeds(
  name: string,
  { code, main = 'value', needsPackage }: AssertionDeclaration,
  { written, places }: { readonly written: Located; readonly places: ReadonlyMap<string, Located> },
  { readCode, packageVersion, problems }: Needs,
): CodeSource | undefined {
  const fault = needsPackage === undefined ? undefined : findPackageFault([needsPackage], packageVersion);
  if (fault !== undefined) {
    const message = `${name} needs ${fault.needed}`;
    problems.report({ code: 'environment', message, hint: fault.install, at: locate(written) });
  }
  const value = places.get(main);
  if (code === undefined || value === undefined) return undefined;
  const files = places.get('files');
  const env = places.get('env');
  const further = { ...defined({ files, env }) };
  return readCode(code, { value, ...further });
}

/** The check with the code it runs, whose hash is part of the stamp. */
export function withCode(
  check: CheckSpec | undefined,
  code: CodeSource | undefined,
  plugin?: AssertionDeclaration['plugin'],
): CheckSpec | undefined {
  if (check === undefined) return check;
  if (plugin !== undefined) return { ...check, plugin, source: { check: check.source, code: plugin.hash } };
  if (code === undefined) return check;
  return { ...check, code, source: { check: check.source, code: code.hash } };
}
