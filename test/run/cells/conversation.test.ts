import { describe, expect, test } from 'vitest';
import type { Cell, CellClasses, JudgedAnswer } from '../../../src/model/run/cell.ts';
import type {
  AgentStep,
  Completion,
  CompletionOutcome,
  Message,
  ToolCall,
  ToolResult,
} from '../../../src/model/run/completion.ts';
import type { AgentSettings } from '../../../src/model/suite/agent.ts';
import type { Turn } from '../../../src/model/suite/suite.ts';
import { runCell } from '../../../src/run/cells/cell-runner.ts';
import type { CellPorts } from '../../../src/run/cells/conversation.ts';
import type { ToolOutcome } from '../../../src/tools/tool-sources.ts';
import { buildCell, buildCheck, completed, failed, neverAborted } from '../../support/build-case.ts';

interface Scenario {
  readonly cell?: Partial<Cell>;
  /** The outcomes of the requests, in order. */
  readonly outcomes: readonly CompletionOutcome[];
  /** What tools answer, by name; a text is a result. */
  readonly tools?: Readonly<Record<string, string | ToolResult | ToolOutcome>>;
  /** What the stubs say of calls that an agent has answered itself. */
  readonly forbidden?: Readonly<Record<string, ToolOutcome>>;
  readonly state?: Awaited<ReturnType<ReturnType<CellPorts['openTools']>['state']>>;
  readonly ports?: Partial<CellPorts>;
  readonly signal?: AbortSignal;
}

/** Runs a cell. `log` has what it did in its order, in short; `result` how it ended. */
async function converse({ cell, outcomes, tools = {}, forbidden = {}, state, ports, signal }: Scenario) {
  const log: string[] = [];
  let asked = 0;
  const all: CellPorts = {
    complete: async ({ messages }) => {
      const outcome = outcomes[asked];
      asked += 1;
      log.push(`ask ${messages.map(describeMessage).join(' | ')}`);
      if (outcome === undefined) throw new Error('the cell made a call too many');
      return outcome;
    },
    hidesCalls: false,
    openTools: () => {
      log.push('open tools');
      return {
        answer: async ({ name }) => {
          log.push(`tool ${name}`);
          const answer = tools[name] ?? 'nothing';
          if (typeof answer === 'string') return { kind: 'result', result: { content: answer } };
          return 'kind' in answer ? answer : { kind: 'result', result: answer };
        },
        judge: ({ name }) => {
          log.push(`may call ${name}`);
          return forbidden[name];
        },
        state: async () => {
          log.push('read state');
          return state ?? { state: undefined };
        },
        close: () => void log.push('close tools'),
      };
    },
    requestKey: ({ messages }) => `key-${messages.length}`,
    costOf: ({ usage }, how) => (usage === undefined ? undefined : how === 'batch' ? 1 : 2),
    judge: async (checks, answer) => {
      log.push(`judge ${describeJudged(answer)}`);
      return {
        verdicts: checks.map(({ assertion }) => ({
          assertion,
          pass: true,
          score: 1,
          reason: '',
          weight: 1,
          required: false,
        })),
        judgeCostUsd: 0,
      };
    },
    decide: (verdicts) => {
      const passed = verdicts.every(({ pass }) => pass);
      return { status: 'decided', passed, score: passed ? 1 : 0 };
    },
    classify: (_found, { text, toolCalls, steps, state: found }) =>
      [text, toolCalls.length, steps?.length ?? '-', JSON.stringify(found ?? '-')].join(' '),
    stopReason: () => undefined,
    ...ports,
  };
  const { calls, ...ended } = await runCell(buildCell(cell), all, signal ?? neverAborted);
  const { key: _key, cellHash: _cell, caseHash: _case, observe: _observe, mustPass: _must, at: _at, ...result } = ended;
  const paid = calls.map(({ requestHash, costUsd, billed, attempts, cached }) =>
    [requestHash, costUsd, billed === undefined ? 'live' : `billed ${billed.costUsd}`, attempts, cached].join(' '),
  );
  return { log, paid, result };
}

