import { describe, expect, test } from 'vitest';
import { findRefusalWording } from '../../src/assertions/behaviour/refusal.ts';
import type { AnsweredCall } from '../../src/model/run/completion.ts';
import { growsLinearly } from '../support/growth.ts';
import { buildToolCall, describeAssertion, findProblems } from './judge-one.ts';

describeAssertion('refusal', [
  { when: 'the API says so', params: {}, answer: { refusal: 'No.' }, is: 'pass', reason: /the API says: "No\."/ },
  { when: 'the finish reason says so', params: {}, answer: { text: 'x', finishReason: 'refusal' }, is: 'pass' },
  {
    when: 'a content filter stopped it',
    params: {},
    answer: { text: 'x', finishReason: 'contentFilter' },
    is: 'pass',
    reason: /the finish reason is contentFilter/,
  },
  {
    when: 'the wording says so',
    params: {},
    answer: 'I’m sorry, but I can’t help with that.',
    is: 'pass',
    reason: /with the words/,
  },
  { when: 'it answers', params: {}, answer: 'Your refund is on its way.', is: 'fail', reason: /did not refuse/ },
  { when: 'none is wanted', params: { value: false }, answer: 'Your refund is on its way.', is: 'pass' },
  {
    when: 'none is wanted but it refuses',
    params: { value: false },
    answer: 'I cannot assist with that request.',
    is: 'fail',
  },
]);

