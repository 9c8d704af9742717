import { isMap, LeftOut, readWritten, type Written } from '../../draft.ts';
import { buildCheck, convertJavascript } from '../code/javascript.ts';
import { type Check, draft7, escapeData, readFile, readList, readText, type TypeContext } from './check-context.ts';
import { convertPython, convertRuby } from './program-checks.ts';
import { convertFunctionCall, convertSkillUsed, convertToolCallF1, convertToolsCall } from './tool-checks.ts';

type Converted = Check | LeftOut | undefined;
type Convert = (written: Written, context: TypeContext) => Promise<Converted> | Converted;

/** Supports `not-` by negating the check. */
function turned(convert: Convert): Convert {
  return async (written, context) => {
    const check = await convert(written, context);
    return check === undefined || check instanceof LeftOut || !context.inverse ? check : { not: check };
  };
}

/** Does not support `not-`. */
function plain(convert: Convert): Convert {
  return (written, context) => (context.inverse ? undefined : convert(written, context));
}

const converters: Readonly<Record<string, Convert>> = {
  contains: turned(ofText((value) => ({ contains: { value } }))),
  icontains: turned(ofText((value) => ({ contains: { value, ignoreCase: true } }))),
  'starts-with': turned(ofText((value) => ({ startsWith: { value } }))),
  // promptfoo matches the slashes of a literal too. An unescaped one is refused here.
  regex: turned(ofText((value) => ({ regex: { value: value.replace(/^\/(?=.*\/[a-z]*$)/s, String.raw`\/`) } }))),
  'contains-any': turned(ofList((value) => ({ containsAny: { value } }))),
  'contains-all': turned(ofList((value) => ({ containsAll: { value } }))),
  'icontains-any': turned(ofList((value) => ({ containsAny: { value, ignoreCase: true } }))),
  'icontains-all': turned(ofList((value) => ({ containsAll: { value, ignoreCase: true } }))),
  equals: convertEquals,
  'is-json': convertJson,
  'contains-json': plain(convertContainsJson),
  javascript: convertJavascript,
  python: convertPython,
  ruby: convertRuby,
  'word-count': convertWordCount,
  levenshtein: turned(convertLevenshtein),
  similar: turned(convertSimilar),
  'similar:cosine': turned(convertSimilar),
  'llm-rubric': turned(convertGraded),
  'g-eval': turned(convertGraded),
  // promptfoo does not negate these.
  factuality: plain(convertGraded),
  'model-graded-closedqa': plain(convertGraded),
  'model-graded-factuality': plain(convertGraded),
  'context-faithfulness': plain(convertContextCheck),
  'context-recall': plain(convertContextCheck),
  'context-relevance': plain(convertContextCheck),
  'conversation-relevance': turned(convertRelevance),
  'is-valid-openai-tools-call': plain(convertToolsCall),
  'is-valid-openai-function-call': plain(convertFunctionCall),
  'skill-used': convertSkillUsed,
  'tool-call-f1': convertToolCallF1,
  latency: turned((_, { threshold }) =>
    typeof threshold === 'number' ? { latency: { max: `${threshold}ms` } } : undefined,
  ),
  cost: turned((_, { threshold }) => (typeof threshold === 'number' ? { cost: { max: threshold } } : undefined)),
  'finish-reason': turned(convertFinishReason),
};

/** Types without an equivalent here. */
const otherTypesPattern =
  /^(?:agent-rubric|answer-relevance|bleu|classifier|contains-(?:html|sql|xml)|gleu|guardrails|human|is-(?:html|refusal|sql|xml|valid-function-call)|max-score|meteor|moderation|perplexity(?:-score)?|pi|rouge-\w|search-rubric|select-\w+|similar:(?:dot|euclidean)|trace-.+|trajectory:.+|webhook|promptfoo:.+)$/;

/** Converts a promptfoo type without `not-`. Refuses unsupported members. */
export async function convertType(written: Written, context: TypeContext): Promise<Check | LeftOut> {
  const { base } = context;
  const convert = Object.hasOwn(converters, base) ? converters[base] : undefined;
  const { type } = written.value as { readonly type: string };
  const hint = Object.hasOwn(hints, base) ? hints[base] : undefined;
  const refused = () => context.draft.refuse(written, `the assertion "${type}" has no equivalent here`, hint);
  if (convert === undefined && !otherTypesPattern.test(base))
    return context.draft.refuse(written, `promptfoo takes no assertion "${type}"`);
  return (await convert?.(written, context)) ?? refused();
}

function ofText(build: (value: string) => Check): Convert {
  return async (written, context) => {
    const text = await readText(written, context);
    return typeof text === 'string' ? build(text) : text;
  };
}

function ofList(build: (value: readonly string[]) => Check): Convert {
  return async (written, context) => {
    const texts = await readList(written, context);
    return texts instanceof LeftOut ? texts : build(texts);
  };
}