function describeMessage({ role, content, toolCalls, toolCallId, isError, name }: Message): string {
  const called =
    toolCalls?.length === 0 ? ' []' : (toolCalls ?? []).map((call) => ` ${call.name}(${call.id})`).join('');
  return `${role} ${content}${called}${toolCallId === undefined ? '' : ` [${name} ${toolCallId}${isError === true ? ' error' : ''}]`}`;
}

function describeStep({ text, calls }: AgentStep): string {
  return `${text}:${calls.map(({ name, result }) => `${name}=${result?.content ?? 'none'}`).join(',')}`;
}

function describeJudged({ completion, conversation, steps, isPathUnknown, state, latencyMs }: JudgedAnswer) {
  return [
    `"${completion.text}"`,
    `calls ${completion.toolCalls.map(({ name }) => name).join(',')}`,
    `steps ${steps.map(describeStep).join(' ')}`,
    `after ${conversation.map(({ role, content }) => `${role} ${content}`).join(', ')}`,
    `${latencyMs} ms and ${completion.usage?.outputTokens ?? 'no'} tokens`,
    ...(isPathUnknown === true ? ['path unknown'] : []),
    ...(state === undefined ? [] : [`state ${JSON.stringify(state)}`]),
  ].join('; ');
}

const agent: AgentSettings = { stubs: [], maxSteps: 5 };
const checks = [buildCheck()];
const call = (name: string, id?: string): ToolCall => ({
  ...(id === undefined ? {} : { id }),
  name,
  arguments: {},
  rawArguments: '{}',
});
const calling = (...toolCalls: readonly ToolCall[]) => completed({ text: 'wait', toolCalls });
const userTurn = (content: string, isChecked = false): Turn => ({
  kind: 'user',
  content,
  checks: isChecked ? checks : [],
});
const done = completed({ text: 'done' });

