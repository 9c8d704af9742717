import { expect, test } from 'vitest';
import { type AnsweredVariant, compareContracts, type SuiteContracts } from '../../src/contracts/compare-contracts.ts';
import { compareTools } from '../../src/contracts/compare-tools.ts';
import { type ContractVariant, describeContract } from '../../src/contracts/describe-contract.ts';

// No engine is loaded here before a comparison asks for it.

const variant: ContractVariant = {
  prompt: 'p',
  provider: 'x',
  adapter: 'openai',
  model: 'm',
  params: {},
  messages: [{ role: 'user', content: 'Say: {{ a }}' }],
  contract: {},
};

function answered(changes: Partial<ContractVariant> = {}, ...texts: string[]): AnsweredVariant {
  return {
    variant: { ...variant, ...changes },
    answers: () => texts.map((text, index) => ({ caseId: `c${index}`, text })),
  };
}

function compare(old: readonly AnsweredVariant[], replacement: readonly AnsweredVariant[], more = {}) {
  const suite: SuiteContracts = {
    suite: 's',
    against: 'b',
    old,
    replacement,
    isPart: false,
    contract: {},
    ...more,
  };
  return compareContracts(suite);
}

test('the engine is loaded for a template that only the old side has', async () => {
  const [entry] = await compare(
    [answered({ messages: [{ role: 'user', content: '{% if a %}x{% endif %}' }] })],
    [answered({ messages: [{ role: 'user', content: 'x' }] })],
  );
  expect(entry?.findings.map(({ ruleId, path }) => `${ruleId} ${path}`)).toEqual([
    'input-variable-unused /variables/a',
  ]);
});

test('each provider adds what it alone shows', async () => {
  const old = [answered(), answered({ provider: 'y' }), answered({ provider: 'z' })];
  const replacement = [
    answered({ model: 'n' }),
    answered({ provider: 'y', params: { seed: 1 } }),
    answered({ provider: 'z' }),
  ];
  const [entry, another] = await compare(old, replacement);
  expect(entry?.findings.map(({ path }) => path)).toEqual(['/model', '/params/seed']);
  expect(another).toBeUndefined();
});

test('a provider with another id is compared with the one whose place it takes', async () => {
  const tools = (type: string) => [{ name: 't', parameters: { type: 'object', properties: { a: { type } } } }];
  const former = answered({ provider: 'y', params: { tools: tools('string') } });
  const heir = answered({ provider: 'z', params: { tools: tools('number') } });
  const pathsOf = async (replacement: readonly AnsweredVariant[], more = {}) => {
    const [entry] = await compare([answered(), former], replacement, more);
    return entry?.findings.map(({ ruleId, path }) => `${ruleId} ${path}`);
  };
  expect(await pathsOf([heir, answered()])).toEqual(['tool-parameter-type-changed /tools/t/parameters/properties/a']);
  // One that is gone is no loss of the prompt, and a part of a run may have left it out.
  expect(await pathsOf([answered()])).toEqual([]);
  expect(await pathsOf([answered(), heir], { isPart: true })).toEqual([]);
});

test('the answers of all providers are counted, on both sides', async () => {
  const strict = { contract: { output: { enum: ['a'] } } };
  const loose = { contract: { output: { enum: ['a', 'b'] } } };
  const old = [answered(strict, '"a"'), answered({ ...strict, provider: 'y' }, '"a"', '"a"')];
  const replacement = [answered(loose, '"b"'), answered({ ...loose, provider: 'y' }, '"b"', '"a"', '"b"')];
  const [entry] = await compare(old, replacement);
  expect(entry?.observed?.map(({ answers, total, rejected }) => [answers, total, rejected])).toEqual([
    ['baseline', 3, 0],
    ['new', 4, 3],
  ]);
});

test('what the contract says was removed is announced', async () => {
  const output = (names: readonly string[]) => ({
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
    required: [...names],
  });
  const old = [answered({ contract: { output: output(['a', 'b']) } })];
  const severity = async (removed: readonly string[]) => {
    const [entry] = await compare(old, [answered({ contract: { output: output(['a']), removed: [...removed] } })]);
    return entry?.findings.map((finding) => finding.severity);
  };
  expect(await severity([])).toEqual(['error']);
  expect(await severity(['b'])).toEqual(['warn']);
});

test('a prefix is compared with that of the same provider', async () => {
  const long = 'word '.repeat(2000);
  const text = (content: string) => ({ messages: [{ role: 'user', content }] });
  const old = [answered(text('{{ a }}')), answered({ provider: 'y', ...text(`${long}{{ a }}`) })];
  const replacement = [answered(text('{{ a }}')), answered({ provider: 'y', ...text(`{{ a }}${long}`) })];
  const [entry] = await compare(old, replacement, { cases: () => [{ a: 'one' }, { a: 'two' }] });
  expect(entry?.findings.map(({ ruleId }) => ruleId)).toEqual(['cacheable-prefix-shortened']);
});

test('a request for JSON without a schema is no parameter beside a schema of the output', () => {
  const params = { response_format: { type: 'json_object' }, seed: 1 };
  const described = describeContract({ ...variant, params, contract: { output: { enum: ['a'] } } });
  expect(described.params).toEqual({ seed: 1 });
  expect(described).toMatchObject({ outputFormat: 'json', outputSchema: { enum: ['a'] } });
});

test('a variable with two defaults has the first as its default', () => {
  const content = '{{ a | default: "one" }} {{ a | default: "two" }}';
  expect(describeContract({ ...variant, messages: [{ role: 'user', content }] }).variables).toEqual([
    { name: 'a', hasDefault: true, default: 'one' },
  ]);
});

test('each lost value of a server’s tool is a finding of its own', () => {
  const tool = (values: readonly string[]) => ({
    name: 'find',
    parameters: { type: 'object', properties: { a: { enum: [...values] } } },
    mcp: {},
  });
  const found = compareTools([tool(['x', 'y', 'z'])], [tool(['x'])], {});
  expect(found.map(({ ruleId, severity, old }) => [ruleId, severity, old])).toEqual([
    ['tool-parameter-enum-value-removed', 'error', 'y'],
    ['tool-parameter-enum-value-removed', 'error', 'z'],
  ]);
});
