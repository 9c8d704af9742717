import { expect, test } from 'vitest';
import { completionOf, startChatServer } from '../../support/chat-server.ts';
import { openTempProject, plannedTrialsOf } from '../../support/temp-project.ts';

/** Rows as platform.openai.com/docs/guides/fine-tuning documents them, 2026-11-29. */
const tools = [
  {
    type: 'function',
    function: { name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
  },
];
const callOf = (city: string) => ({
  id: `call_${city}`,
  type: 'function',
  function: { name: 'get_weather', arguments: JSON.stringify({ city }) },
});
const asked = (content: string) => [
  { role: 'system', content: 'You know the weather.' },
  { role: 'user', content },
];
const rows = [
  {
    messages: [...asked('Bern and Rome?'), { role: 'assistant', tool_calls: [callOf('Bern'), callOf('Rome')] }],
    parallel_tool_calls: true,
    tools,
  },
  {
    messages: [
      ...asked('And {{ Oslo }}?'),
      { role: 'assistant', content: null, tool_calls: [callOf('{{ Oslo }}')] },
      { role: 'tool', tool_call_id: 'call_{{ Oslo }}', content: '{"degrees": "{{ 4 }}"}' },
      { role: 'assistant', content: 'It is cold.' },
    ],
    parallel_tool_calls: true,
    tools,
  },
  { messages: [...asked('Hello'), { role: 'assistant', content: 'Which city?' }], parallel_tool_calls: true, tools },
];

test('tools and calls of a fine-tuning file are asked for and judged', async () => {
  const project = openTempProject();
  project.write('train.jsonl', rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const imported = await project.run(['import', 'jsonl', 'train.jsonl']);
  expect([imported.code, imported.stderr]).toEqual([0, expect.not.stringContaining('error')]);
  const isRight = { now: true };
  const server = await startChatServer(({ messages, text }) => {
    const calls = (...cities: readonly string[]) => ({
      body: completionOf('', 'm', { tool_calls: cities.map(callOf) }),
    });
    if (messages.at(-1)?.role === 'tool') return text === '{"degrees": "{{ 4 }}"}' ? 'It is cold.' : 'unknown';
    if (text === 'Bern and Rome?') return isRight.now ? calls('Rome', 'Bern') : calls('Bern');
    if (text === 'And {{ Oslo }}?') return isRight.now ? calls('{{ Oslo }}') : 'It is cold.';
    return isRight.now ? 'Which city?' : calls('Bern');
  });
  const statuses = async () => {
    const { report } = await project.report(['run', '--cache', 'off'], { env: server.env });
    return plannedTrialsOf(report).map(({ status }) => status);
  };
  expect(await statuses()).toEqual(['passed', 'passed', 'passed']);
  isRight.now = false;
  expect(await statuses()).toEqual(['failed', 'failed', 'failed']);
  const [first] = server.requests;
  expect(JSON.parse(first?.body ?? '')).toMatchObject({
    tools,
    parallel_tool_calls: true,
    messages: [{ role: 'system' }, { role: 'user' }],
  });
  for (const { body } of server.requests) expect(JSON.parse(body)['messages'][1].content).not.toContain('get_weather');
});
