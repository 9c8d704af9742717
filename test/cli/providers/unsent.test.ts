import { expect, it } from 'vitest';
import { startServer } from '../../support/http-server.ts';
import { openTempProject } from '../../support/temp-project.ts';

const system = { role: 'system', content: 'One word.' };
const user = { role: 'user', content: '{{ q }}' };
const answer = { role: 'assistant', content: 'So?' };
const second = { turns: [{ user: 'And now?' }] };
const first = { turns: [{ assert: [{ contains: 'a' }] }] };
const earlier = 'the messages before the last one of the user';

it.each<readonly [string, object | undefined, readonly object[], object, object, readonly string[]]>([
  ['the default request and one message', undefined, [user], {}, {}, []],
  ['a system message', undefined, [system, user], {}, {}, ['the system message']],
  ['a system message that is sent', { a: '{{ system }}: {{ prompt }}' }, [system, user], {}, {}, []],
  ['all messages', { a: '{{ messages | json }}' }, [system, user, answer, user], second, {}, []],
  ['an earlier question', undefined, [user, answer, user], {}, {}, [earlier]],
  ['a conversation', undefined, [user], second, {}, [earlier]],
  ['a check of the first answer', undefined, [user], first, {}, []],
  ['the first turn after a system message', undefined, [system], second, {}, ['the system message']],
  ['params', undefined, [user], {}, { temperature: 0, seed: 1 }, ['the params temperature, seed']],
  ['params that are sent', { a: '{{ prompt }}', t: '{{ params.temperature }}' }, [user], {}, { temperature: 0 }, []],
  ['nothing of the prompt', { a: 'hello' }, [user], {}, {}, ['the message of the user']],
  ['variables alone', { a: '{{ vars.q }}' }, [user], {}, {}, []],
])(
  'a request of http with %s warns of each part that it leaves out',
  async (_name, request, messages, keys, params, parts) => {
    const project = openTempProject();
    const suite = {
      suite: 'unsent',
      prompts: [{ id: 'v1', messages, params }],
      providers: [{ id: 'app', use: 'http:app', baseURL: 'http://127.0.0.1:1', ...(request && { request }) }],
      cases: [{ id: 'one', vars: { q: 'Q' }, assert: [{ contains: 'a' }], ...keys }],
    };
    project.write('evals/unsent.eval.yaml', JSON.stringify(suite));
    const { code, stderr } = await project.run(['validate']);
    const warned = [...stderr.matchAll(/warning unused-variable: provider app does not send (.*) of prompt v1$/gm)];
    expect([code, warned.map(([, part]) => part)]).toEqual([0, parts]);
  },
);

it.each<readonly [string, object | undefined, object, number]>([
  ['one that sends the last message', undefined, { rubric: 'Is it kind?' }, 2],
  ['one within another check', undefined, { anyOf: [{ contains: 'b' }, { rubric: 'Is it kind?' }] }, 2],
  ['one that sends all', { a: '{{ messages }}' }, { rubric: 'Is it kind?' }, 0],
  [
    'one that is asked to choose',
    undefined,
    {
      choice: {
        value: 'Is {answer} kind?',
        choices: [
          { choice: 'yes', score: 1 },
          { choice: 'no', score: 0 },
        ],
      },
    },
    0,
  ],
])('a judge over http must be sent what it judges: %s', async (_name, request, check, code) => {
  const project = openTempProject();
  const suite = {
    suite: 'judged',
    prompts: [{ id: 'v1', text: '{{ q }}' }],
    providers: ['echo:prompt'],
    judges: [{ id: 'judge', use: 'http:app', baseURL: 'http://127.0.0.1:1', ...(request && { request }) }],
    cases: [{ id: 'one', vars: { q: 'Q' }, assert: [check] }],
  };
  project.write('evals/judged.eval.yaml', JSON.stringify(suite));
  const result = await project.run(['validate']);
  const isRefused = result.stderr.includes('judge judge does not send all messages that it is asked with');
  expect([result.code, isRefused]).toEqual([code, code === 2]);
});

it('a run says so before its first call', async () => {
  const server = await startServer({ body: { text: 'a' } });
  const project = openTempProject();
  const providers = [{ id: 'app', use: 'http:app', baseURL: server.url }];
  const cases = [{ id: 'one', vars: { q: 'Q' }, assert: [{ contains: 'a' }] }];
  const suite = { suite: 'unsent', prompts: [{ id: 'v1', messages: [system, user] }], providers, cases };
  project.write('evals/unsent.eval.yaml', JSON.stringify(suite));
  const { code, stderr } = await project.run(['run']);
  await server.close();
  expect([code, stderr]).toEqual([0, expect.stringContaining('does not send the system message of prompt v1')]);
});