function convertFinishReason(written: Written): Check | undefined {
  const given = String(written.child('value').value).toLowerCase();
  const reason = Object.hasOwn(finishReasons, given) ? finishReasons[given] : undefined;
  return reason === undefined ? undefined : { finishReason: reason };
}

const finishReasons: Readonly<Record<string, string>> = {
  stop: 'stop',
  length: 'length',
  tool_calls: 'toolCalls',
  content_filter: 'contentFilter',
};

async function convertLevenshtein(written: Written, context: TypeContext): Promise<Check | LeftOut> {
  const text = await readText(written, context);
  if (typeof text !== 'string') return text;
  const { threshold: max = 5, draft, isScored } = context;
  if (isScored) return draft.refuse(written, 'levenshtein in a test with a threshold has another score here');
  if (typeof max !== 'number' || max < 0)
    return draft.refuse(written, 'the threshold of levenshtein must be a number of edits');
  return { levenshtein: { value: text, max: Math.floor(max) } };
}

/** Converts `similar`. With several texts, one must be similar enough. */
async function convertSimilar(written: Written, context: TypeContext): Promise<Check | LeftOut> {
  const isList = Array.isArray(written.child('value').value);
  const value = isList ? await readList(written, context) : await readText(written, context);
  if (value instanceof LeftOut) return value;
  const provider = context.embeddings(written.child('provider'));
  if (provider instanceof LeftOut) return provider;
  const min = typeof context.threshold === 'number' ? context.threshold : 0.75;
  context.draft.note(written, `similar asks ${provider}, as promptfoo does`);
  return { similar: { value, min, provider } };
}

/** Converts `word-count`, which counts words by white space. */
function convertWordCount(written: Written, context: TypeContext): Check | LeftOut {
  const { value } = written.child('value');
  const { min, max } = isMap(value) ? value : { min: value, max: value };
  const [least = 0, most = Infinity] = [min, max].map((one) => (one === undefined ? undefined : Number(one)));
  if (Number.isNaN(least) || Number.isNaN(most) || (min === undefined && max === undefined))
    return context.draft.refuse(written.child('value'), 'the value of word-count must be a number, or min and max');
  const body = `const words = String(output).trim().split(/\\s+/).filter((word) => word !== '').length;
  return words >= ${least} && words <= ${most};`;
  return buildCheck(`(output) => {\n  ${body}\n}`, written, [], context);
}

const hints: Readonly<Record<string, string>> = {
  'answer-relevance': 'its score is the similarity of questions; rubric: The answer is relevant to the question',
  'is-valid-function-call': 'check the calls with toolCalls',
  'max-score': 'it compares answers with each other, and each is judged alone here',
  'select-best': 'it compares answers with each other; pairwise compares one with the baseline’s',
  'is-refusal': 'refusal looks for other words',
  'rouge-n': 'rouge counts words differently',
  bleu: 'bleu counts words differently',
  'is-sql': 'sql uses another parser',
  'is-xml': 'xml uses another parser',
};

async function convertEquals(written: Written, context: TypeContext): Promise<Check | LeftOut> {
  const file = await readFile(written.child('value'), context);
  if (file instanceof LeftOut) return file;
  const { inverse } = context;
  const { value } = file ?? written.child('value');
  if (typeof value !== 'object' || value === null) {
    const text = await readText(written, context, true);
    if (typeof text !== 'string') return text;
    return inverse ? { not: { equals: { value: text } } } : { equals: { value: text } };
  }
  const data = escapeData(value);
  const equals = { equals: { value: data }, select: { json: true } };
  // promptfoo passes an answer that is no JSON, since it differs from the value.
  return inverse ? { anyOf: [{ json: false }, { not: equals }] } : equals;
}

/** Rubric of each kind of grading. promptfoo's own prompts differ. */
const rubricOf: Readonly<Record<string, (value: string) => string>> = {
  'llm-rubric': (value) => value,
  'g-eval': (value) => value,
  'model-graded-closedqa': (value) => value,
  factuality: (value) =>
    `The facts of the answer contradict nothing of this reference. Facts that are missing or more do not matter. Reference: ${value}`,
};

/** Converts a graded check to a rubric. */
async function convertGraded(written: Written, context: TypeContext): Promise<Check | LeftOut> {
  const { base, threshold } = context;
  const name = base === 'model-graded-factuality' ? 'factuality' : base;
  const isList = base === 'g-eval' && Array.isArray(written.child('value').value);
  const text = isList ? await readList(written, context) : await readText(written, context);
  if (text instanceof LeftOut) return text;
  const criterion = typeof text === 'string' ? text : text.map((one, index) => `${index + 1}. ${one}`).join('\n');
  if (criterion.trim() === '') return context.draft.refuse(written, 'a blank rubric asks for nothing');
  const least = threshold ?? (base === 'g-eval' ? 0.7 : undefined);
  if (typeof least === 'number' && least > 1)
    return context.draft.refuse(
      written.child('threshold'),
      'a rubric is scored from 0 to 1 here, not up to its threshold',
    );
  const min = typeof least === 'number' && least > 0 && name !== 'factuality' ? { threshold: least } : {};
  return buildRubric(rubricOf[name]?.(criterion) ?? criterion, min, written, context);
}

