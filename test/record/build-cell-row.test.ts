import { describe, expect, test } from 'vitest';
import type { CallRecord, CellResult } from '../../src/model/run/cell.ts';
import type { Completion } from '../../src/model/run/completion.ts';
import type { Verdict } from '../../src/model/run/verdict.ts';
import { buildCellRow } from '../../src/record/build-cell-row.ts';
import { buildCompletion } from '../support/build-case.ts';

const base = {
  key: { suite: 'triage', prompt: 'v1', provider: 'p', caseId: 'refund', trial: 1 },
  cellHash: 'cell-hash',
  caseHash: 'caseHash',
  observe: false,
  mustPass: false,
  at: { file: 'a.yaml', line: 1, column: 2 },
};

const verdict: Verdict = {
  assertion: 'equals',
  pass: true,
  score: 1,
  reason: 'equals "billing"',
  weight: 1,
  required: false,
};

function answer(overrides: Partial<Completion> = {}, call: Partial<CallRecord> = {}): CallRecord {
  return {
    requestHash: 'hash',
    completion: buildCompletion(overrides),
    cached: false,
    attempts: 1,
    costUsd: 0.1,
    ...call,
  };
}

function judged(overrides: Partial<Extract<CellResult, { status: 'judged' }>> = {}): CellResult {
  const result = {
    status: 'judged',
    passed: true,
    score: 1,
    verdicts: [verdict],
    calls: [answer()],
    attempts: 1,
  } as const;
  return { ...base, ...result, judgeCostUsd: 0, ...overrides };
}

const open = (text: string) => text;
const mask = (text: string) => text.replaceAll('s3cret-key', '****');

describe('an errored cell', () => {
  const failure = { kind: 'malformed', message: 'no' } as const;
  const errored = (more: Partial<CellResult>): CellResult => ({
    ...base,
    status: 'errored',
    failure,
    attempts: 1,
    calls: [],
    verdicts: [],
    judgeCostUsd: 0,
    ...(more as object),
  });
  test.each([
    ['nothing', {}, undefined, undefined],
    ['an answer of no use', { unusable: { costUsd: 0.2, billedUsd: 0.1 } }, 0.2, 0.1],
    ['one of unknown cost', { unusable: { costUsd: undefined, billedUsd: undefined } }, null, null],
    ['one after an answer', { calls: [answer()], unusable: { costUsd: 0.25, billedUsd: 0.25 } }, 0.35, 0.35],
    [
      'one after an answer of unknown cost',
      { calls: [answer({}, { costUsd: undefined })], unusable: { costUsd: 1, billedUsd: 1 } },
      null,
      null,
    ],
  ])('that brought %s costs what is known of it', (_what, more, costUsd, spentUsd) => {
    const row = buildCellRow(errored(more), open);
    expect([row.costUsd, row.spentUsd]).toEqual([costUsd, spentUsd]);
  });
});

