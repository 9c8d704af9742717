// The hooks before Node 22.18, which run in a thread of their own. What takes types out is loaded with the first TypeScript:
// it would be half of the time in which a child starts.
export { resolve } from './own-package.mjs';

export function initialize(parent) {
  if (parent !== undefined) setInterval(() => process.ppid === parent || process.kill(process.pid, 'SIGKILL'), 1000);
}

export async function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !/\.m?ts$/.test(url)) return nextLoad(url, context);
  const stripTypes = await import('./strip-types.mjs');
  return stripTypes.load(url, context, nextLoad);
}
