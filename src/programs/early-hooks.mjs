// Module hooks for Node before 22.18, which run in their own thread. The type stripper is loaded with the first
// TypeScript file: it takes half of a child's start time.
export { resolve } from './own-package.mjs';

export function initialize(parent) {
  if (parent !== undefined) setInterval(() => process.ppid === parent || process.kill(process.pid, 'SIGKILL'), 1000);
}

export async function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !/\.m?ts$/.test(url)) return nextLoad(url, context);
  const stripTypes = await import('./strip-types.mjs');
  return stripTypes.load(url, context, nextLoad);
}
