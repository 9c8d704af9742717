import { join } from 'node:path';
import { expect, test } from 'vitest';
import { assertions } from '../../../src/assertions/index.ts';
import { UserError } from '../../../src/model/problem.ts';
import { openPackages } from '../../../src/programs/import-module.ts';
import { parsePromptFile } from '../../../src/prompts/parse-prompt-file.ts';
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
    packageVersion: (name, folder) => {
      asked.push(`${name} in ${folder}`);
      return undefined;
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
      'sql needs the package node-sql-parser (not installed)',
      'npm install --save-dev node-sql-parser@5',
    ]),
  );
  expect(asked).toContain(`node-sql-parser in ${root}`);
});

test('an optional package of a version that does not work is named with it', async () => {
  const project = openTempProject();
  project.write('evals/a.eval.yaml', suite);
  for (const version of ['4.9.9', '5.3.12', '6.0.0']) {
    project.write('node_modules/node-sql-parser/package.json', `{"name": "node-sql-parser", "version": "${version}"}`);
    project.write('node_modules/node-sql-parser/index.js', '');
    const { code, stderr } = await project.run(['validate']);
    expect(code).toBe(2);
    expect(stderr).toContain(`sql needs the package node-sql-parser ^5.4 (${version} is installed)`);
    expect(stderr).toContain('hint: npm install --save-dev node-sql-parser@5\n');
  }
  project.write('node_modules/node-sql-parser/package.json', '{"name": "node-sql-parser", "version": "5.4.0"}');
  expect((await project.run(['validate'])).stderr).not.toContain('node-sql-parser');
});

test('a cache in Redis asks for a client that works', async () => {
  const project = openTempProject();
  project.write(
    'evals/a.eval.yaml',
    suite.replace('sql: true', 'equals: x').replace('sql: { dialect: mysql }', 'equals: x'),
  );
  project.write('llmcheck.config.yaml', 'cache: { url: "redis://127.0.0.1:9/0" }\n');
  project.write('node_modules/ioredis/package.json', '{"name": "ioredis", "version": "4.28.5"}');
  project.write('node_modules/ioredis/index.js', '');
  const { code, stderr } = await project.run(['validate']);
  expect(code).toBe(2);
  expect(stderr).toContain('llmcheck.config.yaml:1:');
  expect(stderr).toContain('a cache in Redis needs the package ioredis ^5.4 (4.28.5 is installed)');
  expect(stderr).toContain('hint: npm install --save-dev ioredis@5\n');
});

test("a package is found in the project's own folder first, and what is nowhere is not there", async () => {
  const project = openTempProject();
  const { root } = project;
  project.write(
    'node_modules/own-package/package.json',
    '{"name": "own-package", "version": "1.2.3", "type": "module", "exports": {"import": "./a.js"}}',
  );
  project.write('node_modules/own-package/a.js', 'export const from = "the project";');
  const packages = openPackages(root);
  expect(packages.has('own-package')).toBe(true);
  expect(await packages.load('own-package')).toMatchObject({ from: 'the project' });
  expect(packages.version('own-package')).toBe('1.2.3');
  expect(packages.version('no-such-package')).toBeUndefined();
  expect(packages.has('no-such-package')).toBe(false);
  expect(await packages.load('no-such-package')).toBeUndefined();
  expect(openPackages(join(root, 'elsewhere')).has('node-sql-parser')).toBe(true);
});
