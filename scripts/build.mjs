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

// Loaded where it is used: protocols, template languages, checkers of JSON Schema, what watches files, and commands that
// are not on the way of a run.
const apart =
  /^src\/(?:providers\/|prompt\/|imports\/|lib\/(?:json-schema|template-engine)|cli\/(?!run-|report-|compare-|validate-|list-|watch-c)[a-z-]+-command|cli\/watch-files|pipeline\/(?:trace-run|build-schema))/;

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
const ajvWhenUsed = { name: 'ajv-when-used', setup: deferAjv };
// Apart, since a chunk for each set of entries that share a file would part the program into a hundred.
const program = await build({
  ...shared,
  entryPoints: { 'cli/main': 'src/cli/main.ts' },
  plugins: [pagePlugin, pricesAsJson, ajvWhenUsed, { name: 'one-chunk-of-commands', setup: joinCommands }],
});
await joinChunks(program.metafile.outputs);
const library = await build({
  ...shared,
  // A chunk that both have would be written twice, and one of the two has been joined.
  chunkNames: 'chunks/api-[name]-[hash]',
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
 * esbuild makes a chunk for each set of entries that share a file, though a command loads thirty of them together:
 * those that every start loads become one file, and those that every command that does something loads another.
 */
async function joinChunks(outputs) {
  const main = 'dist/cli/main.js';
  const commands = Object.keys(outputs).find((output) => output.startsWith('dist/chunks/commands-'));
  const groups = [findLoaded(main, outputs, new Set())];
  groups[0].delete(main);
  groups.push(findLoaded(commands, outputs, groups[0]));
  const places = new Map();
  for (const [index, members] of groups.entries()) {
    const file = ['dist/chunks/start.js', 'dist/chunks/core.js'][index];
    const names = new Set();
    // What other files import by name keeps it: the commands go first.
    for (const member of [...members].sort((a, b) => Number(b === commands) - Number(a === commands))) {
      const renamed = new Map();
      for (const name of outputs[member].exports) {
        const free = names.has(name) ? `${name}_${renamed.size}_${names.size}` : name;
        names.add(free);
        renamed.set(name, free);
      }
      places.set(member, { file, renamed });
    }
  }
  for (const file of new Set([...places.values()].map((place) => place.file))) {
    await writeJoined(file, places);
  }
  for (const output of Object.keys(outputs)) {
    if (places.has(output)) await rm(join(root, output));
    else await writeFile(join(root, output), redirect(await readFile(join(root, output), 'utf8'), output, places));
  }
}

/** A file and all that it imports statically, but for what is loaded before. */
function findLoaded(file, outputs, before) {
  const found = new Set();
  const queue = [file];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (found.has(next) || before.has(next)) continue;
    found.add(next);
    for (const { path, kind, external } of outputs[next].imports) {
      if (kind === 'import-statement' && external !== true) queue.push(path);
    }
  }
  return found;
}

async function writeJoined(file, places) {
  const contents = [...places]
    .filter(([, place]) => place.file === file)
    .map(([member, { renamed }]) => {
      const list = [...renamed].map(([name, free]) => (name === free ? name : `${name} as ${free}`));
      return `export {${list.join(', ')}} from './${relative(root, member)}';`;
    });
  const { outputFiles } = await build({
    ...shared,
    stdin: { contents: contents.join('\n'), resolveDir: root, loader: 'js' },
    outdir: undefined,
    outfile: file,
    splitting: false,
    metafile: false,
    write: false,
    // Each chunk has its own.
    banner: {},
    plugins: [{ name: 'members-of-the-file', setup: keepMembers }],
  });
  await writeFile(join(root, file), redirect(outputFiles[0].text, file, places));

  function keepMembers({ onResolve }) {
    onResolve({ filter: /^\./ }, ({ path, resolveDir, kind }) => {
      const target = relative(root, join(resolveDir, path));
      const isMember = kind === 'import-statement' && places.get(target)?.file === file;
      return isMember ? undefined : { path: `./${relative('dist/chunks', target)}`, external: true };
    });
  }
}

/** The text of a file of dist/, with what it imports from joined chunks imported from where they went. */
function redirect(text, file, places) {
  const placeOf = (path) => places.get(join(file, '..', path));
  const pathTo = (place) => {
    const path = relative(join(file, '..'), place.file);
    return path.startsWith('.') ? path : `./${path}`;
  };
  const redirected = text
    .replaceAll(/\bimport(\{[^}"]*\}from)?"(\.[^"]+)"/g, (statement, list, path) => {
      const place = placeOf(path);
      if (place === undefined) return statement;
      if (list === undefined) return `import"${pathTo(place)}"`;
      const names = list.slice(1, list.lastIndexOf('}')).split(',');
      const imported = names.map((entry) => {
        const [name, local = name] = entry.split(' as ');
        const free = place.renamed.get(name);
        return free === local ? free : `${free} as ${local}`;
      });
      return `import{${imported.join(',')}}from"${pathTo(place)}"`;
    })
    .replaceAll(/\bimport\("(\.[^"]+)"\)/g, (expression, path) => {
      const place = placeOf(path);
      return place === undefined ? expression : `import("${pathTo(place)}")`;
    });
  return redirected;
}

/**
 * Ajv sets up all of its keywords where it is imported, in 10 ms, and most runs check no schema: it is run when the first
 * one is compiled. Of a class a function stands in, since `new` gives what the function returns.
 */
function deferAjv({ onResolve, onLoad }) {
  const stand = {
    ajv: 'export function Ajv(options) { return new (require("ajv").Ajv)(options); }',
    'ajv/dist/2020.js':
      'export function Ajv2020(options) { return new (require("ajv/dist/2020.js").Ajv2020)(options); }',
    'ajv-formats': 'export default { default: (ajv) => require("ajv-formats").default(ajv) };',
  };
  onResolve({ filter: /^ajv(?:\/dist\/2020\.js|-formats)?$/ }, ({ path, kind }) =>
    kind === 'import-statement' ? { path, namespace: 'ajv-when-used' } : undefined,
  );
  onLoad({ filter: /.*/, namespace: 'ajv-when-used' }, ({ path }) => ({
    contents: stand[path],
    resolveDir: root,
    loader: 'js',
  }));
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
    const toJson = (value) => JSON.stringify(value, (key, member) => (unpricedKeys.has(key) ? undefined : member));
    if (!isDeepStrictEqual(JSON.parse(JSON.stringify(table)), structuredClone(table)))
      throw new Error(`${path} holds more than JSON`);
    // To compare two names by locale starts ICU, which takes 8 ms; they are ASCII, so code units order them alike.
    const code = source
      .slice(statement.length)
      .replaceAll(/([\w.]+)\.localeCompare\(([\w.]+)\)/g, '($1 < $2 ? -1 : Number($1 > $2))');
    // A run wants the models of the providers that it asks, of which there are few.
    const models = table.map((provider) => toJson(provider.models));
    const withoutModels = toJson(table.map((provider) => ({ ...provider, models: [] })));
    const contents = `const models = ${JSON.stringify(models)};
function readLazily(providers) {
  for (const [index, provider] of providers.entries()) {
    const define = (descriptor) => Object.defineProperty(provider, 'models', { configurable: true, enumerable: true, ...descriptor });
    define({
      get() {
        const value = JSON.parse(models[index]);
        define({ value, writable: true });
        return value;
      },
    });
  }
  return providers;
}
const ${name} = readLazily(JSON.parse(${JSON.stringify(withoutModels)}))${code}`;
    return { contents, loader: 'js' };
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
