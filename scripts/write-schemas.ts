/** Writes schema/*.json and the type of a suite from the program's own schemas; a test says when they are stale. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema } from '../src/pipeline/build-schema.ts';
import { buildSuiteTypes } from './suite-types.ts';

const folder = join(process.cwd(), 'schema');
mkdirSync(folder, { recursive: true });
for (const name of ['suite', 'config', 'report', 'baseline'] as const) {
  writeFileSync(join(folder, `${name}.schema.json`), `${JSON.stringify(buildSchema(name), undefined, 2)}\n`);
}
writeFileSync(join(process.cwd(), 'src/api/suite-definition.ts'), await buildSuiteTypes());
