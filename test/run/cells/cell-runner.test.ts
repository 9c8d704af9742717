import { describe, expect, test } from 'vitest';
import { createStop } from '../../../src/calls/stop.ts';
import { isJsonObject } from '../../../src/json/json.ts';
import type { Cell, CellKey, CellResult, JudgedAnswer } from '../../../src/model/run/cell.ts';
import type {
  Completion,
  CompletionOutcome,
  CompletionRequest,
  FailureKind,
  ToolCall,
} from '../../../src/model/run/completion.ts';
import type { CheckSpec, Verdict } from '../../../src/model/run/verdict.ts';
import type { ProviderConfig, Suite, Turn } from '../../../src/model/suite/suite.ts';
import { createBailStop } from '../../../src/run/cells/bail.ts';
import { createCellRunners, runCell } from '../../../src/run/cells/cell-runner.ts';
import type { CellPorts } from '../../../src/run/cells/conversation.ts';
import { createToolOpener } from '../../../src/run/cells/start-tools.ts';
import type { ToolOutcome } from '../../../src/tools/tool-sources.ts';
import {
  buildCell,
  buildCheck,
  buildProvider,
  buildSuite,
  completed,
  failed,
  neverAborted,
} from '../../support/build-case.ts';

/** Ports that answer with the given outcomes in order and remember what they were asked. */
function build(outcomes: readonly CompletionOutcome[], overrides: Partial<CellPorts> = {}) {
  const requests: CompletionRequest[] = [];
  const judged: { checks: readonly CheckSpec[]; answer: JudgedAnswer }[] = [];
  const ports: CellPorts = {
    complete: async (request) => {
      const outcome = outcomes[requests.length];
      requests.push(request);
      if (outcome === undefined) throw new Error('the cell made a call too many');
      return outcome;
    },
    hidesCalls: false,
    openTools: createToolOpener({}),
    requestKey: ({ messages }) => `key-${messages.length}`,
    costOf: ({ usage }) => (usage === undefined ? undefined : usage.outputTokens / 1000),
    judge: async (checks, answer) => {
      judged.push({ checks, answer });
      return { verdicts: checks.map((check) => verdictOf(check, answer)), judgeCostUsd: 0 };
    },
    decide: (verdicts) => {
      const broken = verdicts.find(({ error }) => error !== undefined);
      if (broken !== undefined) return { status: 'errored', reason: broken.error ?? '' };
      const passed = verdicts.every(({ pass }) => pass);
      return { status: 'decided', passed, score: passed ? 1 : 0 };
    },
    classify: () => null,
    stopReason: () => undefined,
    ...overrides,
  };
  return { ports, requests, judged };
}

function verdictOf({ assertion, weight, required, source }: CheckSpec, { completion }: JudgedAnswer): Verdict {
  const pass = isJsonObject(source) && completion.text.includes(JSON.stringify(source['contains']).slice(1, -1));
  return { assertion, pass, score: pass ? 1 : 0, reason: `found ${completion.text}`, weight, required };
}

const unmade: Verdict = {
  assertion: 'rubric',
  pass: false,
  score: 0,
  reason: '',
  weight: 1,
  required: false,
  error: 'the judge said nothing',
};

function check(wanted: string): CheckSpec {
  return buildCheck({ source: { contains: wanted } });
}

function userTurn(content: string, ...checks: CheckSpec[]): Turn {
  return { kind: 'user', content, checks };
}

function toolResult(name: string, content: string): Turn {
  return { kind: 'toolResult', name, content, checks: [] };
}

function call(name: string, id?: string): ToolCall {
  return { ...(id === undefined ? {} : { id }), name, arguments: {}, rawArguments: '{}' };
}

