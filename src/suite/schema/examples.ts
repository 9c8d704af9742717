import { defined } from '../../json/defined.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';

/** Adds descriptions and examples to every key of a schema, in the form that editors read. */
export function addKeyHelp(schema: JsonObject): JsonObject {
  const { $defs, ...own } = schema;
  const root = addHelp(own, []) as JsonObject;
  if (!isJsonObject($defs)) return root;
  const helped = Object.entries($defs).map(([name, value]): [string, JsonValue] => [name, addHelp(value, [name])]);
  return { ...root, $defs: Object.fromEntries(helped) };
}

function addHelp(schema: JsonValue, path: readonly string[]): JsonValue {
  if (Array.isArray(schema)) return schema.map((item) => addHelp(item, path));
  if (!isJsonObject(schema)) return schema;
  const helped = Object.entries(schema).map(([keyword, value]): [string, JsonValue] => {
    if (keyword === 'properties' && isJsonObject(value)) return [keyword, addHelpToProperties(value, path)];
    return [keyword, data.has(keyword) ? value : addHelp(value, path)];
  });
  return Object.fromEntries(helped);
}

/** Keywords whose value is not a schema. */
const data: ReadonlySet<string> = new Set(['examples', 'default', 'enum', 'const', 'required', 'type', 'pattern']);

function addHelpToProperties(properties: JsonObject, path: readonly string[]): JsonObject {
  return Object.fromEntries(
    Object.entries(properties).map(([name, property]) => {
      const own = [...path, name];
      const helped = addHelp(property, own);
      if (!isJsonObject(helped)) return [name, helped];
      const description = findDescription(helped);
      const examples = findExamples(helped, own);
      return [name, { ...defined({ description }), ...helped, ...defined({ examples }) }];
    }),
  );
}

/** The schema's own description, else the first description among its forms. */
function findDescription(schema: JsonValue | undefined): string | undefined {
  if (!isJsonObject(schema)) return undefined;
  if (typeof schema['description'] === 'string') return schema['description'];
  return formsOf(schema)
    .map(findDescription)
    .find((description) => description !== undefined);
}

function formsOf({ anyOf, oneOf }: JsonObject): readonly JsonValue[] {
  return [anyOf, oneOf].flatMap((forms) => (Array.isArray(forms) ? forms : []));
}

function findExamples(schema: JsonObject, path: readonly string[]): readonly JsonValue[] | undefined {
  return ownExamples(schema) ?? writtenFor(path) ?? deriveExamples(schema);
}

function ownExamples({ examples }: JsonObject): readonly JsonValue[] | undefined {
  return Array.isArray(examples) ? examples : undefined;
}

function writtenFor(path: readonly string[]): readonly JsonValue[] | undefined {
  for (let start = 0; start < path.length; start += 1) {
    const key = path.slice(start).join('.');
    if (Object.hasOwn(schemaExamples, key)) return schemaExamples[key];
  }
  return undefined;
}

const maxChoices = 3;

function deriveExamples(schema: JsonValue | undefined): readonly JsonValue[] | undefined {
  if (!isJsonObject(schema)) return undefined;
  const { type, properties, items, minimum } = schema;
  if (Array.isArray(schema['enum'])) return schema['enum'].slice(0, maxChoices);
  if (schema['const'] !== undefined) return [schema['const']];
  if (schema['default'] !== undefined) return [schema['default']];
  if (type === 'boolean') return [true];
  if (type === 'integer') return [Math.max(1, typeof minimum === 'number' ? minimum : 1)];
  if (isJsonObject(properties)) return composeExample(schema, properties);
  const item = isJsonObject(items) ? deriveExamples(items)?.[0] : undefined;
  if (item !== undefined) return [[item]];
  return formsOf(schema)
    .map(deriveExamples)
    .find((examples) => examples !== undefined);
}

