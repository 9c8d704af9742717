import { describe, expect, test } from 'vitest';
import { isRefusedByTools, mutatePath } from '../../src/measuring/replay-agent.ts';
import type { AgentStep, ToolCall } from '../../src/model/run/completion.ts';
import type { CheckSpec } from '../../src/model/run/verdict.ts';
import type { AgentSettings, ToolStub } from '../../src/model/suite/agent.ts';
import { buildCell, buildCheck, buildRequest } from '../support/build-case.ts';

const call = (name: string, args: object = {}): ToolCall => ({
  name,
  arguments: args as ToolCall['arguments'],
  rawArguments: JSON.stringify(args),
});
const step = (...names: readonly string[]): AgentStep => ({ text: '', calls: names.map((name) => call(name)) });
const answerOf = (...steps: readonly AgentStep[]) => ({
  text: 'done',
  toolCalls: steps.flatMap(({ calls }) => calls),
  steps,
});
const stub = (name: string, more: Partial<ToolStub> = {}): ToolStub => ({
  name,
  answer: { kind: 'returns', content: 'ok' },
  ...more,
});
const agent = (stubs: readonly ToolStub[], more: Partial<AgentSettings> = {}): AgentSettings => ({
  stubs,
  maxSteps: 3,
  ...more,
});

describe('the wrong paths of an agent', () => {
  const details = (cell: Parameters<typeof mutatePath>[0], checks: readonly CheckSpec[] = []) =>
    [...mutatePath(cell, checks, answerOf(step('find'), step('pay'), step()))].map(({ kind, detail }) => {
      return `${kind}: ${detail}`;
    });
  const forbidden = (cell: Parameters<typeof mutatePath>[0]) =>
    [...mutatePath(cell, [], answerOf(step('find'), step()))].flatMap(({ kind, answer }) =>
      kind === 'forbidden-call' ? [answer.toolCalls.at(-1)] : [],
    );

  test('call each tool of the case and of the request once that the right one does not call', () => {
    const when = { args: { id: 7 } } as unknown as NonNullable<ToolStub['when']>;
    const cell = buildCell({
      agent: agent([stub('find'), stub('drop', { when }), stub('drop'), stub('list')]),
      request: buildRequest({
        params: { tools: ['find', 'list', 'buy', 'buy'].map((name) => ({ type: 'function', function: { name } })) },
      }),
    });
    expect(forbidden(cell)).toEqual([call('drop', { id: 7 }), call('list'), call('buy')]);
    expect(forbidden(buildCell({}))).toEqual([]);
  });

  test('are reordered unless every check takes the calls in any order', () => {
    const isReordered = (...checks: readonly CheckSpec[]) =>
      details(buildCell({}), checks).includes('calls-reordered: pay before find');
    const trajectory = (params: object) => buildCheck({ assertion: 'trajectory', params: params });
    const toolCalls = (params: object) => buildCheck({ assertion: 'toolCalls', params: params });
    expect(isReordered()).toBe(true);
    expect(isReordered(trajectory({ calls: [], order: 'any' }))).toBe(false);
    expect(isReordered(trajectory({ after: {}, order: 'any' }))).toBe(false);
    expect(isReordered(toolCalls({ value: [], order: 'any' }))).toBe(false);
    expect(isReordered(toolCalls({ names: [], order: 'any' }))).toBe(false);
    expect(isReordered(trajectory({ calls: [], order: 'any' }), toolCalls({ value: [], order: 'exact' }))).toBe(true);
    expect(isReordered(trajectory({ calls: [] }))).toBe(true);
    // One that says nothing about calls has no order.
    expect(isReordered(trajectory({ order: 'any' }))).toBe(true);
    expect(isReordered(toolCalls({ order: 'any' }))).toBe(true);
    expect(isReordered(toolCalls({ calls: [], order: 'any' }))).toBe(true);
    expect(isReordered(trajectory({ calls: [], order: 'any' }), trajectory({ maxSteps: 4 }), buildCheck())).toBe(false);
    const nested = (child: CheckSpec) =>
      buildCheck({ assertion: 'allOf', params: undefined as never, children: [child] });
    expect(isReordered(nested(trajectory({ calls: [], order: 'any' })))).toBe(false);
    expect(isReordered(trajectory({ calls: [], order: 'any' }), nested(trajectory({ calls: [] })))).toBe(true);
  });
});

describe('a path that the tools of the case refuse', () => {
  const never = stub('drop', { answer: { kind: 'never' } });
  const isRefused = (settings: AgentSettings | undefined, ...steps: readonly AgentStep[]) =>
    isRefusedByTools(buildCell(settings === undefined ? {} : { agent: settings }), answerOf(...steps));

  test('has a call that no stub answers, or that none may answer', async () => {
    const stubs = agent([stub('find'), never]);
    expect(await isRefused(stubs, step('find'), step())).toBe(false);
    expect(await isRefused(stubs, step('find'), step('find', 'other'), step())).toBe(true);
    expect(await isRefused(stubs, step('drop'), step())).toBe(true);
    expect(await isRefused(stubs, step())).toBe(false);
    // The tool's own error is a result.
    expect(await isRefused(agent([stub('find', { answer: { kind: 'fails', message: 'no' } })]), step('find'))).toBe(
      false,
    );
  });

  test('has more steps than the case allows', async () => {
    const stubs = agent([stub('find')], { maxSteps: 2 });
    expect(await isRefused(stubs, step('find'), step())).toBe(false);
    expect(await isRefused(stubs, step('find'), step('find'), step())).toBe(true);
  });

  test('is not known where a module or a server may answer, except for what a stub refuses', async () => {
    const module = { file: '/p/x.mjs' } as unknown as NonNullable<AgentSettings['module']>;
    const servers = new Map([['list', {}]]) as unknown as NonNullable<AgentSettings['servers']>;
    expect(await isRefused(agent([], { module }), step('any'), step())).toBe(false);
    expect(await isRefused(agent([never], { module }), step('drop'), step())).toBe(true);
    expect(await isRefused(agent([], { servers }), step('list'), step())).toBe(false);
    expect(await isRefused(agent([], { servers }), step('any'), step())).toBe(true);
  });

  test('is none where the cell is no agent, or its steps are not known', async () => {
    expect(await isRefused(undefined, step('any'))).toBe(false);
    const cell = buildCell({ agent: agent([]) });
    expect(await isRefusedByTools(cell, { text: 'x', toolCalls: [call('any')] })).toBe(false);
  });
});