describe('a cell of one request', () => {
  test('is judged on its answer, with cost, key and attempts recorded', async () => {
    const { ports, requests, judged } = build([completed({ text: 'billing' }, { attempts: 3 })]);
    const cell = buildCell({ mustPass: true });
    const result = await runCell(cell, ports, neverAborted);
    expect(result).toMatchObject({
      status: 'judged',
      passed: true,
      score: 1,
      key: cell.key,
      cellHash: 'cell-refund:key-1',
      caseHash: cell.caseHash,
      mustPass: true,
      observe: false,
      at: cell.at,
      attempts: 3,
      judgeCostUsd: 0,
      calls: [{ requestHash: 'key-1', cached: false, attempts: 3, costUsd: 0.002 }],
    });
    expect(requests).toEqual([cell.request]);
    expect(judged[0]?.answer).toMatchObject({ cell, latencyMs: 100, costUsd: 0.002, completion: { text: 'billing' } });
  });

  test('fails where a check fails', async () => {
    const { ports } = build([completed({ text: 'sales' })]);
    expect(await runCell(buildCell(), ports, neverAborted)).toMatchObject({
      status: 'judged',
      passed: false,
      verdicts: [{ pass: false, reason: 'found sales' }],
    });
  });

  test('hands its threshold to the decision', async () => {
    const thresholds: unknown[] = [];
    const { ports } = build([completed(), completed()], {
      decide: (_verdicts, threshold) => {
        thresholds.push(threshold);
        return { status: 'decided', passed: true, score: 0.7 };
      },
    });
    await runCell(buildCell({ threshold: 0.6 }), ports, neverAborted);
    await runCell(buildCell(), ports, neverAborted);
    expect(thresholds).toEqual([0.6, undefined]);
  });

  test('without checks asks no judge', async () => {
    const { ports, judged } = build([completed()]);
    expect(await runCell(buildCell({ checks: [], observe: true }), ports, neverAborted)).toMatchObject({
      status: 'judged',
      observe: true,
    });
    expect(judged).toEqual([]);
  });

  test('that the suite skips sends nothing', async () => {
    const { ports, requests } = build([]);
    expect(await runCell(buildCell({ skip: 'flaky upstream' }), ports, neverAborted)).toMatchObject({
      status: 'skipped',
      reason: 'case',
      message: 'flaky upstream',
      calls: [],
    });
    expect(requests).toEqual([]);
  });

  test('with a model that has no price has an unknown cost, not none', async () => {
    const { ports, judged } = build([completed()], { costOf: () => undefined });
    expect(await runCell(buildCell(), ports, neverAborted)).toMatchObject({ calls: [{ costUsd: undefined }] });
    expect(judged[0]?.answer.costUsd).toBeUndefined();
  });

  test('may end in a tool call: the checks judge it', async () => {
    const { ports } = build([completed({ text: 'billing', toolCalls: [call('lookup')] })]);
    expect(await runCell(buildCell(), ports, neverAborted)).toMatchObject({ status: 'judged', passed: true });
  });

  test.each(['contentFilter', 'contextLength'] as const)(
    'fails on %s, which is a fact about the prompt',
    async (kind) => {
      const { ports, judged } = build([failed(kind)]);
      expect(await runCell(buildCell(), ports, neverAborted)).toMatchObject({
        status: 'judged',
        passed: false,
        score: 0,
        failure: { kind },
        calls: [],
        attempts: 1,
      });
      expect(judged).toEqual([]);
    },
  );

  test.each<FailureKind>([
    'auth',
    'notFound',
    'badRequest',
    'rateLimit',
    'quota',
    'overloaded',
    'server',
    'network',
    'timeout',
    'malformed',
    'recording',
    'cacheMiss',
    'check',
    'aborted',
  ])('is errored by %s', async (kind) => {
    const { ports } = build([failed(kind, { status: 418 }, 2)]);
    expect(await runCell(buildCell(), ports, neverAborted)).toMatchObject({
      status: 'errored',
      failure: { kind, status: 418 },
      attempts: 2,
      calls: [],
      verdicts: [],
    });
  });

  test.each(['deadline', 'bail', 'interrupted', 'storage', 'queue'] as const)(
    'is skipped where the run aborted it, with the reason %s',
    async (reason) => {
      const { ports } = build([failed('aborted')], { stopReason: () => reason });
      expect(await runCell(buildCell(), ports, neverAborted)).toMatchObject({ status: 'skipped', reason });
    },
  );

  test('keeps a failure of its own while the run is being stopped', async () => {
    const { ports } = build([failed('badRequest')], { stopReason: () => 'deadline' });
    expect(await runCell(buildCell(), ports, neverAborted)).toMatchObject({ status: 'errored' });
  });

  test('is skipped where the budget has no room for it', async () => {
    const { ports } = build([failed('budget')], { stopReason: () => 'interrupted' });
    expect(await runCell(buildCell(), ports, neverAborted)).toMatchObject({
      status: 'skipped',
      reason: 'budget',
      message: 'no luck: budget',
    });
  });
});

