// A module of the user's own may import llmcheck where the project has not installed it, such as with a global llmcheck.
import { existsSync } from 'node:fs';

/** A hook of module.register and of module.registerHooks alike: the first awaits, the second does not. */
export function resolve(specifier, context, nextResolve) {
  if (specifier !== 'llmcheck') return nextResolve(specifier, context);
  try {
    const found = nextResolve(specifier, context);
    return found instanceof Promise ? found.catch(fallBack) : found;
  } catch (error) {
    return fallBack(error);
  }
}

function fallBack(error) {
  if (error?.code !== 'ERR_MODULE_NOT_FOUND') throw error;
  // Built, or run from its sources.
  const built = new URL('../index.js', import.meta.url);
  return { url: (existsSync(built) ? built : new URL('../index.ts', import.meta.url)).href, shortCircuit: true };
}
