/**
 * Writes the TypeScript type of a suite from its JSON Schema, so that `defineSuite` teaches the format as the editor's
 * schema does. The build runs this, and so does the check of types.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compile, type JSONSchema } from 'json-schema-to-typescript';
import { buildSchema } from '../src/listing/build-schema.ts';

const file = join(process.cwd(), 'src/api/suite-definition.ts');
const text = await buildSuiteTypes();
// Others may read it meanwhile.
if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text);

async function buildSuiteTypes(): Promise<string> {
  // Code needs no anchors, and an index signature would let every misspelt key through.
  const entries = Object.entries(Object(buildSchema('suite'))).filter(([key]) => key !== 'patternProperties');
  const schema = soften(Object.fromEntries(entries)) as JSONSchema & { title: string };
  const text = await compile({ ...schema, title: 'SuiteDefinition' }, 'SuiteDefinition', {
    additionalProperties: false,
    bannerComment:
      '/* Made by the build from the schema of a suite, not kept in git. */\n\n/** Assertions of your own plug-ins, by name: add to it with `declare module`. */\n// oxlint-disable-next-line typescript/no-empty-object-type -- there to be added to\nexport interface CustomAssertions {}\n',
    ignoreMinAndMaxItems: true,
    strictIndexSignatures: false,
    style: { singleQuote: true, printWidth: 120 },
  });
  if (!text.includes('export interface Assertion {')) throw new Error('the type of an assertion has another form');
  return text.replace('export interface Assertion {', 'export interface Assertion extends CustomAssertions {');
}

/** An open value is unknown, not an object; that one assertion has exactly one name is checked when the suite is loaded. */
function soften(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(soften);
  if (typeof value !== 'object' || value === null) return value;
  // A reference with a description beside it would become a type of its own.
  if ('$ref' in value) return { $ref: value.$ref };
  const entries = Object.entries(value).filter(
    ([key, part]) => key !== 'minItems' && !(key === 'oneOf' && Array.isArray(part) && part.every(isOnlyRequired)),
  );
  const softened = Object.fromEntries(entries.map(([key, part]) => [key, soften(part)]));
  const isOpen = Object.keys(softened).every((key) => ['description', 'examples', 'default'].includes(key));
  if (isOpen) return { ...softened, tsType: 'unknown' };
  const types = [softened['type']].flat();
  if (types.includes('object') && softened['properties'] === undefined)
    return {
      ...softened,
      tsType: types.map((type) => (type === 'object' ? 'Readonly<Record<string, unknown>>' : type)).join(' | '),
    };
  return softened;
}

function isOnlyRequired(part: unknown): boolean {
  return typeof part === 'object' && part !== null && Object.keys(part).join() === 'required';
}
