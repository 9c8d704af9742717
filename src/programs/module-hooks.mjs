// Lets a process import modules of the user's own: TypeScript without a build step, and llmcheck itself.
import module from 'node:module';
import { resolve } from './own-package.mjs';

let isInstalled = false;

export function installModuleHooks() {
  if (isInstalled) return;
  isInstalled = true;
  // Node 22.18 and later take the types out themselves.
  if (process.features.typescript) module.registerHooks?.({ resolve });
  else module.register('./strip-types.mjs', import.meta.url);
}
