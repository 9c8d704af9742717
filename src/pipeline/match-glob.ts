import { dirname, relative, sep } from 'node:path';
import picomatch from 'picomatch';

/** Those of some absolute paths that a pattern means as seen from a folder. */
export function matchGlob(pattern: string, folder: string, paths: Iterable<string>): readonly string[] {
  let [rest, from] = [pattern.replace(/^\.\//, ''), folder];
  while (rest.startsWith('../')) [rest, from] = [rest.slice(3), dirname(from)];
  const isMatch = picomatch(rest);
  return [...paths].filter((file) => {
    const path = relative(from, file).split(sep).join('/');
    return !path.startsWith('../') && !passedOver.test(path) && isMatch(path);
  });
}

const passedOver = /(?:^|[\\/])(?:node_modules|\.git|\.llmcheck)[\\/]/;
