import { expect, test } from 'vitest';
import type { Plugin } from '../../src/model/suite/plugin.ts';
import { openPlugins } from '../../src/project/open-plugins.ts';
import { openTempProject } from '../support/temp-project.ts';

const check = (more: object = {}) =>
  ({ kind: 'assertion', name: 'polite', summary: 's', check: () => ({ pass: true }), ...more }) as Plugin;
const provider = (more: object = {}) =>
  ({ kind: 'provider', name: 'house', summary: 's', complete: () => 'a', ...more }) as Plugin;
const reporter = (more: object = {}) =>
  ({ kind: 'reporter', name: 'lines', summary: 's', extension: 'txt', render: () => [], ...more }) as Plugin;

test('plug-ins of a program are registered by what they are', async () => {
  const given = [check(), provider(), reporter(), provider({ name: 'polite' })];
  const { list, assertions, adapters, faults } = await openPlugins([], given);
  expect(faults).toEqual([]);
  expect(list.map(({ plugin }) => plugin)).toEqual(given);
  expect([Object.keys(assertions), Object.keys(adapters)]).toEqual([['polite'], ['house', 'polite']]);
});

test('a plug-in without a file is known by its version, else by its own source', async () => {
  const hashOf = async (...given: readonly Plugin[]) => (await openPlugins([], given)).list.map(({ hash }) => hash);
  const one = () => ({ pass: true });
  const other = () => ({ pass: false });
  const [plain] = await hashOf(check({ check: one }));
  expect(plain).toMatch(/^[0-9a-f]{16}$/);
  expect(await hashOf(check({ check: one, summary: 'other' }))).toEqual([plain]);
  expect(await hashOf(check({ check: other }))).not.toEqual([plain]);
  const [version] = await hashOf(check({ check: one, version: '1' }));
  expect(await hashOf(check({ check: other, version: '1' }))).toEqual([version]);
  expect(await hashOf(check({ check: one, version: '2' }))).not.toEqual([version]);
});

const place = { index: -1 };
const named = (code: string, message: string, hint?: string) => ({
  ...place,
  code,
  message,
  ...(hint === undefined ? {} : { hint }),
});
const keys = 'name, summary, example, params, main, timeoutMs, version, check';

test.each<[plugin: unknown, fault: object]>([
  [
    { name: 'x' },
    named(
      'invalid-value',
      'plugins: an entry of the list is not a plug-in',
      'pass what defineAssertion, defineProvider or defineReporter returns',
    ),
  ],
  [
    check({ pramas: {} }),
    named('unknown-key', 'the plug-in "polite" has the unknown key "pramas"', 'did you mean "params"?'),
  ],
  [
    check({ zzzzzzzz: 1 }),
    named('unknown-key', 'the plug-in "polite" has the unknown key "zzzzzzzz"', `there are: ${keys}`),
  ],
  [check({ check: undefined }), named('invalid-value', 'the plug-in "polite": "check" must be a function')],
  [provider({ complete: 3 }), named('invalid-value', 'the plug-in "house": "complete" must be a function')],
  [reporter({ render: 'x' }), named('invalid-value', 'the plug-in "lines": "render" must be a function')],
  [check({ timeoutMs: 0 }), named('invalid-value', 'the plug-in "polite": "timeoutMs" must be a number above 0')],
  [check({ timeoutMs: 'x' }), named('invalid-value', 'the plug-in "polite": "timeoutMs" must be a number above 0')],
  [
    check({ name: 'contains' }),
    named('duplicate-id', 'there is an assertion "contains" already', 'give the plug-in another name'),
  ],
  [
    provider({ name: 'openai' }),
    named('duplicate-id', 'there is a provider "openai" already', 'give the plug-in another name'),
  ],
  ...['weight', 'Polite', 'a b', ''].map((name): [unknown, object] => [
    check({ name }),
    named(
      'invalid-value',
      `"${name}" can't name a plug-in`,
      'a name is a word that starts with a small letter, and none of select, name, weight and required',
    ),
  ]),
])('the plug-in %j is refused', async (plugin, fault) => {
  const { list, faults } = await openPlugins([], [plugin as Plugin]);
  expect([list, faults]).toEqual([[], [fault]]);
});

test('a schema that is none is a fault, and a second plug-in of a name, too', async () => {
  const bad = { type: 'no such type' };
  const { list, faults } = await openPlugins(
    [],
    [check({ params: bad }), provider({ options: bad }), check(), check()],
  );
  expect(faults.map(({ code, message }) => [code, message.replace(/" .*/, '"')])).toEqual([
    ['invalid-schema', 'params of the plug-in "polite"'],
    ['invalid-schema', 'options of the plug-in "house"'],
    ['duplicate-id', 'there is an assertion "polite"'],
  ]);
  expect(list).toHaveLength(1);
  expect((await openPlugins([], [check({ timeoutMs: 0.5 })])).faults).toEqual([]);
});

test('plug-ins of files and packages are imported, each once', async () => {
  const project = openTempProject();
  const one = `export const one = { kind: 'assertion', name: 'polite', summary: 's', check: () => ({ pass: true }) };\n`;
  const file = (name: string, text: string, hash = 'h') => {
    project.write(name, text);
    return { kind: 'file', name: `./${name}`, file: project.path(name), hash } as const;
  };
  project.write('node_modules/pack/package.json', '{"name":"pack","exports":"./a.mjs"}');
  project.write(
    'node_modules/pack/a.mjs',
    `export default [{ kind: 'reporter', name: 'lines', summary: 's', extension: 'txt', render: () => [] }];\n`,
  );
  const found = await openPlugins([
    file('a.mjs', `${one}export default one;\nexport const others = [one, 3];\n`),
    file('b.mjs', 'export const nothing = 3;\n'),
    file('c.mjs', 'throw new RangeError("at once");\n'),
    { kind: 'package', name: 'pack', root: project.root, hash: 'a' },
    { kind: 'package', name: 'none', root: project.root, hash: 'a' },
    file('d.mjs', one.replace('polite', 'contains')),
  ]);
  expect(found.list.map(({ plugin }) => plugin.name)).toEqual(['polite', 'lines']);
  expect(found.faults).toEqual([
    {
      index: 1,
      code: 'invalid-value',
      message: './b.mjs exports no plug-in',
      hint: 'export what defineAssertion, defineProvider or defineReporter returns',
    },
    {
      index: 2,
      code: 'invalid-value',
      message: expect.stringMatching(/^the plug-in \.\/c\.mjs can't be loaded: RangeError: at once/) as string,
    },
    {
      index: 4,
      code: 'environment',
      message: 'the plug-in none is not installed',
      hint: 'npm install --save-dev none; a file is written as ./none',
    },
    {
      index: 5,
      code: 'duplicate-id',
      message: 'there is an assertion "contains" already',
      hint: 'give the plug-in another name',
    },
  ]);
  const [first] = (await openPlugins([file('e.mjs', one, 'other')])).list;
  expect(first?.hash).not.toBe(found.list[0]?.hash);
});
