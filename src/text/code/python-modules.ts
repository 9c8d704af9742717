import { dirname, join, resolve } from 'node:path';
import { nameSet } from '../name-set.ts';
import type { CodeFiles } from './code-files.ts';
import { foldersAbove } from './find-packages.ts';

/**
 * The files of a module and of the packages that it is in. It is looked for from the folder of the file, from those that
 * are searched, such as the working folder, and from all above. `src` and `lib` in them count too, since `sys.path` is
 * only known to the program.
 */
export function findPythonFiles(
  name: string,
  file: string,
  searched: readonly string[],
  files: CodeFiles,
): { readonly found: readonly string[]; readonly tried: readonly string[] } {
  const [dots = ''] = /^\.*/.exec(name) ?? [];
  const parts = name
    .slice(dots.length)
    .split('.')
    .filter((part) => part !== '');
  const here = dirname(file);
  const above = [...new Set([here, ...searched, ...foldersAbove(here, files.boundary)])];
  const roots =
    dots === ''
      ? above.flatMap((folder) => [folder, join(folder, 'src'), join(folder, 'lib')])
      : [
          resolve(
            here,
            ...dots
              .slice(1)
              .split('')
              .map(() => '..'),
          ),
        ];
  for (const root of roots) {
    const found = [
      ...(dots === '' ? [] : [join(root, '__init__.py')]),
      ...parts.flatMap((_, index) => {
        const path = join(root, ...parts.slice(0, index + 1));
        return [join(path, '__init__.py'), `${path}.py`];
      }),
    ].filter((path) => files.isFile(path));
    if (found.length > 0) return { found, tried: [] };
  }
  const [first = ''] = parts;
  return { found: [], tried: first === '' ? [] : [join(here, `${first}.py`), join(here, first, '__init__.py')] };
}

export const pythonLocks = [
  'uv.lock',
  'poetry.lock',
  'pdm.lock',
  'Pipfile.lock',
  'pylock.toml',
  'requirements.lock',
  'requirements.txt',
];

/** Modules of Python itself that programs import most; of others the lockfile counts, which does no harm. */
const standard = nameSet(`
  __future__ abc argparse array ast asyncio base64 bisect builtins calendar cmath collections concurrent configparser
  contextlib copy csv ctypes dataclasses datetime decimal difflib email enum errno fileinput fnmatch fractions functools
  gc getpass glob gzip hashlib heapq hmac html http importlib inspect io ipaddress itertools json keyword locale logging
  math mimetypes multiprocessing numbers operator os pathlib pickle pkgutil platform pprint queue random re runpy secrets
  select shlex shutil signal socket sqlite3 ssl stat statistics string struct subprocess sys tempfile textwrap threading
  time timeit tomllib traceback types typing unicodedata unittest urllib uuid warnings weakref xml zipfile zlib zoneinfo
`);

export function isStandardPython(name: string): boolean {
  return standard.has(name.split('.')[0] ?? name);
}
