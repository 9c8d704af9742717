// Lets a process import the user's modules: TypeScript without a build step, and llmcheck itself.
import module from 'node:module';
import { compileFunction } from 'node:vm';
import { resolve } from './own-package.mjs';

let isInstalled = false;

export function installModuleHooks(parent) {
  if (isInstalled) return false;
  isInstalled = true;
  // Since Node 22.18, hooks run in the same thread.
  const hasThread = !process.features.typescript;
  if (hasThread) module.register('./early-hooks.mjs', import.meta.url, { data: parent });
  else module.registerHooks?.({ resolve, load });
  return hasThread;
}

const requireHere = module.createRequire(import.meta.url);

/**
 * Strips types. Node does so itself, but refuses enums and parameter properties, some of them while it detects the
 * module format.
 */
function load(url, context, nextLoad) {
  let format = 'module-typescript';
  try {
    const loaded = nextLoad(url, context);
    if (!loaded.format?.endsWith('-typescript')) return loaded;
    ({ format } = loaded);
  } catch (error) {
    if (error.code !== 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') throw error;
  }
  const stripped = requireHere('./strip-types.mjs').load(url, context, nextLoad);
  const isModule = format === 'module-typescript' || !isCommonJs(stripped.source);
  return { ...stripped, format: isModule ? 'module' : 'commonjs' };
}

/**
 * True for CommonJS. A TypeScript file of a CommonJS package may also use import and export, which most compilers
 * translate.
 */
function isCommonJs(source) {
  if (typeof source !== 'string') return true;
  try {
    compileFunction(source, ['exports', 'require', 'module', '__filename', '__dirname']);
    return true;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return false;
  }
}