describe('a judged cell', () => {
  test.each([
    ['contentFilter', 1, null],
    ['contentFilter', 0, undefined],
    ['contextLength', 1, undefined],
  ] as const)('that ended with %s after %d attempts costs %j', (kind, attempts, costUsd) => {
    const row = buildCellRow(judged({ calls: [], attempts, failure: { kind, message: 'no' } }), open);
    expect([row.costUsd, row.spentUsd]).toEqual([costUsd, costUsd]);
  });

  test('whose answer a filter withheld costs what its usage says', () => {
    const failure = { kind: 'contentFilter', message: 'no' } as const;
    const row = buildCellRow(judged({ calls: [], failure, unusable: { costUsd: 0.2, billedUsd: 0.1 } }), open);
    expect([row.costUsd, row.spentUsd]).toEqual([0.2, 0.1]);
  });

  test('is stored with its answer and what it took, and nothing that says nothing', () => {
    expect(buildCellRow(judged(), open)).toEqual({
      type: 'cell',
      ...base.key,
      cellHash: 'cell-hash',
      caseHash: 'caseHash',
      at: base.at,
      status: 'passed',
      score: 1,
      // The first 16 hex digits of SHA-256.
      answerHash: '0c95c7ece1ce1a97',
      answerId: '463c38d08842d925',
      output: 'billing',
      finishReason: 'stop',
      checks: [{ assertion: 'equals', pass: true, score: 1, reason: 'equals "billing"' }],
      latencyMs: 100,
      costUsd: 0.1,
      spentUsd: 0.1,
      usage: { inputTokens: 10, outputTokens: 2 },
      cached: false,
      attempts: 1,
      calls: [
        {
          requestHash: 'hash',
          cached: false,
          attempts: 1,
          latencyMs: 100,
          costUsd: 0.1,
          usage: { inputTokens: 10, outputTokens: 2 },
        },
      ],
    });
  });

  test('keeps its marks and every part of an answer', () => {
    const completion = {
      reasoning: 'hm',
      refusal: 'no',
      model: 'm-1',
      systemFingerprint: 'fp',
      toolCalls: [{ name: 't', arguments: { a: [1] }, rawArguments: '{"a":[1]}' }],
    };
    const row = buildCellRow(
      { ...judged({ calls: [answer(completion)] }), observe: true, mustPass: true, confirmation: true },
      open,
    );
    expect(row).toMatchObject({ observe: true, mustPass: true, confirmation: true, ...completion });
  });

  test('that failed on its prompt says why without an answer', () => {
    const failure = { kind: 'contextLength', message: 'too long', status: 400 } as const;
    const row = buildCellRow(judged({ passed: false, score: 0, verdicts: [], calls: [], failure, attempts: 2 }), open);
    expect(row).toMatchObject({
      status: 'failed',
      score: 0,
      error: { ...failure, attempts: 2 },
      checks: [],
      cached: false,
    });
    const { output, costUsd, spentUsd, latencyMs, usage } = row;
    expect([output, costUsd, spentUsd, latencyMs, usage]).toEqual(Array(5).fill(undefined));
  });

  test('keeps what differs from the ordinary in its checks', () => {
    const special = {
      ...verdict,
      name: 'mine',
      weight: 0,
      required: true,
      turn: 2,
      diff: { expected: 'a', found: 'b' },
      error: 'late',
    };
    const { checks } = buildCellRow(judged({ verdicts: [special] }), open);
    expect(checks).toEqual([
      {
        assertion: 'equals',
        name: 'mine',
        pass: true,
        score: 1,
        reason: 'equals "billing"',
        weight: 0,
        required: true,
        turn: 2,
        diff: { expected: 'a', found: 'b' },
        error: 'late',
      },
    ]);
  });

  test('survives JSON unchanged', () => {
    const row = buildCellRow(
      judged({ calls: [answer({ toolCalls: [{ name: 't', arguments: null, rawArguments: 'null' }] })] }),
      open,
    );
    expect(JSON.parse(JSON.stringify(row))).toEqual(row);
  });
});

test('a cell has a position where its answer was timed', () => {
  const row = (latencyMs: number | undefined) => {
    const { latencyMs: _, ...completion } = buildCompletion();
    const timed = latencyMs === undefined ? completion : { ...completion, latencyMs };
    return buildCellRow(judged({ calls: [{ ...answer(), completion: timed }] }), open, undefined, 3);
  };
  expect([row(5).position, row(undefined).position]).toEqual([3, undefined]);
});

test('the same text with other tool calls is another answer', () => {
  const hashOf = (name: string) => {
    const toolCalls = [{ name, arguments: {}, rawArguments: '{}' }];
    return buildCellRow(judged({ calls: [answer({ text: '', toolCalls })] }), open).answerHash;
  };
  expect(hashOf('find')).not.toBe(hashOf('remove'));
});

