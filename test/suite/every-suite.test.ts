import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { Problem } from '../../src/model/problem.ts';
import { UserError } from '../../src/model/problem.ts';
import type { Suite } from '../../src/model/suite/suite.ts';
import { loadTemplateEngine } from '../../src/templates/template.ts';
import { openTempProject } from '../support/temp-project.ts';
import { fixtureFolder, loadAt } from './load-fixture.ts';

beforeAll(loadTemplateEngine);

const show = (value: unknown) => JSON.stringify(value) ?? 'undefined';

const tell = (problems: readonly Problem[]) =>
  problems.map(({ code, severity, message, hint, at }) => {
    const place = at === undefined ? '–' : `${at.file}:${at.line}:${at.column}`;
    return `${severity} ${code} ${place} ${message}${hint === undefined ? '' : ` (${hint})`}`;
  });

function describe(suite: Suite): readonly string[] {
  const { prompts, providers, judges, contract, gate, classes, recordings, emptySelections, baseline } = suite;
  return [
    show({ gate, classes, recordings: recordings !== undefined, emptySelections, baseline, contract }),
    ...prompts.map(({ id, messages, params, providers: only, replaces, structured }) =>
      show([id, messages.map(({ role, template }) => [role, template.source]), { params, only, replaces, structured }]),
    ),
    ...[...providers, ...judges].map(({ folder: _folder, at: _at, ...provider }) => show(provider)),
    ...[...suite.cases()].map(({ at, caseHash: _hash, checks, ...one }) =>
      show([
        `${at.file}:${at.line}`,
        one,
        checks.map(({ assertion, source, select, name, weight, required, children }) =>
          show({ assertion, source, select, name, weight, required, children: children?.length }),
        ),
      ]),
    ),
  ];
}

async function load(cwd: string, path: string): Promise<readonly string[]> {
  try {
    const { project, warnings } = await loadAt(cwd, [path]);
    return [...project.suites.flatMap(describe), ...tell(warnings)];
  } catch (error) {
    if (error instanceof UserError) return tell(error.problems);
    throw error;
  }
}

const folder = join(fixtureFolder, 'mistakes');

const root = join(fixtureFolder, '../..');

/** Where a path outside of it leads depends on where it is. */
const hideRoot = (line: string) =>
  `  ${line.replaceAll(root, '/project').replace(/\S*\/etc\/hostname/, '…/etc/hostname')}`;

/** In files of ten, which stay small enough to read. */
function inTens<Item>(items: readonly Item[]): readonly (readonly [number, readonly Item[]])[] {
  const count = Math.ceil(items.length / 10);
  return Array.from({ length: count }, (_, index) => [index, items.slice(index * 10, index * 10 + 10)]);
}

const mistakes = readdirSync(folder)
  .filter((file) => file.endsWith('.eval.yaml'))
  .sort();

test.each(inTens(mistakes))('each mistake of part %i is said word for word', async (part, files) => {
  const lines: string[] = [];
  for (const file of files) lines.push(file, ...(await load(folder, file)).map(hideRoot));
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`snapshots/mistakes-${part}.txt`);
});

const head = 'providers: [openai:gpt-4o]\nprompts: [{ id: v1, text: "{{ q }}" }]\n';
const one = 'cases: [{ id: a, vars: { q: x }, assert: [{ contains: x }] }]\n';
const row = (text: string) => `${head}cases: [{ ${text} }]\n`;
const check = (text: string) => row(`id: a, vars: { q: x }, assert: [${text}]`);
const fromFile = (file: string) =>
  `${head}defaults: { assert: [{ contains: "{{ q }}" }] }\ncases: [{ file: ${file} }]\n`;

type Files = Readonly<Record<string, string>>;