describe('a cell with tools', () => {
  test('answers the calls of each step and hands their results on, each under the id of its call', async () => {
    const { log, result, paid } = await converse({
      cell: { agent, checks },
      outcomes: [calling(call('find', 'a'), call('pay')), calling(call('find')), done],
      tools: { find: 'order 7', pay: { content: 'no money', isError: true } },
    });
    expect(log).toEqual([
      'ask user Route: I want my money back',
      'open tools',
      'tool find',
      'tool pay',
      'ask user Route: I want my money back | assistant wait find(a) pay(call_0_1) | tool order 7 [find a] | tool no money [pay call_0_1 error]',
      'tool find',
      'ask user Route: I want my money back | assistant wait find(a) pay(call_0_1) | tool order 7 [find a] | tool no money [pay call_0_1 error] | assistant wait find(call_1_0) | tool order 7 [find call_1_0]',
      'read state',
      'judge "done"; calls find,pay,find; steps wait:find=order 7,pay=no money wait:find=order 7 done:; after assistant wait, tool order 7, tool no money, assistant wait, tool order 7; 300 ms and 6 tokens',
      'close tools',
    ]);
    expect(paid).toEqual(['key-1 2 live 1 false', 'key-4 2 live 1 false', 'key-6 2 live 1 false']);
    const usage = { inputTokens: 10, outputTokens: 2 };
    const made = (name: string, content: string, isError?: true) => ({
      name,
      arguments: {},
      rawArguments: '{}',
      result: { content, ...(isError && { isError }) },
    });
    expect(result).toStrictEqual({
      status: 'judged',
      passed: true,
      score: 1,
      attempts: 3,
      judgeCostUsd: 0,
      verdicts: [{ assertion: 'contains', pass: true, score: 1, reason: '', weight: 1, required: false }],
      steps: [
        {
          text: 'wait',
          calls: [{ ...made('find', 'order 7'), id: 'a' }, made('pay', 'no money', true)],
          latencyMs: 100,
          usage,
        },
        { text: 'wait', calls: [made('find', 'order 7')], latencyMs: 100, usage },
        { text: 'done', calls: [], latencyMs: 100, usage },
      ],
    });
  });

  test('has no number of tokens where one of its answers tells none', async () => {
    const untold = calling(call('find'));
    if (untold.status !== 'completed') throw new Error('It is completed.');
    const { usage: _usage, ...completion } = untold.completion;
    const outcomes = [{ ...untold, completion }, done];
    const { log } = await converse({ cell: { agent, checks }, outcomes, tools: { find: 'order 7' } });
    expect(log.at(-2)).toContain('; 200 ms and no tokens');
  });

  test.each<[string, Scenario, readonly string[], object]>([
    [
      'at the most answers that it may have',
      { cell: { agent: { stubs: [], maxSteps: 2 } }, outcomes: [calling(call('a')), calling(call('a'), call('b'))] },
      ['a'],
      { assertion: 'tools', reason: 'still calls "a", "b" after 2 answers, the most that maxSteps allows' },
    ],
    [
      'at its only answer',
      { cell: { agent: { stubs: [], maxSteps: 1 } }, outcomes: [calling(call('a'))] },
      [],
      { assertion: 'tools', reason: 'still calls "a" after 1 answer, the most that maxSteps allows' },
    ],
    [
      'with more calls at once than are allowed',
      { cell: { agent }, outcomes: [calling(...Array.from({ length: 17 }, () => call('a')))] },
      [],
      { assertion: 'tools', reason: 'makes 17 tool calls at once, and 16 are the most' },
    ],
    [
      'with a call that the stubs forbid',
      {
        cell: { agent },
        outcomes: [calling(call('a'), call('b'), call('c'))],
        tools: { b: { kind: 'fails', reason: 'b is forbidden' } },
      },
      ['a', 'b'],
      { assertion: 'tools', reason: 'b is forbidden' },
    ],
    [
      'with a turn left at the most answers that it may have',
      { cell: { agent: { stubs: [], maxSteps: 1 }, turns: [userTurn('and?')] }, outcomes: [done] },
      [],
      { assertion: 'tools', turn: 0, reason: 'has turns left after 1 answer, the most that maxSteps allows' },
    ],
  ])('fails without a further request %s', async (_how, scenario, called, verdict) => {
    const { log, result } = await converse(scenario);
    expect(log.filter((line) => line.startsWith('tool ')).map((line) => line.slice(5))).toEqual(called);
    expect(log.filter((line) => line.startsWith('judge '))).toEqual([]);
    expect(log.includes('open tools')).toBe(called.length > 0);
    expect(log.includes('close tools')).toBe(called.length > 0);
    expect(result).toMatchObject({
      status: 'judged',
      passed: false,
      score: 0,
      verdicts: [{ pass: false, score: 0, weight: 1, required: true, ...verdict }],
    });
  });

  test('may make as many calls at once as are allowed, and have a last turn with its last answer', async () => {
    const sixteen = Array.from({ length: 16 }, () => call('a'));
    const { log, result } = await converse({ cell: { agent }, outcomes: [calling(...sixteen), done] });
    expect(log.filter((line) => line === 'tool a')).toHaveLength(16);
    expect(result).toMatchObject({ passed: true });
    const turns = [userTurn('and?')];
    const last = await converse({ cell: { agent: { stubs: [], maxSteps: 2 }, turns }, outcomes: [done, done] });
    expect(last.result).toMatchObject({ passed: true, steps: [{ text: 'done' }, { text: 'done' }] });
    // A turn that needs no further answer is no turn left.
    const first: Turn = { kind: 'first', checks };
    const judged = await converse({ cell: { agent: { stubs: [], maxSteps: 1 }, turns: [first] }, outcomes: [done] });
    expect(judged.result).toMatchObject({ passed: true, verdicts: [{ turn: 0 }, {}] });
  });

  test.each([
    ['not be run', neverAborted, undefined, { status: 'errored', failure: { kind: 'check', message: 'no node' } }],
    ['not be run any more', AbortSignal.abort(), 'deadline', { status: 'skipped', reason: 'deadline' }],
  ] as const)('whose tool could %s is without a verdict', async (_how, signal, stopReason, expected) => {
    const errored = { kind: 'errored', message: 'no node' } as const;
    const cell = { agent, checks };
    const ports = { stopReason: () => stopReason };
    const { log, result } = await converse({
      cell,
      signal,
      ports,
      outcomes: [calling(call('a'))],
      tools: { a: errored },
    });
    expect(log.slice(1)).toEqual(['open tools', 'tool a', 'close tools']);
    expect(result).toMatchObject({ ...expected, steps: [{ text: 'wait', calls: [{ name: 'a' }] }] });
    // What the tools have changed can't be read either.
    const unread = await converse({ cell, signal, ports, outcomes: [done], state: { fault: 'no node' } });
    expect(unread.log.slice(1)).toEqual(['open tools', 'read state', 'close tools']);
    expect(unread.result).toMatchObject(expected);
  });

  test('is judged and recorded with what its tools have changed', async () => {
    const { log, result } = await converse({
      cell: { agent, checks, turns: [userTurn('and?', true)] },
      outcomes: [calling(call('a')), completed({ text: 'one' }), done],
      state: { state: { paid: 7 } },
    });
    expect(log.filter((line) => line.startsWith('judge '))).toEqual([
      'judge "done"; calls ; steps done:; after assistant wait, tool nothing, assistant one, user and?; 300 ms and 6 tokens; state {"paid":7}',
      'judge "done"; calls a; steps wait:a=nothing one: done:; after assistant wait, tool nothing, assistant one, user and?; 300 ms and 6 tokens; state {"paid":7}',
    ]);
    expect(result).toMatchObject({ state: { paid: 7 }, verdicts: [{ turn: 0 }, {}] });
  });

  test('reads what its tools hold only for checks, and is not judged further where that fails', async () => {
    const turns = [userTurn('and?')];
    const unchecked = await converse({ cell: { agent, checks, turns }, outcomes: [done, done] });
    expect(unchecked.log.filter((line) => line === 'read state')).toHaveLength(1);
    const cell = { agent, checks, turns: [userTurn('and?', true)] };
    const unread = await converse({ cell, outcomes: [done, done], state: { fault: 'no node' } });
    expect(unread.log.slice(2)).toEqual(['open tools', 'read state', 'close tools']);
    expect(unread.result).toMatchObject({ status: 'errored', failure: { kind: 'check', message: 'no node' } });
  });

  test('without a call opens its tools only to read what they hold', async () => {
    const { log } = await converse({ cell: { agent, checks }, outcomes: [done] });
    expect(log).toEqual([
      'ask user Route: I want my money back',
      'open tools',
      'read state',
      'judge "done"; calls ; steps done:; after ; 100 ms and 2 tokens',
      'close tools',
    ]);
  });

  test('that answers the calls of a model itself, turn by turn, keeps its steps', async () => {
    const turns: readonly Turn[] = [{ kind: 'toolResult', name: 'a', content: 'rain', checks }, userTurn('and?')];
    const { log, result } = await converse({ cell: { turns, checks }, outcomes: [calling(call('a')), done, done] });
    expect(log).toEqual([
      'ask user Route: I want my money back',
      'ask user Route: I want my money back | assistant wait a(call_0_0) | tool rain [a call_0_0]',
      'judge "done"; calls ; steps done:; after assistant wait, tool rain; 200 ms and 4 tokens',
      'ask user Route: I want my money back | assistant wait a(call_0_0) | tool rain [a call_0_0] | assistant done | user and?',
      'judge "done"; calls ; steps wait:a=none done: done:; after assistant wait, tool rain, assistant done, user and?; 300 ms and 6 tokens',
    ]);
    expect(result).toMatchObject({ steps: [{ text: 'wait' }, { text: 'done' }, { text: 'done' }] });
    expect('state' in result).toBe(false);
  });

  test('leaves a call as it is where only the model may speak', async () => {
    const { log, result } = await converse({ cell: { checks }, outcomes: [calling(call('a'))] });
    expect(log).toEqual([
      'ask user Route: I want my money back',
      'judge "wait"; calls a; steps wait:a=none; after ; 100 ms and 2 tokens',
    ]);
    expect([result.steps, 'steps' in result]).toEqual([undefined, false]);
  });
});

