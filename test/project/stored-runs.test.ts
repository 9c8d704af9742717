import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { classifySource, type RecordSource, type SourceChoices } from '../../src/project/stored-runs.ts';
import { catchUserError, makeFolder } from '../record/build-rows.ts';
import { startEchoServer } from '../support/chat-server.ts';
import { openTempProject, statusesOf } from '../support/temp-project.ts';

test('--last-failed runs what did not pass, and no case that the suite itself skips', async () => {
  const project = openTempProject();
  const { env } = await startEchoServer();
  project.write(
    'evals/a.eval.yaml',
    `prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: [openai:gpt-4o-mini]
cases:
  - { id: good, vars: { word: good }, assert: [{ equals: good }] }
  - { id: bad, vars: { word: bad }, assert: [{ equals: other }] }
  - { id: idle, vars: { word: idle }, skip: not yet, assert: [{ equals: idle }] }
`,
  );
  const first = await project.report(['run'], { env });
  expect(statusesOf(first.report)).toEqual({ good: 'passed', bad: 'failed', idle: 'skipped' });
  const second = await project.report(['run', '--last-failed'], { env });
  expect(statusesOf(second.report)).toEqual({ bad: 'failed' });
});

const run = '20261124-153012-a1b2';
const earlierRun = '20261123-090000-c3d4';

describe('a source is, in this order,', () => {
  test.each(['main', 'origin/main', 'main...', 'v1.0', ''])('a git ref where it begins with git: (%s)', (ref) => {
    expect(classify(`git:${ref}`)).toEqual({ kind: 'git', ref });
  });

  test('a git ref even where a file bears that name', () => {
    const cwd = makeFolder();
    writeFileSync(join(cwd, 'git:main'), '');
    expect(classify('git:main', { cwd })).toEqual({ kind: 'git', ref: 'main' });
    expect(classify('./git:main', { cwd })).toEqual({ kind: 'file', path: join(cwd, 'git:main') });
  });

  test('a file, as an absolute path', () => {
    const cwd = makeFolder();
    mkdirSync(join(cwd, 'evals'));
    writeFileSync(join(cwd, 'evals', 'triage é.jsonl'), '');
    expect(classify('evals/triage é.jsonl', { cwd })).toEqual({
      kind: 'file',
      path: join(cwd, 'evals', 'triage é.jsonl'),
    });
  });

  test('a file before a run and a prompt of the same name', () => {
    const cwd = makeFolder();
    for (const name of [run, 'v1']) writeFileSync(join(cwd, name), '');
    expect([classify(run, { cwd }).kind, classify('v1', { cwd }).kind]).toEqual(['file', 'file']);
  });

  test('a run id before a prompt id', () => {
    expect(classify(run, { isPromptId: () => true })).toEqual({ kind: 'run', id: run });
  });

  test('a prompt id, even where a folder bears that name', () => {
    const cwd = makeFolder();
    mkdirSync(join(cwd, 'v1'));
    expect(classify('v1', { cwd })).toEqual({ kind: 'prompt', id: 'v1' });
  });

  test('the start of a run id, or the latest, where nothing bears the very name', () => {
    expect(classify('20261124')).toEqual({ kind: 'run', id: run });
    expect(classify('latest')).toEqual({ kind: 'run', id: run });
    const isPromptId = () => true;
    expect([classify('20261124', { isPromptId }).kind, classify('latest', { isPromptId }).kind]).toEqual([
      'prompt',
      'prompt',
    ]);
  });
});

describe('what is no source', () => {
  test('is refused with what was tried', () => {
    const [problem] = catchUserError(() => classify('nowhere')).problems;
    expect(problem).toMatchObject({ code: 'unknown-id', severity: 'error', hint: expect.stringContaining('git:') });
    expect(problem?.message).toBe('"nowhere" is no file, no run id and no prompt id.');
  });

  test.each([
    ['a file beside it', 'evals/triage.baselin.jsonl', 'evals/triage.baseline.jsonl'],
    ['a prompt', 'triage-v1', 'triage-v2'],
    ['a run', '20261124-153012-a1b3', run],
  ])('is answered with %s that is near', (_, text, nearest) => {
    const cwd = makeFolder();
    mkdirSync(join(cwd, 'evals', 'triage.baselin'), { recursive: true });
    writeFileSync(join(cwd, 'evals', 'triage.baseline.jsonl'), '');
    const { problems } = catchUserError(() => classify(text, { cwd, promptIds: ['triage-v2'] }));
    expect(problems).toMatchObject([{ code: 'unknown-id', hint: `did you mean "${nearest}"?` }]);
  });

  test('may be a folder, which is said', () => {
    const cwd = makeFolder();
    mkdirSync(join(cwd, 'evals'));
    writeFileSync(join(cwd, 'eval'), '');
    for (const text of ['evals', 'evals/', '.', '..']) {
      const [problem] = catchUserError(() => classify(text, { cwd })).problems;
      expect(problem?.message).toContain('a folder, not a file');
      expect(problem?.hint).not.toContain('did you mean');
    }
  });

  test.each([
    ['a name longer than any file may have', 'x'.repeat(5000), 'ENAMETOOLONG'],
    ['a name with a NUL', 'a\0b', 'ERR_INVALID_ARG_VALUE'],
  ])('may be %s', (_, text, code) => {
    const [problem] = catchUserError(() => classify(text)).problems;
    expect(problem).toMatchObject({ code: 'unknown-id', message: expect.stringContaining(code) });
  });

  test('may be nothing at all', () => {
    expect(catchUserError(() => classify('')).problems).toMatchObject([{ code: 'usage' }]);
  });

  test('may be the start of several runs', () => {
    const [problem] = catchUserError(() => classify('202611')).problems;
    expect(problem).toMatchObject({ code: 'unknown-id', hint: 'write more of the id' });
    expect(problem?.message).toContain(`${run}, ${earlierRun}`);
  });

  test('lists five of many runs', () => {
    const runs = Array.from({ length: 9 }, (_, index) => ({ id: `2026-${index}` }));
    const { message } = catchUserError(() => classify('2026', { runs }));
    expect(message).toBe('"2026" is the start of 9 runs: 2026-0, 2026-1, 2026-2, 2026-3, 2026-4 ….');
  });

  test('is "latest" where no run is stored', () => {
    expect(catchUserError(() => classify('latest', { runs: [] })).problems).toMatchObject([{ code: 'unknown-id' }]);
  });
});

function classify(text: string, choices: Partial<SourceChoices> = {}): RecordSource {
  return classifySource(text, {
    cwd: choices.cwd ?? makeFolder(),
    runs: [{ id: run }, { id: earlierRun }],
    isPromptId: (id) => id === 'v1',
    ...choices,
  });
}
