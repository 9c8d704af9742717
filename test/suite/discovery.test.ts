import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findProject } from '../../src/suite/files/project-place.ts';
import { growsLinearly } from '../support/growth.ts';
import { casesOf, loadAt, onlySuite, placeOf, problemsAt } from './load-fixture.ts';

const SUITE =
  'prompts: [{ id: v1, text: a }]\nproviders: [openai:gpt-4o]\ncases: [{ id: one, assert: [{ contains: a }] }]\n';
let root = '';

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'llmcheck-suite-')));
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

async function suitesAt(cwd: string, paths: readonly string[] = []): Promise<readonly string[]> {
  const { project } = await loadAt(join(root, cwd), paths);
  return project.suites.map(({ path }) => path);
}

describe('finding suites', () => {
  test('without paths, those of evals/ below the project root are loaded, from any working folder', async () => {
    write({
      '.git/HEAD': '',
      'evals/b.eval.yaml': SUITE,
      'evals/deep/a.eval.yml': SUITE,
      'evals/node_modules/x/c.eval.yaml': SUITE,
      'evals/other.yaml': 'not a suite',
      'src/keep': '',
    });
    expect(await suitesAt('src')).toEqual(['evals/b.eval.yaml', 'evals/deep/a.eval.yml']);
  });

  test('the nearest config names the suites and the root', async () => {
    write({
      '.git/HEAD': '',
      'llmcheck.config.yaml': 'suites: none/*.eval.yaml\n',
      'app/llmcheck.config.yaml': 'suites: [checks/*.eval.yaml, more/**/*.eval.yaml]\n',
      'app/checks/a.eval.yaml': SUITE,
      'app/more/x/b.eval.yaml': SUITE,
      'app/src/keep': '',
    });
    expect(await suitesAt('app/src')).toEqual(['checks/a.eval.yaml', 'more/x/b.eval.yaml']);
    expect(findProject(join(root, 'app/src')).root).toBe(join(root, 'app'));
  });

  test('a path may be a file of any name, a folder or a glob; each suite is loaded once', async () => {
    write({ 'evals/a.eval.yaml': SUITE, 'evals/b.eval.yaml': SUITE, 'odd (1)/c.yaml': SUITE });
    expect(await suitesAt('.', ['evals', 'evals/a.eval.yaml', 'evals/*.eval.yaml', 'odd (1)/c.yaml'])).toEqual([
      'evals/a.eval.yaml',
      'evals/b.eval.yaml',
      'odd (1)/c.yaml',
    ]);
  });

  test('no suite is no problem; a path that is not there is one', async () => {
    write({ 'evals/keep': '', 'notes.txt': '' });
    expect(await suitesAt('.')).toEqual([]);
    expect(await suitesAt('.', ['evals', 'evals/*.yaml'])).toEqual([]);
    expect((await problemsAt(root, ['nowhere', 'notes.txt'])).map(({ code }) => code)).toEqual(['usage', 'usage']);
  });

  test('a named config is used, and must exist', async () => {
    write({ 'ci/other.yaml': 'suites: "*.eval.yaml"\n', 'ci/a.eval.yaml': SUITE });
    const { project } = await loadAt(root, [], 'ci/other.yaml');
    expect(project.suites.map(({ path }) => path)).toEqual(['a.eval.yaml']);
    expect(project.root).toBe(join(root, 'ci'));
    expect((await problemsAt(root, [], 'none.yaml')).map(({ code }) => code)).toEqual(['usage']);
  });

  test('two suites of one id are a problem that names both files', async () => {
    write({ 'evals/a.eval.yaml': `suite: same\n${SUITE}`, 'evals/b.eval.yaml': `suite: same\n${SUITE}` });
    const [problem] = await problemsAt(root);
    expect(problem && placeOf(problem)).toBe('evals/b.eval.yaml:1:8 duplicate-id');
    expect(problem?.message).toContain('evals/a.eval.yaml');
    expect(problem?.message).toContain('evals/b.eval.yaml');
  });
});

