/** Writes the generated tables and the output of every console block into README.md and docs/; a test says when they are stale. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listPages, renderPage } from './docs-pages.ts';
import { renderRegion } from './docs-regions.ts';

const root = process.cwd();
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string };
for (const page of listPages(root)) {
  const path = join(root, page);
  const before = readFileSync(path, 'utf8');
  const rendered = await renderPage(before, root, (name) => renderRegion(name, root));
  // A bundled script does not find the package, and so not its version.
  const after = rendered.replaceAll('llmcheck 0.0.0', `llmcheck ${version}`);
  if (after === before) continue;
  writeFileSync(path, after);
  console.log(`wrote ${page}`);
}
