import { beforeAll, describe, expect, it } from 'vitest';
import { comparePrefixes } from '../../src/contracts/compare-prefixes.ts';
import type { ContractVariant } from '../../src/contracts/describe-contract.ts';
import type { JsonObject } from '../../src/json/json.ts';
import { findCacheFloor } from '../../src/providers/cache-floors.ts';
import { loadTemplateEngine } from '../../src/templates/template.ts';

interface Side {
  readonly system: string;
  readonly user: string;
  readonly rest: readonly { readonly role: string; readonly content: string }[];
  readonly params: JsonObject;
  readonly adapter: string;
  readonly model: string;
  readonly cases: readonly Record<string, unknown>[];
}

type Edit = (side: Side) => Partial<Side>;

/** About 2,000 tokens. */
const rules = Array.from(
  { length: 100 },
  (_, index) => `${index + 1}. A message about topic ${index + 1} goes to the queue that the handbook names for it.`,
);
const examples = Array.from({ length: 10 }, (_, index) => `Example ${index + 1}: "Where is it?" belongs to shipping.`);
const tool = (name: string, description = 'Finds an order by its number.') => ({
  name,
  description,
  parameters: { type: 'object', properties: { id: { type: 'string' } }, required: ['id'] },
});

const base: Side = {
  system: [...rules, ...examples].join('\n'),
  user: 'Which queue? {{ email }}',
  rest: [],
  params: { tools: [tool('find_order'), tool('refund')], temperature: 0 },
  adapter: 'openai',
  model: 'gpt-5-mini',
  cases: Array.from({ length: 8 }, (_, index) => ({
    email: `${'abcdefgh'[index] ?? ''} message number ${index}`,
    name: `${'zyxwvuts'[index] ?? ''} person`,
    today: `202${index}-01-01`,
    company: 'Acme',
    tier: index % 2 === 0 ? 'gold' : 'basic',
  })),
};

function variantOf({ system, user, rest, params, adapter, model }: Side): ContractVariant {
  const messages = [{ role: 'system', content: system }, { role: 'user', content: user }, ...rest];
  const kept = messages.filter(({ content }) => content !== '');
  return { prompt: 'v1', provider: 'p', adapter, model, params, messages: kept, contract: {} };
}

function find(before: Side, after: Side): readonly string[] {
  return comparePrefixes(
    { variant: variantOf(before), cases: before.cases },
    { variant: variantOf(after), cases: after.cases },
  ).map(({ message }) => message);
}

const insert = (line: string, at: number, side = base): string => {
  const lines = side.system.split('\n');
  return [...lines.slice(0, at), line, ...lines.slice(at)].join('\n');
};
const anthropic = { adapter: 'anthropic', model: 'claude-sonnet-4-5' };
const haiku = { adapter: 'anthropic', model: 'claude-haiku-4-5' };

