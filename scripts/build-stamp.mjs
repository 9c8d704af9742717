// Says whether dist/ was built from the files that are here now, so that tests need not build it again.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const stamp = join(root, 'dist/.built-from');
const inputs = ['src', 'scripts', 'package.json', 'package-lock.json', 'tsconfig.json'];
/** Written by the build itself. */
const generated = join('src', 'api', 'suite-definition.ts');

export function isBuilt() {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === hashInputs();
}

/** The last step of a build, which begins without dist/: one that failed leaves no stamp. */
export function writeStamp() {
  writeFileSync(stamp, hashInputs());
}

function hashInputs() {
  const hash = createHash('sha256').update(process.version);
  for (const path of inputs.flatMap(listFiles).sort((a, b) => (a < b ? -1 : 1))) {
    if (path !== generated && existsSync(join(root, path)))
      hash.update(`${path}\0`).update(readFileSync(join(root, path)));
  }
  return hash.digest('hex');
}

function listFiles(path) {
  if (path.includes('.')) return [path];
  return readdirSync(join(root, path), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath.slice(root.length + 1), entry.name));
}
