import { describe, expect, test } from 'vitest';
import { openTempProject } from '../support/temp-project.ts';
import { casesOf, loadAt, onlySuite, problemsAt } from './load-fixture.ts';

const head = 'providers: [openai:m]\nprompts: [{ id: v1, text: "{{ q }}" }, { id: v2, text: "{{ q }} {{ r }}" }]\n';

/** A suite of these cases, beside these files. */
function openSuite(cases: string, files: Readonly<Record<string, string>> = {}): string {
  const project = openTempProject();
  project.write('a.eval.yaml', `${head}${cases}`);
  for (const [name, text] of Object.entries(files)) project.write(name, text);
  return project.root;
}

const load = async (cases: string, files: Readonly<Record<string, string>> = {}) => {
  const root = openSuite(cases, files);
  return casesOf(onlySuite(await loadAt(root, ['a.eval.yaml'])));
};

describe('a case that nothing judges', () => {
  test.each([
    ['has observe', '{ id: a, observe: true, vars: { q: x, r: x } }'],
    [
      'has observe and only checks of weight 0',
      '{ id: a, observe: true, vars: { q: x, r: x }, assert: [{ contains: x, weight: 0 }] }',
    ],
    [
      'has a check on one of its turns',
      '{ id: a, vars: { q: x, r: x }, turns: [{ user: y, assert: [{ contains: x }] }] }',
    ],
    [
      'has a required check of weight 0',
      '{ id: a, vars: { q: x, r: x }, assert: [{ contains: x, weight: 0, required: true }] }',
    ],
  ])('is none where it %s', async (_name, row) => {
    expect(Object.keys(await load(`cases: [${row}]\n`))).toEqual(['a']);
  });

  test('is refused, with what an output contract leaves open', async () => {
    const hints = async (contract: string) =>
      (await problemsAt(openSuite(`${contract}cases: [{ id: a, vars: { q: x, r: x } }]\n`), ['a.eval.yaml'])).map(
        ({ code, hint }) => [code, hint],
      );
    expect(await hints('')).toEqual([['no-assertion', 'add assert, or observe: true to run it unjudged']]);
    expect(await hints('contract: { output: { type: object } }\n')).toEqual([
      ['no-assertion', expect.stringMatching(/^the output contract does not say what is right/)],
    ]);
  });

  test('is one mistake where its assertions are wrong, not two', async () => {
    const root = openSuite('cases: [{ id: a, vars: { q: x, r: x }, assert: [{ contain: x }] }]\n');
    expect((await problemsAt(root, ['a.eval.yaml'])).map(({ code }) => code)).toEqual(['unknown-assertion']);
  });
});

test('a mistake in a case hides none in its assertions, its turns and its id', async () => {
  const wrong = (more: string) => `  - { id: a, trials: many, vars: { q: x, r: x }${more} }\n`;
  const root = openSuite(
    `cases:\n${wrong(', assert: [{ contain: x }]')}${wrong(', turns: [{ user: y, assert: [{ contian: x }] }]')}`,
  );
  expect((await problemsAt(root, ['a.eval.yaml'])).map(({ code, at }) => [code, at?.line])).toEqual([
    ['invalid-value', 4],
    ['unknown-assertion', 4],
    ['duplicate-id', 5],
    ['invalid-value', 5],
    ['unknown-assertion', 5],
  ]);
});

describe('a case for some of the prompts', () => {
  test('needs the variables of these alone', async () => {
    const row = (prompt: string) =>
      `{ id: ${prompt}, prompts: [${prompt}], vars: { q: x }, assert: [{ contains: x }] }`;
    expect(Object.keys(await load(`cases: [${row('v1')}]\n`))).toEqual(['v1']);
    const problems = await problemsAt(openSuite(`cases: [${row('v2')}]\n`), ['a.eval.yaml']);
    expect(problems.map(({ message }) => message)).toEqual([expect.stringContaining('"r"')]);
  });

  test('is checked against the output contracts of these alone, also in the checks of its file and the defaults', async () => {
    const contracts =
      'providers: [openai:m]\nprompts:\n' +
      '  - { id: v1, text: "{{ q }}", contract: { output: { type: object, properties: { a: {} }, additionalProperties: false } } }\n' +
      '  - { id: v2, text: "{{ q }}", contract: { output: { type: object, properties: { b: {} }, additionalProperties: false } } }\n';
    const problemsOf = async (prompt: string, at: 'defaults' | 'file' | 'case') => {
      const path = '{ jsonPath: $.a }';
      const own = (place: string) => (at === place ? `, assert: [${path}]` : ', assert: [{ contains: x }]');
      const project = openTempProject();
      project.write('rows.yaml', `- { id: a, prompts: [${prompt}]${own('case')} }\n`);
      project.write(
        'a.eval.yaml',
        `${contracts}defaults: { vars: { q: x }${own('defaults')} }\ncases: [{ file: rows.yaml${own('file')} }]\n`,
      );
      try {
        await loadAt(project.root, ['a.eval.yaml']);
        return [];
      } catch (error) {
        return (error as { readonly problems: readonly { readonly code: string }[] }).problems.map(({ code }) => code);
      }
    };
    for (const at of ['defaults', 'file', 'case'] as const) {
      expect([at, await problemsOf('v1', at)]).toEqual([at, []]);
      expect([at, await problemsOf('v2', at)]).toEqual([at, ['invalid-json-path']]);
    }
  });
});