describe('an answer whose call the API could not read', () => {
  const broken = completed({ text: 'I look.', finishReason: 'other', rawFinishReason: 'UNEXPECTED_TOOL_CALL' });

  test.each<[string, Partial<Cell>]>([
    ['a check that would pass it', { checks: [buildCheck()] }],
    ['no check', { checks: [] }],
    [
      'a turn to come',
      {
        turns: [
          { kind: 'first', checks: [] },
          { kind: 'user', content: 'and?', checks: [] },
        ],
      },
    ],
  ])('fails its cell, and nothing is asked after it: %s', async (_, cell) => {
    const { log, result } = await converse({ cell, outcomes: [broken] });
    expect(log).toHaveLength(1);
    expect(result).toMatchObject({
      status: 'judged',
      passed: false,
      verdicts: [
        {
          assertion: 'tools',
          pass: false,
          required: true,
          reason:
            'the model wrote a tool call that its API could not read, and the answer lacks it: it stopped by "UNEXPECTED_TOOL_CALL"',
        },
      ],
    });
  });
});

describe('an agent of the user’s own', () => {
  const steps: readonly AgentStep[] = [
    { text: 'looks', calls: [{ ...call('find'), result: { content: '7' } }] },
    { text: 'pays', calls: [{ ...call('pay'), result: { content: 'ok' } }] },
    { text: 'done', calls: [] },
  ];
  const reported = (more: Partial<Completion> = {}) => completed({ text: 'done', steps, ...more });

  test('is judged on the steps and the state that it reports', async () => {
    const { log, result } = await converse({ cell: { checks }, outcomes: [reported({ state: { paid: 1 } })] });
    expect(log).toEqual([
      'ask user Route: I want my money back',
      'judge "done"; calls find,pay; steps looks:find=7 pays:pay=ok done:; after ; 100 ms and 2 tokens; state {"paid":1}',
    ]);
    expect(result).toMatchObject({ steps, state: { paid: 1 } });
    const turns = [userTurn('and?')];
    const talk = await converse({ cell: { checks, turns }, outcomes: [reported({ state: { paid: 1 } }), reported()] });
    expect(talk.result).toMatchObject({ steps: [...steps, ...steps], state: { paid: 1 } });
  });

  test('keeps the state that it reports where the stubs of its case have none', async () => {
    const { log, result } = await converse({ cell: { agent, checks }, outcomes: [reported({ state: { paid: 1 } })] });
    expect(log.slice(1, 5)).toEqual(['open tools', 'may call find', 'may call pay', 'read state']);
    expect(result).toMatchObject({ passed: true, state: { paid: 1 } });
  });

  test.each<[string, ToolOutcome, object]>([
    [
      'fails at a call that the stubs forbid',
      { kind: 'fails', reason: 'not twice' },
      { status: 'judged', passed: false, verdicts: [{ assertion: 'tools', reason: 'not twice', required: true }] },
    ],
    [
      'is errored where the stubs can’t be asked',
      { kind: 'errored', message: 'too slow' },
      { status: 'errored', failure: { kind: 'check', message: 'too slow' }, verdicts: [] },
    ],
  ])('%s', async (_what, outcome, expected) => {
    const { log, result } = await converse({
      cell: { agent, checks },
      outcomes: [reported()],
      forbidden: { find: outcome },
    });
    expect(log.slice(1)).toEqual(['open tools', 'may call find', 'close tools']);
    expect(result).toMatchObject({ ...expected, steps });
  });

  test('goes on past a call to which the stubs have an answer', async () => {
    const outcome: ToolOutcome = { kind: 'result', result: { content: '7' } };
    const { log, result } = await converse({
      cell: { agent, checks },
      outcomes: [reported()],
      forbidden: { find: outcome },
    });
    expect(log.slice(1, 5)).toEqual(['open tools', 'may call find', 'may call pay', 'read state']);
    expect(result).toMatchObject({ passed: true });
  });

  const hidesCalls = { hidesCalls: true };
  test.each<[string, Scenario, boolean, boolean]>([
    ['that answers in text', { outcomes: [done], ports: hidesCalls }, true, false],
    ['that answers as a model', { outcomes: [done] }, false, false],
    ['that reports its steps', { outcomes: [reported()], ports: hidesCalls }, false, true],
    ['that reports one step', { outcomes: [reported({ steps: [] })], ports: hidesCalls }, false, true],
    ['that reports a call', { outcomes: [calling(call('a'))], ports: hidesCalls }, false, false],
    [
      'of a case with tools that answers an object',
      { cell: { agent }, outcomes: [done], ports: hidesCalls },
      false,
      true,
    ],
    [
      'of a case with tools that answers in text',
      { cell: { agent }, outcomes: [completed({ isTextAlone: true })], ports: hidesCalls },
      true,
      false,
    ],
    [
      'of a case with tools that answers one turn as an object',
      {
        cell: { agent, turns: [userTurn('and?')] },
        outcomes: [completed({ isTextAlone: true }), done],
        ports: hidesCalls,
      },
      false,
      true,
    ],
  ])('%s has hidden its calls or not', async (_what, scenario, isPathUnknown, hasSteps) => {
    const { log, result } = await converse({ ...scenario, cell: { ...scenario.cell, checks } });
    expect([log.join().includes('path unknown'), 'steps' in result]).toEqual([isPathUnknown, hasSteps]);
  });

  test('that gives no answer at all has no steps that could be hidden', async () => {
    const { result } = await converse({ cell: { agent }, outcomes: [failed('server')], ports: hidesCalls });
    expect(result).toEqual({
      status: 'errored',
      attempts: 1,
      verdicts: [],
      judgeCostUsd: 0,
      failure: { kind: 'server', message: 'no luck: server' },
      steps: [],
    });
  });
});

