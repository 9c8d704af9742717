import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { findRelativeImports, importSuffixes } from '../lib/relative-imports.ts';
import { hashFiles } from './hash-files.ts';

/** SHA-256 of a file and of all that it imports relatively, in the order in which they are found; nothing outside the root. */
export function hashModule(start: string, root: string): readonly string[] {
  const hashes: string[] = [];
  const seen = new Set([start]);
  for (const path of seen) {
    const [hash] = hashFiles([path], root);
    if (hash === undefined) continue;
    hashes.push(hash);
    if (!/\.[cm]?[jt]sx?$/.test(path)) continue;
    for (const specifier of findRelativeImports(readFileSync(path, 'utf8'))) {
      const target = resolve(dirname(path), specifier);
      const found = importSuffixes.find((suffix) => hashFiles([target + suffix], root).length > 0);
      if (found !== undefined) seen.add(target + found);
    }
  }
  return hashes;
}
