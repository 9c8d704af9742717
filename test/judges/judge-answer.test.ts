import { describe, expect, test } from 'vitest';
import {
  type AnswerToJudge,
  answerViewOf,
  classifyAnswer,
  decideAnswer,
  type JudgePorts,
  judgeAnswer,
} from '../../src/judges/judge-answer.ts';
import { maxClassLength } from '../../src/model/suite/classes.ts';
import { buildRow } from '../record/build-rows.ts';
import { buildCheck } from '../support/build-case.ts';

const key = { suite: 's', prompt: 'v1', provider: 'p', caseId: 'c', trial: 0 };
const snapshot = buildCheck({ assertion: 'snapshot', params: { value: 'exact' } });
const pairwise = buildCheck({ assertion: 'pairwise', params: { value: 'Which is kinder?' }, asks: 'strict' });
const rubric = buildCheck({ assertion: 'rubric', params: { value: 'Is it kind?' }, asks: 'strict' });
const equals = buildCheck({ assertion: 'equals', params: { value: 'yes' } });

/** Ports that note what they are asked for. */
function openPorts(costUsd: number | undefined) {
  const asked: string[] = [];
  const ports: JudgePorts = {
    findAccepted() {
      asked.push('accepted');
      return { text: 'yes', toolCalls: [] };
    },
    findOther() {
      asked.push('other');
      return Promise.resolve({ text: 'no', toolCalls: [] });
    },
    openAsker() {
      asked.push('asker');
      return {
        ask: () => Promise.resolve({ text: '{"reason":"kind","pass":true}', canRefresh: false }),
        costUsd: () => costUsd,
        failure: () => ({ kind: 'server', message: 'late', retryable: true }),
      };
    },
  };
  return { ports, asked };
}

async function judge(
  checks: AnswerToJudge['cell']['checks'],
  judged = checks,
  { costUsd }: { costUsd: number | undefined } = { costUsd: 0.5 },
) {
  const { ports, asked } = openPorts(costUsd);
  const completion = { text: 'yes', toolCalls: [], finishReason: 'stop' as const, latencyMs: 5 };
  const answer: AnswerToJudge = { cell: { key, checks, vars: {} }, completion, latencyMs: 5, costUsd: 0.1 };
  return { ...(await judgeAnswer(judged, answer, ports)), asked };
}

describe('the checks of an answer', () => {
  test('ask for nothing that they do not need', async () => {
    const { asked, verdicts, judgeCostUsd, failure } = await judge([equals]);
    expect([asked, verdicts.map(({ pass }) => pass), judgeCostUsd, failure]).toEqual([[], [true], 0, undefined]);
  });

  test.each([
    ['the accepted answer', snapshot, ['accepted']],
    ['the answer of the other side, and a model', pairwise, ['other', 'asker']],
    ['a model', rubric, ['asker']],
    ['a model below a combinator', buildCheck({ assertion: 'not', params: {}, children: [rubric] }), ['asker']],
  ])('ask for %s', async (_, check, asked) => {
    expect((await judge([equals, check])).asked).toEqual(asked);
  });

  test('of a turn know no accepted and no other answer', async () => {
    expect((await judge([equals, snapshot, pairwise], [snapshot, pairwise])).asked).toEqual(['asker']);
  });

  test('say what a model cost and what went wrong', async () => {
    const { judgeCostUsd, failure, verdicts } = await judge([rubric]);
    expect([judgeCostUsd, failure?.message, verdicts.length]).toEqual([0.5, 'late', 1]);
    expect((await judge([rubric], [rubric], { costUsd: undefined })).judgeCostUsd).toBeUndefined();
  });

  test('decide the answer, or say why they cannot', () => {
    const verdict = { assertion: 'equals', pass: true, score: 1, reason: 'equal', weight: 1, required: false };
    expect(decideAnswer([verdict], undefined)).toMatchObject({ status: 'decided', passed: true });
    expect(decideAnswer([{ ...verdict, error: 'no model' }], undefined)).toMatchObject({ status: 'errored' });
  });
});

test('the answer of a stored row is seen as it was', () => {
  const row = buildRow('a', { output: 'x', costUsd: 0.1, latencyMs: 5, finishReason: 'stop', reasoning: 'so' });
  expect(answerViewOf(row)).toEqual({
    text: 'x',
    toolCalls: [],
    finishReason: 'stop',
    latencyMs: 5,
    costUsd: 0.1,
    reasoning: 'so',
  });
  const more = {
    toolCalls: [{ name: 'find', arguments: {}, rawArguments: '{}' }],
    usage: { inputTokens: 1, outputTokens: 2 },
    state: { paid: true },
    firstTokenMs: 3,
  };
  const steps = [{ text: 'x', calls: [] }];
  expect(answerViewOf(buildRow('a', { output: 'x', costUsd: 0, trajectory: steps, ...more }))).toEqual({
    text: 'x',
    costUsd: 0,
    steps,
    ...more,
  });
  const { output: _output, ...silent } = buildRow('a', { costUsd: null });
  expect(answerViewOf(silent)).toStrictEqual({ text: '', toolCalls: [], costUsd: undefined });
});

test.each([
  ['billing', { kind: 'text' }, 'billing'],
  [' billing\n', { kind: 'text' }, 'billing'],
  ['', { kind: 'text' }, null],
  ['{"queue":"sales"}', { kind: 'jsonPath', path: '$.queue' }, 'sales'],
  ['{"queue":7}', { kind: 'jsonPath', path: '$.queue' }, '7'],
  ['{"queue":{}}', { kind: 'jsonPath', path: '$.queue' }, null],
  ['{"other":1}', { kind: 'jsonPath', path: '$.queue' }, null],
  ['x'.repeat(maxClassLength), { kind: 'text' }, 'x'.repeat(maxClassLength)],
  ['x'.repeat(maxClassLength + 1), { kind: 'text' }, 'x'.repeat(maxClassLength + 1)],
  ['x'.repeat(maxClassLength + 9), { kind: 'text' }, 'x'.repeat(maxClassLength + 1)],
] as const)('the answer %j names by %j the class %j', (text, select, found) => {
  expect(classifyAnswer(select as never, { text, toolCalls: [] })).toBe(found);
});
