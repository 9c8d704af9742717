import { mkdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createRecorder, keepRecordings, readSuiteRecordings } from '../../src/calls/suite-recordings.ts';
import { StorageError } from '../../src/files/write-files.ts';
import { UserError } from '../../src/model/problem.ts';
import { firstAcceptedTrial } from '../../src/model/run/cell.ts';
import type { Complete, CompletionRequest } from '../../src/model/run/completion.ts';
import type { ProgressEvent } from '../../src/model/run/progress.ts';
import type { Suite } from '../../src/model/suite/suite.ts';
import { buildCompletion, buildRequest, buildSuite, completed, failed, neverAborted } from '../support/build-case.ts';
import { openTempProject } from '../support/temp-project.ts';

const suiteOf = (id: string, recordings?: string): Suite =>
  buildSuite([], { id, ...(recordings === undefined ? {} : { recordings }) });

/** A request whose text names its cell, so that each has a hash of its own. */
const ask = (suite: string, caseId: string, over: Partial<CompletionRequest> = {}) =>
  buildRequest({
    messages: [{ role: 'user', content: `${suite} ${caseId}` }],
    origin: { suite, prompt: 'v1', provider: 'x', caseId },
    ...over,
  });

describe('recordings of suites', () => {
  test('are read by suite, past suites without any', () => {
    const project = openTempProject();
    project.write('b.jsonl', '');
    const found = readSuiteRecordings(
      [suiteOf('a'), suiteOf('b', project.path('b.jsonl')), suiteOf('c'), suiteOf('d', project.path('d.jsonl'))],
      project.root,
    );
    expect([...found]).toEqual([
      ['b', { file: 'b.jsonl', lines: [] }],
      ['d', { file: 'd.jsonl', lines: [], isMissing: true }],
    ]);
  });

  test('are refused with the problems of every file', () => {
    const project = openTempProject();
    project.write('a.jsonl', 'nonsense\n');
    project.write('c.jsonl', '\n{}\n');
    const suites = [suiteOf('a', project.path('a.jsonl')), suiteOf('b'), suiteOf('c', project.path('c.jsonl'))];
    let caught: unknown;
    try {
      readSuiteRecordings(suites, project.root);
    } catch (error) {
      caught = error;
    }
    if (!(caught instanceof UserError)) throw new TypeError('expected a usage error', { cause: caught });
    const places = caught.problems.map(({ at }) => `${at?.file}:${at?.line}`);
    expect([...new Set(places)]).toEqual(['a.jsonl:1', 'c.jsonl:2']);
  });
});

describe('a recorder', () => {
  /** Asks through a recorder, one request after the other. */
  async function record(suites: readonly Suite[], requests: readonly CompletionRequest[], next: Complete) {
    const recorder = createRecorder(suites, (text) => text.replaceAll('s3cret', '***'));
    const complete = recorder.wrap(next, () => true);
    for (const request of requests) await complete(request, neverAborted);
    return recorder;
  }

  const linesOf = (text: string) =>
    text
      .trim()
      .split('\n')
      .map((line) => {
        const { caseId, trial, completion } = JSON.parse(line) as {
          caseId: string;
          trial: number;
          completion: { text: string };
        };
        return `${caseId} ${trial} ${completion.text}`;
      });

  test('writes what each suite was answered into its own file, without secrets', async () => {
    const project = openTempProject();
    const suites = [
      suiteOf('plain'),
      suiteOf('a', project.path('shared.jsonl')),
      suiteOf('b', project.path('shared.jsonl')),
      suiteOf('c', project.path('c.jsonl')),
    ];
    const requests = [
      ask('plain', 'none'),
      ask('a', 'first'),
      ask('a', 'first', { trial: 1 }),
      ask('b', 'second'),
      ask('c', 'third'),
      ask('c', 'accepted', { trial: firstAcceptedTrial }),
      ask('unknown', 'fourth'),
    ];
    const recorder = await record(suites, requests, async ({ origin }) =>
      completed(buildCompletion({ text: `${origin.caseId} s3cret` })),
    );
    expect(project.files()).toEqual([]);
    recorder.write();
    expect(project.files()).toEqual(['c.jsonl', 'shared.jsonl']);
    expect(linesOf(project.read('shared.jsonl'))).toEqual([
      'first 0 first ***',
      'first 1 first ***',
      'second 0 second ***',
    ]);
    expect(linesOf(project.read('c.jsonl'))).toEqual(['third 0 third ***']);
  });

  test('keeps the last answer of a request, no failure, and lines of cells that did not run', async () => {
    const project = openTempProject();
    const suites = [suiteOf('a', project.path('a.jsonl')), suiteOf('b', project.path('b.jsonl'))];
    const before = await record(suites, [ask('a', 'old'), ask('b', 'old')], async () => completed());
    before.write();
    const kept = project.read('b.jsonl');
    let count = 0;
    const next: Complete = async ({ origin }) => {
      count += 1;
      return origin.caseId === 'bad' ? failed('server') : completed(buildCompletion({ text: `answer ${count}` }));
    };
    const after = await record(suites, [ask('a', 'new'), ask('a', 'bad'), ask('a', 'new')], next);
    after.write();
    expect(linesOf(project.read('a.jsonl'))).toEqual(['new 0 answer 3', 'old 0 billing']);
    expect(project.read('b.jsonl')).toBe(kept);
  });

  test('refuses a file that is damaged or can not be written, before anything is asked', () => {
    const project = openTempProject();
    project.write('a.jsonl', '');
    project.write('bad.jsonl', 'nonsense\n');
    mkdirSync(project.path('folder.jsonl'));
    const suites = (last: string) => [
      suiteOf('z'),
      suiteOf('a', project.path('a.jsonl')),
      suiteOf('b', project.path(last)),
    ];
    for (const last of ['bad.jsonl', 'folder.jsonl', 'a.jsonl/b.jsonl'])
      expect(() => createRecorder(suites(last), String)).toThrow(UserError);
  });
});

test('a recording that fails stops the run and is reported, and a bug is thrown', () => {
  const events: ProgressEvent[] = [];
  const stops: string[] = [];
  const keep = (writeRecordings: () => void) =>
    keepRecordings(
      { writeRecordings },
      { hard: (why) => void stops.push(why) },
      { onProgress: (event) => void events.push(event) },
    );
  const failWith = (error: Error) => () => {
    throw error;
  };
  keep(() => undefined);
  expect(() => keep(failWith(new TypeError('a bug')))).toThrow('a bug');
  expect([events, stops]).toEqual([[], []]);
  const errors = [new StorageError('Writing', '/a', 'ENOSPC'), new UserError({ code: 'recording', message: 'broken' })];
  for (const error of errors) keep(failWith(error));
  expect(events).toEqual(errors.map(({ message }) => ({ type: 'note', message })));
  expect(stops).toEqual(['storage', 'storage']);
});