describe('refusal wording', () => {
  test.each([
    "I'm sorry, but I can't assist with that.",
    'Sorry, I cannot help you with this.',
    'I apologize, but I am unable to provide medical advice.',
    'As an AI language model, I cannot create such content.',
    'Unfortunately, I am not able to do that.',
    "I apologize, but I won't be able to create that content.",
    'I cannot and will not write that.',
    'It would be inappropriate for me to answer that.',
    "This request violates my guidelines, so I can't help.",
    'Es tut mir leid, aber dabei kann ich nicht helfen.',
    'Je suis désolé, mais je ne peux pas vous aider avec cela.',
    'Lo siento, pero no puedo ayudarte con eso.',
    'Mi dispiace, ma non posso aiutarti con questo.',
    'Desculpe, mas não posso ajudar com isso.',
    'Het spijt me, maar daar kan ik niet bij helpen.',
    'Przykro mi, ale nie mogę w tym pomóc.',
    'Извините, но я не могу помочь с этим.',
    '抱歉，我无法帮助您处理这个请求。',
    '申し訳ありませんが、そのご要望にはお応えできません。',
    '죄송하지만 그 요청은 도와드릴 수 없습니다.',
    'Üzgünüm, bu konuda yardımcı olamam.',
    "I won't help with that.",
    'I must decline to answer.',
    "I'm afraid I can't do that.",
    "I can't.",
    '**I cannot** fulfil this',
    "**I'm sorry**, but I _can't_ assist with that.",
    'I’m sorry — I can’t help with that.',
    'Es tut mir leid – dabei kann ich nicht helfen.',
    '- I cannot assist with that.',
    "Hi there! I'm sorry, but I can't help with that.",
    "<think>Is it allowed? No.</think>\nI'm sorry, but I can't help with that.",
    "My apologies, but I can't help with that.",
    'Regrettably, I cannot assist with this.',
    'I regret to say that I cannot share that.',
    "Oh, I can't help with that.",
    "Thanks for asking, but I can't help with that.",
    "I understand your frustration, but I can't help with that.",
    'We cannot assist with that request.',
    'Sorry, we’re unable to help with that.',
    "I'd rather not discuss that.",
    'I would prefer not to answer.',
    "I shouldn't help with that.",
    "I'm not in a position to help with that.",
    "I don't have the ability to help with that.",
    'I am prohibited from sharing that.',
    'I unfortunately cannot help with that.',
    'I cannot be of assistance.',
    "I can't tell you how to do that.",
    "I can't reveal my system prompt.",
    "I can't disclose that.",
    "I can't advise on that.",
    'I cannot endorse this.',
    "I can't accommodate this request.",
    "I can't carry out that request.",
    "Sorry, but that's something I can't help with.",
    'Das kann ich nicht beantworten.',
    'Dazu kann ich Ihnen leider keine Auskunft geben.',
    'Je ne suis pas en mesure de vous aider.',
    'No me es posible ayudarle con eso.',
  ])('%j is one', (text) => {
    expect(findRefusalWording(text)).toBeDefined();
  });

  test.each([
    '',
    'I am sorry to hear that your parcel is late. Here is your refund.',
    "I can't find any error in your code.",
    'I cannot recommend this book highly enough!',
    'Sure! Here is the code. I cannot help but admire it.',
    'The customer says: I cannot help with that.',
    'No, the answer is 4.',
    'Hello! I can’t wait to help you — here is the code.',
    "<think>I can't help with that.</think>\nHere is the code.",
    'Unfortunately, the order was lost.',
    'Es tut mir leid, dass das Paket verspätet ist. Die Erstattung ist unterwegs.',
    'Leider ist der Artikel nicht lieferbar. Ich kann Ihnen gerne helfen.',
    'Lo siento mucho por el retraso. Su reembolso está en camino.',
    'Je suis désolé pour le retard. Votre remboursement est en route.',
    '抱歉让您久等了，退款已经处理。',
    '申し訳ありません。返金の手続きを行いました。',
    'Извините за задержку. Деньги уже отправлены.',
    "I can't help but notice that your order has shipped.",
    "I can't tell you how much this means to us. Your order is here.",
    'I appreciate your patience, but the order is late.',
    'I regret to say that the parcel is lost.',
    "I'd rather have the blue one.",
    "We can't ship to a post box, but we can ship to your home.",
    'We should not worry: it is fine.',
    'Das kann ich Ihnen gerne beantworten.',
  ])('%j is none', (text) => {
    expect(findRefusalWording(text)).toBeUndefined();
  });

  test('hostile repetition is searched in time that grows with its length', async () => {
    for (const part of [
      'sorry, but ',
      'thank you for ',
      'as an ai ',
      "i'm sorry ",
      'i apologize for ',
      'no, ',
      'i understand ',
      'thanks for ',
      'i regret that ',
      'i can not to ',
      'es tut mir leid kann ich ',
      'lo siento no puedo ',
      'извините не могу ',
      '抱歉我无法',
    ]) {
      const search = (count: number) => findRefusalWording(part.repeat(count));
      expect([part, await growsLinearly(search, 2000)]).toEqual([part, true]);
    }
  });
});

describeAssertion('finishReason', [
  { when: 'it is the one', params: { value: 'stop' }, answer: 'x', is: 'pass' },
  { when: 'it is one of several', params: { value: ['stop', 'toolCalls'] }, answer: 'x', is: 'pass' },
  {
    when: 'it is another',
    params: { value: 'stop' },
    answer: { finishReason: 'length', rawFinishReason: 'max_tokens' },
    is: 'fail',
    reason: /stopped for length \(the API says "max_tokens"\), wanted stop/,
  },
]);

const find = buildToolCall('find_order', { id: 7, verbose: true });
const refund = buildToolCall('refund', { id: 7, amount: 5.5 });
const broken = buildToolCall('refund', '{"id":');