test.each([
  ['a.eval.yaml', 'a.eval.yml', 'a.eval.yml'],
  ['a.yml', 'a.eval.yaml', 'a.yml'],
])('%s and %s would share a baseline', async (first, second, later) => {
  write({ [`evals/${first}`]: `suite: one\n${SUITE}`, [`evals/${second}`]: `suite: two\n${SUITE}` });
  const paths = [`evals/${first}`, `evals/${second}`];
  const [problem, ...others] = await problemsAt(root, paths);
  expect(others).toEqual([]);
  expect(problem && placeOf(problem)).toBe(`evals/${later}:1:8 duplicate-id`);
  for (const named of [...paths, 'evals/a.baseline.jsonl']) expect(problem?.message).toContain(named);
  // Each alone has a baseline of its own.
  for (const path of paths) expect(await suitesAt('.', [path])).toEqual([path]);
});

describe('nothing outside the project is read', () => {
  test('a file may lie beside the project folder inside the git root, but not outside it', async () => {
    write({
      'repo/.git/HEAD': '',
      'repo/shared/p.md': 'a',
      'repo/app/llmcheck.config.yaml': '',
      'repo/app/evals/a.eval.yaml': SUITE.replace('text: a', 'file: ../../shared/p.md'),
      'repo/app/evals/b.eval.yaml': SUITE.replace('text: a', 'file: ../../../outside.md'),
      'outside.md': 'secret',
    });
    expect(await suitesAt('repo/app', ['evals/a.eval.yaml'])).toEqual(['evals/a.eval.yaml']);
    const problems = await problemsAt(join(root, 'repo/app'), ['evals/b.eval.yaml']);
    expect(problems.map(placeOf)).toEqual(['evals/b.eval.yaml:1:27 file-outside-project']);
  });

  test('a symbolic link does not lead out', async () => {
    write({
      'repo/.git/HEAD': '',
      'repo/evals/a.eval.yaml': SUITE.replace('text: a', 'file: link.md'),
      'outside.md': 'secret',
    });
    symlinkSync(join(root, 'outside.md'), join(root, 'repo/evals/link.md'));
    const problems = await problemsAt(join(root, 'repo'));
    expect(problems.map(({ code }) => code)).toEqual(['file-outside-project']);
  });

  test('a suite outside the project is refused', async () => {
    write({ 'repo/.git/HEAD': '', 'other/a.eval.yaml': SUITE });
    expect((await problemsAt(join(root, 'repo'), ['../other/a.eval.yaml'])).map(({ code }) => code)).toEqual([
      'file-outside-project',
    ]);
  });

  test('a folder, a file that is not UTF-8 and a missing one have different messages', async () => {
    write({
      'evals/a.eval.yaml': SUITE.replace('text: a', 'file: dir.md'),
      'evals/dir.md/keep': '',
      'evals/b.eval.yaml': SUITE.replace('text: a', 'file: bad.md'),
    });
    writeFileSync(join(root, 'evals/bad.md'), Buffer.from([0x61, 0xff, 0xfe]));
    const problems = await problemsAt(root);
    expect(problems.map(({ code }) => code)).toEqual(['file-unreadable', 'file-unreadable']);
    expect(problems.map(({ message }) => message)).toEqual([
      'evals/dir.md is not a file',
      'evals/bad.md is not UTF-8 text',
    ]);
  });
});

test('a prompt file of a format that is not known is a problem where the suite names it', async () => {
  write({
    'evals/p.html': 'a',
    'evals/a.eval.yaml':
      'prompts: [{ id: v1, file: p.html }]\nproviders: [openai:x]\ncases: [{ id: a, assert: [{ contains: a }] }]\n',
  });
  expect((await problemsAt(root)).map(placeOf)).toEqual(['evals/a.eval.yaml:1:27 invalid-value']);
});

test('suites that are named come in the order of their names, and each once', async () => {
  write({ 'evals/b.eval.yaml': SUITE, 'evals/a.eval.yaml': SUITE });
  const {
    project: { suites },
  } = await loadAt(root, ['evals/b.eval.yaml', 'evals/a.eval.yaml', 'evals']);
  expect(suites.map(({ id }) => id)).toEqual(['a', 'b']);
});

test('a cell of a table holds several tags, without the blanks around them', async () => {
  write({
    'evals/cases.csv': 'id,tags\nx,"warm; cold , ,|wet"\ny,\n',
    'evals/a.eval.yaml':
      'prompts: [{ id: v1, text: a }]\nproviders: [openai:x]\ndefaults: { assert: [{ contains: a }] }\ncases: [{ file: cases.csv }]\n',
  });
  const { x, y } = casesOf(onlySuite(await loadAt(root)));
  expect([x?.tags, y?.tags]).toEqual([['warm', 'cold', 'wet'], []]);
});