async function buildRubric(
  value: string,
  more: Check,
  written: Written,
  context: TypeContext,
): Promise<Check | LeftOut> {
  const judge = await context.judge(written.child('provider'));
  if (typeof judge !== 'string') return judge;
  const { type } = written.value as { readonly type: string };
  context.draft.note(written, `${type} becomes rubric: the prompt of the judge is worded differently`);
  return { rubric: { value, judge, ...more } };
}

/** Rubrics of shares. promptfoo counts them from the judge's text; here they are the judge's score. */
const rubricOfShare: Readonly<Record<string, string>> = {
  'context-faithfulness':
    'Score the share of the claims in the answer that this context supports. A claim that it neither states nor implies is not supported.',
  'context-recall':
    'Score the share of the sentences of this expected answer that the context supports, whatever the answer says.',
  'context-relevance':
    'Score the share of the sentences of this context that the question needs, whatever the answer says.',
};

/** Converts a check of an answer's context: a test variable, or text that code finds in the answer. */
async function convertContextCheck(written: Written, context: TypeContext): Promise<Check | LeftOut> {
  const { base, draft, varNames, threshold, isScored } = context;
  const isRecall = base === 'context-recall';
  const isMade = written.child('contextTransform').value !== undefined;
  const needed = [...(isMade ? [] : ['context']), ...(isRecall ? [] : ['query'])];
  const missing = needed.find((name) => !varNames.includes(name));
  if (missing !== undefined)
    return draft.refuse(written, `${base} without a variable "${missing}" has no equivalent here`);
  const expected = isRecall ? await readText(written, context) : undefined;
  if (expected instanceof LeftOut) return expected;
  const given = isRecall ? `Expected answer: ${expected}` : 'Question: {{ query }}';
  const value = [
    rubricOfShare[base],
    given,
    isMade ? 'The context is given with the answer.' : 'Context: {{ context }}',
  ].join('\n\n');
  const isMin = typeof threshold === 'number' && threshold > 0;
  if (isMin || isScored) {
    if (!isMin) return draft.refuse(written, `${base} without a threshold has no equivalent in a test that has one`);
    return buildRubric(value, { threshold, input: false }, written, context);
  }
  draft.note(written, `${base} without a threshold passes every answer in promptfoo: it does not decide here either`);
  const check = await buildRubric(value, { input: false }, written, context);
  return check instanceof LeftOut ? check : { ...check, weight: 0 };
}

/** Converts `conversation-relevance`. Each answer is one window, relevant or not. */
async function convertRelevance(written: Written, context: TypeContext): Promise<Check | LeftOut> {
  const { draft, threshold = 0.5 } = context;
  if (typeof threshold !== 'number' || threshold <= 0 || threshold > 1)
    return draft.refuse(written, 'conversation-relevance needs a threshold above 0 and up to 1');
  return buildRubric('The answer is relevant to what the user says.', {}, written, context);
}

/** Selects JSON from the first to the last brace. promptfoo tries each object in the text. */
async function convertContainsJson(written: Written, context: TypeContext): Promise<Check | LeftOut> {
  const check = await convertJson(written, context);
  if (check instanceof LeftOut) return check;
  context.draft.note(written, 'contains-json becomes a check of the text from the first brace to the last');
  return { ...check, select: { regex: String.raw`\{[\s\S]*\}` } };
}

async function convertJson(written: Written, context: TypeContext): Promise<Check | LeftOut> {
  const { inverse } = context;
  const { value } = written.child('value');
  if (value === undefined || value === null || value === '' || value === false || value === 0)
    return { json: !inverse };
  const found = typeof value === 'string' ? await readSchema(value, written, context) : value;
  if (!isMap(found)) {
    return found instanceof LeftOut
      ? found
      : context.draft.refuse(written.child('value'), 'the value of is-json must be a JSON Schema');
  }
  const schema = found['$schema'] === undefined ? { $schema: draft7, ...found } : found;
  return inverse ? { anyOf: [{ json: false }, { not: { jsonSchema: schema } }] } : { jsonSchema: schema };
}

async function readSchema(text: string, written: Written, context: TypeContext): Promise<unknown> {
  if (text.startsWith('file://')) {
    const found = await context.readData(text, written.child('value'));
    return found ?? context.draft.refuse(written.child('value'), `${text} can't be read as a JSON Schema`);
  }
  const parsed = /\{[{%]/.test(text) ? undefined : readWritten(written.at().file, text);
  return parsed !== undefined && 'value' in parsed
    ? parsed.value
    : context.draft.refuse(written.child('value'), 'the schema in this text can’t be read', 'write it as a map');
}
