/** Writes schema/*.json from the program's own schemas. A test says when they are stale. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema } from '../src/listing/build-schema.ts';

const folder = join(process.cwd(), 'schema');
mkdirSync(folder, { recursive: true });
for (const name of ['suite', 'config', 'report', 'baseline'] as const) {
  writeFileSync(join(folder, `${name}.schema.json`), `${JSON.stringify(buildSchema(name), undefined, 2)}\n`);
}