describe('the config', () => {
  test('its assertions by default are not those of a suite that has its own', async () => {
    write({
      'llmcheck.config.yaml': 'defaults: { assert: [{ contains: general }] }\n',
      'evals/a.eval.yaml':
        'prompts: [{ id: v1, text: a }]\nproviders: [openai:x]\ndefaults: { assert: [{ contains: own }] }\ncases: [{ id: one }]\n',
      'evals/b.eval.yaml': 'prompts: [{ id: v1, text: a }]\nproviders: [openai:x]\ncases: [{ id: one }]\n',
    });
    const {
      project: { suites },
    } = await loadAt(root);
    expect(suites.map((suite) => casesOf(suite)['one']?.checks.map(({ params }) => params))).toEqual([
      [{ value: 'own', ignoreCase: false }],
      [{ value: 'general', ignoreCase: false }],
    ]);
  });

  test('an unknown key of a price names the nearest', async () => {
    write({
      'llmcheck.config.yaml': 'prices: { m: { input: 1, output: 2, cachedInptu: 1 } }\n',
      'evals/a.eval.yaml': SUITE,
    });
    const [problem] = await problemsAt(root);
    expect(problem).toMatchObject({ code: 'unknown-key', hint: 'did you mean "cachedInput"?' });
  });

  test('its mistakes are reported at their place, beside those of the suites', async () => {
    write({
      'llmcheck.config.yaml':
        'suite: evals\nproviders: [opnai:x]\ngate: { alpha: 2 }\nprices: { m: { input: 1 } }\ndefaults: { assert: [{ contians: a }] }\n',
      'evals/a.eval.yaml': SUITE.replace('contains', 'contans'),
    });
    expect((await problemsAt(root)).map(placeOf)).toEqual([
      'evals/a.eval.yaml:3:31 unknown-assertion',
      'llmcheck.config.yaml:1:1 unknown-key',
      'llmcheck.config.yaml:2:13 unknown-adapter',
      'llmcheck.config.yaml:3:16 invalid-value',
      'llmcheck.config.yaml:4:14 invalid-value',
      'llmcheck.config.yaml:5:24 unknown-assertion',
    ]);
  });

  test('its defaults hold where the suite says nothing, with paths from its own folder', async () => {
    write({
      'llmcheck.config.yaml':
        'providers: [openai:gpt-4o, { id: b, use: openai:x }]\njudges: [{ id: j, use: openai:y }]\ndefaults: { trials: 5, vars: { team: A, lang: en }, assert: [{ jsonSchema: s.json }] }\n',
      's.json': '{"type": "object"}',
      'evals/a.eval.yaml':
        'prompts: [{ id: v1, text: "{{ team }} {{ lang }}" }]\ndefaults: { vars: { team: B } }\ncases: [{ id: one }, { id: two, trials: 1, assert: [{ contains: a }] }]\n',
    });
    const suite = onlySuite(await loadAt(root));
    const { one, two } = casesOf(suite);
    expect(suite.providers.map(({ id }) => id)).toEqual(['openai:gpt-4o', 'b']);
    expect(suite.judges.map(({ id }) => id)).toEqual(['j']);
    expect(one).toMatchObject({
      trials: 5,
      vars: { team: 'B', lang: 'en' },
      checks: [{ params: { value: { type: 'object' } } }],
    });
    expect(two).toMatchObject({ trials: 1, checks: [{ assertion: 'jsonSchema' }, { assertion: 'contains' }] });
    expect(suite.sources.files).toEqual(['evals/a.eval.yaml', 's.json']);
  });
});

describe('the hash of a case', () => {
  async function caseHashOf(text: string): Promise<string | undefined> {
    write({ 'evals/a.eval.yaml': text });
    return casesOf(onlySuite(await loadAt(root)))['one']?.caseHash;
  }

  test('changes with what is judged, and with nothing else', async () => {
    const suite = (row: string) =>
      `prompts: [{ id: v1, text: a }]\nproviders: [openai:gpt-4o]\ncases: [{ id: one, ${row} }]\n`;
    const base = await caseHashOf(suite('assert: [{ contains: a }]'));
    for (const same of [
      'tags: [x], description: d, trials: 3, assert: [{ contains: a, name: mine }]',
      'assert: [{ contains: a, weight: 1 }]',
    ]) {
      expect(await caseHashOf(suite(same))).toBe(base);
    }
    const others = [
      'assert: [{ contains: b }]',
      'assert: [{ contains: a, weight: 2 }]',
      'threshold: 0.5, assert: [{ contains: a }]',
      'assert: [{ contains: a, select: reasoning }]',
      'assert: [{ equals: 1 }]',
      'assert: [{ equals: 1.0 }]',
      'vars: { v: 1.1 }, assert: [{ contains: a }]',
      'vars: { v: 1.10 }, assert: [{ contains: a }]',
    ];
    const caseHashes: (string | undefined)[] = [];
    for (const other of others) caseHashes.push(await caseHashOf(suite(other)));
    expect(new Set([base, ...caseHashes]).size).toBe(others.length + 1);
  });
});

