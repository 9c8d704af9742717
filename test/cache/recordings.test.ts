import { mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { recordingHash } from '../../src/cache/cache-key.ts';
import { parseRecordings, type RecordingLine, readRecordings, renderRecording } from '../../src/cache/recordings.ts';
import { withRecordings, writeRecordings } from '../../src/cache/with-recordings.ts';
import { StorageError } from '../../src/files/write-files.ts';
import { UserError } from '../../src/model/problem.ts';
import type { Complete, CompletionRequest } from '../../src/model/run/completion.ts';
import fc from '../support/property.ts';
import { answer, ask, buildRequest, completed, makeFolder, noSignal } from './build-request.ts';

const request = buildRequest();
const cell = { prompt: 'v1', provider: 'openai:small', caseId: 'refund', trial: 0 };
const recorded: RecordingLine = { ...cell, requestHash: recordingHash(request), completion: answer('billing') };

describe('parseRecordings', () => {
  test('takes back what renderRecording wrote', () => {
    const text = `${renderRecording(recorded)}\r\n\n${renderRecording({ ...recorded, trial: 1 })}`;
    expect(parseRecordings(text, 'r.jsonl').lines).toStrictEqual([
      { ...recorded, lineNumber: 1 },
      { ...recorded, trial: 1, lineNumber: 3 },
    ]);
  });

  test('is forgiving to what is written by hand', () => {
    const lines = [
      { completion: { text: 'billing' } },
      { completion: { toolCalls: [{ name: 'find', arguments: { id: 7 } }, { name: 'stop' }] } },
      {
        completion: {
          toolCalls: [
            { name: 'find', arguments: '{"id": 7}' },
            { name: 'find', rawArguments: '{' },
          ],
        },
      },
      { completion: { refusal: 'No.' } },
    ].map((line) => JSON.stringify({ prompt: 'v1', provider: 'p', caseId: 'c', ...line }));
    const { lines: parsed } = parseRecordings(`\uFEFF${lines.join('\n')}\n`, 'r.jsonl');
    expect(parsed.map(({ trial }) => trial)).toEqual([0, 0, 0, 0]);
    expect(parsed.map(({ completion }) => completion)).toStrictEqual([
      { text: 'billing', toolCalls: [] },
      {
        text: '',
        toolCalls: [
          { name: 'find', arguments: { id: 7 }, rawArguments: '{"id":7}' },
          { name: 'stop', arguments: {}, rawArguments: '{}' },
        ],
      },
      {
        text: '',
        toolCalls: [
          { name: 'find', arguments: { id: 7 }, rawArguments: '{"id": 7}' },
          { name: 'find', arguments: undefined, rawArguments: '{' },
        ],
      },
      { text: '', toolCalls: [], refusal: 'No.' },
    ]);
  });

  test('names every bad line at once, with file and line', () => {
    const good = renderRecording(recorded);
    const bad = [
      '{"format": 1',
      '[]',
      good.replace('"format":2', '"format":3'),
      good.replace('"caseId"', '"case"'),
      good.replace('"text"', '"txt"'),
      good.replace('"trial":0', '"trial":-1'),
      '{"prompt":"v1","provider":"p","caseId":"c","completion":{}}',
      `{"prompt":${'['.repeat(10_000)}`,
    ];
    const error = catchUserError(() => parseRecordings([good, ...bad].join('\n'), 'fixtures/triage.jsonl'));
    expect(error.problems.map(({ code, at }) => [code, at?.file, at?.line])).toEqual(
      bad.map((_, index) => ['recording', 'fixtures/triage.jsonl', index + 2]),
    );
    expect(error.problems[2]?.message).toContain('format 3 is unknown');
    expect(error.problems[4]?.message).toContain('txt');
    expect(error.problems[6]?.message).toContain('completion');
  });
});

describe('a bad line of recordings', () => {
  const faultsOf = (line: string) =>
    catchUserError(() => parseRecordings(line, 'r.jsonl')).problems.map(({ message, hint = '', at }) => {
      const shown = message.replace('This line is not a recorded answer: ', '');
      return `${at?.column} ${shown} ${hint.startsWith('did you') ? hint : ''}`.trim();
    });
  const good = renderRecording(recorded);

  test('is shown, with all of its mistakes in plain words and what was meant', () => {
    const line = good.replace('"caseId"', '"caseID"').replace('"text"', '"txt"').replace('"trial":0', '"trial":"no"');
    expect(faultsOf(line)).toEqual([
      `${line.indexOf('"trial"') + 1} "trial" must be a number.`,
      `${line.indexOf('"txt"') + 1} unknown key "txt". did you mean "text"?`,
      `${line.indexOf('"caseID"') + 1} unknown key "caseID". did you mean "caseId"?`,
    ]);
    const [problem] = catchUserError(() => parseRecordings(`\n${line}\r\n`, 'r.jsonl')).problems;
    expect(problem?.at?.excerpt).toEqual({ startLine: 2, lines: [line] });
  });

  test('is reported with each missing, mistyped or unknown field', () => {
    const flat = '{"prompt":"v1","provider":"p","caseId":"c","text":"red"}';
    const [, misplaced] = catchUserError(() => parseRecordings(flat, 'r.jsonl')).problems;
    expect(misplaced?.hint).toBe('it belongs inside: "completion": {"text": …}');
    expect(faultsOf('[]')).toEqual(['1 it is not a map of keys.']);
    expect(faultsOf(good.replace(/"caseId":"(?:[^"\\]|\\.)*",/, ''))).toEqual(['1 "caseId" is missing.']);
    expect(faultsOf(good.replace('"provider":"', '"provider":"","x":"'))).toEqual([
      expect.stringContaining('"provider" is empty.'),
      expect.stringContaining('unknown key "x".'),
    ]);
    expect(faultsOf(good.replace('"finishReason":"stop"', '"finishReason":"stopp"'))).toEqual([
      expect.stringMatching(/^\d+ "completion\.finishReason" must be one of stop, length, .* did you mean "stop"\?$/),
    ]);
  });
});

describe('readRecordings', () => {
  test('a file that is not there holds nothing', () => {
    const found = readRecordings(join(makeFolder(), 'none.jsonl'), 'none.jsonl');
    expect(found).toEqual({ file: 'none.jsonl', lines: [], isMissing: true });
  });

  test('a file that cannot be read is a problem of the user', () => {
    const error = catchUserError(() => readRecordings(makeFolder(), 'fixtures'));
    expect(error.problems).toMatchObject([{ code: 'file-unreadable', message: expect.stringContaining('EISDIR') }]);
  });
});

describe('withRecordings', () => {
  test('answers from the line with the hash of the request, whatever base URL and adapter version', async () => {
    const outcome = await serve([recorded], { ...request, baseUrl: 'http://127.0.0.1:1/v1', adapterVersion: '9' });
    expect(outcome).toEqual({ status: 'completed', completion: recorded.completion, cached: true, attempts: 0 });
  });

  test('a renamed case keeps its answer', async () => {
    const renamed = { ...request, origin: { ...request.origin, caseId: 'money-back' } };
    expect(await serve([recorded], renamed)).toMatchObject({ status: 'completed', completion: { text: 'billing' } });
  });

  test('serves the line of the own cell where two lines have one hash', async () => {
    const other = { ...recorded, prompt: 'v2', completion: answer('other') };
    expect(await serve([recorded, other])).toMatchObject({ completion: { text: 'billing' } });
    expect(await serve([other, recorded])).toMatchObject({ completion: { text: 'billing' } });
  });

  test('a conversation is served from several lines of one cell', async () => {
    const second = ask('and now?');
    const lines = [recorded, { ...recorded, requestHash: recordingHash(second), completion: answer('done') }];
    expect(await serve(lines, second)).toMatchObject({ completion: { text: 'done' } });
    expect(await serve(lines, request)).toMatchObject({ completion: { text: 'billing' } });
  });

  test('a stale line is a failure that names both ways to fix it', async () => {
    expect(await failureOf([recorded], ask('changed'))).toBe(
      'the recorded answer at r.jsonl:1 is stale: the request has changed since; ' +
        'run `llmcheck run --record --filter support/refund` (needs the provider) or, ' +
        'if the recorded answer still holds, `llmcheck cache import r.jsonl`',
    );
  });

  test('a missing line is a failure with the command that records it', async () => {
    const origin = { ...request.origin, caseId: 'who "am" I*' };
    expect(await failureOf([], { ...request, origin })).toBe(
      'no recorded answer in r.jsonl for prompt "v1", provider "openai:small", case "who \\"am\\" I*", trial 0; ' +
        'run `llmcheck run --record` (needs the provider)',
    );
    expect(await failureOf([recorded], { ...request, trial: 1 })).toContain('trial 1');
  });

  test('a line without a hash is unusable until it is filled', async () => {
    const { requestHash: _, ...byHand } = recorded;
    expect(await failureOf([byHand])).toContain('r.jsonl:1 has no requestHash');
    expect(await failureOf([byHand])).toContain('`llmcheck cache import r.jsonl`');
  });

  test('a line without a hash hides none of those behind it', async () => {
    const { requestHash: _, ...unfilled } = recorded;
    const lines = [
      { ...unfilled, caseId: 'other', lineNumber: 1 },
      { ...recorded, lineNumber: 2 },
    ];
    const complete = withRecordings(
      () => Promise.reject(new Error('asked')),
      { file: 'r', lines },
      { missing: 'fail' },
    );
    expect(await complete(request, noSignal)).toMatchObject({ status: 'completed', cached: true });
  });

  test('a case is named in the command where that needs no quotes', async () => {
    const complete = withRecordings(
      () => Promise.reject(new Error('asked')),
      { file: 'r', lines: [] },
      { missing: 'fail' },
    );
    const commandFor = async (suite: string, caseId: string) => {
      const outcome = await complete({ ...request, origin: { ...request.origin, suite, caseId } }, noSignal);
      return outcome.status === 'failed' ? /`(.*)`/.exec(outcome.failure.message)?.[1] : undefined;
    };
    expect(await commandFor('support', 'refund')).toBe('llmcheck run --record --filter support/refund');
    expect(await commandFor('my support', 'refund')).toBe('llmcheck run --record');
    expect(await commandFor('support', 'a refund')).toBe('llmcheck run --record');
  });

  test('asks for what is not recorded, with another cache mode', async () => {
    expect(await serve([], request, 'ask')).toMatchObject({ completion: { text: 'from the provider' } });
    expect(await serve([recorded], request, 'ask')).toMatchObject({ completion: { text: 'billing' } });
  });
});

describe('writeRecordings', () => {
  test('makes the file and its folder, sorted, and reads back the same', () => {
    const path = join(makeFolder(), 'fixtures', 'r.jsonl');
    const rows = ['zebra', 'ärger', 'Apple'].flatMap((caseId) => [10, 2].map((trial) => record({ caseId, trial })));
    expect(writeRecordings(path, rows)).toBe(true);
    expect(readRecordings(path).lines.map(({ caseId, trial }) => [caseId, trial])).toEqual([
      ['Apple', 2],
      ['Apple', 10],
      ['zebra', 2],
      ['zebra', 10],
      ['ärger', 2],
      ['ärger', 10],
    ]);
    expect(readdirSync(join(path, '..'))).toEqual(['r.jsonl']);
  });

  test('sorts by prompt, provider, case and trial, in this order', () => {
    const path = join(makeFolder(), 'r.jsonl');
    const names = [
      ['v1', 'a', 'x', 0],
      ['v1', 'a', 'x', 1],
      ['v1', 'a', 'y', 0],
      ['v1', 'b', 'a', 0],
      ['v2', 'a', 'a', 0],
    ] as const;
    const rows = names.map(([prompt, provider, caseId, trial]) => ({ ...recorded, prompt, provider, caseId, trial }));
    for (const order of [rows, rows.toReversed(), [...rows.slice(2), ...rows.slice(0, 2)]]) {
      writeFileSync(path, '');
      writeRecordings(path, order);
      const { lines } = readRecordings(path);
      expect(lines.map((line) => [line.prompt, line.provider, line.caseId, line.trial])).toEqual(names);
    }
    // Each of the four names tells a cell apart.
    for (const row of rows) writeRecordings(path, [{ ...row, completion: answer('new') }]);
    expect(readRecordings(path).lines.map(({ completion }) => completion.text)).toEqual(names.map(() => 'new'));
  });

  test('gives the same bytes for the same rows in any order of cells', () => {
    const row = fc.record({
      caseId: fc.string({ minLength: 1 }),
      trial: fc.nat(3),
      prompt: fc.constantFrom('v1', 'v2'),
    });
    const folder = makeFolder();
    const path = join(folder, 'r.jsonl');
    fc.assert(
      fc.property(fc.uniqueArray(row, { selector: (item) => JSON.stringify(item) }), (cells) => {
        const rows = cells.map((item) => ({ ...recorded, ...item }));
        writeFileSync(path, '');
        writeRecordings(path, rows);
        const text = readFileSync(path, 'utf8');
        expect(writeRecordings(path, rows.toReversed())).toBe(false);
        expect(readFileSync(path, 'utf8')).toBe(text);
      }),
      { numRuns: 30 },
    );
  });

  test('replaces the lines of its own cells and leaves the others', () => {
    const path = join(makeFolder(), 'r.jsonl');
    const other = { ...recorded, caseId: 'parcel' };
    writeRecordings(path, [recorded, { ...recorded, requestHash: 'second turn' }, other]);
    writeRecordings(path, [{ ...recorded, completion: answer('new') }]);
    expect(readRecordings(path).lines.map(({ caseId, completion }) => [caseId, completion.text])).toEqual([
      ['parcel', 'billing'],
      ['refund', 'new'],
    ]);
  });

  test('keeps the turns of a conversation in their order', () => {
    const path = join(makeFolder(), 'r.jsonl');
    const turns = ['ff', '00', '88'].map((requestHash) => record({ requestHash }));
    writeRecordings(path, turns);
    expect(readRecordings(path).lines.map(({ requestHash }) => requestHash)).toEqual(['ff', '00', '88']);
  });

  test('drops lines that the caller does not keep', () => {
    const path = join(makeFolder(), 'r.jsonl');
    writeRecordings(path, [recorded, { ...recorded, caseId: 'gone' }]);
    writeRecordings(path, [], { keep: ({ caseId }) => caseId !== 'gone' });
    expect(readRecordings(path).lines.map(({ caseId }) => caseId)).toEqual(['refund']);
  });

  test('does not touch a file that would not change', () => {
    const path = join(makeFolder(), 'r.jsonl');
    writeRecordings(path, [recorded]);
    const before = statSync(path, { bigint: true });
    expect(writeRecordings(path, [recorded])).toBe(false);
    expect(statSync(path, { bigint: true }).ino).toBe(before.ino);
  });

  test('writes into the target of a link', () => {
    const folder = makeFolder();
    const [link, target] = [join(folder, 'link.jsonl'), join(folder, 'target.jsonl')];
    writeFileSync(target, '');
    symlinkSync('target.jsonl', link);
    writeRecordings(link, [recorded]);
    expect(readlinkSync(link)).toBe('target.jsonl');
    expect(readRecordings(target).lines.map(({ caseId }) => caseId)).toEqual(['refund']);
    expect(readdirSync(folder)).toEqual(['link.jsonl', 'target.jsonl']);
  });

  test('does not replace a file that it cannot read', () => {
    const path = join(makeFolder(), 'r.jsonl');
    writeFileSync(path, 'written by hand, with a typo');
    expect(() => writeRecordings(path, [recorded])).toThrow(UserError);
    expect(readFileSync(path, 'utf8')).toBe('written by hand, with a typo');
  });

  test('a disk that says no is a StorageError, and no half file stays', () => {
    const folder = makeFolder();
    writeFileSync(join(folder, 'file'), '');
    expect(() => writeRecordings(join(folder, 'file', 'deep', 'r.jsonl'), [recorded])).toThrow(UserError);
    mkdirSync(join(folder, 'blocked'));
    const tooLong = join(folder, 'blocked', `${'x'.repeat(240)}.jsonl`);
    expect(() => writeRecordings(tooLong, [recorded])).toThrow(StorageError);
    expect(readdirSync(join(folder, 'blocked'))).toEqual([]);
  });
});

function record(changes: Partial<RecordingLine>): RecordingLine {
  return { ...recorded, ...changes };
}

function parse(lines: readonly RecordingLine[]) {
  return parseRecordings(lines.map(renderRecording).join('\n'), 'r.jsonl');
}

function serve(lines: readonly RecordingLine[], asked: CompletionRequest = request, missing: 'fail' | 'ask' = 'fail') {
  const next: Complete = async () => completed(answer('from the provider'));
  return withRecordings(next, parse(lines), { missing })(asked, noSignal);
}

async function failureOf(lines: readonly RecordingLine[], asked?: CompletionRequest): Promise<string> {
  const outcome = await serve(lines, asked);
  expect(outcome).toMatchObject({ status: 'failed', failure: { kind: 'recording' }, attempts: 0 });
  return outcome.status === 'failed' ? outcome.failure.message : '';
}

function catchUserError(work: () => unknown): UserError {
  try {
    work();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

test('each mistake of a line is named with its place and what helps', async () => {
  const whole = { prompt: 'v1', provider: 'p', caseId: 'c', trial: 0, completion: { text: 'a' } };
  const lines: readonly string[] = [
    '{',
    '[]',
    '5',
    ...[
      {},
      { ...whole, promt: 'x' },
      { ...whole, text: 'x' },
      { ...whole, zzz: 'x' },
      { ...whole, completion: { txt: 'x' } },
      { ...whole, completion: {} },
      { ...whole, completion: 'x' },
      { ...whole, completion: { text: 5 } },
      { ...whole, completion: { text: 'x', finishReason: 'stopp' } },
      { ...whole, completion: { text: 'x', finishReason: 5 } },
      { ...whole, completion: { text: 'x', toolCalls: {} } },
      { ...whole, completion: { text: 'x', toolCalls: [{ nmae: 'f' }] } },
      { ...whole, completion: { text: 'x', usage: { inputTokens: -1, outputTokens: 0.5, other: 1 } } },
      { ...whole, completion: { text: 'x', latencyMs: 'x', isTextAlone: false } },
      { ...whole, trial: -1 },
      { ...whole, trial: 0.5 },
      { ...whole, trial: '0' },
      { ...whole, prompt: '' },
      { ...whole, format: 99 },
      { ...whole, requestHash: '' },
      { ...whole, requestHash: 5 },
    ].map((line) => JSON.stringify(line)),
  ];
  const told = lines.map((line) => {
    try {
      return [line, `${parseRecordings(line, 'f').lines.length} line`];
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const problems = error.problems.map(
        ({ at, message, hint }) => `  ${at?.line}:${at?.column} ${message}\n    ${hint}`,
      );
      return [line, ...problems];
    }
  });
  await expect(`${told.flat().join('\n')}\n`).toMatchFileSnapshot('snapshots/mistaken-lines.txt');
});

test('two answers to one request are a problem, and one that comes again is none', () => {
  const line = (text: string, more: object = {}) =>
    JSON.stringify({ prompt: 'v1', provider: 'p', caseId: 'c', trial: 0, completion: { text }, ...more });
  const hash = { requestHash: 'a'.repeat(64) };
  const read = (...lines: readonly string[]) => parseRecordings(lines.join('\n'), 'f').lines.length;
  expect(read(line('x', hash), line('x', hash), '', line('y', { ...hash, trial: 1 }))).toBe(3);
  expect(read(line('x'), line('y'))).toBe(2);
  expect(() => read(line('x', hash), ' ', line('y', hash), line('z', hash))).toThrow(
    expect.objectContaining({
      problems: [3, 4].map((number) => expect.objectContaining({ at: expect.objectContaining({ line: number }) })),
    }),
  );
});
