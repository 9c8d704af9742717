import { expect, test } from 'vitest';
import { completionOf, startChatServer } from '../../support/chat-server.ts';
import { openTempProject, trialsOf } from '../../support/temp-project.ts';

const call = {
  content: null,
  tool_calls: [{ id: 'call_9', type: 'function', function: { name: 'findOrder', arguments: '{"id":"4711"}' } }],
};

test("a conversation goes through tool results and turns, with the model's own answers in between", async () => {
  const project = openTempProject('conversation');
  const server = await startChatServer(({ index }) => {
    if (index === 0) return { body: completionOf('', 'm', call) };
    return index === 1 ? 'It is shipped.' : 'Shipped, again.';
  });
  const { code, report } = await project.report(['run'], { env: server.env });
  expect(code).toBe(0);
  expect(server.requests).toHaveLength(3);
  const { messages } = JSON.parse(server.requests[2]?.body ?? '') as { messages: { role: string; content: unknown }[] };
  expect(messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'tool', 'assistant', 'user']);
  expect(messages[3]).toMatchObject({ tool_call_id: 'call_9', content: '{"state":"shipped","parcels":2}' });
  expect(messages[5]?.content).toBe('And 4711 again?');
  const [trial] = trialsOf(report);
  expect(trial?.usage).toMatchObject({ inputTokens: 30, outputTokens: 15 });
  expect(trial?.checks.map(({ turn }) => turn)).toEqual([1, undefined]);
  const again = await project.report(['run'], { env: server.env });
  expect([again.report.totals.cached, server.requests.length]).toEqual([1, 3]);
});

test('a tool call that no result answers fails the cell without a further call', async () => {
  const project = openTempProject('conversation');
  const other = {
    ...call,
    tool_calls: [{ ...call.tool_calls[0], function: { name: 'cancelOrder', arguments: '{}' } }],
  };
  const server = await startChatServer(() => ({ body: completionOf('', 'm', other) }));
  const { code, report } = await project.report(['run'], { env: server.env });
  // Its six fresh trials go no further either.
  expect([code, server.requests.length]).toEqual([1, 7]);
  expect(report.totals).toMatchObject({ failed: 1, errored: 0 });
  expect(trialsOf(report)[0]?.checks.at(-1)?.reason).toContain('cancelOrder');
});

test('two tool calls both need an answer', async () => {
  const project = openTempProject('conversation');
  const second = { id: 'call_10', type: 'function', function: { name: 'cancelOrder', arguments: '{}' } };
  const both = { ...call, tool_calls: [...call.tool_calls, second] };
  const server = await startChatServer(() => ({ body: completionOf('', 'm', both) }));
  const { code, report } = await project.report(['run'], { env: server.env });
  // Its six fresh trials go no further either.
  expect([code, server.requests.length]).toEqual([1, 7]);
  expect(trialsOf(report)[0]?.checks.at(-1)?.reason).toContain('cancelOrder');
});

test('a failure half way is errored, and the paid part is kept for the next run', async () => {
  const project = openTempProject('conversation');
  let isBroken = true;
  const server = await startChatServer(({ messages }) => {
    if (messages.length === 2) return { body: completionOf('', 'm', call) };
    if (isBroken) return { status: 400, body: { error: { message: 'no' } } };
    return 'Shipped, again.';
  });
  const first = await project.report(['run'], { env: server.env });
  isBroken = false;
  const second = await project.report(['run'], { env: server.env });
  expect([first.code, second.code]).toEqual([3, 0]);
  expect(first.report.totals.spentUsd).toBeGreaterThan(0);
  expect(server.requests).toHaveLength(4);
});
