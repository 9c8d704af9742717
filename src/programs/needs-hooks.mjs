// Whether a module needs the hooks of module-hooks.mjs. Before Node 22.18 they run in a thread of their own: a child then takes
// 0.17 s of CPU to start, and 0.09 s without them. Most modules import only what Node finds and reads by itself.
import { readFileSync, realpathSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** An import or export of one name of a file: what the name is, is the only group that is set. */
const staticImport =
  /\bimport\s*(?:[\w$*{},\s]+\bfrom\s*)?(['"])([^'"\\\n]+)\1|\bexport\s*(?:\*(?:\s*as\s+[\w$]+)?|\{[\w$,\s]*\})\s*from\s*(['"])([^'"\\\n]+)\3/g;

/** False only for a file of JavaScript that imports other such files and parts of Node, by their whole names, and nothing later. */
export function needsHooks(file, seen = new Set()) {
  if (seen.has(file)) return false;
  seen.add(file);
  if (!/\.[cm]?js$/.test(file)) return true;
  let place;
  let text;
  try {
    // Names are looked for from there.
    place = pathToFileURL(realpathSync(file));
    text = readFileSync(file, 'utf8');
  } catch {
    return true;
  }
  const names = [];
  const rest = text.replace(staticImport, (_, _quote, imported, _otherQuote, exported) => {
    names.push(imported ?? exported);
    return '';
  });
  // It may import by a name that it makes, or in a thread. import.meta alone is harmless.
  if (/import|require|\bfrom\s*['"]/i.test(rest.replace(/\bimport\.meta\.(?:url|dirname|filename)\b/g, '')))
    return true;
  return names.some((name) => {
    if (/^\.{1,2}\//.test(name)) return needsHooks(fileURLToPath(new URL(name, place)), seen);
    return !isBuiltin(name) || /^(?:node:)?(?:module|vm|worker_threads)$/.test(name);
  });
}
