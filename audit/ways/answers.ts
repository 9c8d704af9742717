import { fewModes, modeNames } from '../modes.ts';
import { type Project, queueOf } from '../project.ts';
import { completionOf, type Reply } from '../replies.ts';
import { unasked, type Way } from '../way.ts';

/** The case that is answered last in the suite file, so that a resumed run still asks for it. */
const lateTicket = 'charged twice';

/** Answers one ticket in another way, the others rightly. */
function answerLate(project: Project, reply: string | Reply): void {
  project.answer = ({ text }) => (text.includes(lateTicket) ? reply : queueOf(text));
}

function loosen(project: Project): void {
  project.suite.defaults = { assert: [{ regex: '.' }] };
}

const answer = (name: string, why: string, reply: string | Reply, more: Partial<Way> = {}): Way => ({
  name,
  why,
  plant: (project) => answerLate(project, reply),
  modes: [...fewModes, 'drift'],
  green: unasked,
  ...more,
});

/** The model or its server says something else than before. */
export const answerWays: readonly Way[] = [
  answer('one wrong answer', 'one failure among many is averaged away', 'shipping'),
  {
    name: 'all answers are wrong',
    why: 'both sides of a comparison fail alike',
    modes: modeNames,
    plant(project) {
      project.answer = () => 'nonsense';
    },
    green: unasked,
  },
  answer('a zero-width space in an answer', 'it looks the same on a screen', 'billing\u200b'),
  answer('a right answer with more around it', 'a check of a part takes it for the whole', 'not billing'),
  answer(
    'a tool call that the API could not read',
    'the answer has no call, so nothing that is forbidden was called',
    { body: completionOf('I look it up.', { finish_reason: 'unexpected_tool_call' }) },
    {
      project(project) {
        project.suite.defaults = { assert: [{ toolCalls: { none: true } }] };
      },
    },
  ),
  answer('an empty answer', 'an empty text is taken for one that has nothing wrong', '', { project: loosen }),
  answer('white space alone', 'a text is there', '  \n ', {
    project(project) {
      project.suite.defaults = { assert: [{ regex: '\\S' }] };
    },
  }),
  answer(
    'status 200 with an error as body',
    'the status says that it went well',
    {
      body: { error: { message: 'overloaded', type: 'server_error' } },
    },
    { project: loosen },
  ),
  answer(
    'a page of HTML with status 200',
    'a proxy answers in the place of the model',
    {
      headers: { 'content-type': 'text/html' },
      body: '<html>Log in to the guest network</html>',
    },
    { project: loosen },
  ),
  answer(
    'status 204 without a body',
    'a status of the 200s is success',
    { status: 204, body: '' },
    { project: loosen },
  ),
  answer('status 500', 'a cell without an answer leaves the pass rate', {
    status: 500,
    body: { error: { message: 'down' } },
  }),
  answer('status 429', 'a cell without an answer leaves the pass rate', {
    status: 429,
    body: { error: { message: 'slow down' } },
  }),
  answer('status 401', 'a refused key leaves the pass rate', { status: 401, body: { error: { message: 'bad key' } } }),
  answer('status 404', 'a model that is gone leaves the pass rate', {
    status: 404,
    body: { error: { message: 'no such model', code: 'model_not_found' } },
  }),
  answer(
    'no choices',
    'an answer without a text',
    { body: { ...completionOf('billing'), choices: [] } },
    { project: loosen },
  ),
  answer('a null content', 'null is taken for an empty text', { body: completionOf(null) }, { project: loosen }),
  answer('a content filter stopped the answer', 'what came before the stop passes', {
    body: completionOf('billing', { finish_reason: 'content_filter' }),
  }),
  answer(
    'a busy server broke the answer off',
    'the part that came passes a loose check',
    { body: completionOf('billing', { finish_reason: 'insufficient_system_resource' }) },
    { project: loosen },
  ),
  answer(
    'the API could not read the call that the model made',
    'an answer without a call breaks no rule about calls',
    { body: completionOf('billing', { finish_reason: 'MALFORMED_FUNCTION_CALL' }) },
    { project: loosen },
  ),
  answer(
    'a key that is written twice in the answer',
    'the last of equal keys counts',
    { body: JSON.stringify(completionOf('billing')).replace('"content":', '"content":"shipping","content":') },
    { project: loosen },
  ),
  answer(
    'a refusal beside the text',
    'the refusal is in a member of its own',
    {
      body: completionOf(null, {}, { refusal: 'I will not sort this.' }),
    },
    { project: loosen },
  ),
  answer(
    'an answer cut off by its limit',
    'the part that came passes',
    { body: completionOf('billing', { finish_reason: 'length' }) },
    {
      project(project) {
        project.suite.defaults = { assert: [{ equals: '{{ expected }}' }, { finishReason: 'stop' }] };
      },
    },
  ),
  answer('a tool call in the place of a text', 'a call has no text that could be wrong', {
    body: completionOf(
      null,
      { finish_reason: 'tool_calls' },
      {
        tool_calls: [{ id: 'a', type: 'function', function: { name: 'route', arguments: '{}' } }],
      },
    ),
  }),
  answer(
    'invalid UTF-8',
    'undecodable bytes become U+FFFD and pass a loose check',
    {
      body: Buffer.concat([
        Buffer.from(
          '{"id":"a","object":"chat.completion","created":1,"model":"gpt-4o-mini","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"billing ',
        ),
        Buffer.from([0xff, 0xfe]),
        Buffer.from('"}}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}'),
      ]),
    },
    { project: loosen },
  ),
  answer(
    'another charset',
    'bytes of another charset are read as UTF-8',
    {
      headers: { 'content-type': 'application/json; charset=utf-16le' },
      body: Buffer.from(JSON.stringify(completionOf('billing'))),
    },
    { project: loosen },
  ),
  answer('choices in another order', 'the first of the list is taken for number 0', {
    body: {
      ...completionOf('billing'),
      choices: [
        { index: 1, finish_reason: 'stop', message: { role: 'assistant', content: 'billing' } },
        { index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'shipping' } },
      ],
    },
  }),
  answer('truncated JSON', 'a tolerant parser closes the braces', '{"queue":"billing"', {
    project(project) {
      project.suite.defaults = { assert: [{ json: true }] };
      project.answer = ({ text }) => JSON.stringify({ queue: queueOf(text) });
    },
    plant(project) {
      project.answer = ({ text }) =>
        text.includes(lateTicket) ? '{"queue":"billing"' : JSON.stringify({ queue: queueOf(text) });
    },
  }),
  {
    name: 'an answer against the output contract',
    why: 'every check of the case passes',
    modes: modeNames,
    project(project) {
      project.suite['contract'] = {
        output: { type: 'object', required: ['queue'], properties: { queue: { type: 'string' } } },
      };
      project.suite.defaults = { assert: [{ json: true }] };
      project.answer = ({ text }) => JSON.stringify({ queue: queueOf(text) });
    },
    plant(project) {
      project.answer = ({ text }) =>
        JSON.stringify(text.includes(lateTicket) ? { lane: 'billing' } : { queue: queueOf(text) });
    },
    green: unasked,
  },
  {
    name: 'one of two models is wrong',
    why: 'the other model makes the average good',
    modes: modeNames,
    project(project) {
      project.suite.providers.push({
        id: 'big',
        use: 'openai:gpt-4.1',
        params: { max_tokens: 20 },
        limits: { retries: 0 },
      });
    },
    plant(project) {
      project.answer = ({ text, model }) => (model === 'gpt-4.1' ? 'nonsense' : queueOf(text));
    },
    green: unasked,
  },
  {
    name: 'the second turn is wrong',
    why: 'the first answer of the conversation passes',
    modes: modeNames,
    project(project) {
      project.caseOf('charged')['turns'] = [{ user: 'And which team? {{ email }}' }];
    },
    plant(project) {
      project.answer = ({ text }) => (text.includes('And which team?') ? 'nobody' : queueOf(text));
    },
    green: unasked,
  },
  {
    name: 'a case that must pass is wrong',
    why: 'it is one of many',
    modes: modeNames,
    project(project) {
      project.caseOf('charged')['mustPass'] = true;
    },
    plant: (project) => answerLate(project, 'shipping'),
    green: unasked,
  },
];
