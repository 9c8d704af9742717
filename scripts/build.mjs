// Builds dist/: the program and the library in shared chunks, the files that children run, the types and the notices.
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { build } from 'esbuild';
import { writeStamp } from './build-stamp.mjs';
import { buildPage, pagePlugin } from './page-plugin.mjs';
import { copyWithPlainTypes } from './plain-types.mjs';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');

/** Nothing is minified: the stack of a bug names functions, and lines that can be read in the installed file. */
const shared = {
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // writeNotices() collects the licences.
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
};

/** The price table as JSON, without what prices don't need. As code it takes twice the time to load: 35 ms of each run. */
const pricesPlugin = {
  name: 'price-table',
  setup({ onLoad }) {
    onLoad({ filter: /genai-prices\/dist\/index\.js$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const table = /(?<=^const \w+ = )\[\n[^]*?\n\]/.exec(source)?.[0];
      if (table === undefined) throw new Error(`${path} does not begin with the price table`);
      const providers = runInNewContext(table);
      const unused = new Set(['name', 'description', 'extractors', 'pricing_urls', 'price_comments', 'context_window']);
      const json = JSON.stringify(providers, (key, value) => (unused.has(key) ? undefined : value));
      return { contents: source.replace(table, () => `JSON.parse(${JSON.stringify(json)})`) };
    });
  },
};

await rm(dist, { recursive: true, force: true });
const program = await build({
  ...shared,
  entryPoints: {
    'cli/main': 'src/cli/main.ts',
    index: 'src/index.ts',
    vitest: 'src/vitest.ts',
    promptfoo: 'src/promptfoo/promptfoo.ts',
  },
  outdir: 'dist',
  chunkNames: 'chunks/[name]-[hash]',
  splitting: true,
  external: ['vitest'],
  plugins: [pagePlugin, pricesPlugin],
  // CommonJS dependencies ask for require, which an ES module does not have.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);",
  },
});
const children = await build({
  ...shared,
  entryPoints: ['module-worker', 'early-hooks', 'strip-types'].map((name) => `src/programs/${name}.mjs`),
  external: ['./strip-types.mjs'],
  outdir: 'dist/chunks',
  outExtension: { '.js': '.mjs' },
});
checkPlaces(program.metafile.outputs);
const hasTypes = !process.argv.includes('--no-types');
if (hasTypes) await writeTypes();
const page = await buildPage();
await writeNotices([...Object.keys(program.metafile.inputs), ...Object.keys(children.metafile.inputs), ...page.inputs]);
if (hasTypes) writeStamp();

/** What starts a child looks for the child's file in its own folder. */
function checkPlaces(outputs) {
  for (const starter of ['src/programs/module-worker.ts', 'src/programs/module-hooks.mjs']) {
    const [output] = Object.entries(outputs).find(([, { inputs }]) => starter in inputs) ?? [];
    if (!output?.startsWith('dist/chunks/')) throw new Error(`${starter} is in ${output}, and must be in dist/chunks`);
  }
}

/** One file of types for each entry, and one for what both use: the inside of the program has none. */
async function writeTypes() {
  const writeSuiteTypes = ['scripts/run-ts.mjs', 'scripts/write-suite-types.ts'];
  execFileSync(process.execPath, writeSuiteTypes, { cwd: root, stdio: 'inherit' });
  const [{ rollup }, { dts }] = await Promise.all([import('rollup'), import('rollup-plugin-dts')]);
  const plain = join(root, '.types');
  rmSync(plain, { recursive: true, force: true });
  copyWithPlainTypes(root, plain);
  const bundle = await rollup({
    input: ['index.ts', 'vitest.ts', 'promptfoo/promptfoo.ts'].map((name) => join(plain, name)),
    external: ['vitest', /^node:/],
    plugins: [dts({ tsconfig: join(root, 'tsconfig.json') })],
    onwarn({ message }) {
      throw new Error(message);
    },
  });
  await bundle.write({ dir: dist, entryFileNames: '[name].d.ts', chunkFileNames: 'types.d.ts' });
  await bundle.close();
  rmSync(plain, { recursive: true });
}

/** The licences of what is bundled travel with it. */
async function writeNotices(inputs) {
  const names = new Set(
    inputs.flatMap((input) => {
      const match = /(?:^|.*\/)node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
      return match === null ? [] : [match[1]];
    }),
  );
  const sections = [];
  for (const name of [...names].sort((a, b) => (a < b ? -1 : 1))) {
    const folder = join(root, 'node_modules', name);
    const { version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
    const file = (await readdir(folder)).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
    const text = file === undefined ? '' : `\n\n${(await readFile(join(folder, file), 'utf8')).trim()}`;
    sections.push(`## ${name} ${version} (${license ?? 'see below'})${text}`);
  }
  await writeFile(
    join(dist, 'THIRD-PARTY-NOTICES.md'),
    `# Third-party software in llmcheck's bundle\n\n${sections.join('\n\n')}\n`,
  );
}