/** Each begins like the base, or like what its own first part says. */
const bad: Readonly<Record<string, Edit | readonly [Partial<Side>, Edit]>> = {
  'the date at the top': ({ system }) => ({ system: `Today is {{ today }}.\n${system}` }),
  'the name at the top': ({ system }) => ({ system: `You help {{ name }}.\n${system}` }),
  'the e-mail at the top': ({ system }) => ({ system: `E-mail: {{ email }}\n${system}`, user: 'Which queue?' }),
  'the e-mail before the rules in one message': ({ system }) => ({ system: '', user: `{{ email }}\n${system}` }),
  'a variable after the first rule': () => ({ system: insert('For {{ name }}:', 1) }),
  'a variable after ten rules': () => ({ system: insert('For {{ name }}:', 10) }),
  'a variable in the middle': () => ({ system: insert('The date is {{ today }}.', 50) }),
  'a variable after ninety rules': () => ({ system: insert('The date is {{ today }}.', 90) }),
  'a variable before the examples': () => ({ system: insert('The customer is {{ name }}.', 100) }),
  'a condition at the top': ({ system }) => ({
    system: `{% if tier == "gold" %}This is a premium customer.{% endif %}\n${system}`,
  }),
  'a condition in the middle': () => ({ system: insert('{% if tier == "gold" %}Be quick.{% endif %}', 40) }),
  'a loop in the middle': () => ({ system: insert('{% for part in name %}{{ part }}{% endfor %}', 40) }),
  'a filter of a variable at the top': ({ system }) => ({ system: `{{ name | upcase }}\n${system}` }),
  'a variable within the first rule': ({ system }) => ({
    system: system.replace('topic 1 ', 'topic 1 of {{ name }} '),
  }),
  'a variable within a late rule': ({ system }) => ({ system: system.replace('topic 80 ', 'topic 80 of {{ name }} ') }),
  'the rules moved behind the e-mail': ({ system }) => ({ system: 'Which queue?', user: `{{ email }}\n${system}` }),
  'half of the rules moved behind the e-mail': ({ system }) => ({
    system: system.split('\n').slice(0, 55).join('\n'),
    user: `{{ email }}\n${system.split('\n').slice(55).join('\n')}`,
  }),
  'the examples moved behind the e-mail': () => ({
    system: rules.join('\n'),
    user: `{{ email }}\n${examples.join('\n')}`,
  }),
  'the roles swapped': ({ system, user }) => ({ system: user, user: system }),
  'a system message of a variable before the rules': ({ system }) => ({
    system: '{{ name }} writes.',
    user: system,
    rest: [{ role: 'user', content: 'Which queue? {{ email }}' }],
  }),
  'a variable whose values begin alike, and no more': [
    { cases: base.cases.map((one) => ({ ...one, name: `customer ${String(one['name'])}` })) },
    ({ system }) => ({ system: `{{ name }}\n${system}` }),
  ],
  'below the floor': [{ system: rules.slice(0, 60).join('\n') }, () => ({ system: rules.slice(0, 30).join('\n') })],
  'below the floor by shorter tools': [
    { system: rules.slice(0, 50).join('\n'), params: { tools: [tool('find_order', 'It finds orders. '.repeat(30))] } },
    () => ({ params: { tools: [tool('find_order')] } }),
  ],
  'to a model with a higher floor': [anthropic, () => haiku],
  'to a vendor with a higher floor': () => ({ adapter: 'gemini', model: 'gemini-3.5-flash' }),
  'the date at the top, on Anthropic': [anthropic, ({ system }) => ({ system: `{{ today }}\n${system}` })],
  'a variable in the middle, on Gemini': [
    { adapter: 'gemini', model: 'gemini-2.5-flash', system: `${base.system}\n${base.system}` },
    (side) => ({ system: insert('{{ today }}', 100, side) }),
  ],
  'the system message moved into the user message, behind the e-mail, on Anthropic': [
    anthropic,
    ({ system }) => ({ system: '', user: `{{ email }}\n${system}` }),
  ],
  'a variable in the first of several messages': [
    { user: base.system, system: 'You sort e-mails.', rest: [{ role: 'user', content: '{{ email }}' }] },
    () => ({ system: 'You sort e-mails of {{ name }}.' }),
  ],
  'one case, whose variable comes first': [
    { cases: base.cases.slice(0, 1) },
    ({ system }) => ({ system: `{{ today }}\n${system}` }),
  ],
  'cases that are alike, whose variable comes first': [
    { cases: [base.cases[0] ?? {}, base.cases[0] ?? {}] },
    ({ system }) => ({ system: `{{ today }}\n${system}` }),
  ],
};

const short = { system: rules.slice(0, 10).join('\n') };

