// A module of the user's own may import llmcheck where only a global one is installed. It may name its imports as a
// bundler finds them: without an ending, or with the ending that a compiler writes.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { findAliased } from '../text/path-aliases.mjs';

/** The file that the build makes of each entry, and its source. */
const entries = {
  llmcheck: ['index.js', 'index.ts'],
  'llmcheck/promptfoo': ['promptfoo.js', 'promptfoo/promptfoo.ts'],
};

/** A hook of module.register and of module.registerHooks alike: the first awaits, the second does not. */
export function resolve(specifier, context, nextResolve) {
  try {
    const found = nextResolve(specifier, context);
    return found instanceof Promise ? found.catch((error) => fallBack(error, specifier, context)) : found;
  } catch (error) {
    return fallBack(error, specifier, context);
  }
}

/** An alias may look like a package, or like an import that a package.json declares. */
const unresolved = new Set([
  'ERR_MODULE_NOT_FOUND',
  'ERR_UNSUPPORTED_DIR_IMPORT',
  'ERR_PACKAGE_IMPORT_NOT_DEFINED',
  'ERR_INVALID_MODULE_SPECIFIER',
]);

function fallBack(error, specifier, { parentURL }) {
  if (!unresolved.has(error?.code)) throw error;
  const own = entries[specifier];
  const url = own === undefined ? findSource(specifier, parentURL) : findOwn(own);
  if (url === undefined) throw error;
  return { url: url.href, shortCircuit: true };
}

/** Built, or run from its sources. */
function findOwn(files) {
  return files.map((file) => new URL(`../${file}`, import.meta.url)).find((url) => existsSync(url));
}

const endings = ['.ts', '.mts', '.js', '.mjs', '/index.ts', '/index.js'];

function findSource(specifier, parentURL) {
  if (!parentURL?.startsWith('file:')) return undefined;
  const names = /^\.{1,2}\//.test(specifier)
    ? [new URL(specifier, parentURL).href]
    : findAliased(specifier, fileURLToPath(parentURL), readIfThere).map((path) => pathToFileURL(path).href);
  return names.flatMap(withEndings).find((url) => existsSync(url) && statSync(url).isFile());
}

function withEndings(name) {
  const source = name.replace(/\.([cm]?)js$/, '.$1ts');
  const known = source === name ? endings.map((ending) => name.replace(/\/$/, '') + ending) : [source];
  return [name, ...known].map((url) => new URL(url));
}

function readIfThere(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}