/** An example with the required keys, else with the first key. */
function composeExample({ required }: JsonObject, properties: JsonObject): readonly JsonValue[] | undefined {
  const names = Array.isArray(required) && required.length > 0 ? required : Object.keys(properties).slice(0, 1);
  const entries = names.flatMap((name): [string, JsonValue][] => {
    const property = properties[String(name)];
    const example = isJsonObject(property) ? (ownExamples(property) ?? deriveExamples(property))?.[0] : undefined;
    return example === undefined ? [] : [[String(name), example]];
  });
  return entries.length < names.length || entries.length === 0 ? undefined : [Object.fromEntries(entries)];
}

/**
 * Examples that editors offer for a key, by the end of its path: `passRate.min` is looked for before `min`. Switches,
 * choices, whole numbers, lists and maps of known keys need none: theirs follow from their schema.
 */
const yesOrNo = [
  { choice: 'yes', score: 1 },
  { choice: 'no', score: 0 },
];

const schemaExamples: Readonly<Record<string, readonly JsonValue[]>> = {
  suite: ['support-triage'],
  description: ['Routes a support e-mail to a queue.'],
  'case.description': ['An angry customer who wants their money back.'],
  prompts: [[{ id: 'v1', file: 'prompts/triage.v1.md' }]],
  'prompts.id': ['v1'],
  'prompts.file': ['prompts/triage.v1.md'],
  'prompts.text': ['Route this e-mail to a queue: {{ email }}'],
  'prompts.module': ['src/prompts/triage.ts'],
  'prompts.export': ['buildPrompt'],
  'prompts.exec': ['python3 prompts/triage.py'],
  'prompts.messages': [[{ role: 'user', content: 'Route this e-mail to a queue: {{ email }}' }]],
  'messages.content': ['Route this e-mail to a queue: {{ email }}'],
  'messages.file': ['prompts/rules.md'],
  'messages.attach': [['invoices/{{ invoice }}.pdf']],
  replaces: ['v1'],
  'provider.replaces': ['mini'],
  'provider.vars': [['email']],
  'judge.vars': [['email']],
  params: [{ temperature: 0, max_tokens: 200 }],
  providers: [['openai:gpt-4o-mini']],
  judges: [[{ id: 'strict', use: 'openai:gpt-4o' }]],
  contract: [{ output: 'schemas/triage.schema.json' }],
  'contract.input': [{ type: 'object', required: ['email'], properties: { email: { type: 'string' } } }],
  'contract.output': ['schemas/triage.schema.json'],
  approved: [['a1b2c3d4e5f6a7b8']],
  overrides: [{ 'enum-value-added': 'warn' }],
  'contract.ignore': [['/outputSchema/properties/debug']],
  removed: [['queueName']],
  'defaults.assert': [[{ json: true }]],
  'case.assert': [[{ contains: 'refund' }]],
  'turns.assert': [[{ contains: 'order number' }]],
  vars: [{ email: 'I want my money back' }],
  defaults: [{ trials: 3, assert: [{ json: true }] }],
  trials: [3],
  cases: [[{ id: 'refund', vars: { email: 'I want my money back' }, assert: [{ contains: 'billing' }] }]],
  'gate.cases': [{ broken: 'fail', added: 'warn' }],
  'gate.confirm': [{ cases: 5, budget: '50%' }],
  'confirm.cases': [5],
  'confirm.budget': ['50%', 24],
  recordings: ['fixtures/triage.jsonl'],
  gate: [{ passRate: { min: 0.9, maxDrop: 0.05 } }],
  slices: [{ german: { passRate: { maxDrop: 0.1 } }, safety: { passRate: { min: 1 } } }],
  classes: [{ truth: '{{expected}}', found: { jsonPath: '$.queue' }, gate: { f1: { maxDrop: 0.05 } } }],
  truth: ['{{expected}}'],
  'classes.found': [{ jsonPath: '$.queue' }, { regex: '^Queue: (.*)$', group: 1 }],
  'classes.names': [['billing', 'legal', 'technical']],
  'classes.gate': [{ recall: { legal: { min: 0.95 } }, f1: { maxDrop: 0.05 } }],
  recall: [{ legal: { min: 0.95, maxDrop: 0.05 } }],
  precision: [{ legal: { min: 0.9 } }],
  f1: [{ maxDrop: 0.05 }],
  alpha: [0.05],
  'passRate.min': [0.9, '90%'],
  'score.min': [0.8],
  maxDrop: [0.05, '5%'],
  maxIncrease: ['10%'],
  'cost.max': [0.5],
  'steps.max': [4],
  p95Max: ['4s'],
  firstTokenP95Max: ['800ms'],
  suites: ['evals/**/*.eval.yaml'],
  plugins: [['./my-assertion.ts']],
  prices: [{ 'qwen2.5:7b': { input: 0, output: 0 } }],
  cache: ['redis://127.0.0.1:6379/0', { url: 's3://answers/team', region: 'eu-central-1' }],
  'cache.url': ['redis://127.0.0.1:6379/0', 's3://answers/team'],
  urlEnv: ['REDIS_URL'],
  'cache.username': ['llmcheck'],
  passwordEnv: ['REDIS_PASSWORD'],
  'cache.endpoint': ['http://127.0.0.1:9000'],
  'cache.prefix': ['llmcheck:'],
  ttl: ['720h'],
  run: [{ maxCost: 0.5, concurrency: 8 }],

  'case.id': ['refund'],
  tags: [['billing']],
  'case.group': ['doc-12'],
  threshold: [0.8],
  skip: ['the tool is not built yet'],
  'case.prompts': [['v1']],
  'case.providers': [['openai:gpt-4o-mini']],
  expected: ['billing'],
  turns: [[{ user: 'And when will it arrive?' }]],
  user: ['And when will it arrive?'],
  toolResult: [{ name: 'find_order', content: { status: 'sent' } }],
  'toolResult.name': ['find_order'],
  tools: [{ find_order: [{ when: { id: '7' }, returns: { state: 'shipped' } }, { fails: 'no such order' }] }],
  maxSteps: [6],
  when: [{ order_id: '7731' }],
  compare: ['exact'],
  returns: [{ state: 'shipped' }],
  fails: ['no such order'],
  'toolResult.content': ['{"status": "sent"}'],
  'case.file': ['cases/*.jsonl'],

  id: ['local'],
  use: ['openai:gpt-4o-mini'],
  baseURL: ['http://127.0.0.1:11434/v1'],
  apiKeyEnv: ['LOCAL_KEY'],
  headers: [{ 'X-Team': 'evals', 'X-Key': { env: 'TEAM_KEY' } }],
  'headers.env': ['TEAM_KEY'],
  env: [['LANG']],
  files: [['lib/rules.json']],
  inputs: [['lib/**/*.mjs', 'data/*.json']],
  workspace: ['fixtures/shop'],
  network: [true],
  'prompts.workspace': [{ '.claude/skills/pdf/SKILL.md': 'skills/pdf/SKILL.md' }],
  'prompt.workspace': [{ '.claude/skills/pdf/SKILL.md': 'skills/pdf/SKILL.md' }],
  'case.workspace': [{ 'data/order.csv': 'fixtures/order.csv' }],
  'prompt.providers': [['openai:gpt-4o-mini']],
  export: ['default'],
  'price.input': [0.15],
  'price.output': [0.6],
  'prices.input': [0.15],
  'prices.output': [0.6],
  cachedInput: [0.075],
  cacheWrite: [0.1875],
  concurrency: [20],
  rpm: [500],
  tpm: [200_000],
  timeout: ['60s'],
  maxAnswer: [{ text: '8 MiB', toolCalls: 200 }],
  'maxAnswer.text': ['8 MiB'],
  retries: [4],
  memoryMb: [512],
  module: ['tools/shop.ts'],
  exec: ['node tools/shop.mjs'],
  minKappa: [0.6],
  labels: ['labels/strict.jsonl'],
  apiVersion: ['2024-10-21'],
  project: ['my-project'],
  location: ['europe-west4'],
  region: ['eu-central-1'],
  'response.text': ['$.text'],
  'response.reasoning': ['$.reasoning'],
  'response.refusal': ['$.refusal'],
  'response.toolCalls': ['$.tool_calls'],
  'response.finishReason': ['$.finish_reason'],
  'response.inputTokens': ['$.usage.input'],
  'response.outputTokens': ['$.usage.output'],
  'response.cachedInputTokens': ['$.usage.cached'],
  'response.cacheWriteTokens': ['$.usage.cache_write'],
  'response.reasoningTokens': ['$.usage.reasoning'],
  'response.model': ['$.model'],
  'response.responseId': ['$.id'],
  'response.error': ['$.error.message'],
  request: [{ prompt: '{{ prompt }}' }],

  select: [{ jsonPath: '$.queue' }, 'toolCalls'],
  jsonPath: ['$.queue'],
  'select.file': ['report.md'],
  'select.regex': ['^Queue: (.*)$'],
  flags: ['i'],
  codeBlock: ['json'],
  xmlTag: ['answer'],
  replace: ['<think>[\\s\\S]*?</think>'],
  name: ['names the queue'],
  weight: [2],
  value: ['{{expected}}'],
  path: ['$.items[0].name'],
  'jsonPath.value': ['billing'],
  'number.value': [42],
  tolerance: [0.01, '5%'],
  min: [0.8],
  'length.min': [1],
  'count.min': [1],
  'headings.min': [1],
  'lists.min': [1],
  'listItems.min': [1],
  'codeBlocks.min': [1],
  'tables.min': [1],
  'links.min': [1],
  'tokens.min': [1],
  max: [1],
  'number.min': [0],
  'number.max': [100],
  'regex.value': ['^[A-Z]{2}-\\d+$'],
  root: ['order'],
  'sql.tables': [['orders']],
  statements: [['select']],
  'html.contains': [['table', 'th']],
  sections: [['Summary', 'Next steps']],
  provider: ['openai:text-embedding-3-small'],
  args: [{ id: 7 }],
  schema: [{ type: 'object', required: ['id'] }],
  ignore: [['$.id']],
  names: [['find_order']],
  calls: [['find_order', 'issue_refund']],
  never: [true],
  'files.changed': [['src/*.ts']],
  'files.created': [['report.md']],
  'files.deleted': [['old/*.ts']],
  'files.untouched': [['package.json']],
  'trajectory.never': [['delete_order']],
  after: [{ issue_refund: ['find_order'] }],
  counts: [{ issue_refund: 1 }],
  steps: [{ max: 4 }],
  'steps.min': [1],
  'counts.min': [1],
  state: [{ orders: { '7731': { status: 'cancelled' } } }],
  step: [1],
  'calls.name': ['find_order'],
  'never.name': ['find_order'],
  'after.name': ['find_order'],
  'toolCalls.value': [['find_order']],
  'toolCalls.name': ['find_order'],
  'value.name': ['find_order'],
  'latency.max': ['2s'],
  'latency.firstToken': ['800ms'],
  'assertion.cost.max': [0.01],
  judge: ['strict'],
  'choice.choices': [yesOrNo],
  'choices.choice': ['yes'],
  'choices.score': [1],
  system: ['You judge answers of a support team.'],
  'rubric.value': ['The answer is polite and promises no refund.'],
  'factual.value': ['The order was sent on Monday.'],
  'pairwise.value': ['Which answer helps the customer more?'],
  'module.value': ['checks/check.mjs'],
  'exec.value': ['python3 checks/check.py'],
};