test('equal assertions of two files read what each names from its own folder', async () => {
  const row = '{"id":"ID","assert":[{"jsonSchema":"schema.json"}]}';
  const cases = await load(
    'defaults: { vars: { q: x, r: x } }\ncases: [{ file: one/rows.jsonl }, { file: two/rows.jsonl }]\n',
    {
      'one/rows.jsonl': row.replace('ID', 'one'),
      'two/rows.jsonl': row.replace('ID', 'two'),
      'one/schema.json': '{"type":"object"}',
      'two/schema.json': '{"type":"array"}',
    },
  );
  const schemaOf = (id: string) => JSON.stringify(cases[id]?.checks[0]?.params);
  expect(schemaOf('one')).toContain('object');
  expect(schemaOf('two')).toContain('array');
});

test('what an assertion demands in another spelling of a number is another check', async () => {
  const row = (id: string, value: string) =>
    `  - { id: ${id}, vars: { q: x, r: x }, assert: [{ equals: ${value} }] }\n`;
  const { one, two } = await load(`cases:\n${row('one', '1.0')}${row('two', '1.00')}`);
  expect([one?.checks[0]?.source, two?.checks[0]?.source]).toEqual([
    { equals: { $number: '1.0' } },
    { equals: { $number: '1.00' } },
  ]);
  expect(one?.caseHash).not.toBe(two?.caseHash);
});

describe('the hash of a case', () => {
  test.each([
    [
      'the checks of a turn',
      '',
      ', turns: [{ user: y, assert: [{ contains: x }] }]',
      ', turns: [{ user: y, assert: [{ contains: z }] }]',
    ],
    ['the threshold', '', ', threshold: 0.5', ', threshold: 0.6'],
    [
      'what a tool answers',
      '',
      ', tools: { find: [{ returns: a }] }, maxSteps: 3',
      ', tools: { find: [{ returns: b }] }, maxSteps: 3',
    ],
    [
      'the most steps',
      '',
      ', tools: { find: [{ returns: a }] }, maxSteps: 3',
      ', tools: { find: [{ returns: a }] }, maxSteps: 4',
    ],
    ['the spelling of a number in its vars', '1.0', '', ''],
  ])('changes with %s', async (_name, spelled, before, after) => {
    const caseHashOf = async (q: string, more: string) =>
      (await load(`cases: [{ id: a, vars: { q: ${q}, r: x }, assert: [{ contains: x }]${more} }]\n`))['a']?.caseHash;
    const [a, b] = spelled === '' ? ['x', 'x'] : ['1', spelled];
    const hash = await caseHashOf(a, before);
    expect(hash).toMatch(/^[0-9a-f]{12}\.[0-9a-f]{12}$/);
    expect(await caseHashOf(b, after)).not.toBe(hash);
  });

  test('does not change with its tags, its description and whether it must pass', async () => {
    const row = (id: string, more: string) =>
      `  - { id: ${id}, vars: { q: ${id}, r: x }, assert: [{ contains: x }]${more} }\n`;
    const caseHashesOf = async (more: string) => (await load(`cases:\n${row('a', more)}`))['a']?.caseHash;
    expect(await caseHashesOf('')).toBe(await caseHashesOf(', tags: [new], description: a new case, mustPass: true'));
  });

  test('without an id is named by its vars and turns, whatever the turns assert', async () => {
    const ids = async (assert: string) =>
      Object.keys(
        await load(`cases: [{ vars: { q: x, r: x }, turns: [{ user: y, assert: [{ contains: ${assert} }] }] }]\n`),
      );
    expect(await ids('x')).toEqual(await ids('z'));
  });
});

describe('the class of a case', () => {
  const classes = (truth: string) =>
    `classes: { truth: "{{${truth}}}", found: text, names: [billing, legal] }\ndefaults: { assert: [{ contains: x }] }\n`;

  test.each([
    ['expected', '{ id: a, vars: { q: x, r: x }, expected: leagl }', 5, 50],
    ['q', '{ id: a, vars: { q: leagl, r: x } }', 5, 29],
  ])('that is misspelt is shown where {{%s}} is written', async (truth, row, line, column) => {
    const legal = '{ id: b, vars: { q: legal, r: x }, expected: legal }';
    const billing = '{ id: c, vars: { q: billing, r: x }, expected: billing }';
    const root = openSuite(`${classes(truth)}cases: [${row}, ${legal}, ${billing}]\n`);
    expect((await problemsAt(root, ['a.eval.yaml'])).map(({ code, at }) => [code, at?.line, at?.column])).toEqual([
      ['unknown-id', line, column],
    ]);
  });

  test('is none under observe, so that it need not be given', async () => {
    const rows = ['billing', 'legal'].map((name) => `{ id: ${name}, vars: { q: ${name}, r: x }, expected: ${name} }`);
    const watched = '{ id: watched, observe: true, vars: { q: x, r: x }, expected: other }';
    const cases = await load(`${classes('expected')}cases: [${rows.join(', ')}, ${watched}]\n`);
    expect(Object.values(cases).map(({ truth }) => truth)).toEqual(['billing', 'legal', undefined]);
  });
});

