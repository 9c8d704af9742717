import { rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { RunSettings } from '../../../src/model/run/record.ts';
import { loadProject } from '../../../src/project/load-project.ts';
import { findLoosened } from '../../../src/run/planning/find-loosened.ts';
import { settings } from '../../support/build-summary.ts';
import { commitAll, gitEnv, initRepository } from '../../support/git.ts';
import { openTempProject } from '../../support/temp-project.ts';

type Files = Readonly<Record<string, string>>;

const suite = 'evals/words.eval.yaml';
const config = 'llmcheck.config.yaml';

function words(cases: string, id = 'words'): string {
  return `suite: ${id}
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: [{ id: mini, use: openai:gpt-4o-mini }]
defaults: { assert: [{ equals: x }] }
cases: [${cases}]
`;
}

/** What a change does to files of a commit; an empty text removes one. */
async function compare(before: Files, after: Files, baseline: RunSettings['baseline'] = { source: 'git:main' }) {
  const project = openTempProject();
  const write = (files: Files) => {
    for (const [path, text] of Object.entries(files)) {
      if (text === '') rmSync(project.path(path));
      else project.write(path, text);
    }
  };
  write({ [suite]: words(caseOf('red')), [config]: '# Empty.\n', ...before });
  initRepository(project.root);
  write(after);
  const loaded = await loadProject({ cwd: project.root, paths: [] });
  const run = { ...settings, ...(baseline === undefined ? {} : { baseline }) };
  return findLoosened({ project: loaded.project, settings: run }, { cwd: project.root, env: gitEnv });
}

function caseOf(id: string, more = ''): string {
  return `{ id: ${id}, vars: { word: ${id} }${more} }`;
}

function casesOf(...all: readonly (readonly [string, string])[]): string {
  return words(all.map(([id, more]) => caseOf(id, more)).join(', '));
}

const nothing = { loosened: [], remarks: [] };

describe('the settings that a change loosens', () => {
  test.each([
    ['no baseline', 'none'],
    ['the file beside the suite', 'auto'],
    ['a run', { source: 'run:latest' }],
  ] as const)('are none against %s', async (_, baseline) => {
    const files = { [suite]: casesOf(['red', ', mustPass: true']) };
    expect(await compare(files, { [suite]: casesOf(['red', '']) }, baseline)).toEqual(nothing);
  });

  test('are named by what they take from which cases', { tags: ['slow'] }, async () => {
    const before = casesOf(
      ['must', ', mustPass: true'],
      ['too', ', mustPass: true'],
      ['gone', ', mustPass: true'],
      ['left', ''],
      ['seen', ''],
      ['slow', ''],
      ['often', ', trials: 3'],
      ['twice', ', trials: 2'],
    );
    const after = casesOf(
      ['must', ''],
      ['too', ''],
      ['seen', ', observe: true'],
      ['slow', ', skip: slow'],
      ['often', ', trials: 2'],
      ['twice', ', trials: 2'],
    );
    const of = (key: string, ...cases: readonly string[]) => ({ suite: 'words', key, cases, old: '', new: '' });
    expect(await compare({ [suite]: before }, { [suite]: after })).toEqual({
      loosened: [
        of('mustPass', 'must', 'too'),
        of('removed', 'gone'),
        of('observe', 'seen'),
        of('skip', 'slow'),
        of('trials', 'often'),
      ],
      remarks: [],
    });
  });

  test('are none where a case is tested more, or as before', async () => {
    const before = casesOf(
      ['red', ''],
      ['seen', ', observe: true'],
      ['slow', ', skip: slow'],
      ['must', ', mustPass: true'],
      ['twice', ', trials: 2'],
      ['both', ', observe: true, skip: slow'],
    );
    const after = casesOf(
      ['red', ', mustPass: true'],
      ['seen', ''],
      ['slow', ''],
      ['must', ', mustPass: true, tags: [a]'],
      ['twice', ', trials: 3'],
      ['both', ', observe: true, skip: later'],
      ['new', ', observe: true, skip: later'],
    );
    expect(await compare({ [suite]: before }, { [suite]: after })).toEqual(nothing);
  });

  test('are those of the suite of the same id, else of the same file', { tags: 'slow' }, async () => {
    const must = caseOf('red', ', mustPass: true');
    const moved = await compare(
      { [suite]: words(must) },
      { [suite]: '', 'evals/other.eval.yaml': words(caseOf('red')) },
    );
    const renamed = await compare({ [suite]: words(must) }, { [suite]: words(caseOf('red'), 'terms') });
    const gone = await compare({ 'evals/b.eval.yaml': words(must, 'b') }, { 'evals/b.eval.yaml': '' });
    const dropped = { key: 'mustPass', cases: ['red'], old: '', new: '' };
    expect([moved.loosened, renamed.loosened, gone.loosened]).toEqual([
      [{ suite: 'words', ...dropped }],
      [{ suite: 'terms', ...dropped }],
      [{ suite: 'b', key: 'suite', old: 'evals/b.eval.yaml', new: 'none' }],
    ]);
  });

  test('are those of every suite, whatever else changes', { tags: ['slow'] }, async () => {
    const must = caseOf('red', ', mustPass: true');
    const other = 'evals/other.eval.yaml';
    const found = await compare(
      { [suite]: words(must), [other]: words(must, 'other'), 'a.txt': 'a', 'z.txt': 'z' },
      { [suite]: words(caseOf('red')), [other]: words(caseOf('red'), 'other'), 'a.txt': 'b', 'z.txt': 'y' },
    );
    const dropped = { key: 'mustPass', cases: ['red'], old: '', new: '' };
    expect(found.loosened.toSorted((a, b) => ((a.suite ?? '') < (b.suite ?? '') ? -1 : 1))).toEqual([
      { suite: 'other', ...dropped },
      { suite: 'words', ...dropped },
    ]);
  });

  test('are those of cases in a file of their own', { tags: ['slow'] }, async () => {
    const text = words('').replace(/^cases: .*$/m, 'cases: [{ file: words.jsonl }]');
    const lineOf = (more: string) => `{"id":"red","vars":{"word":"red"}${more}}\n`;
    const found = await compare(
      { [suite]: text, 'evals/words.jsonl': lineOf(',"mustPass":true') },
      { 'evals/words.jsonl': lineOf('') },
    );
    expect(found).toEqual({
      loosened: [{ suite: 'words', key: 'mustPass', cases: ['red'], old: '', new: '' }],
      remarks: [],
    });
  });

  test.each([
    ['the suite', (approved: string) => `${words(caseOf('red'))}contract: { output: { type: string }${approved} }\n`],
    [
      'a prompt',
      (approved: string) =>
        words(caseOf('red')).replace('}" }]', `}", contract: { output: { type: string }${approved} } }]`),
    ],
  ])('are the approved breaks of the contract of %s', { tags: ['slow'] }, async (_, text) => {
    const found = await compare({ [suite]: text('') }, { [suite]: text(', approved: [abcdef123456]') });
    expect(found).toEqual({
      loosened: [{ suite: 'words', key: 'contract.approved', old: 'none', new: 'abcdef123456' }],
      remarks: [],
    });
  });

  test('are those of a nearer config', { tags: ['slow'] }, async () => {
    const project = openTempProject();
    project.write(config, 'suites: [evals/*.eval.yaml]\n');
    project.write(suite, words(caseOf('red')));
    initRepository(project.root);
    project.write('evals/llmcheck.config.yaml', 'suites: ["*.eval.yaml"]\n');
    const cwd = project.path('evals');
    const { project: loaded } = await loadProject({ cwd, paths: [] });
    const run = { ...settings, baseline: { source: 'git:main' } };
    const found = await findLoosened({ project: loaded, settings: run }, { cwd, env: gitEnv });
    expect(found.loosened[0]).toEqual({ key: 'config', old: config, new: 'evals/llmcheck.config.yaml' });
  });

  const runOf = (text: string) => ({ [config]: `run: { ${text} }\n` });
  test.each([
    [
      'what leaves cases out, and what counts for less',
      'sample: 10, requireConclusive: true, trials: 3, maxErrors: 1',
      'tag: [a, b], sample: 9, allowEmpty: true, trials: 2, maxErrors: 2, baseline: git:main',
      [
        ['tag', 'none', 'a, b'],
        ['sample', '10', '9'],
        ['allowEmpty', 'none', 'true'],
        ['requireConclusive', 'true', 'none'],
        ['trials', '3', '2'],
        ['maxErrors', '1', '2'],
        ['baseline', 'none', 'git:main'],
      ],
    ],
    [
      'what is no longer set, and errors at all',
      'trials: 3, drift: true',
      'maxErrors: 1',
      [
        ['drift', 'true', 'none'],
        ['trials', '3', 'none'],
        ['maxErrors', 'none', '1'],
      ],
    ],
    ['a share of errors, which no number is compared with', '', 'maxErrors: 5%', [['maxErrors', 'none', '5%']]],
    [
      'none of what is stricter',
      'tag: [a], lastFailed: true, allowEmpty: true, requireConclusive: false, trials: 2, maxErrors: 2',
      'tag: [a], allowEmpty: false, requireConclusive: true, trials: 3, maxErrors: 1',
      [],
    ],
    ['none of what is off', '', 'lastFailed: false, requireConclusive: false, trials: 1, maxErrors: 0', []],
  ] as const)('of the config: %s', { tags: ['slow'] }, async (_, before, after, found) => {
    const { loosened, remarks } = await compare(runOf(before), runOf(after));
    expect([loosened, remarks]).toEqual([found.map(([key, old, now]) => ({ key: `run.${key}`, old, new: now })), []]);
  });

  test('are the variables of llmcheck in the env file of the config', { tags: 'slow' }, async () => {
    const named = 'run: { envFile: ci.env }\n';
    const before = { [config]: named, 'ci.env': 'LLMCHECK_MAX_ERRORS=1\nLLMCHECK_SAME=1\nLLMCHECK_GONE=1\nOTHER=1\n' };
    const edited = await compare(before, {
      'ci.env': '\uFEFFLLMCHECK_MAX_ERRORS=9\nLLMCHECK_SAME=1\nLLMCHECK_NEW=1\nOTHER=2\n',
    });
    const of = (name: string, old: string, now: string) => ({ key: `${name} of ci.env`, old, new: now });
    expect(edited.loosened).toEqual([
      of('LLMCHECK_GONE', '1', 'none'),
      of('LLMCHECK_MAX_ERRORS', '1', '9'),
      of('LLMCHECK_NEW', 'none', '1'),
    ]);
    // Of another file nothing was in force before.
    const other = await compare({ 'ci.env': 'LLMCHECK_SAME=1\n' }, { [config]: named });
    expect(other.loosened).toEqual([of('LLMCHECK_SAME', 'none', '1')]);
  });

  test('are those of another config: one that is nearer, or that is gone', { tags: 'slow' }, async () => {
    const removed = await compare({}, { [config]: '' });
    expect(removed.loosened).toEqual([{ key: 'config', old: config, new: 'none' }]);
    const first = await compare({}, { [config]: 'run: { trials: 2 }\n' });
    expect(first.loosened).toEqual([]);
  });

  test('are unknown where the commit is none, or its suites have a mistake', { tags: 'slow' }, async () => {
    const unread = await compare({ [suite]: 'suite: [\n' }, { [suite]: words(caseOf('red')) });
    expect(unread).toEqual({
      loosened: [],
      remarks: [expect.stringMatching(/^the settings of the gate were not compared with git:main: ./)],
    });
    const doubled = await compare(
      { [suite]: words(`${caseOf('red')}, ${caseOf('red')}`) },
      { [suite]: `${words(caseOf('red'))}gate: { alpha: 0.01 }\n` },
    );
    expect(doubled).toEqual({
      loosened: [{ suite: 'words', key: 'gate.alpha', old: '0.05', new: '0.01' }],
      remarks: [expect.stringMatching(/^settings of cases were not compared with git:main: ./)],
    });
  });

  test('are not looked for where only prompts have changed', { tags: 'slow' }, async () => {
    const project = openTempProject();
    project.write(suite, words(caseOf('red')).replace('text: "Say: {{ word }}"', 'file: ../say.txt'));
    project.write('say.txt', 'Say: {{ word }}');
    initRepository(project.root);
    project.write('say.txt', 'Say it: {{ word }}');
    commitAll(project.root);
    const { project: loaded } = await loadProject({ cwd: project.root, paths: [] });
    const run = { ...settings, baseline: { source: 'git:HEAD~1' } };
    const ports = { cwd: project.root, env: gitEnv };
    // A suite that could not be compared would be remarked on.
    const broken = { ...loaded, configPath: project.path('nowhere.yaml') };
    expect(await findLoosened({ project: loaded, settings: run }, ports)).toEqual(nothing);
    expect(await findLoosened({ project: broken, settings: run }, ports)).toEqual(nothing);
  });
});
