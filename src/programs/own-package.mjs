// A module of the user's own may import llmcheck where the project has not installed it, such as with a global llmcheck.
import { existsSync } from 'node:fs';

const entries = { llmcheck: 'index', 'llmcheck/promptfoo': 'promptfoo' };

/** A hook of module.register and of module.registerHooks alike: the first awaits, the second does not. */
export function resolve(specifier, context, nextResolve) {
  const entry = entries[specifier];
  if (entry === undefined) return nextResolve(specifier, context);
  try {
    const found = nextResolve(specifier, context);
    return found instanceof Promise ? found.catch((error) => fallBack(error, entry)) : found;
  } catch (error) {
    return fallBack(error, entry);
  }
}

function fallBack(error, entry) {
  if (error?.code !== 'ERR_MODULE_NOT_FOUND') throw error;
  // Built, or run from its sources.
  const built = new URL(`../${entry}.js`, import.meta.url);
  return { url: (existsSync(built) ? built : new URL(`../${entry}.ts`, import.meta.url)).href, shortCircuit: true };
}