const harmless: Readonly<Record<string, Edit | readonly [Partial<Side>, Edit]>> = {
  nothing: () => ({}),
  'another wording of a rule': ({ system }) => ({ system: system.replace('the handbook names', 'our manual names') }),
  'another wording of all rules': ({ system }) => ({ system: system.replaceAll('the handbook names', 'we chose') }),
  'a rule more': ({ system }) => ({ system: `${system}\n101. Be brief.` }),
  'a rule more at the top': ({ system }) => ({ system: `0. Be brief.\n${system}` }),
  'a rule less': ({ system }) => ({ system: system.split('\n').slice(1).join('\n') }),
  'ten rules less': ({ system }) => ({ system: system.split('\n').slice(10).join('\n') }),
  'the examples left out': () => ({ system: rules.join('\n') }),
  'the examples doubled': ({ system }) => ({ system: `${system}\n${examples.join('\n')}` }),
  'the rules in another order': () => ({ system: [...rules].reverse().join('\n') }),
  'the examples before the rules': () => ({ system: [...examples, ...rules].join('\n') }),
  'a longer question': () => ({ user: 'Which queue does this e-mail belong to? {{ email }}' }),
  'the question behind the e-mail': () => ({ user: '{{ email }}\nWhich queue?' }),
  'another variable at the end': () => ({ user: 'Which queue? {{ email }} {{ name }}' }),
  'another variable in its place': () => ({ user: 'Which queue? {{ name }}' }),
  'the variable earlier in the question': () => ({ user: '{{ email }}: which queue is it?' }),
  'a condition at the end': () => ({ user: 'Which queue? {{ email }}{% if tier == "gold" %} Be quick.{% endif %}' }),
  'a variable that is the same in all cases': ({ system }) => ({ system: `You work for {{ company }}.\n${system}` }),
  'a constant condition': ({ system }) => ({ system: `{% if company %}You help.{% endif %}\n${system}` }),
  'a variable at the end of the system message': ({ system }) => ({ system: `${system}\n{{ today }}` }),
  'a variable before the last line': () => ({ system: insert('{{ today }}', 109) }),
  'a longer text behind the variable': () => ({ user: `{{ email }}\n${rules.slice(0, 5).join('\n')}` }),
  'a tool more': ({ params }) => ({
    params: { ...params, tools: [tool('find_order'), tool('refund'), tool('close')] },
  }),
  'a tool less': ({ params }) => ({ params: { ...params, tools: [tool('find_order')] } }),
  'no tools': () => ({ params: {} }),
  'tools in another order': ({ params }) => ({ params: { ...params, tools: [tool('refund'), tool('find_order')] } }),
  'a tool described better': ({ params }) => ({
    params: {
      ...params,
      tools: [tool('find_order', 'Finds an order by its number, which has six digits.'), tool('refund')],
    },
  }),
  'a tool described shorter': ({ params }) => ({
    params: { ...params, tools: [tool('find_order', 'Finds.'), tool('refund')] },
  }),
  'a tool renamed': ({ params }) => ({ params: { ...params, tools: [tool('get_order'), tool('refund')] } }),
  'another temperature': ({ params }) => ({ params: { ...params, temperature: 1 } }),
  'a limit on tokens': ({ params }) => ({ params: { ...params, max_tokens: 100 } }),
  'a response format': ({ params }) => ({ params: { ...params, response_format: { type: 'json_object' } } }),
  'another model of the same floor': () => ({ model: 'gpt-4.1' }),
  'another vendor of the same floor': () => anthropic,
  'a model with a lower floor': [anthropic, () => ({ adapter: 'anthropic', model: 'claude-opus-5' })],
  'a message more at the end': () => ({ rest: [{ role: 'user', content: 'Answer in one word.' }] }),
  'a message more with a variable at the end': () => ({ rest: [{ role: 'user', content: 'From {{ name }}' }] }),
  'an example as messages before the e-mail': [
    { user: 'Where is it?', rest: [{ role: 'user', content: '{{ email }}' }] },
    () => ({
      rest: [
        { role: 'assistant', content: 'shipping' },
        { role: 'user', content: '{{ email }}' },
      ],
    }),
  ],
  'more cases': [{ cases: base.cases.slice(0, 4) }, () => ({ cases: base.cases })],
  'fewer cases': () => ({ cases: base.cases.slice(0, 2) }),
  'other cases': () => ({ cases: base.cases.map((one) => ({ ...one, email: `x ${String(one['email'])}` })) }),
  'one case, whose variable stays last': [
    { cases: base.cases.slice(0, 1) },
    () => ({ user: 'Please, which queue? {{ email }}' }),
  ],
  'a short prompt with the date at the top': [short, ({ system }) => ({ system: `{{ today }}\n${system}` })],
  'a short prompt in another order': [short, ({ system, user }) => ({ system: user, user: system })],
  'a prompt below the floor of its model': [haiku, ({ system }) => ({ system: `{{ today }}\n${system}` })],
  'a model whose floor is not known': [
    { adapter: 'mistral', model: 'mistral-small-latest' },
    ({ system }) => ({ system: `{{ today }}\n${system}` }),
  ],
  'a program': [{ adapter: 'exec', model: 'node app.mjs' }, ({ system }) => ({ system: `{{ today }}\n${system}` })],
  'the variable moved back from the top': [
    { system: `{{ today }}\n${base.system}` },
    () => ({ system: base.system, user: 'Which queue? {{ email }} ({{ today }})' }),
  ],
  'the variable moved from the top to the middle': [
    { system: `{{ today }}\n${base.system}` },
    () => ({ system: insert('{{ today }}', 50) }),
  ],
  'a variable that was at the top already': [
    { system: `{{ today }}\n${base.system}` },
    ({ system }) => ({ system: `${system}\n{{ name }}` }),
  ],
  'from one message to two': [
    { system: '', user: `${base.system}\n{{ email }}` },
    () => ({ system: base.system, user: '{{ email }}' }),
  ],
  'from two messages to one': ({ system, user }) => ({ system: '', user: `${system}\n${user}` }),
};

function apply(entry: Edit | readonly [Partial<Side>, Edit]): readonly [Side, Side] {
  const [start, edit] = typeof entry === 'function' ? [{}, entry] : entry;
  const before = { ...base, ...start };
  return [before, { ...before, ...edit(before) }];
}

beforeAll(loadTemplateEngine);

