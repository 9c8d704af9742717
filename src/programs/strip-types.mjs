// Hooks for versions of Node that can't take types out of TypeScript: see module.register of Node 20.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { transform } from 'sucrase';

export { resolve } from './own-package.mjs';

export async function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !/\.m?ts$/.test(url)) return nextLoad(url, context);
  const filePath = fileURLToPath(url);
  const { code } = transform(await readFile(filePath, 'utf8'), {
    transforms: ['typescript'],
    filePath,
    disableESTransforms: true,
    preserveDynamicImport: true,
  });
  return { format: 'module', source: code, shortCircuit: true };
}