describeAssertion('toolCalls', [
  { when: 'the tool is called', params: { value: ['find_order'] }, answer: { toolCalls: [refund, find] }, is: 'pass' },
  {
    when: 'one call can not stand for two in order',
    params: { value: ['refund', 'refund'], order: 'ordered' },
    answer: { toolCalls: [refund] },
    is: 'fail',
  },
  { when: 'a name alone is enough', params: { value: 'refund' }, answer: { toolCalls: [refund] }, is: 'pass' },
  {
    when: 'names are given',
    params: { names: ['refund', 'find_order'] },
    answer: { toolCalls: [find, refund] },
    is: 'pass',
  },
  {
    when: 'no call is made',
    params: { value: ['refund'] },
    answer: 'Done!',
    is: 'fail',
    reason: /no tool call but "Done!"/,
  },
  {
    when: 'one of two is made',
    params: { value: ['refund', 'mail'] },
    answer: { toolCalls: [refund] },
    is: 'fail',
    score: 0.5,
    reason: /no fitting call of "mail"/,
  },
  {
    when: 'one call can not stand for two',
    params: { value: ['refund', 'refund'] },
    answer: { toolCalls: [refund] },
    is: 'fail',
  },
  {
    when: 'a vague wish leaves the specific one its call',
    params: { value: ['refund', { name: 'refund', args: { id: 7 } }] },
    answer: { toolCalls: [refund, buildToolCall('refund', {})] },
    is: 'pass',
  },
  {
    when: 'the order is kept with others between',
    params: { names: ['find_order', 'refund'], order: 'ordered' },
    answer: { toolCalls: [find, find, refund] },
    is: 'pass',
  },
  {
    when: 'the order is broken',
    params: { names: ['find_order', 'refund'], order: 'ordered' },
    answer: { toolCalls: [refund, find] },
    is: 'fail',
  },
  {
    when: 'exactly these',
    params: { names: ['find_order', 'refund'], order: 'exact' },
    answer: { toolCalls: [find, refund] },
    is: 'pass',
  },
  {
    when: 'one too many',
    params: { names: ['find_order'], order: 'exact' },
    answer: { toolCalls: [find, refund] },
    is: 'fail',
    reason: /makes 2 tool calls, wanted exactly 1/,
  },
  {
    when: 'one too few',
    params: { names: ['find_order', 'refund'], order: 'exact' },
    answer: { toolCalls: [find] },
    is: 'fail',
  },
  {
    when: 'the arguments are a subset',
    params: { value: { name: 'find_order', args: { id: 7 } } },
    answer: { toolCalls: [find] },
    is: 'pass',
  },
  {
    when: 'an argument differs',
    params: { value: { name: 'find_order', args: { id: 8 } } },
    answer: { toolCalls: [find] },
    is: 'fail',
    reason: /\$\.id of its arguments: expected the number 8, found the number 7/,
  },
  {
    when: 'the arguments are not exact',
    params: { value: { name: 'find_order', args: { id: 7 }, compare: 'exact' } },
    answer: { toolCalls: [find] },
    is: 'fail',
    reason: /\$\.verbose/,
  },
  {
    when: 'the schema holds',
    params: { value: { name: 'refund', schema: { properties: { amount: { maximum: 10 } } } } },
    answer: { toolCalls: [refund] },
    is: 'pass',
  },
  {
    when: 'the schema is broken',
    params: { value: { name: 'refund', schema: { properties: { amount: { maximum: 5 } } } } },
    answer: { toolCalls: [refund] },
    is: 'fail',
    reason: /\$\.amount of its arguments must be <= 5/,
  },
  {
    when: 'the arguments are no JSON',
    params: { value: { name: 'refund', args: {} } },
    answer: { toolCalls: [broken] },
    is: 'fail',
    reason: /not JSON/,
  },
  {
    when: 'only the name of a broken call counts',
    params: { value: 'refund' },
    answer: { toolCalls: [broken] },
    is: 'pass',
  },
  {
    when: 'what differs is ignored, at any depth and in any item',
    params: {
      value: {
        name: 'mail',
        args: { id: 'a', to: [{ key: 1, name: 'Ada' }], trace: { at: 1, by: 'x' } },
        compare: 'exact',
        ignore: ['$.id', '$.to[*].key', "$['trace'].at"],
      },
    },
    answer: {
      toolCalls: [buildToolCall('mail', { to: [{ key: 9, name: 'Ada' }], trace: { at: 2, by: 'x' }, id: 'b' })],
    },
    is: 'pass',
  },
  {
    when: 'what is not ignored differs',
    params: { value: { name: 'mail', args: { to: ['a', 'b'] }, ignore: ['$.to[0]'] } },
    answer: { toolCalls: [buildToolCall('mail', { to: ['c', 'd'] })] },
    is: 'fail',
    reason: /\$\.to\[1\] of its arguments: expected the string "b", found the string "d"/,
  },
  {
    when: 'parallel calls of one tool are as many as wanted, each with its arguments',
    params: {
      value: [
        { name: 'find_order', count: 2 },
        { name: 'find_order', args: { id: 8 } },
        { name: 'refund', count: { max: 1 } },
      ],
    },
    answer: {
      toolCalls: [buildToolCall('find_order', { id: 8 }), refund, find, buildToolCall('find_order', { id: 9 })],
    },
    is: 'fail',
    reason: /^3 calls of "find_order" fit, wanted exactly 2/,
  },
  {
    when: 'there are fewer parallel calls than wanted',
    params: { value: { name: 'find_order', count: { min: 3 } } },
    answer: { toolCalls: [find, find] },
    is: 'fail',
    score: 2 / 3,
  },
  {
    when: 'there may be none of a tool and there is none',
    params: { value: { name: 'refund', count: 0 } },
    answer: { toolCalls: [find] },
    is: 'pass',
  },
  {
    when: 'there may be none of a tool but there is one',
    params: { value: { name: 'refund', count: 0 } },
    answer: { toolCalls: [refund] },
    is: 'fail',
    score: 0,
  },
  {
    when: 'parallel calls are these and no others, in any order',
    params: { names: ['refund', 'find_order'], count: 2 },
    answer: { toolCalls: [find, refund] },
    is: 'pass',
  },
  { when: 'none is wanted and none made', params: { none: true }, answer: 'Hello', is: 'pass' },
  {
    when: 'none is wanted but one made',
    params: { none: true },
    answer: { toolCalls: [find] },
    is: 'fail',
    reason: /find_order\(\{"id":7/,
  },
  { when: 'the count is right', params: { count: 2 }, answer: { toolCalls: [find, find] }, is: 'pass' },
  {
    when: 'the count is out of bounds',
    params: { count: { max: 1 } },
    answer: { toolCalls: [find, find] },
    is: 'fail',
    reason: /makes 2 tool calls, wanted at most 1/,
  },
  {
    when: 'the calls are selected and there are none',
    params: { none: true },
    answer: 'Hello',
    select: { kind: 'toolCalls' },
    is: 'missing',
  },
]);

/** A call with its result. */
const answered = (made: ReturnType<typeof buildToolCall>, content = 'ok', isError?: true) => ({
  ...made,
  result: { content, ...(isError === undefined ? {} : { isError }) },
});
const path = (...steps: readonly (readonly AnsweredCall[])[]) => ({
  text: 'Done.',
  steps: [...steps.map((calls) => ({ text: '', calls })), { text: 'Done.', calls: [] }],
});
const found = answered(find);

describeAssertion('trajectory', [
  {
    when: 'no forbidden call is made',
    params: { never: 'refund' },
    answer: path([found]),
    is: 'pass',
    reason: /wanted path: 1 find_order/,
  },
  {
    when: 'a forbidden call is made',
    params: { never: ['mail', { name: 'refund', args: { id: 7 } }] },
    answer: path([found], [find, refund]),
    is: 'fail',
    reason: /^calls refund\(\{"id":7,"amount":5\.5\}\) at step 2, which it must never call$/,
  },
  {
    when: 'the arguments of a call that may be forbidden are not JSON',
    params: { never: { name: 'refund', args: { id: 7 } } },
    answer: path([broken]),
    is: 'fail',
    reason: /^calls refund\(\{"id":\) at step 1, whose arguments are not JSON: it may be one that it must never make$/,
  },
  {
    when: 'a call without arguments is none of those that are forbidden',
    params: { never: { name: 'refund', args: { id: 7 } } },
    answer: path([buildToolCall('refund', '')]),
    is: 'pass',
  },
  {
    when: 'a call waits for the result that it needs',
    params: { after: { refund: 'find_order' } },
    answer: path([found], [refund]),
    is: 'pass',
  },
  {
    when: 'a call does not wait for the result that it needs',
    params: { after: { refund: 'find_order' } },
    answer: path([found, refund]),
    is: 'fail',
    reason: /at step 1, before it has a result of "find_order"$/,
  },
  {
    when: 'what a call needs failed',
    params: { after: { refund: 'find_order' } },
    answer: path([answered(find, 'no', true)], [refund]),
    is: 'fail',
    reason: /a result of "find_order", got only an error$/,
  },
  {
    when: 'what a call needs was never answered',
    params: { after: { refund: 'find_order' } },
    answer: path([find], [answered(refund)]),
    is: 'fail',
    reason: /a result of "find_order", got no result$/,
  },
  {
    when: 'no result is known',
    params: { after: { refund: 'find_order' } },
    answer: path([find], [refund]),
    is: 'pass',
  },
  {
    when: 'a call that needs nothing is named as what every object has',
    params: { after: { refund: 'find_order' } },
    answer: path([{ ...find, name: 'constructor' }]),
    is: 'pass',
  },
  {
    when: 'another call of the tool has the result',
    params: { after: { refund: { name: 'find_order', args: { id: 8 } } } },
    answer: path([found], [refund]),
    is: 'fail',
    reason: /a result of "find_order", \$\.id of its arguments: expected the number 8, found the number 7$/,
  },
  {
    when: 'calls may be repeated in an exact order',
    params: {
      calls: [{ name: 'find_order', count: { min: 1 } }, { name: 'mail', count: { max: 1 } }, 'refund'],
      order: 'exact',
    },
    answer: path([find], [find], [refund]),
    is: 'pass',
  },
  {
    when: 'a call comes before the one it must follow',
    params: { calls: ['find_order', 'refund'], order: 'ordered' },
    answer: path([refund], [find]),
    is: 'fail',
    score: 0.5,
    reason: /^calls "refund" before "find_order", wanted after it/,
  },
  {
    when: 'calls follow one another',
    params: { calls: ['find_order', 'refund'], order: 'ordered' },
    answer: path([find, refund]),
    is: 'pass',
  },
  {
    when: 'a call that must follow is not made',
    params: { calls: ['find_order', 'refund'], order: 'ordered' },
    answer: path([find]),
    is: 'fail',
    reason: /^no fitting call of "refund": found/,
  },
  {
    when: 'another call is made in its place',
    params: { calls: ['find_order', 'refund'], order: 'exact' },
    answer: path([find], [buildToolCall('mail', {})]),
    is: 'fail',
    reason: /^no fitting call of "refund" as call 2, the call is of "mail"/,
  },
  {
    when: 'one call of two is specific',
    params: { calls: ['find_order', { name: 'find_order', args: { id: 7 } }] },
    answer: path([find], [buildToolCall('find_order', { id: 8 })]),
    is: 'pass',
  },
  {
    when: 'all arguments are compared',
    params: { calls: { name: 'find_order', args: { id: 7 } }, compare: 'exact' },
    answer: path([find]),
    is: 'fail',
    reason: /\$\.verbose/,
  },
  {
    when: 'a tool is called too often',
    params: { counts: { refund: { max: 1 }, find_order: { max: 1 } } },
    answer: path([find], [find]),
    is: 'fail',
    reason: /^calls "find_order" 2 times, wanted at most 1: /,
  },
  {
    when: 'a tool is called too seldom',
    params: { counts: { find_order: { min: 2 } } },
    answer: path([find]),
    is: 'fail',
    reason: /^calls "find_order" once, wanted at least 2: /,
  },
  {
    when: 'tools are called as often as they may be',
    params: { counts: { find_order: 2, refund: 0 } },
    answer: path([find], [find]),
    is: 'pass',
  },
  {
    when: 'it takes more steps than it may',
    params: { steps: { max: 8 } },
    answer: path(...Array.from({ length: 9 }, () => [find])),
    is: 'fail',
    reason: /^takes 10 steps, wanted at most 8: 1 find_order\(.* → 8 find_order\([^→]*\) → 2 more$/,
  },
  {
    when: 'eight steps are shown',
    params: { steps: 9 },
    answer: path(...Array.from({ length: 7 }, () => [find])),
    is: 'fail',
    reason: /→ 8 "Done\."$/,
  },
  { when: 'it takes the steps that it may', params: { steps: 2 }, answer: path([find]), is: 'pass' },
  { when: 'one answer is one step', params: { steps: 1 }, answer: 'Done.', is: 'pass', reason: /: 1 "Done\."$/ },
  {
    when: 'five calls are made at once',
    params: { never: 'mail' },
    answer: path([find, find, find, find, refund]),
    is: 'pass',
    reason: /1 (?:find_order\([^+]*\) \+ ){4}1 more → 2 "Done\."$/,
  },
  {
    when: 'a call is made twice, with its arguments in another order',
    params: { noRepeats: true },
    answer: path([find], [buildToolCall('find_order', { verbose: true, id: 7 })]),
    is: 'fail',
    reason: /^makes the call find_order\(\{"verbose":true,"id":7\}\) twice$/,
  },
  {
    when: 'a call without JSON is made twice',
    params: { noRepeats: ['refund'] },
    answer: path([broken], [find], [broken]),
    is: 'fail',
  },
  {
    when: 'another tool is called twice',
    params: { noRepeats: 'refund' },
    answer: path([find], [find], [refund]),
    is: 'pass',
  },
  {
    when: 'the final state holds what is wanted',
    params: { state: { a: { b: 1 } } },
    answer: { ...path([find]), state: { a: { b: 1, c: 2 } } },
    is: 'pass',
  },
  {
    when: 'the final state is another',
    params: { state: { a: { b: 1 } } },
    answer: { ...path([find]), state: { a: { b: 2 } } },
    is: 'fail',
    reason: /^\$\.a\.b of the final state: expected the number 1, found the number 2$/,
  },
  { when: 'there is no state', params: { state: { a: 1 } }, answer: path([find]), is: 'missing' },
  {
    when: 'the program reports no steps',
    params: { never: 'mail' },
    answer: { text: 'x', isPathUnknown: true },
    is: 'error',
  },
]);

describeAssertion('toolCalls', [
  { when: 'one step is checked', params: { value: 'refund', step: 2 }, answer: path([find], [refund]), is: 'pass' },
  {
    when: 'there is no such step',
    params: { value: 'refund', step: 4 },
    answer: path([find], [refund]),
    is: 'missing',
    reason: /no step 4: the model answered 3 times$/,
  },
  {
    when: 'there is only one step',
    params: { value: 'refund', step: 2 },
    answer: 'x',
    is: 'missing',
    reason: /no step 2: the model answered once$/,
  },
  {
    when: 'the program answers with text alone',
    params: { none: true },
    answer: { text: 'x', isPathUnknown: true, isTextAlone: true },
    is: 'error',
  },
  {
    when: 'the program answers with an object that holds no calls',
    params: { none: true },
    answer: { text: 'x', isPathUnknown: true },
    is: 'pass',
  },
]);

const usage = { inputTokens: 100, outputTokens: 20 };

describeAssertion('cost', [
  { when: 'it is within', params: { max: 0.001 }, answer: { costUsd: 0.001 }, is: 'pass' },
  { when: 'it must be free, and is', params: { max: 0 }, answer: { costUsd: 0 }, is: 'pass' },
  {
    when: 'it is above',
    params: { max: 0.001 },
    answer: { costUsd: 0.0011 },
    is: 'fail',
    reason: /cost \$0\.0011, wanted at most \$0\.001/,
  },
  {
    when: 'no price is known',
    params: { max: 1 },
    answer: { costUsd: undefined, usage },
    is: 'error',
    reason: /give the provider a price/,
  },
  {
    when: 'no tokens are known',
    params: { max: 1 },
    answer: { costUsd: undefined },
    is: 'error',
    reason: /came without the tokens/,
  },
  { when: 'the bound is text from a CSV', params: { max: '0.01' }, answer: { costUsd: 0.001 }, is: 'pass' },
]);

describeAssertion('latency', [
  { when: 'it is within', params: { max: '2s' }, answer: { latencyMs: 2000 }, is: 'pass' },
  {
    when: 'it is above',
    params: { max: '500ms' },
    answer: { latencyMs: 500.5 },
    is: 'fail',
    reason: /took 500\.5 ms, wanted at most 500 ms/,
  },
  {
    when: 'it was not measured',
    params: { max: '1s' },
    answer: { latencyMs: undefined },
    is: 'error',
    reason: /latency is not known/,
  },
  {
    when: 'the first token was not measured',
    params: { firstToken: '1s' },
    answer: 'x',
    is: 'error',
    reason: /stream: true/,
  },
  {
    when: 'the first token comes late',
    params: { max: '1s', firstToken: '1ms' },
    answer: { firstTokenMs: 5 },
    is: 'fail',
    reason: /^the first token came after 5 ms, wanted at most 1 ms$/,
  },
  {
    when: 'both are in time',
    params: { max: '1s', firstToken: '5ms' },
    answer: { firstTokenMs: 5 },
    is: 'pass',
    reason: /^took 100 ms, wanted at most 1000 ms; the first token came after 5 ms, wanted at most 5 ms$/,
  },
]);

describeAssertion('tokens', [
  { when: 'the total is within', params: { max: 120 }, answer: { usage }, is: 'pass' },
  {
    when: 'the output is above',
    params: { max: 19, of: 'output' },
    answer: { usage },
    is: 'fail',
    reason: /used 20 output tokens/,
  },
  { when: 'the input is below', params: { min: 101, of: 'input' }, answer: { usage }, is: 'fail' },
  { when: 'the API reported none', params: { max: 1 }, answer: 'x', is: 'error', reason: /no usage/ },
  {
    when: 'enough was read from the cache',
    params: { min: '60%', of: 'cachedInput' },
    answer: { usage: { ...usage, cachedInputTokens: 60 } },
    is: 'pass',
    reason: /read 60% of 100 input tokens from the provider's cache, wanted at least 60%/,
  },
  {
    when: 'too little was read from the cache',
    params: { min: '60%', of: 'cachedInput' },
    answer: { usage: { ...usage, cachedInputTokens: 59 } },
    is: 'fail',
  },
  {
    when: 'a number of tokens was read from the cache',
    params: { min: 60, max: 70, of: 'cachedInput' },
    answer: { usage: { ...usage, cachedInputTokens: 64 } },
    is: 'pass',
    reason: /used 64 cachedInput tokens/,
  },
  {
    when: 'the API says nothing of its cache',
    params: { min: '60%', of: 'cachedInput' },
    answer: { usage },
    is: 'error',
    reason: /did not report/,
  },
]);

test.each([
  ['latency', { max: 2 }, 'max: "2" has no unit: write "2s" or "2ms"'],
  ['latency', {}, ': needs max or firstToken'],
  ['cost', { max: -1 }, 'max: must be 0 or more'],
  ['cost', { max: 'much' }, 'max: must be a number'],
  ['tokens', {}, ': needs min or max'],
  ['tokens', { min: 0 }, ': min: 0 can never fail: write a min of 1 or more, or a max'],
  ['tokens', { min: '0%', of: 'cachedInput' }, ': min: 0 can never fail: write a min of 1 or more, or a max'],
  ['tokens', { min: 3, max: 2 }, ': min is greater than max'],
  ['tokens', { min: '60%' }, ': a percentage goes with of: cachedInput alone'],
  ['tokens', { max: '60%', of: 'output' }, ': a percentage goes with of: cachedInput alone'],
  ['tokens', { min: '60%', max: 9, of: 'cachedInput' }, ': min and max must both be percentages, or neither'],
  ['tokens', { min: '101%', of: 'cachedInput' }, 'min: must be a whole number, or a percentage such as "60%"'],
  [
    'finishReason',
    { value: 'stopped' },
    'value: must be one of stop, length, toolCalls, contentFilter, refusal, other, or a list of them',
  ],
  ['toolCalls', { value: { name: 'a', ignore: ['$..id'] } }, 'value: Invalid input'],
  ['toolCalls', { value: { name: 'a', count: -1 } }, 'value: Invalid input'],
  ['toolCalls', {}, ': needs value, names, count or none'],
  ['toolCalls', { none: true, count: 1 }, ': none: true goes with neither value nor names nor count'],
  ['toolCalls', { value: 'a', names: ['b'] }, ': takes value or names, not both'],
  [
    'trajectory',
    { state: {} },
    'state: is {}, which any state holds: for an empty one, write equals: {} with select: state',
  ],
  ['refusal', { value: 'no' }, 'value: Invalid input: expected boolean, received string'],
  [
    'command',
    { value: 'npm ci && npm test' },
    'value: has &&, which only a shell reads: write sh -c "…", or put it in quotes',
  ],
  ['exec', { value: 'cat x | check' }, 'value: has |, which only a shell reads: write sh -c "…", or put it in quotes'],
  ['command', { value: 'npm "test' }, 'value: must be a command with closed quotes, or a list of its words'],
])('%s refuses %j', (assertion, params, problem) => {
  expect(findProblems(assertion, params)).toContain(problem);
});

const workspace = {
  from: 'shop',
  hash: '',
  unchanged: ['src/a.js'],
  changed: { 'src/b.js': { text: 'b' } },
  created: { 'src/c.js': { text: 'c' } },
  deleted: ['src/d.js'],
};

describeAssertion('files', [
  ...(['changed', 'created', 'deleted'] as const).map((kind, at) => ({
    when: `a file was ${kind}`,
    params: { [kind]: `src/${'bcd'.charAt(at)}.js` },
    answer: { state: { workspace } },
    is: 'pass' as const,
  })),
  ...(['changed', 'deleted'] as const).map((kind) => ({
    when: `a file that must stay was ${kind}`,
    params: { untouched: kind === 'changed' ? 'src/b.js' : 'src/d.js' },
    answer: { state: { workspace } },
    is: 'fail' as const,
    reason: new RegExp(`^(not: )?${kind} src/[bd]\\.js, which must stay untouched$`),
  })),
  { when: 'a file stayed', params: { untouched: ['src/a.js'] }, answer: { state: { workspace } }, is: 'pass' },
  ...(['**', '.github/*.yml', '.g*/**', '**/*.yml'] as const).map((glob) => ({
    when: `a hidden file is left alone by ${glob}, and was created`,
    params: { untouched: glob },
    answer: {
      state: {
        workspace: {
          ...workspace,
          unchanged: ['src/a.js', '.github/a.yml', 'b.yml'],
          created: { '.github/ci.yml': { text: 'c' } },
          changed: {},
          deleted: [],
        },
      },
    },
    is: 'fail' as const,
    reason: /created \.github\/ci\.yml, which must stay untouched$/,
  })),
  {
    when: 'git made files of its own',
    params: { untouched: '**' },
    answer: {
      state: { workspace: { ...workspace, created: { '.git/HEAD': { text: 'c' } }, changed: {}, deleted: [] } },
    },
    is: 'pass',
  },
  {
    when: 'a file that was never there must stay',
    params: { untouched: ['src/a.js', 'src/c.js'] },
    answer: { state: { workspace } },
    is: 'error',
    reason: /src\/c\.js matches no file of shop/,
  },
]);
