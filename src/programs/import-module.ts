import { pathToFileURL } from 'node:url';
import { installModuleHooks } from './module-hooks.mjs';

/** Imports a module of the user's own into this process; TypeScript needs no build step. Rejects with what it throws. */
export async function importModule(file: string): Promise<Readonly<Record<string, unknown>>> {
  installModuleHooks();
  return (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>;
}