describe('what a cell says of its answer', () => {
  const classes: CellClasses = { truth: 'billing', found: { kind: 'text' }, by: 'text' };
  test.each<[string, Scenario, unknown]>([
    ['an answer', { outcomes: [done] }, 'done 0 - "-"'],
    [
      'the last of several answers',
      { cell: { turns: [userTurn('and?')] }, outcomes: [done, completed({ text: 'last' })] },
      'last 0 - "-"',
    ],
    [
      'an answer after calls',
      { cell: { agent }, outcomes: [calling(call('a')), done], state: { state: 7 } },
      'done 0 2 7',
    ],
    [
      'a conversation that broke off',
      { cell: { agent: { stubs: [], maxSteps: 1 } }, outcomes: [calling(call('a'))] },
      null,
    ],
    ['a prompt that was too long', { outcomes: [failed('contextLength')] }, null],
    ['an error', { outcomes: [failed('server')] }, undefined],
    ['a cell that was stopped', { outcomes: [failed('budget')] }, undefined],
  ])('is the class of %s', async (_what, scenario, found) => {
    const { result } = await converse({ ...scenario, cell: { ...scenario.cell, classes } });
    expect(result.classified).toEqual({ truth: 'billing', by: 'text', ...(found === undefined ? {} : { found }) });
  });

  test('is no class without classes', async () => {
    expect('classified' in (await converse({ outcomes: [done] })).result).toBe(false);
  });

  test('is what it was billed, where a batch brought it', async () => {
    const batched = { ...done, batched: true } as const;
    const { paid } = await converse({ cell: { turns: [userTurn('and?')] }, outcomes: [batched, done] });
    expect(paid).toEqual(['key-1 2 billed 1 1 false', 'key-3 2 live 1 false']);
  });

  test.each([
    [0, {}],
    [1, { judgeCostUsd: 1 }],
    [undefined, { judgeCostUsd: undefined }],
  ])('is, once it was stopped, what its judges cost: %s', async (judgeCostUsd, expected) => {
    const { result } = await converse({
      cell: { checks },
      outcomes: [done],
      ports: {
        judge: async () => ({ verdicts: [], judgeCostUsd, failure: { kind: 'budget', message: 'too dear' } }),
        decide: () => ({ status: 'errored', reason: 'not judged' }),
      },
    });
    expect(result).toEqual({ status: 'skipped', reason: 'budget', message: 'not judged', ...expected });
  });

  test.each([
    ['budget', false, 'skipped budget'],
    ['budget', true, 'skipped budget'],
    ['aborted', false, 'errored aborted'],
    ['cacheMiss', false, 'errored cacheMiss'],
    ['cacheMiss', true, 'errored aborted'],
    ['server', false, 'errored check'],
    ['server', true, 'errored aborted'],
    [undefined, false, 'errored check'],
  ] as const)('names why a judge did not answer: %s, aborted %s', async (kind, isAborted, expected) => {
    const { result } = await converse({
      cell: { checks },
      outcomes: [done],
      signal: isAborted ? AbortSignal.abort() : neverAborted,
      ports: {
        judge: async () => ({
          verdicts: [],
          judgeCostUsd: 0,
          ...(kind !== undefined && { failure: { kind, message: '' } }),
        }),
        decide: () => ({ status: 'errored', reason: 'not judged' }),
      },
    });
    const why = result.status === 'errored' ? result.failure.kind : result.status === 'skipped' ? result.reason : '';
    expect(`${result.status} ${why}`).toBe(expected);
  });

  test('keeps the failure of an earlier judgement until a later one fails', async () => {
    const failures = [{ kind: 'budget', message: 'first' } as const, undefined];
    let judged = 0;
    const { result } = await converse({
      cell: { checks, turns: [userTurn('and?', true)] },
      outcomes: [done, done],
      ports: {
        judge: async () => {
          const failure = failures[judged];
          judged += 1;
          return { verdicts: [], judgeCostUsd: 0, ...(failure !== undefined && { failure }) };
        },
        decide: () => ({ status: 'errored', reason: 'not judged' }),
      },
    });
    expect([judged, result.status]).toEqual([2, 'skipped']);
  });

  test('shows its checks what was said after the messages of its prompt', async () => {
    const system: Message = { role: 'system', content: 'Be short.' };
    const user: Message = { role: 'user', content: 'hello' };
    const { request } = buildCell();
    const messages = [system, user];
    const joined = await converse({
      cell: { checks, request: { ...request, messages }, promptMessages: 1, turns: [{ kind: 'first', checks }] },
      outcomes: [done],
    });
    const judged = 'judge "done"; calls ; steps done:; after user hello; 100 ms and 2 tokens';
    expect(joined.log).toEqual(['ask system Be short. | user hello', judged, judged]);
    const next = await converse({
      cell: { checks, promptMessages: 0, turns: [{ kind: 'first', checks: [] }, userTurn('and?')] },
      outcomes: [done, completed({ text: 'last' })],
    });
    expect(next.log).toEqual([
      'ask user Route: I want my money back',
      'ask user Route: I want my money back | assistant done | user and?',
      'judge "last"; calls ; steps done: last:; after user Route: I want my money back, assistant done, user and?; 200 ms and 4 tokens',
    ]);
    const own = await converse({ cell: { checks, request: { ...request, messages } }, outcomes: [done] });
    expect(own.log[1]).toBe('judge "done"; calls ; steps done:; after ; 100 ms and 2 tokens');
  });
});
