// Builds dist/: one bundle split by command, so that a start loads only what it needs, and the type declarations.
import { execFileSync } from 'node:child_process';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { runInNewContext } from 'node:vm';
import { build } from 'esbuild';
import { buildPage, pagePlugin } from './page-plugin.mjs';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
await rm(dist, { recursive: true, force: true });

// What the table says for readers, and for taking usages apart, which the adapters do.
const unpricedKeys = new Set(['description', 'price_comments', 'pricing_urls', 'extractors']);

// Loaded where it is used: protocols, template languages, checkers of JSON Schema, what watches files.
const apart =
  /^src\/(?:providers\/|prompt\/|lib\/(?:json-schema|template-engine)|cli\/watch-files|pipeline\/trace-run)/;

const shared = {
  absWorkingDir: root,
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
  // CommonJS dependencies ask for require, which an ES module does not have.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module';const require = __createRequire(import.meta.url);",
  },
};
const pricesAsJson = { name: 'prices-as-json', setup: writePricesAsJson };
// Apart, since a chunk for each set of entries that share a file would part the program into a hundred.
const program = await build({
  ...shared,
  entryPoints: { 'cli/main': 'src/cli/main.ts' },
  plugins: [pagePlugin, pricesAsJson, { name: 'one-chunk-of-commands', setup: joinCommands }],
});
const library = await build({
  ...shared,
  entryPoints: { index: 'src/index.ts', vitest: 'src/vitest.ts' },
  external: ['vitest'],
  plugins: [pagePlugin, pricesAsJson],
});
const inputs = { ...program.metafile.inputs, ...library.metafile.inputs };
const outputs = { ...program.metafile.outputs, ...library.metafile.outputs };

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
  const starters = Object.entries(outputs).filter(([, output]) => starter in output.inputs);
  for (const [output] of starters) {
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
await writeNotices([...Object.keys(inputs), ...Object.keys(workers.metafile.inputs), ...pageInputs]);

/**
 * Commands share most of what they need. A chunk for each set of commands that shares a file came to sixty files a
 * start, and to find a file costs more than to skip the code of a command that is not wanted. So what commands import
 * when they run is one chunk, but for what is heavy and rarely wanted.
 */
async function joinCommands({ onResolve, onLoad }) {
  const joined = await findJoined();
  onResolve({ filter: /^\.{1,2}\/.*\.ts$/ }, ({ kind, path, resolveDir }) => {
    const file = relative(root, join(resolveDir, path));
    return kind === 'dynamic-import' && joined.includes(file) ? { path: 'commands', namespace: 'commands' } : undefined;
  });
  onLoad({ filter: /.*/, namespace: 'commands' }, () => ({
    contents: joined.map((file) => `export * from './${file}';`).join('\n'),
    resolveDir: root,
    loader: 'js',
  }));
}

/** What some file imports when it runs, but for what is heavy, and for the library's own. */
async function findJoined() {
  const files = (await readdir(join(root, 'src'), { recursive: true })).filter((file) => file.endsWith('.ts'));
  const joined = new Set();
  for (const file of files) {
    if (file.startsWith('api/')) continue;
    const text = await readFile(join(root, 'src', file), 'utf8');
    for (const [, path] of text.matchAll(/(?<!typeof )import\('(\.{1,2}\/[^']+\.ts)'\)/g)) {
      const target = relative(root, join(root, 'src', file, '..', path));
      if (!apart.test(target)) joined.add(target);
    }
  }
  await refuseSharedNames(joined);
  return [...joined].sort((a, b) => (a < b ? -1 : 1));
}

/** Of a name that two modules export, `export *` gives neither. */
async function refuseSharedNames(files) {
  const owners = new Map();
  for (const file of files) {
    const text = await readFile(join(root, file), 'utf8');
    const declared = [...text.matchAll(/^export (?:async )?(?:function\*?|const|class|let) (\w+)/gm)].map(
      ([, name]) => name,
    );
    const listed = [...text.matchAll(/^export \{([^}]*)\}/gm)].flatMap(([, list]) =>
      list
        .split(',')
        .filter((name) => name.trim() !== '' && !/^\s*type\s/.test(name))
        .map((name) =>
          name
            .trim()
            .split(/\s+as\s+/)
            .at(-1),
        ),
    );
    for (const name of [...declared, ...listed]) {
      const owner = owners.get(name);
      if (owner !== undefined) throw new Error(`${owner} and ${file} both export ${name}, and are one chunk`);
      owners.set(name, file);
    }
  }
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
