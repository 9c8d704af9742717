// Lets the user's modules import llmcheck if only a global one is installed. Also resolves imports like a bundler:
// without an extension, or with that of a compiler's output.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { findAliased } from '../text/path-aliases.mjs';

/** Built file and source of each entry. */
const entries = {
  llmcheck: ['index.js', 'index.ts'],
  'llmcheck/promptfoo': ['promptfoo.js', 'promptfoo/promptfoo.ts'],
};

/** Hook for both module.register, which is asynchronous, and module.registerHooks, which is not. */
export function resolve(specifier, context, nextResolve) {
  try {
    const found = nextResolve(specifier, context);
    return found instanceof Promise ? found.catch((error) => fallBack(error, specifier, context)) : found;
  } catch (error) {
    return fallBack(error, specifier, context);
  }
}

/** Errors to retry: an alias may look like a package, or like an import declared in package.json. */
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

/** Finds the built file, or else the source. */
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
