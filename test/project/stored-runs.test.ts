import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  classifySource,
  describeStoredRun,
  findFailedInLatestRun,
  findInvocation,
  findLastFailed,
  findStoredRun,
  isNothingToResume,
  listStoredRuns,
  type RecordSource,
  type SourceChoices,
} from '../../src/project/stored-runs.ts';
import { buildHeader, buildRow, catchUserError, makeFolder } from '../record/build-rows.ts';
import { startEchoServer } from '../support/chat-server.ts';
import { openTempProject, statusesOf } from '../support/temp-project.ts';
import { writeStoredRun } from '../support/write-run.ts';

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

test('--last-failed asks what failed, errored or was not reached, and nothing that was left out on purpose', () => {
  const { root } = openTempProject();
  const skipped = (reason: 'case' | 'decided' | 'bail') => ({ status: 'skipped', skip: { reason } }) as const;
  writeStoredRun(root, buildHeader(), [
    buildRow('passed'),
    buildRow('failed', { status: 'failed' }),
    buildRow('errored', { status: 'errored' }),
    buildRow('of-the-suite', skipped('case')),
    buildRow('after-an-early-end', skipped('decided')),
    buildRow('after-a-failure', skipped('bail')),
    buildRow('flaky'),
    buildRow('flaky', { trial: 1, status: 'failed' }),
  ]);
  const labels = ['failed', 'errored', 'after-a-failure', 'flaky'].map((id) => `support/${id}`);
  expect([...findLastFailed({ root })]).toEqual(labels);
  expect([...findFailedInLatestRun({ root })]).toEqual(['support/failed', 'support/flaky']);
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

  test('is not answered with a folder that is near, nor with files of a folder that is not there', () => {
    const cwd = makeFolder();
    mkdirSync(join(cwd, 'recordx.jsonl'));
    for (const text of ['record.jsonl', 'no/such/folder/record.jsonl']) {
      const [problem] = catchUserError(() => classify(text, { cwd, runs: [] })).problems;
      expect(problem?.hint).toBe(
        'write `git:` before a branch, tag or commit; `llmcheck list runs` shows the stored runs',
      );
    }
    symlinkSync('nowhere', join(cwd, 'link'));
    const { message } = catchUserError(() => classify('link', { cwd }));
    expect(message).toBe('"link" is a link to a file that is not there, no run id and no prompt id.');
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
    const five = catchUserError(() => classify('2026', { runs: runs.slice(0, 5) }));
    expect(five.message).toBe('"2026" is the start of 5 runs: 2026-0, 2026-1, 2026-2, 2026-3, 2026-4.');
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

/** A project with records of these ids, each with a line. */
function openRuns(...ids: readonly string[]) {
  const project = openTempProject();
  for (const id of ids) {
    project.write(`.llmcheck/runs/${id}.jsonl`, '{}\n');
    utimesSync(project.path(`.llmcheck/runs/${id}.jsonl`), 2e9, 2e9);
  }
  utimesSync(project.root, 2e9, 2e9);
  if (ids.length > 0) utimesSync(project.path('.llmcheck/runs'), 2e9, 2e9);
  return project;
}

test('a stored run is found by its id, the start of one, as the latest, or by its path', () => {
  const project = openRuns('20260101-000000-aa', '20260102-000000-bb', '20260102-000000-bbcc');
  const find = (id: string | undefined, cwd?: string) => findStoredRun(project, id, cwd);
  expect(listStoredRuns(project).map(({ id }) => id)).toEqual([
    '20260102-000000-bbcc',
    '20260102-000000-bb',
    '20260101-000000-aa',
  ]);
  expect([undefined, 'latest', '20260101', '20260102-000000-bb'].map((id) => find(id).id)).toEqual([
    '20260102-000000-bbcc',
    '20260102-000000-bbcc',
    '20260101-000000-aa',
    '20260102-000000-bb',
  ]);
  for (const path of ['a/b', 'x.jsonl', '/abs', String.raw`a\b`])
    expect(find(path, '/work')).toMatchObject({ id: path, path: expect.stringMatching(/^\/(?:work|abs)/) as string });
  expect(() => find('x.jsonl')).toThrow('there is no stored run "x.jsonl"');
  const refusal = (message: string, hint: string) =>
    expect.objectContaining({ problems: [expect.objectContaining({ message, hint })] }) as Error;
  expect(() => find('x')).toThrow(
    refusal('there is no stored run "x"', '`llmcheck list runs` shows those that there are'),
  );
  expect(() => find('20260102')).toThrow(
    refusal('"20260102" is the start of 2 runs: 20260102-000000-bbcc, 20260102-000000-bb', 'write more of the id'),
  );
  const empty = openRuns();
  expect(() => findStoredRun(empty, undefined)).toThrow(
    refusal(`there is no stored run in ${empty.root}/.llmcheck/runs`, '`llmcheck run` stores one'),
  );
});

test('a record that was killed before its first line is nothing to resume', () => {
  const project = openRuns();
  expect([isNothingToResume(project), findFailedInLatestRun(project)]).toEqual([true, new Set()]);
  project.write('.llmcheck/runs/20260101-000000-aa.jsonl', '');
  expect([isNothingToResume(project), findFailedInLatestRun(project)]).toEqual([true, new Set()]);
  project.write('.llmcheck/runs/20260101-000000-aa.jsonl', '{}\n');
  expect(isNothingToResume(project)).toBe(false);
});

test('a run tells its age, how it was invoked, and what failed in it', async () => {
  const project = openTempProject();
  project.write(
    'a.eval.yaml',
    `prompts: [{ id: v1, text: hi }]
providers: [echo:prompt]
cases: [{ id: good, assert: [{ equals: hi }] }, { id: bad, assert: [{ equals: no }] }]
`,
  );
  await project.run(['run', 'a.eval.yaml', '--no-baseline']);
  const run = findStoredRun(project, undefined);
  expect([...findFailedInLatestRun(project)]).toEqual(['a/bad']);
  expect(findFailedInLatestRun(project, run.id)).toEqual(new Set());
  const invocation = findInvocation(project, undefined);
  expect(invocation.paths).toEqual(['a.eval.yaml']);
  expect(invocation.flags).toMatchObject({ noBaseline: true });
  const [header = '', ...rows] = project.read(run.path.slice(project.root.length + 1)).split('\n');
  const write = (more: object) =>
    project.write('other.jsonl', [JSON.stringify({ ...(JSON.parse(header) as object), ...more }), ...rows].join('\n'));
  const age = (startedAt: string) => {
    write({ startedAt });
    return describeStoredRun({ path: project.path('other.jsonl') }, new Date('2026-01-01T01:00:00Z')).replace(
      run.id,
      'ID',
    );
  };
  const invoked = (given: unknown) => {
    write({ invocation: given });
    project.write('.llmcheck/runs/20990101-000000-aa.jsonl', project.read('other.jsonl'));
    return findInvocation(project, '20990101-000000-aa');
  };
  const of = { id: run.id, suites: ['a.eval.yaml'] };
  expect(invoked({ paths: ['a', 5, 'b'], flags: { tag: ['x'] }, cases: ['a/bad', 5] })).toEqual({
    ...of,
    paths: ['a', 'b'],
    flags: { tag: ['x'] },
    cases: ['a/bad'],
  });
  const unusual = [undefined, {}, { paths: 'a', flags: [] }].map(invoked);
  expect(unusual).toEqual(unusual.map(() => ({ ...of, paths: [], flags: {} })));
  expect(age('2026-01-01T00:55:00Z')).toBe('run ID, 5 minutes old');
  expect(age('2026-01-01T01:01:00Z')).toBe('run ID, 0 seconds old');
  expect(age('2026-01-01T01:01:01Z')).toBe('run ID, dated 1 minute in the future: a clock was wrong');
  expect(age('then')).toBe('run ID, of an unknown age');
});