test('numbers keep every digit in cases, defaults and anchors, and are refused elsewhere', async () => {
  const long = '12345678901234567890';
  const { a } = await load(
    `x-ids: { order: &order ${long} }\ndefaults: { vars: { r: ${long} } }\ncases: [{ id: a, vars: { q: *order }, assert: [{ contains: x }] }]\n`,
  );
  expect(Object.values(a?.vars ?? {}).map(String)).toEqual([long, long]);
  const root = openSuite(
    `gate: { cost: { max: ${long} } }\ncases: [{ id: a, vars: { q: x, r: x }, assert: [{ contains: x }] }]\n`,
  );
  expect((await problemsAt(root, ['a.eval.yaml'])).map(({ code }) => code)).toEqual(['invalid-value']);
});

describe('a CSV file', () => {
  const loadCsv = (text: string) =>
    load('defaults: { assert: [{ contains: x }] }\ncases: [{ file: rows.csv }]\n', { 'rows.csv': text });

  test('has columns for settings, whose empty cells leave them out, and every other column is a variable', async () => {
    const { a, b } = await loadCsv(
      '\ufeffid, q ,r,expected,tags,group,mustPass\n a ,x,y,z,long; german|legal,letters ,1\nb,x,,,,,\n',
    );
    expect(a).toMatchObject({
      vars: { q: 'x', r: 'y' },
      expected: 'z',
      tags: ['long', 'german', 'legal'],
      group: 'letters',
      mustPass: true,
    });
    expect(Object.keys(a?.vars ?? {})).toEqual(['q', 'r']);
    expect(b).toMatchObject({ vars: { q: 'x', r: '' }, tags: [], mustPass: false });
    expect(b).not.toHaveProperty('expected');
    expect(b).not.toHaveProperty('group');
  });

  test.each([
    ['id,q,q\na,x,y\n', 'two columns are named "q"'],
    ['id,,r\na,x,y\n', 'a column has no name'],
    ['id;q;r\na;x;y\n', 'the columns are separated by ";", not by commas'],
    ['', 'rows.csv has no header line'],
    ['id,q,r\na,"x,y\n', expect.stringContaining('quote')],
  ])('with the text %j is refused', async (text, message) => {
    const root = openSuite('defaults: { assert: [{ contains: x }] }\ncases: [{ file: rows.csv }]\n', {
      'rows.csv': text,
    });
    expect((await problemsAt(root, ['a.eval.yaml'])).map((problem) => problem.message)).toEqual([message]);
  });
});

test('JSON lines in a file whose name ends in .json are refused, with the name that they need', async () => {
  const files = { 'rows.json': '{"id":"a"}\n{"id":"b"}\n' };
  const root = openSuite('defaults: { assert: [{ contains: x }] }\ncases: [{ file: rows.json }]\n', files);
  expect((await problemsAt(root, ['a.eval.yaml'])).map(({ code, hint }) => [code, hint])).toEqual([
    ['syntax', 'a file with one JSON object on each line ends in .jsonl'],
  ]);
});

test('a file of another kind is refused, with the kinds that are read', async () => {
  const root = openSuite('cases: [{ file: rows.txt }]\n', { 'rows.txt': 'a' });
  expect((await problemsAt(root, ['a.eval.yaml'])).map(({ message, hint }) => [message, hint])).toEqual([
    ['rows.txt is not a file of cases', 'cases are read from .jsonl, .ndjson, .json, .yaml, .yml, .csv'],
  ]);
});

test('a file of JSON lines may hold blank lines, and a list in one is said once', async () => {
  const suite = 'defaults: { assert: [{ contains: x }], vars: { q: x, r: x } }\ncases: [{ file: rows.jsonl }]\n';
  expect(Object.keys(await load(suite, { 'rows.jsonl': '\n{"id":"a"}\n  \n{"id":"b"}\n' }))).toEqual(['a', 'b']);
  const problems = await problemsAt(openSuite(suite, { 'rows.jsonl': '[\n{"id":"a"},\n{"id":"b"}\n]\n' }), [
    'a.eval.yaml',
  ]);
  expect(problems.map(({ hint }) => hint)).toEqual([
    'every line is one JSON object; a file that is one list ends in .json',
  ]);
});
