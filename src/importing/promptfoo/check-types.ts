import { isMap, LeftOut, type Written } from '../draft.ts';
import type { Check, TypeContext } from './check-context.ts';
import { convertContextCheck, convertGraded, convertRelevance } from './graded-checks.ts';
import { buildCheck, convertJavascript } from './javascript.ts';
import { convertContainsJson, convertJson } from './json-checks.ts';
import { convertPython } from './python-check.ts';
import { convertRuby } from './ruby-check.ts';
import { convertFunctionCall, convertSkillUsed, convertToolCallF1, convertToolsCall } from './tool-checks.ts';
import { escapeData, readFile, readList, readText } from './values.ts';

type Converted = Check | LeftOut | undefined;
type Convert = (written: Written, context: TypeContext) => Promise<Converted> | Converted;

/** Turns the check around for `not-`. */
function turned(convert: Convert): Convert {
  return async (written, context) => {
    const check = await convert(written, context);
    return check === undefined || check instanceof LeftOut || !context.inverse ? check : { not: check };
  };
}

/** Knows no check for `not-`. */
function plain(convert: Convert): Convert {
  return (written, context) => (context.inverse ? undefined : convert(written, context));
}

const CONVERTERS: Readonly<Record<string, Convert>> = {
  contains: turned(ofText((value) => ({ contains: { value } }))),
  icontains: turned(ofText((value) => ({ contains: { value, ignoreCase: true } }))),
  'starts-with': turned(ofText((value) => ({ startsWith: { value } }))),
  regex: turned(ofText((value) => ({ regex: { value } }))),
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
  // promptfoo does not turn the verdicts of these around.
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

/** Types that have no equivalent here. */
const OTHER_TYPES =
  /^(?:agent-rubric|answer-relevance|bleu|classifier|contains-(?:html|sql|xml)|gleu|guardrails|human|is-(?:html|refusal|sql|xml|valid-function-call)|max-score|meteor|moderation|perplexity(?:-score)?|pi|rouge-\w|search-rubric|select-\w+|similar:(?:dot|euclidean)|trace-.+|trajectory:.+|webhook|promptfoo:.+)$/;

/** The check of a type of promptfoo, without `not-`. What it is not known for is refused. */
export async function convertType(written: Written, context: TypeContext): Promise<Check | LeftOut> {
  const { base } = context;
  const convert = Object.hasOwn(CONVERTERS, base) ? CONVERTERS[base] : undefined;
  const { type } = written.value as { readonly type: string };
  const hint = Object.hasOwn(HINTS, base) ? HINTS[base] : undefined;
  const refused = () => context.draft.refuse(written, `the assertion "${type}" has no equivalent here`, hint);
  if (convert === undefined && !OTHER_TYPES.test(base))
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

/** Of several texts, one that is near enough. */
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

/** promptfoo counts what white space separates. */
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

const HINTS: Readonly<Record<string, string>> = {
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
  // promptfoo passes an answer that is not JSON, since it differs from the value.
  return inverse ? { anyOf: [{ json: false }, { not: equals }] } : equals;
}