const suites: readonly (readonly [text: string, files?: Files])[] = [
  [`${head}${one}`],
  [`${head}cases: []\n`],
  [`${head}defaults: { trials: 3, assert: [{ json: true }], vars: { r: y } }\n${one}`],
  [row('vars: { q: 1.50 }, expected: 2.0, assert: [{ equals: "{{ expected }}" }]')],
  [row('vars: { q: x }, tags: [a, b], group: g, mustPass: true, description: d, trials: 2, assert: [{ contains: x }]')],
  [
    row('vars: { q: x }, assert: [{ contains: x }]')
      .repeat(1)
      .replace(' }]\n', ' }, { vars: { q: x }, assert: [{ contains: x }] }]\n'),
  ],
  [row('q: x, assert: [{ contains: x }]')],
  [row('id: a, q: x, assert: [{ contains: x }]')],
  [row('"id: a": 1, vars: { q: x }, assert: [{ contains: x }]')],
  [row('id: a, var: { q: x }, assert: [{ contains: x }]')],
  [row('id: a, vars: { q: x }, asert: [{ contains: x }]')],
  [row('id: a, vars: [q], assert: [{ contains: x }]')],
  [row('id: a, vars: { q: { b: 1 } }, assert: [{ contains: x }]')],
  [row('id: a, vars: { r: x }, assert: [{ contains: x }]')],
  [row('id: a, vars: { q: x }, assert: [{ contains: "{{ r }}" }]')],
  [row('id: a, vars: { q: x }, assert: []')],
  [
    row(
      'id: a, vars: { q: x }, turns: [{ user: "and {{ q }}?", assert: [{ contains: y }] }, { user: z }], assert: [{ contains: x }]',
    ),
  ],
  [row('id: a, vars: { q: x }, prompts: [p9], providers: [openai:gpt-4], assert: [{ contains: x }]')],
  [row('id: a, vars: { q: x }, trials: 0, threshold: 2, mustPass: "yes", assert: [{ contains: x }]')],
  [check('{ contains: x, name: n, weight: 2, required: true, select: { jsonPath: $.a } }')],
  [check('{ not: { contains: x } }, { anyOf: [{ contains: x }, { regex: "^a" }] }, { allOf: [{ json: true }] }')],
  [check('{ contains: x, select: { jsonPath: "$[" } }')],
  [check('{ contains: x, select: { regex: "(" } }')],
  [check('{ contains: x, select: { codeBlock: json }, name: n }')],
  [check('{ contains: [] }, { contains: "" }, { regex: "(" }, { equals: }')],
  [check('{ contain: x }, { contains: x, regex: y }, { weight: 1 }, contains, 5, {}')],
  [check('{ jsonSchema: { type: objct } }, { length: { min: 3, max: 1 } }, { oneOf: [] }')],
  [
    check(
      '{ number: { value: 3, tolerance: -1 } }, { number: { value: 3, tolerance: 0.1 } }, { cost: { max: -1 } }, { latency: { max: 5s } }',
    ),
  ],
  [check('{ rubric: is kind }')],
  [
    `${head}judges: [{ id: j, use: openai:gpt-4o }]\n${check('{ rubric: is kind, judge: j }, { rubric: { criterion: is short, judge: k } }').slice(head.length)}`,
  ],
  [`${head}judge: openai:gpt-4o\n${check('{ rubric: is kind }, { similar: { to: x } }').slice(head.length)}`],
  [
    `providers: [openai:gpt-4o]\nprompts: [{ id: v1, text: "{{ q }}" }, { id: v2, replaces: v1, text: "Now {{ q }}", params: { temperature: 1 } }]\n${one}`,
  ],
  [
    `providers: [openai:gpt-4o]\nprompts: [{ id: v1, messages: [{ role: system, content: S }, { role: user, content: "{{ q }}" }] }]\n${one}`,
  ],
  [
    `providers: [openai:gpt-4o]\nprompts: [{ id: v1, messages: [{ role: sytem, content: S }] }, { id: v1, text: x }, { text: y }, 5]\n${one}`,
  ],
  [
    `providers: [{ id: p, use: openai:gpt-4o, params: { temperature: 0, n: 2 }, stream: true, limits: { timeout: 5s }, apiKeyEnv: MY_KEY }]\nprompts: [{ id: v1, text: "{{ q }}" }]\n${one}`,
  ],
  [
    `providers: [{ id: p, use: openai:gpt-4o, apiKey: sk-abcdefghijklmnop }, { use: zzz:x }, { id: p }, openai, "openai:"]\nprompts: [{ id: v1, text: "{{ q }}" }]\n${one}`,
  ],
  [
    `providers: [{ id: p, use: openai:gpt-4o, baseURL: ftp://x, limits: { rpm: 0 }, price: { input: -1, cachedInput: 1e308 }, zzz: 1 }]\nprompts: [{ id: v1, text: "{{ q }}" }]\n${one}`,
  ],
  [
    `providers: [{ id: e, use: "exec:node x.mjs", workspace: ws, env: [A] }, { id: m, use: "module:./p.mjs" }, { id: h, use: http, url: "http://127.0.0.1:1/", body: { q: "{{ q }}" } }]\nprompts: [{ id: v1, text: "{{ q }}" }]\n${one}`,
  ],
  [
    `${head}contract: { input: { type: object, properties: { q: { type: string } } }, output: { type: object } }\n${one}`,
  ],
  [
    `${head}contract: { input: { type: object, properties: { r: {} }, additionalProperties: false }, output: { type: objct } }\n${one}`,
  ],
  [
    `${head}gate: { alpha: 0.1, passRate: { min: 90%, maxDrop: 5% }, cost: { maxIncrease: 10% }, latency: { p95Max: 500ms } }\n${one}`,
  ],
  [
    `${head}gate: { alpha: 2, passRate: { min: 190%, maxdrop: 5 }, slices: [{ tag: vip, maxDrop: 1% }], zzz: 1 }\n${one}`,
  ],
  [`${head}classes: { names: [a, b], truth: "{{ q }}" }\n${one}`],
  [
    `${head}classes: { from: { jsonPath: $.class }, names: [x, b] }\ncases: [{ id: a, vars: { q: x }, class: x, observe: true }, { id: b, vars: { q: y }, class: z, observe: true }]\n`,
  ],
  [`${head}recordings: none.jsonl\n${one}`],
  [`${head}baseline: { outputs: hash }\ndescription: D\n${one}`],
  [`${head}baselines: x\n${one}`],
  ['- a\n'],
  [''],
  ['prompts: [x]\n'],
  [`${head}cases: { a: 1 }\n`],
  [`${head}cases:\n  - id: a\n    vars: { q: x }\n\tassert: []\n`],
  [
    fromFile('rows.csv'),
    { 'rows.csv': 'id,q,expected,tags,group,mustPass\r\na,x,y,"t1, t2",g,true\r\n"b","two\r\nlines",,,,\r\n' },
  ],
  [fromFile('rows.csv'), { 'rows.csv': '\ufeffq\nx\n"y ""z"""\n' }],
  [fromFile('rows.csv'), { 'rows.csv': 'q;r\nx;y\n' }],
  [fromFile('rows.csv'), { 'rows.csv': 'q\tr\nx\ty\n' }],
  [fromFile('rows.csv'), { 'rows.csv': 'q|r\nx|y\n' }],
  [fromFile('rows.csv'), { 'rows.csv': 'q,q\nx,y\n' }],
  [fromFile('rows.csv'), { 'rows.csv': 'q,\nx,y\n' }],
  [fromFile('rows.csv'), { 'rows.csv': 'q\nx,y\n"z\n' }],
  [fromFile('rows.csv'), { 'rows.csv': '' }],
  [fromFile('rows.csv'), { 'rows.csv': 'q\n' }],
  [fromFile('rows.csv'), { 'rows.csv': 'q,mustPass\nx,maybe\n' }],
  [fromFile('rows.jsonl'), { 'rows.jsonl': '{"id":"a","vars":{"q":"x"}}\n\n{"vars":{"q":1.50},"trials":2.0}\n' }],
  [fromFile('rows.jsonl'), { 'rows.jsonl': '{"q":"x"}\n{"vars":{"q":"x"},"zzz":1}\n[1]\nnot json\n' }],
  [fromFile('rows.json'), { 'rows.json': '[{"vars":{"q":"x"}},{"vars":{"q":"y"},"trials":1.0}]' }],
  [fromFile('rows.yaml'), { 'rows.yaml': '- vars: { q: 1.0 }\n  trials: 2.0\n- q: z\n' }],
  [fromFile('rows.yaml'), { 'rows.yaml': 'defaults: { tags: [f] }\ncases:\n  - vars: { q: x }\n' }],
  [fromFile('rows.yaml'), { 'rows.yaml': 'cases: []\n' }],
  [fromFile('"data/*.yaml"'), { 'data/a.yaml': '- vars: { q: x }\n', 'data/b.yaml': '- vars: { q: y }\n  id: b\n' }],
  [fromFile('"data/*.yaml"')],
  [fromFile('rows.txt'), { 'rows.txt': 'x' }],
  [fromFile('../outside.yaml')],
  [
    `providers: [openai:gpt-4o]\nprompts: [{ file: p.txt }, { file: p.md, id: md }, { file: none.txt }]\n${one}`,
    { 'p.txt': '{{ q }}', 'p.md': 'system:\nS\nuser:\n{{ q }}\n' },
  ],
  [
    `providers: [openai:gpt-4o]\nprompts: [{ file: "p/*.txt" }]\n${one}`,
    { 'p/a.txt': '{{ q }}', 'p/b.txt': 'B {{ q }}' },
  ],
  [
    row(
      'id: a, vars: { q: x }, tools: { f: [{ when: { a: 1 }, return: { b: 2 } }, { return: c }], g: { error: no } }, assert: [{ toolCalled: f }]',
    ),
  ],
  [row('id: a, vars: { q: x }, tools: { f: [{ when: 5, retrun: x }], g: 3 }, maxSteps: 0, assert: [{ contains: x }]')],
];

test.each(inTens(suites))('each suite of part %i is read, or says what is wrong', async (part, list) => {
  const lines: string[] = [];
  for (const [text, files = {}] of list) {
    const project = openTempProject();
    project.write('a.eval.yaml', text);
    for (const [name, content] of Object.entries(files)) project.write(name, content);
    const found = await load(project.root, 'a.eval.yaml');
    lines.push(
      show(text),
      ...Object.entries(files).map(show),
      ...found.map((line) => `  ${line.replaceAll(project.root, '/project')}`),
    );
  }
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`snapshots/suites-${part}.txt`);
});