describe('the bill of a cell', () => {
  test('is what was billed, and unknown where that is', () => {
    const spent = (billed: CallRecord['billed']) =>
      buildCellRow(judged({ calls: [answer({}, { costUsd: 0.1, ...(billed && { billed }) })] }), open).spentUsd;
    expect([spent(undefined), spent({ costUsd: 0.3 }), spent({ costUsd: undefined })]).toEqual([0.1, 0.3, null]);
  });

  test('counts cached answers in the cost, not in what was spent', () => {
    const calls = [answer({}, { cached: true, attempts: 0, costUsd: 0.5 }), answer({}, { costUsd: 0.25 })];
    expect(buildCellRow(judged({ calls }), open)).toMatchObject({ costUsd: 0.75, spentUsd: 0.25, cached: false });
    const cached = [answer({}, { cached: true, attempts: 0, costUsd: 0.5 })];
    expect(buildCellRow(judged({ calls: cached }), open)).toMatchObject({ costUsd: 0.5, spentUsd: 0, cached: true });
  });

  test('is null where no price is known, also for the judge', () => {
    const calls = [answer(), answer({}, { costUsd: undefined })];
    expect(buildCellRow(judged({ calls, judgeCostUsd: undefined }), open)).toMatchObject({
      costUsd: null,
      spentUsd: null,
      judgeCostUsd: null,
    });
    expect(buildCellRow(judged({ judgeCostUsd: 0.5 }), open)).toMatchObject({ judgeCostUsd: 0.5 });
  });
});

describe('a conversation', () => {
  test('sums latency and usage, and keeps each answer’s text', () => {
    const calls = [
      answer({ text: 'first', latencyMs: 10.12345, usage: { inputTokens: 1, outputTokens: 2, reasoningTokens: 1 } }),
      answer({ text: 'last', latencyMs: 20, usage: { inputTokens: 3, outputTokens: 4, cachedInputTokens: 2 } }),
    ];
    const row = buildCellRow(judged({ calls }), open);
    expect(row).toMatchObject({
      output: 'last',
      latencyMs: 30.123,
      usage: { inputTokens: 4, outputTokens: 6, reasoningTokens: 1, cachedInputTokens: 2 },
      calls: [{ text: 'first', latencyMs: 10.123 }, { text: 'last' }],
    });
  });

  test('has no usage where one call reported none', () => {
    const { usage: _usage, ...silent } = buildCompletion();
    const calls = [answer(), { ...answer(), completion: silent }];
    expect(buildCellRow(judged({ calls }), open).usage).toBeUndefined();
  });
});

