// Runs a TypeScript file of this repository on any supported Node: node scripts/run-ts.mjs FILE [ARG …]
import { mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { pagePlugin } from './page-plugin.mjs';

const [file, ...args] = process.argv.slice(2);
if (file === undefined) throw new Error('usage: node scripts/run-ts.mjs FILE [ARG …]');
const folder = join(import.meta.dirname, '..', 'node_modules', '.cache', 'run-ts');
await mkdir(folder, { recursive: true });
const outfile = join(folder, `${basename(file, '.ts')}.${process.pid}.mjs`);
await build({
  entryPoints: [file],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
  logLevel: 'error',
  sourcemap: 'inline',
  plugins: [pagePlugin],
});
// Files of their own beside the code that starts them, as in dist/.
await build({
  entryPoints: ['module-worker', 'early-hooks', 'strip-types'].map((name) => `src/programs/${name}.mjs`),
  external: ['./strip-types.mjs'],
  outdir: folder,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
  logLevel: 'error',
});
process.argv = [process.argv[0], file, ...args];
try {
  await import(pathToFileURL(outfile).href);
} finally {
  await rm(outfile, { force: true });
}