describe('a shorter cacheable prefix', () => {
  it.each(Object.entries(bad))('is found: %s', (_name, entry) => {
    const [message, another] = find(...apply(entry));
    expect(another).toBeUndefined();
    expect(message).toMatch(/can't be read from the cache \(https:\/\/.*, as known on 2026-/);
  });

  it.each(Object.entries(harmless))('is not found: %s', (_name, entry) => {
    expect(find(...apply(entry))).toEqual([]);
  });

  it.each([
    ['below the floor', '1160 tokens to 620, below the 1024 tokens from which OpenAI caches: about 620 more tokens'],
    [
      'to a model with a higher floor',
      '2000 tokens to 2000, below the 4096 tokens from which Anthropic caches: about 2000 more tokens',
    ],
    ['a variable after ninety rules', '2000 tokens to 1699: about 301 more tokens'],
    ['half of the rules moved behind the e-mail', '2000 tokens to 1067: about 931 more tokens'],
    [
      'one case, whose variable comes first',
      '2000 tokens to 75, below the 1024 tokens from which OpenAI caches: about 2000 more tokens',
    ],
  ])('is said in numbers: %s', (name, figures) => {
    const [message = ''] = find(...apply(bad[name] ?? (() => ({}))));
    expect(message.replace(/ \(https.*/, '')).toBe(
      `The part that the requests of all cases begin with went from about ${figures} of each request can't be read from the cache`,
    );
  });

  it('is measured over the cases that the prompt can be rendered for', () => {
    const of = (cases: Side['cases']) => find(...apply([{ cases }, () => ({ system: insert('{{ today }}', 50) })]));
    expect(of(base.cases)).toHaveLength(1);
    expect(of([...base.cases, { name: 'lacks the others' }])).toEqual(of(base.cases));
    expect(of([{ name: 'lacks the others' }, ...base.cases])).toEqual(of(base.cases));
  });

  it('is measured from what is written where no case can be rendered', () => {
    const cut = ({ system }: Side) => ({ system: system.split('\n').slice(0, 80).join('\n') });
    expect(find(...apply([{ cases: [] }, cut]))).toEqual([]);
    expect(find(...apply([{ cases: [] }, () => ({ system: insert('{{ today }}', 80) })]))).toHaveLength(1);
  });

  it.each([
    ['openai', 'gpt-5-mini', 1],
    ['azure', 'my-deployment', 1],
    ['anthropic', 'claude-sonnet-4-5', 0],
  ])('knows where %s:%s puts instructions behind the message of a user', (adapter, model, count) => {
    const rest = [{ role: 'developer', content: base.system }];
    const side = { ...base, adapter, model, system: base.system, user: 'Which queue? {{ email }}' };
    expect(find(side, { ...side, system: '', rest })).toHaveLength(count);
  });

  it('begins with the functions of an older API', () => {
    const text = 'It finds orders. '.repeat(500);
    const old = { ...base, params: { functions: [tool('a', text)] }, system: '{{ name }} writes.' };
    expect(find(old, old)).toEqual([]);
    expect(find(old, { ...old, params: {}, system: `{{ name }} writes. ${text}` })).toHaveLength(1);
  });

  it('the tables are as large as they must be', () => {
    expect(Object.keys(bad).length).toBeGreaterThanOrEqual(30);
    expect(Object.keys(harmless).length).toBeGreaterThanOrEqual(50);
  });
});

it.each([
  ['openai', 'gpt-5-mini', 1024],
  ['azure', 'my-deployment', 1024],
  ['anthropic', 'claude-opus-5', 512],
  ['anthropic', 'claude-opus-4-8', 1024],
  ['anthropic', 'claude-opus-4-7', 2048],
  ['anthropic', 'claude-opus-4-6', 4096],
  ['anthropic', 'claude-sonnet-5', 1024],
  ['anthropic', 'claude-sonnet-5-5', 512],
  ['anthropic', 'claude-haiku-4-5-20251001', 4096],
  ['anthropic', 'claude-3-5-haiku-latest', 2048],
  ['bedrock', 'us.anthropic.claude-sonnet-4-5-20250929-v1:0', 4096],
  ['bedrock', 'anthropic.claude-sonnet-4-6', 1024],
  ['bedrock', 'us.amazon.nova-lite-v1:0', undefined],
  ['gemini', 'gemini-2.5-flash', 2048],
  ['vertex', 'gemini-3.1-pro-preview', 4096],
  ['mistral', 'mistral-small-latest', undefined],
  ['echo', 'echo', undefined],
])('%s:%s is cached from %j tokens on', (adapter, model, tokens) => {
  expect(findCacheFloor({ adapter, model })?.tokens).toBe(tokens);
});