describe('an agent', () => {
  const call = { name: 'find', arguments: { a: 1 }, rawArguments: '{"a":1}' };
  const step = (text: string, more: object = {}) => ({ text, calls: [], ...more });

  test('keeps its steps, the calls of all of them, and what its tools left', () => {
    const steps = [
      step('s3cret-key', { calls: [call], latencyMs: 1.23456, usage: { inputTokens: 1, outputTokens: 2 } }),
      step('end', { calls: [{ ...call, name: 'drop', result: { content: `${'x'.repeat(9)} s3cret-key` } }] }),
    ];
    const row = buildCellRow(
      judged({ calls: [answer({ firstTokenMs: 1.23456 })], steps, state: { 's3cret-key': 1 } }),
      mask,
    );
    expect(row).toMatchObject({
      firstTokenMs: 1.235,
      state: { '****': 1 },
      toolCalls: [{ name: 'find' }, { name: 'drop' }],
      trajectory: [
        { text: '****', calls: [call], latencyMs: 1.235, usage: { inputTokens: 1, outputTokens: 2 } },
        { text: 'end', calls: [{ ...call, name: 'drop', result: { content: 'xxxxxxxxx ****' } }] },
      ],
    });
    expect(row.trajectory?.[1]).not.toHaveProperty('latencyMs');
    const plain = buildCellRow(judged({ calls: [answer({ toolCalls: [call] })] }), mask);
    expect([plain.toolCalls, plain.state, plain.firstTokenMs, plain.trajectory]).toEqual([
      [call],
      undefined,
      undefined,
      undefined,
    ]);
    // The text of the only answer is the output.
    expect(plain.calls).toHaveLength(1);
    expect(plain.calls[0]).not.toHaveProperty('text');
  });

  test('of two answers has the price of both, or none', () => {
    const priced = (...costs: readonly (number | undefined)[]) => {
      const calls = costs.map((costUsd) =>
        answer({ usage: { inputTokens: 1, outputTokens: 1, ...(costUsd === undefined ? {} : { costUsd }) } }),
      );
      return buildCellRow(judged({ calls }), open).usage?.costUsd;
    };
    expect([priced(1, 2), priced(1, undefined), priced(undefined, 2), priced(undefined, undefined)]).toEqual([
      3,
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('other cells', () => {
  test('an errored one keeps answer, verdicts and bill', () => {
    const failure = { kind: 'check', message: 'judge unreadable' } as const;
    const result: CellResult = {
      ...base,
      status: 'errored',
      failure,
      attempts: 3,
      calls: [answer()],
      verdicts: [verdict],
      judgeCostUsd: 0.5,
    };
    expect(buildCellRow(result, open)).toMatchObject({
      status: 'errored',
      output: 'billing',
      checks: [{ assertion: 'equals' }],
      error: { kind: 'check', message: 'judge unreadable', attempts: 3 },
      attempts: 3,
      costUsd: 0.1,
      judgeCostUsd: 0.5,
    });
  });

  test('a skipped one keeps its reason, and the bill of the answers that it had', () => {
    const result: CellResult = { ...base, status: 'skipped', reason: 'deadline', calls: [] };
    expect(buildCellRow(result, open)).toEqual({
      type: 'cell',
      ...base.key,
      cellHash: 'cell-hash',
      caseHash: 'caseHash',
      at: base.at,
      status: 'skipped',
      skip: { reason: 'deadline' },
      checks: [],
      cached: false,
      attempts: 0,
      calls: [],
    });
    const half: CellResult = {
      ...base,
      status: 'skipped',
      reason: 'budget',
      message: 'full',
      calls: [answer({}, { attempts: 2 })],
      judgeCostUsd: 0.5,
    };
    expect(buildCellRow(half, open)).toMatchObject({
      skip: { reason: 'budget', message: 'full' },
      costUsd: 0.1,
      spentUsd: 0.1,
      judgeCostUsd: 0.5,
      attempts: 2,
    });
  });
});

test('a skipped cell keeps no answer, and a class is masked as the answer is', () => {
  const row = buildCellRow({ ...base, status: 'skipped', reason: 'budget', calls: [answer({ text: 'x' })] }, mask);
  for (const key of ['output', 'answerHash', 'answerId', 'usage', 'model', 'latencyMs'] as const)
    expect(row[key]).toBeUndefined();
  const classOf = (found: string | null | undefined) =>
    buildCellRow(
      judged({ classified: { truth: 'a s3cret-key', by: 'b', ...(found === undefined ? {} : { found }) } }),
      mask,
    ).classified;
  expect([classOf('s3cret-key'), classOf(null), classOf(undefined)]).toEqual([
    { truth: 'a ****', by: 'b', found: '****' },
    { truth: 'a ****', by: 'b', found: null },
    { truth: 'a ****', by: 'b' },
  ]);
  expect(buildCellRow(judged(), mask).classified).toBeUndefined();
});

test('the usage of two answers counts each part, from 0', () => {
  const usage = { inputTokens: 0, outputTokens: 0 };
  const calls = [answer({ usage }), answer({ usage: { ...usage, reasoningTokens: 3 } })];
  expect(buildCellRow(judged({ calls }), open).usage).toEqual({ ...usage, reasoningTokens: 3 });
});

describe('secrets', () => {
  test('are masked wherever text came from outside', () => {
    const s = 's3cret-key';
    const toolCalls = [{ id: s, name: s, arguments: { [s]: [s, { deep: `a ${s} b` }] }, rawArguments: `{"${s}": 1}` }];
    const completion = { text: s, reasoning: s, refusal: s, model: s, systemFingerprint: s, toolCalls };
    const verdicts = [{ ...verdict, reason: s, error: s, diff: { expected: s, found: s } }];
    const failure = { kind: 'server', message: s } as const;
    const results: CellResult[] = [
      judged({ calls: [answer(completion), answer(completion)], verdicts }),
      { ...base, status: 'errored', failure, attempts: 1, calls: [], verdicts, judgeCostUsd: 0 },
      { ...base, status: 'skipped', reason: 'case', message: s, calls: [] },
    ];
    for (const result of results) {
      const text = JSON.stringify(buildCellRow(result, mask));
      expect(text).not.toContain(s);
      expect(text).toContain('****');
    }
  });

  test('are masked before a result is cut, so that no half of one is left', () => {
    const long = { content: `${'x'.repeat(16_380)}s3cret-key and more` };
    const calls = [{ name: 't', arguments: {}, rawArguments: '{}', result: long }];
    const row = buildCellRow(judged({ steps: [{ text: '', calls }] }), mask);
    expect(row.trajectory?.[0]?.calls[0]?.result?.content).toBe(`${'x'.repeat(16_380)}****`);
  });

  test('a hostile key in tool arguments stays a key', () => {
    const args = JSON.parse('{"__proto__": {"polluted": true}}');
    const row = buildCellRow(
      judged({ calls: [answer({ toolCalls: [{ name: 't', arguments: args, rawArguments: '' }] })] }),
      open,
    );
    expect(JSON.stringify(row.toolCalls)).toContain('"__proto__":{"polluted":true}');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('what a cell asked', () => {
  const request = {
    adapter: 'openai',
    adapterVersion: '1',
    model: 'm',
    messages: [
      { role: 'system' as const, content: 'Use s3cret-key.' },
      {
        role: 'user' as const,
        content: 'x'.repeat(20_000),
        attachments: [{ path: 's3cret-key.png', mediaType: 'image/png', bytes: 1, sha256: 'hash' }],
      },
    ],
    params: {},
    trial: 0,
    origin: { suite: 'triage', prompt: 'v1', provider: 'p', caseId: 'refund' },
  };
  const turns = [
    { kind: 'user' as const, content: 'And s3cret-key?', checks: [] },
    { kind: 'toolResult' as const, name: 'find s3cret-key', content: '{}', checks: [] },
  ];
  const first = { ...base, key: { ...base.key, trial: 0 } };

  test('goes along with its first trial, masked and no longer than people read', () => {
    const row = buildCellRow({ ...judged(), ...first }, mask, {
      request,
      turns,
      tags: ['billing s3cret-key'],
      description: 'About s3cret-key.',
    });
    expect(row.asked).toEqual({
      messages: [
        { role: 'system', content: 'Use ****.' },
        { role: 'user', content: 'x'.repeat(16_384), ofChars: 20_000, attach: ['****.png'] },
      ],
      turns: [
        { role: 'user', content: 'And ****?' },
        { role: 'tool', name: 'find ****', content: '{}' },
      ],
      tags: ['billing ****'],
      description: 'About ****.',
    });
  });

  test('is whole where it just fits', () => {
    const messages = [{ role: 'user' as const, content: 'x'.repeat(16_384) }];
    const row = buildCellRow({ ...judged(), ...first }, open, { request: { ...request, messages }, turns: [] });
    expect(row.asked).toEqual({ messages: [{ role: 'user', content: 'x'.repeat(16_384) }] });
  });

  test('is left out of the others, which asked the same', () => {
    expect(buildCellRow(judged(), mask, { request, turns }).asked).toBeUndefined();
  });
});
