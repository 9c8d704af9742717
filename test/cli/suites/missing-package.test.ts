import { join } from 'node:path';
import { expect, test } from 'vitest';
import { assertions } from '../../../src/assertions/index.ts';
import { UserError } from '../../../src/errors.ts';
import { openPackages } from '../../../src/programs/open-packages.ts';
import { parsePromptFile } from '../../../src/prompt/parse-prompt-file.ts';
import { adapters } from '../../../src/providers/index.ts';
import { loadProject } from '../../../src/suite/load.ts';
import { openTempProject } from '../../support/temp-project.ts';

const suite = `prompts: [{ id: v1, text: Ask }]
providers: [replay:x]
cases:
  - { id: one, assert: [{ not: { sql: true } }] }
  - { id: two, assert: [{ sql: { dialect: mysql } }] }
`;

test('an assertion without its optional package is a usage error at its place, with the command that installs it', async () => {
  const project = openTempProject();
  const { root } = project;
  project.write('evals/a.eval.yaml', suite);
  const asked: string[] = [];
  const loading = loadProject({
    paths: [],
    cwd: root,
    assertions,
    adapters,
    parsePrompt: parsePromptFile,
    hasPackage: (name, folder) => {
      asked.push(`${name} in ${folder}`);
      return false;
    },
  });
  const error: unknown = await loading.catch((thrown: unknown) => thrown);
  if (!(error instanceof UserError)) throw new TypeError('expected a usage error', { cause: error });
  expect(error.problems.map(({ message, hint, at }) => [at?.line, at?.column, message, hint])).toEqual(
    [
      [4, 39],
      [5, 32],
    ].map((place) => [
      ...place,
      'sql needs the package node-sql-parser, which is not installed',
      'npm install --save-dev node-sql-parser',
    ]),
  );
  expect(asked).toContain(`node-sql-parser in ${root}`);
});

test("a package is found in the project's own folder first, and what is nowhere is not there", async () => {
  const project = openTempProject();
  const { root } = project;
  project.write(
    'node_modules/own-package/package.json',
    '{"name": "own-package", "type": "module", "exports": {"import": "./a.js"}}',
  );
  project.write('node_modules/own-package/a.js', 'export const from = "the project";');
  const packages = openPackages(root);
  expect(packages.has('own-package')).toBe(true);
  expect(await packages.load('own-package')).toMatchObject({ from: 'the project' });
  expect(packages.has('no-such-package')).toBe(false);
  expect(await packages.load('no-such-package')).toBeUndefined();
  expect(openPackages(join(root, 'elsewhere')).has('node-sql-parser')).toBe(true);
});