describe('an answer that is of no use', () => {
  const usage = { inputTokens: 10, outputTokens: 100 };
  test.each([
    ['was counted', failed('malformed', { usage }), { costUsd: 0.1, billedUsd: 0.1 }],
    ['was not counted', failed('malformed'), { costUsd: undefined, billedUsd: undefined }],
    ['another cell was billed for', failed('malformed', { usage }, 0), undefined],
    ['a batch brought', { ...failed('malformed', { usage }), batched: true }, { costUsd: 0.1, billedUsd: 0.05 }],
    ['a batch left out', { ...failed('malformed'), batched: true }, undefined],
    ['never came', failed('server'), undefined],
  ] as const)('and %s costs what is known of it', async (_what, outcome, unusable) => {
    const { ports } = build([outcome], {
      costOf: ({ usage: used }, how) =>
        used === undefined ? undefined : used.outputTokens / (how === 'batch' ? 2000 : 1000),
    });
    const result = await runCell(buildCell(), ports, neverAborted);
    expect([result.status, result.unusable]).toEqual(['errored', unusable]);
  });
});

describe('a check that could not be made', () => {
  test('errors the cell and keeps answer, verdicts and the bill', async () => {
    const { ports } = build([completed()], { judge: async () => ({ verdicts: [unmade], judgeCostUsd: 0.5 }) });
    expect(await runCell(buildCell(), ports, neverAborted)).toMatchObject({
      status: 'errored',
      failure: { kind: 'check', message: 'the judge said nothing' },
      verdicts: [unmade],
      calls: [{ costUsd: 0.002 }],
      judgeCostUsd: 0.5,
    });
  });

  test.each([
    ['budget', undefined, 'budget'],
    ['aborted', 'deadline', 'deadline'],
  ] as const)('because the judge was stopped by %s skips the cell', async (kind, stopReason, reason) => {
    const { ports } = build([completed()], {
      judge: async () => ({ verdicts: [unmade], judgeCostUsd: 0.25, failure: { kind, message: 'stopped' } }),
      stopReason: () => stopReason,
    });
    expect(await runCell(buildCell(), ports, neverAborted)).toMatchObject({
      status: 'skipped',
      reason,
      calls: [{ costUsd: 0.002 }],
      judgeCostUsd: 0.25,
    });
  });

  test('because the judge of a turn was stopped by the budget skips the cell, though later checks need no judge', async () => {
    let judgements = 0;
    const { ports } = build([completed(), completed()], {
      judge: async () => {
        judgements += 1;
        if (judgements > 1) return { verdicts: [], judgeCostUsd: 0 };
        return { verdicts: [unmade], judgeCostUsd: 0, failure: { kind: 'budget', message: 'stopped' } };
      },
    });
    const cell = buildCell({ turns: [userTurn('and?', check('rubric'))], checks: [check('billing')] });
    expect(await runCell(cell, ports, neverAborted)).toMatchObject({ status: 'skipped', reason: 'budget' });
    expect(judgements).toBe(2);
  });

  test.each<[string, Partial<CellPorts>]>([
    ['', {}],
    [', though other checks decide it', { decide: () => ({ status: 'decided', passed: false, score: 0 }) }],
  ])('while the run is aborted skips the cell%s', async (_though, decide) => {
    const { ports } = build([completed()], {
      judge: async () => ({ verdicts: [unmade], judgeCostUsd: 0 }),
      stopReason: () => 'interrupted',
      ...decide,
    });
    expect(await runCell(buildCell(), ports, AbortSignal.abort())).toMatchObject({
      status: 'skipped',
      reason: 'interrupted',
    });
  });

  test('does not undo a decision that holds without it', async () => {
    const { ports } = build([completed()], {
      judge: async () => ({ verdicts: [], judgeCostUsd: 0, failure: { kind: 'budget', message: '' } }),
    });
    expect(await runCell(buildCell(), ports, neverAborted)).toMatchObject({ status: 'judged', passed: true });
  });
});

