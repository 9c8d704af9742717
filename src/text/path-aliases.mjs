// Path aliases of a tsconfig.json, which Node does not read. Plain JavaScript: the children that run users' modules use it too.
import { dirname, join, resolve } from 'node:path';

/**
 * The absolute paths that an import by alias may mean, without the endings that it leaves out. `readText` gives the text of a
 * file, undefined where there is none.
 */
export function findAliased(specifier, file, readText) {
  if (/^(?:\.{0,2}\/|\.{1,2}$|node:|[a-z][a-z+.-]+:\/)/.test(specifier) || /[/\\]node_modules[/\\]/.test(file))
    return [];
  const config = findConfig(dirname(file), readText);
  if (config === undefined) return [];
  const { paths, folder } = config;
  // Of several patterns, TypeScript takes the one with the longest beginning.
  const patterns = Object.keys(paths).sort((one, other) => beginningOf(other).length - beginningOf(one).length);
  for (const pattern of patterns) {
    const rest = matchPattern(pattern, specifier);
    const targets = Array.isArray(paths[pattern]) ? paths[pattern] : [];
    if (rest !== undefined)
      return targets.map((target) =>
        resolve(
          folder,
          String(target).replace('*', () => rest),
        ),
      );
  }
  return [];
}

function beginningOf(pattern) {
  return pattern.split('*', 1)[0] ?? '';
}

/** What stands for the star; undefined where the pattern does not match. */
function matchPattern(pattern, specifier) {
  const star = pattern.indexOf('*');
  if (star === -1) return pattern === specifier ? '' : undefined;
  const [start, end] = [pattern.slice(0, star), pattern.slice(star + 1)];
  const fits = specifier.length >= start.length + end.length && specifier.startsWith(start) && specifier.endsWith(end);
  return fits ? specifier.slice(start.length, specifier.length - end.length) : undefined;
}

/** The aliases of the nearest config above. */
function findConfig(start, readText) {
  for (let folder = start; ; folder = dirname(folder)) {
    for (const name of ['tsconfig.json', 'jsconfig.json']) {
      const text = readText(join(folder, name));
      if (text !== undefined) return readConfig(text, join(folder, name), readText, 0);
    }
    if (folder === dirname(folder)) return undefined;
  }
}

const maxExtended = 5;

/** The aliases of a config, or of the one that it extends; their targets start from `baseUrl`, or from its folder. */
function readConfig(text, file, readText, depth) {
  const config = parseJsonWithComments(text);
  if (typeof config !== 'object' || config === null) return undefined;
  const { paths, baseUrl = '.' } = config.compilerOptions ?? {};
  if (typeof paths === 'object' && paths !== null) return { paths, folder: resolve(dirname(file), String(baseUrl)) };
  for (const base of [config.extends].flat()) {
    if (typeof base !== 'string' || !base.startsWith('.') || depth === maxExtended) continue;
    const path = resolve(dirname(file), base.endsWith('.json') ? base : `${base}.json`);
    const extended = readText(path);
    const found = extended === undefined ? undefined : readConfig(extended, path, readText, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Undefined for what is none. */
function parseJsonWithComments(text) {
  const plain = text
    .replace(/^\uFEFF/, '')
    .replace(/("(?:\\.|[^"\\])*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (_, quoted = '') => quoted)
    .replace(/("(?:\\.|[^"\\])*")|,(?=\s*[}\]])/g, (_, quoted = '') => quoted);
  try {
    return JSON.parse(plain);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
