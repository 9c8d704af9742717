// Strips types from TypeScript, in the same way for all versions of Node.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { transform } from 'sucrase';

export function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !/\.m?ts$/.test(url)) return nextLoad(url, context);
  const filePath = fileURLToPath(url);
  const { code } = transform(readFileSync(filePath, 'utf8'), {
    transforms: ['typescript'],
    filePath,
    disableESTransforms: true,
    preserveDynamicImport: true,
  });
  return { format: 'module', source: code, shortCircuit: true };
}