describe('a conversation', () => {
  test('sends the model its own answers between the turns', async () => {
    const { ports, requests } = build([
      completed({ text: 'Which order?' }),
      completed({ text: 'Done.' }),
      completed({ text: 'billing' }),
    ]);
    const turns = [userTurn('Order 7'), userTurn('Thanks, which queue?')];
    await runCell(buildCell({ turns }), ports, neverAborted);
    expect(requests.map(({ messages }) => messages.slice(1).map(({ role, content }) => [role, content]))).toEqual([
      [],
      [
        ['assistant', 'Which order?'],
        ['user', 'Order 7'],
      ],
      [
        ['assistant', 'Which order?'],
        ['user', 'Order 7'],
        ['assistant', 'Done.'],
        ['user', 'Thanks, which queue?'],
      ],
    ]);
  });

  test('changes no request after it was sent', async () => {
    const { ports, requests } = build([completed(), completed(), completed()]);
    const cell = buildCell({ turns: [userTurn('one'), userTurn('two')] });
    await runCell(cell, ports, neverAborted);
    expect(requests.map(({ messages }) => messages.length)).toEqual([1, 3, 5]);
    expect(cell.request.messages).toHaveLength(1);
  });

  test('judges each turn on its own answer and the case on the last', async () => {
    const { ports, judged } = build([
      completed({ text: 'hello' }),
      completed({ text: 'which order?' }),
      completed({ text: 'billing' }),
    ]);
    const turns = [userTurn('hi', check('order')), userTurn('7', check('billing'), check('sales'))];
    const result = await runCell(buildCell({ turns, checks: [check('billing')] }), ports, neverAborted);
    expect(judged.map(({ answer }) => answer.completion.text)).toEqual(['which order?', 'billing', 'billing']);
    expect(result).toMatchObject({ status: 'judged', passed: false });
    const verdicts = 'verdicts' in result ? result.verdicts : [];
    expect(verdicts.map(({ turn, pass }) => [turn, pass])).toEqual([
      [0, true],
      [1, true],
      [1, false],
      [undefined, true],
    ]);
  });

  test('sums cost, latency and attempts over its calls, each with its own key', async () => {
    const { ports, judged } = build([
      completed({ latencyMs: 100 }, { attempts: 2 }),
      completed({ latencyMs: 250, usage: { inputTokens: 1, outputTokens: 5 } }),
    ]);
    const result = await runCell(buildCell({ turns: [userTurn('and?')] }), ports, neverAborted);
    expect(judged.at(-1)?.answer).toMatchObject({ latencyMs: 350, costUsd: 0.007 });
    expect(result).toMatchObject({ attempts: 3, calls: [{ requestHash: 'key-1' }, { requestHash: 'key-3' }] });
  });

  test('has an unknown cost as soon as one call has', async () => {
    const costs = [0.1, undefined];
    let priced = 0;
    const { ports, judged } = build([completed(), completed()], { costOf: () => costs[priced++] });
    await runCell(buildCell({ turns: [userTurn('and?')] }), ports, neverAborted);
    expect(judged.at(-1)?.answer.costUsd).toBeUndefined();
  });

  test('adds the costs of its judges; unknown is unknown', async () => {
    const costs = [0.1, 0.2, undefined];
    let asked = 0;
    const judge = async () => ({ verdicts: [], judgeCostUsd: costs[asked++] });
    const turns = [userTurn('a', check('x'))];
    const known = build([completed(), completed()], { judge });
    const first = await runCell(buildCell({ turns }), known.ports, neverAborted);
    expect('judgeCostUsd' in first ? first.judgeCostUsd : 0).toBeCloseTo(0.3);
    const unknown = build([completed()], { judge });
    expect(await runCell(buildCell(), unknown.ports, neverAborted)).toMatchObject({ judgeCostUsd: undefined });
  });

  test('answers tool calls by name, each with the id of its call', async () => {
    const { ports, requests } = build([
      completed({ text: '', toolCalls: [call('lookup', 'id-a'), call('weather', 'id-b'), call('lookup', 'id-c')] }),
      completed(),
    ]);
    const turns = [toolResult('weather', 'rain'), toolResult('lookup', 'first'), toolResult('lookup', 'second')];
    await runCell(buildCell({ turns }), ports, neverAborted);
    expect(requests).toHaveLength(2);
    expect(requests[1]?.messages.slice(1)).toEqual([
      {
        role: 'assistant',
        content: '',
        toolCalls: [call('lookup', 'id-a'), call('weather', 'id-b'), call('lookup', 'id-c')],
      },
      { role: 'tool', name: 'weather', content: 'rain', toolCallId: 'id-b' },
      { role: 'tool', name: 'lookup', content: 'first', toolCallId: 'id-a' },
      { role: 'tool', name: 'lookup', content: 'second', toolCallId: 'id-c' },
    ]);
  });

  test('gives calls without an id one that the result can name, different in every answer', async () => {
    const { ports, requests } = build([
      completed({ toolCalls: [call('lookup')] }),
      completed({ toolCalls: [call('lookup')] }),
      completed(),
    ]);
    await runCell(buildCell({ turns: [toolResult('lookup', '1'), toolResult('lookup', '2')] }), ports, neverAborted);
    // Both results stand next to each other in the case, but the first answer made one call only.
    expect(requests).toHaveLength(1);

    const talk = build([
      completed({ toolCalls: [call('lookup')] }),
      completed({ text: 'found' }),
      completed({ toolCalls: [call('lookup')] }),
      completed(),
    ]);
    const turns = [toolResult('lookup', '1'), userTurn('again'), toolResult('lookup', '2')];
    await runCell(buildCell({ turns }), talk.ports, neverAborted);
    const messages = talk.requests.at(-1)?.messages ?? [];
    const made = messages.flatMap(({ toolCalls = [] }) => toolCalls.map(({ id }) => id));
    const answered = messages.flatMap(({ toolCallId }) => (toolCallId === undefined ? [] : [toolCallId]));
    expect(answered).toEqual(made);
    expect(new Set(made).size).toBe(2);
  });

  test.each<[string, readonly ToolCall[], readonly Turn[], string]>([
    ['a call that no result answers', [call('lookup')], [userTurn('and?')], 'no toolResult answers "lookup"'],
    ['two calls of which one is answered', [call('a'), call('b')], [toolResult('a', '1')], 'no toolResult answers "b"'],
    [
      'a result without a call',
      [],
      [toolResult('a', '1')],
      'the result of "a" answers no call: the model called no tool',
    ],
    ['a result for another call', [call('b')], [toolResult('a', '1')], 'answers no call: the model called "b"'],
    [
      'more results than calls',
      [call('a')],
      [toolResult('a', '1'), toolResult('a', '2')],
      'the result of "a" answers no call',
    ],
  ])('fails without a further call on %s', async (_name, toolCalls, turns, reason) => {
    const { ports, requests, judged } = build([completed({ toolCalls })]);
    const result = await runCell(buildCell({ turns }), ports, neverAborted);
    expect(result).toMatchObject({
      status: 'judged',
      passed: false,
      score: 0,
      verdicts: [{ assertion: 'turns', pass: false, required: true, turn: 0, reason: expect.stringContaining(reason) }],
      calls: [{ requestHash: 'key-1' }],
    });
    expect(requests).toHaveLength(1);
    expect(judged).toEqual([]);
  });

  test('that breaks off in a later turn keeps the verdicts of the earlier ones', async () => {
    const { ports } = build([completed(), completed({ text: 'order', toolCalls: [call('lookup')] })]);
    const turns = [userTurn('hi', check('order')), userTurn('and?', check('never asked'))];
    const result = await runCell(buildCell({ turns }), ports, neverAborted);
    expect(result).toMatchObject({
      verdicts: [
        { turn: 0, pass: true },
        { assertion: 'turns', turn: 1 },
      ],
    });
  });

  test.each([
    ['server', { status: 'errored', verdicts: [{ turn: 0 }] }],
    ['contentFilter', { status: 'judged', passed: false, failure: { kind: 'contentFilter' }, verdicts: [{ turn: 0 }] }],
    ['budget', { status: 'skipped', reason: 'budget' }],
    ['aborted', { status: 'skipped', reason: 'deadline' }],
  ] as const)('that ends in %s still pays for the answers it had', async (kind, expected) => {
    const { ports, requests } = build([completed(), completed({ text: 'order' }), failed(kind)], {
      stopReason: () => 'deadline',
    });
    const turns = [userTurn('hi', check('order')), userTurn('and?'), userTurn('never said')];
    expect(await runCell(buildCell({ turns }), ports, neverAborted)).toMatchObject({
      ...expected,
      calls: [{ costUsd: 0.002 }, { costUsd: 0.002 }],
    });
    expect(requests).toHaveLength(3);
  });
});