describe('size and hostility', () => {
  test('three thousand rows with a mistake in each are some fifty problems and a count', { tags: 'slow' }, async () => {
    const rows = Array.from({ length: 3000 }, (_, index) => JSON.stringify({ id: index, var: {} }));
    write({
      'evals/a.eval.yaml': SUITE.replace('cases: [{ id: one, assert', 'cases: [{ file: rows.jsonl, assert'),
      'evals/rows.jsonl': rows.join('\n'),
    });
    const problems = await problemsAt(root);
    expect(problems).toHaveLength(51);
    expect(problems.at(-1)?.message).toBe('and 2950 more of this kind in evals/rows.jsonl');
  });

  test('three thousand rows that lack one variable are one problem, at the template', { tags: 'slow' }, async () => {
    const rows = Array.from({ length: 3000 }, (_, index) => JSON.stringify({ id: index, vars: { email: 'x' } }));
    write({
      'evals/a.eval.yaml': SUITE.replace('text: a', 'text: "{{ emial }}"').replace(
        'cases: [{ id: one, assert',
        'cases: [{ file: rows.jsonl, assert',
      ),
      'evals/rows.jsonl': rows.join('\n'),
    });
    const problems = await problemsAt(root);
    expect(problems.map(placeOf)).toEqual(['evals/a.eval.yaml:1:28 missing-variable']);
  });

  test.each([
    ['flow brackets', `a: ${'['.repeat(50_000)}`],
    ['flow maps', `a: ${'{a: '.repeat(20_000)}`],
    ['block lists', `${'- '.repeat(20_000)}a`],
    ['indentation', Array.from({ length: 2000 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
  ])('YAML nested without end is a problem, not a crash: %s', { tags: ['slow'] }, async (_, text) => {
    write({ 'evals/a.eval.yaml': text });
    expect((await problemsAt(root)).map(({ code }) => code)).toEqual(['syntax']);
  });

  test('keys are read in time that grows with their number', { tags: ['slow'] }, async () => {
    const suite = SUITE.replace('text: a', 'text: "{{ k1 }}"').replace('id: one,', 'id: one, vars: *v,');
    const read = async (count: number) => {
      const keys = Array.from({ length: count }, (_, index) => `    k${index}: 1`).join('\n');
      write({ 'evals/a.eval.yaml': `defaults:\n  vars: &v\n${keys}\n${suite}` });
      expect(onlySuite(await loadAt(root)).caseCount).toBe(1);
    };
    expect(await growsLinearly(read, 1000)).toBe(true);
  });

  test('names of Object.prototype are ordinary names', async () => {
    write({
      'evals/a.eval.yaml':
        'prompts: [{ id: constructor, text: "{{ toString }}" }]\nproviders: [openai:gpt-4o]\ncases: [{ id: __proto__, vars: { toString: a, __proto__: b }, assert: [{ hasOwnProperty: a }] }]\n',
    });
    expect((await problemsAt(root)).map(placeOf)).toEqual(['evals/a.eval.yaml:3:74 unknown-assertion']);
    write({
      'evals/a.eval.yaml':
        'prompts: [{ id: constructor, text: "{{ constructor }}" }]\nproviders: [openai:gpt-4o]\ncases: [{ id: one, vars: { x: a }, assert: [{ contains: a }] }]\n',
    });
    expect((await problemsAt(root)).map(({ code }) => code)).toEqual(['missing-variable']);
    write({
      'evals/a.eval.yaml':
        'prompts: [{ id: v1, text: "{{ x }}" }]\nproviders: [openai:gpt-4o]\ncases: [{ id: one, vars: { x: a, __proto__: b }, expected: c, assert: [{ contains: "{{ __proto__ }}{{ expected }}" }] }]\n',
    });
    expect(onlySuite(await loadAt(root)).caseCount).toBe(1);
  });
});
