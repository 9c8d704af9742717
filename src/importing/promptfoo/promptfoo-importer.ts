import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { UserError } from '../../model/problem.ts';
import { kindOfPath } from '../../suite/files/project-place.ts';
import { toSlashes } from '../../text/to-slashes.ts';
import type { ImportPorts } from '../draft.ts';
import { type Importer, type ImportSource, readFirst } from '../importer.ts';
import { importPromptfoo } from './import-promptfoo.ts';

export const promptfooImporter: Importer = {
  name: 'promptfoo',
  description: 'A promptfoo config, YAML or JSON, and the files of the project that it names.',
  input: 'the config, or its folder',
  example: '.',
  findFile: findConfig,
  nameOf,
  read(source) {
    const { path, shown, text, cwd, target } = source;
    const place = { suite: toSlashes(resolve(cwd, target)), folder: toSlashes(dirname(path)), shown };
    return importPromptfoo(shown, text, openPorts(source), place);
  },
};

function findConfig(path: string, given: string): string {
  if (/\.[cm]?[jt]s$/.test(given)) {
    const message = `${given} is code, and import runs none`;
    throw new UserError({ code: 'usage', message, hint: 'write what it exports into a file of YAML or JSON' });
  }
  if (kindOfPath(path) !== 'folder') return path;
  const name = configNames.find((one) => kindOfPath(join(path, one)) === 'file');
  if (name !== undefined) return join(path, name);
  throw new UserError({ code: 'usage', message: `${given} holds no promptfooconfig.yaml`, hint: 'name the file' });
}

/** A config of the usual name is named by its folder. */
function nameOf(path: string): string {
  const base = basename(path, extname(path));
  return base === 'promptfooconfig' ? basename(dirname(path)) : base;
}

const configNames = ['promptfooconfig.yaml', 'promptfooconfig.yml', 'promptfooconfig.json'];

function openPorts({ path, files }: ImportSource): ImportPorts {
  const folder = dirname(path);
  return {
    async read(name) {
      const found = await files.read(resolve(folder, name));
      return 'text' in found ? found : { message: found.fault.message };
    },
    async readBytes(name, size) {
      const found = await files.readBytes(resolve(folder, name));
      return 'bytes' in found ? { bytes: readFirst(found.bytes, size) } : { message: found.fault.message };
    },
    async glob(pattern) {
      const { paths } = await files.glob([pattern], folder);
      return paths.map((file) => toSlashes(relative(folder, file))).toSorted();
    },
  };
}