describe('the runners of a run', () => {
  interface RunnerOptions {
    readonly provider?: Partial<ProviderConfig>;
    readonly outcomes?: readonly CompletionOutcome[];
    readonly isTraced?: boolean;
    readonly bailStop?: ReturnType<typeof createBailStop>;
    readonly answer?: ToolOutcome | Error;
  }

  const session = {
    judge: ({ name }: ToolCall) => (name === 'pay' ? ({ kind: 'fails', reason: 'no pay' } as const) : undefined),
    state: async () => ({ state: { paid: 7 } }),
  };

  /** Runners over a provider that gives these outcomes. `log` has what they do beside that. */
  function openRunners({
    provider = {},
    outcomes = [completed()],
    isTraced = false,
    bailStop,
    answer,
  }: RunnerOptions = {}) {
    const log: string[] = [];
    const config = buildProvider(provider);
    const suite = buildSuite([]);
    let asked = 0;
    const trace = {
      cell: async (cell: Cell, run: () => Promise<CellResult>) => {
        log.push(`cell ${cell.key.caseId} begins`);
        const result = await run();
        log.push(`cell ${cell.key.caseId} ${result.status}`);
        return result;
      },
      startChecks: () => void log.push('checks begin'),
      verdict: ({ assertion, pass }: Verdict) => void log.push(`check ${assertion} ${pass}`),
      toolCall: ({ name }: ToolCall) => {
        log.push(`tool ${name} begins`);
        return (outcome: { readonly kind: string } | undefined) => void log.push(`tool ${name} ${outcome?.kind}`);
      },
    };
    const options = {
      planned: { providers: new Map([['key', config]]), plan: { suites: [{ suite }] }, endpointOf: () => ({}) },
      calls: {
        completeFor: (of: ProviderConfig, { id }: Suite) => {
          log.push(`connected ${of.id} for ${id}`);
          return async () => {
            const outcome = outcomes[asked];
            asked += 1;
            if (outcome === undefined) throw new TypeError('a bug');
            return outcome;
          };
        },
        costOf: (_of: ProviderConfig, _completion: Completion, how: string) => (how === 'batch' ? 1 : 2),
        cellsAtOnceFor: () => () => 3,
      },
      judgePorts: {},
      findAccepted: () => undefined,
      comparedAnswers: {
        find: async () => undefined,
        post: ({ caseId }: CellKey, result: CellResult | undefined) =>
          void log.push(`posted ${caseId} ${result?.status}`),
      },
      stop: createStop(),
      bailStop,
      ...(isTraced && { trace }),
      openTools: () => ({
        ...session,
        answer: async () => {
          if (answer instanceof Error) throw answer;
          return answer ?? { kind: 'result', result: { content: '7' } };
        },
        close: () => void log.push('tools closed'),
      }),
    } as unknown as Parameters<typeof createCellRunners>[0];
    return { log, runnerOf: createCellRunners(options), config };
  }

  test('are one for each provider, connected once for each suite', async () => {
    const { log, runnerOf } = openRunners({ outcomes: [completed(), completed()] });
    expect(runnerOf('key')).toBe(runnerOf('key'));
    expect(runnerOf('key').cellsAtOnce()).toBe(3);
    expect(() => runnerOf('other')).toThrow('the plan has no provider other');
    expect(await runnerOf('key').run(buildCell())).toMatchObject({ status: 'judged', passed: true });
    expect(log).toEqual(['connected openai:gpt-4o-mini for triage', 'posted refund judged']);
    const stray = buildCell({ key: { suite: 'stray', prompt: 'v1', provider: 'p', caseId: 'refund', trial: 0 } });
    await expect(runnerOf('key').run(stray)).rejects.toThrow('the plan has no suite stray');
  });

  test('end the wait for an answer even where a bug ends its cell', async () => {
    const { log, runnerOf } = openRunners({ outcomes: [] });
    await expect(runnerOf('key').run(buildCell())).rejects.toThrow('a bug');
    expect(log.at(-1)).toBe('posted refund undefined');
  });

  const calling = completed({ toolCalls: [call('find')] });
  const agent = { stubs: [], maxSteps: 3 };

  test('put a span around a cell, its checks and each of its tool calls', async () => {
    const { log, runnerOf } = openRunners({ isTraced: true, outcomes: [calling, completed()] });
    const result = await runnerOf('key').run(buildCell({ agent }));
    expect(result).toMatchObject({ passed: true, state: { paid: 7 } });
    expect(log.slice(1)).toEqual([
      'cell refund begins',
      'tool find begins',
      'tool find result',
      'checks begin',
      'check contains true',
      'tools closed',
      'cell refund judged',
      'posted refund judged',
    ]);
    const broken = openRunners({ isTraced: true, outcomes: [calling], answer: new TypeError('a bug') });
    await expect(broken.runnerOf('key').run(buildCell({ agent }))).rejects.toThrow('a bug');
    expect(broken.log.slice(1)).toEqual([
      'cell refund begins',
      'tool find begins',
      'tool find undefined',
      'tools closed',
      'posted refund undefined',
    ]);
    const steps = [{ text: 'pays', calls: [call('pay')] }];
    const forbidden = openRunners({ isTraced: true, outcomes: [completed({ steps })] });
    expect(await forbidden.runnerOf('key').run(buildCell({ agent }))).toMatchObject({
      verdicts: [{ reason: 'no pay' }],
    });
  });

  test('use the tools as they are without a trace', async () => {
    const { log, runnerOf } = openRunners({ outcomes: [calling, completed()] });
    await runnerOf('key').run(buildCell({ agent }));
    expect(log.slice(1)).toEqual(['tools closed', 'posted refund judged']);
  });

  test.each<[string, Partial<ProviderConfig>, boolean]>([
    ['a model', {}, false],
    ['a program', { adapter: 'exec' }, true],
    ['a module', { adapter: 'module' }, true],
    ['a server of the user’s own', { adapter: 'http' }, true],
    ['one whose answers name no calls', { adapter: 'http', options: { response: { text: '$.text' } } }, true],
    ['one whose answers name their calls', { adapter: 'http', options: { response: { toolCalls: '$.calls' } } }, false],
    ['one whose whole answer is text', { adapter: 'http', options: { response: '$.toolCalls' } }, true],
    ['a program with options like these', { adapter: 'exec', options: { response: { toolCalls: '$.calls' } } }, true],
  ])('know that the path of %s may be hidden', async (_what, provider, isHidden) => {
    const { runnerOf } = openRunners({ provider });
    // A check of the path can't be made where it is unknown.
    const checks = [buildCheck({ assertion: 'trajectory', params: { calls: [] }, source: { trajectory: {} } })];
    const result = await runnerOf('key').run(buildCell({ checks }));
    expect(result.status).toBe(isHidden ? 'errored' : 'judged');
  });

  test('price an answer of a batch by its own price', async () => {
    const { runnerOf } = openRunners({ outcomes: [{ ...completed(), batched: true }] });
    expect((await runnerOf('key').run(buildCell())).calls).toMatchObject([{ costUsd: 2, billed: { costUsd: 1 } }]);
  });

  test('hold back the first requests of cells that wait for their turn once the run stops, and no others', async () => {
    const stop = createStop();
    const bailStop = createBailStop(stop);
    const cell = buildCell();
    await openRunners({ bailStop }).runnerOf('key').run(cell);
    const later = { ...cell.request };
    expect([await bailStop.mayBegin(cell.request), await bailStop.mayBegin(later)]).toEqual([true, true]);
    // The cell that made room is judged in the same turn of the event loop.
    const asked = bailStop.mayBegin(cell.request);
    stop.soft('bail');
    expect(await asked).toBe(false);
    expect(await bailStop.mayBegin(later)).toBe(true);
  });
});
