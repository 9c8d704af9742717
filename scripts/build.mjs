// Builds dist/: one bundle split by command, so that a start loads only what it needs, and the type declarations.
import { execFileSync } from 'node:child_process';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { runInNewContext } from 'node:vm';
import { build } from 'esbuild';
import { buildPage, pagePlugin } from './page-plugin.mjs';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
await rm(dist, { recursive: true, force: true });

// What the table says for readers, and for taking usages apart, which the adapters do.
const unpricedKeys = new Set(['description', 'price_comments', 'pricing_urls', 'extractors']);

const result = await build({
  absWorkingDir: root,
  entryPoints: { 'cli/main': 'src/cli/main.ts', index: 'src/index.ts', vitest: 'src/vitest.ts' },
  external: ['vitest'],
  outdir: 'dist',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
  plugins: [
    pagePlugin,
    { name: 'prices-as-json', setup: writePricesAsJson },
    { name: 'one-chunk-of-commands', setup: joinCommands },
  ],
  // CommonJS dependencies ask for require, which an ES module does not have.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module';const require = __createRequire(import.meta.url);",
  },
});

// Files of their own beside the chunk that starts them: they run in children.
const workers = await build({
  absWorkingDir: root,
  entryPoints: ['src/programs/module-worker.mjs', 'src/programs/strip-types.mjs'],
  outdir: 'dist/chunks',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
});
for (const starter of ['src/programs/module-worker.ts', 'src/programs/module-hooks.mjs']) {
  const outputs = Object.entries(result.metafile.outputs).filter(([, { inputs }]) => starter in inputs);
  for (const [output] of outputs) {
    if (!output.startsWith('dist/chunks/')) throw new Error(`${output} would not find the workers in dist/chunks`);
  }
}

if (!process.argv.includes('--no-types')) {
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], {
    cwd: root,
    stdio: 'inherit',
  });
}
const { inputs: pageInputs } = await buildPage();
await writeNotices([...Object.keys(result.metafile.inputs), ...Object.keys(workers.metafile.inputs), ...pageInputs]);

/**
 * Commands share most of what they need. A chunk for each set of commands that shares a file came to sixty files a
 * start, and to find a file costs more than to skip the code of a command that is not wanted.
 */
function joinCommands({ onResolve, onLoad }) {
  onResolve({ filter: /-command\.ts$/ }, ({ kind }) =>
    kind === 'dynamic-import' ? { path: 'commands', namespace: 'commands' } : undefined,
  );
  onLoad({ filter: /.*/, namespace: 'commands' }, async () => {
    const folder = join(root, 'src/cli');
    const files = (await readdir(folder)).filter((file) => file.endsWith('-command.ts')).sort();
    return { contents: files.map((file) => `export * from './${file}';`).join('\n'), resolveDir: folder, loader: 'js' };
  });
}

/**
 * The price table is half a megabyte of object literal: as JSON it loads in a quarter of the time, and it comes without
 * what no price is worked out from.
 */
function writePricesAsJson({ onLoad }) {
  onLoad({ filter: /genai-prices\/dist\/index\.js$/ }, async ({ path }) => {
    const source = await readFile(path, 'utf8');
    const [statement, name, literal] = /^const (\w+) = (\[\n[\s\S]*?\n\])(?=[,;])/.exec(source) ?? [];
    if (literal === undefined) throw new Error(`${path} no longer begins with its table of prices`);
    const table = runInNewContext(`(${literal})`);
    const json = JSON.stringify(table, (key, value) => (unpricedKeys.has(key) ? undefined : value));
    if (!isDeepStrictEqual(JSON.parse(JSON.stringify(table)), structuredClone(table)))
      throw new Error(`${path} holds more than JSON`);
    // To compare two names by locale starts ICU, which takes 8 ms; they are ASCII, so code units order them alike.
    const code = source
      .slice(statement.length)
      .replaceAll(/([\w.]+)\.localeCompare\(([\w.]+)\)/g, '($1 < $2 ? -1 : Number($1 > $2))');
    return { contents: `const ${name} = JSON.parse(${JSON.stringify(json)})${code}`, loader: 'js' };
  });
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
