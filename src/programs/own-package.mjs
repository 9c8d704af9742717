// A module of the user's own may import llmcheck where the project has not installed it, such as with a global llmcheck. It may
// name what it imports as a bundler finds it: without an ending, or with that of the file that a compiler writes.
import { existsSync } from 'node:fs';

const entries = { llmcheck: 'index', 'llmcheck/promptfoo': 'promptfoo' };

/** A hook of module.register and of module.registerHooks alike: the first awaits, the second does not. */
export function resolve(specifier, context, nextResolve) {
  try {
    const found = nextResolve(specifier, context);
    return found instanceof Promise ? found.catch((error) => fallBack(error, specifier, context)) : found;
  } catch (error) {
    return fallBack(error, specifier, context);
  }
}

function fallBack(error, specifier, { parentURL }) {
  if (error?.code !== 'ERR_MODULE_NOT_FOUND' && error?.code !== 'ERR_UNSUPPORTED_DIR_IMPORT') throw error;
  const entry = entries[specifier];
  const url = entry === undefined ? findSource(specifier, parentURL) : findOwn(entry);
  if (url === undefined) throw error;
  return { url: url.href, shortCircuit: true };
}

/** Built, or run from its sources. */
function findOwn(entry) {
  const built = new URL(`../${entry}.js`, import.meta.url);
  return existsSync(built) ? built : new URL(`../${entry}.ts`, import.meta.url);
}

const endings = ['.ts', '.mts', '.js', '.mjs', '/index.ts', '/index.js'];

function findSource(specifier, parentURL) {
  if (!/^\.{1,2}\//.test(specifier) || !parentURL?.startsWith('file:')) return undefined;
  const source = specifier.replace(/\.([cm]?)js$/, '.$1ts');
  const names = source === specifier ? endings.map((ending) => specifier.replace(/\/$/, '') + ending) : [source];
  return names.map((name) => new URL(name, parentURL)).find((url) => existsSync(url));
}
