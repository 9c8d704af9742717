import { defined } from '../json/defined.ts';
import { parseJson } from '../json/parse-json.ts';
import type { Problem } from '../model/problem.ts';
import {
  createDraft,
  type Draft,
  type ImportedSuite,
  isMap,
  LeftOut,
  readWritten,
  type Unreadable,
  type Written,
} from './draft.ts';
import type { Importer } from './importer.ts';

export const openaiEvalsImporter: Importer = {
  name: 'openai-evals',
  description: "JSON that was exported from OpenAI's Evals API.",
  input: 'the file',
  example: 'run.json',
  read: ({ shown, text }) => importOpenaiEvals(shown, text),
};

/** Reads a saved eval of OpenAI's Evals API: the eval itself, or a run of it with its data. */
export function importOpenaiEvals(file: string, text: string): ImportedSuite | Unreadable {
  const root = readWritten(file, text);
  if ('problems' in root) return isLines(text) ? { problems: [describeLines(file)] } : root;
  const draft = createDraft();
  const evaluation = root.child('eval').value === undefined ? root : root.child('eval');
  const criteria = evaluation.child('testing_criteria');
  if (!Array.isArray(criteria.value)) {
    const message = 'an exported eval has a list of testing_criteria';
    return { problems: [{ code: 'invalid-value', severity: 'error', message, at: root.at() }] };
  }
  const checks = criteria.items().map((item) => convertCriterion(item, draft));
  const data = findData(root);
  const prompts = convertTemplate(data.child('input_messages'), draft);
  const items = data.child('source').child('content').items();
  const cases =
    items.length === 0
      ? [
          draft.refuse(
            data,
            'there are no items: an eval is exported without its data',
            'export a run, or give cases a file',
          ),
        ]
      : items.map((item) => {
          const { value } = item.child('item').value === undefined ? item : item.child('item');
          return isMap(value) ? buildCase(value, checks) : draft.refuse(item, 'an item of the data must be a map');
        });
  const { name } = Object(evaluation.value) as { readonly name?: unknown };
  return {
    suite: {
      ...defined({ description: typeof name === 'string' ? name : undefined }),
      prompts,
      providers: convertModel(data, draft),
      cases,
    },
    refused: draft.refused,
    notes: draft.notes,
  };
}

/** True for a data set instead of an exported eval. */
function isLines(text: string): boolean {
  const first = parseJson(text.trimStart().split('\n', 1)[0] ?? '');
  return first.ok && isMap(first.value);
}

function describeLines(file: string): Problem {
  const at = { file, line: 1, column: 1 };
  const message = 'the file has a JSON object a line: it is a data set, and no exported eval';
  return { code: 'syntax', severity: 'error', message, hint: `run \`llmcheck import jsonl ${file}\``, at };
}

/** Finds the data source of the run, else of the eval. */
function findData(root: Written): Written {
  const places = [root.child('run').child('data_source'), root.child('data_source')];
  return places.find(({ value }) => isMap(value)) ?? root.child('data_source_config');
}

function buildCase(
  item: Readonly<Record<string, unknown>>,
  checks: readonly unknown[],
): Readonly<Record<string, unknown>> {
  const isJudged = checks.some((check) => !(check instanceof LeftOut));
  return { vars: item, ...defined({ observe: isJudged ? undefined : true }), assert: checks };
}

/** Sampling parameters that chat completions have too. */
const samplingParams = new Set([
  'temperature',
  'top_p',
  'seed',
  'max_completion_tokens',
  'reasoning_effort',
  'response_format',
  'tools',
]);

function convertModel(data: Written, draft: Draft): readonly unknown[] {
  const { model, sampling_params: sampling } = Object(data.value) as Readonly<Record<string, unknown>>;
  if (typeof model !== 'string') return [draft.refuse(data, 'there is no model', 'add providers: to the suite')];
  const use = `openai:${model}`;
  const entries = Object.entries(isMap(sampling) ? sampling : {})
    .filter(([, value]) => value !== null)
    // Name in an earlier version of the API.
    .map(([name, value]) => [name === 'max_completions_tokens' ? 'max_completion_tokens' : name, value] as const);
  const known = entries.filter(([name]) => samplingParams.has(name));
  const others = entries
    .filter(([name]) => !samplingParams.has(name))
    .map(([name]) =>
      draft.refuse(
        data.child('sampling_params').child(name),
        `the sampling parameter "${name}" has no equivalent here`,
        'add it to params of the provider as chat completions have it',
      ),
    );
  return [known.length === 0 ? use : { id: use, use, params: Object.fromEntries(known) }, ...others];
}

const outputPattern = /^\s*\{\{\s*sample\.output_text\s*\}\}\s*$/;

function convertCriterion(written: Written, draft: Draft): unknown {
  const { type, name, input, operation, reference } = Object(written.value) as Readonly<Record<string, unknown>>;
  if (type !== 'string_check')
    return draft.refuse(
      written,
      `the criterion "${String(type)}" has no equivalent here`,
      'rubric asks a judge; module runs code',
    );
  if (typeof input !== 'string' || !outputPattern.test(input) || typeof reference !== 'string') {
    return draft.refuse(written, 'only {{ sample.output_text }} can be compared with a text');
  }
  const value = translateItem(reference);
  if (value === undefined) return draft.refuse(written, "the reference has no equivalent in a suite's templates");
  const named = typeof name === 'string' ? { name } : {};
  switch (operation) {
    case 'eq':
      return { equals: { value }, ...named };
    case 'ne':
      return { not: { equals: { value } }, ...named };
    case 'like':
      return { contains: { value }, ...named };
    case 'ilike':
      return { contains: { value, ignoreCase: true }, ...named };
    default:
      return draft.refuse(written, `the operation "${String(operation)}" is not known here`);
  }
}

/** Translates `{{ item.question }}` to `{{ question }}`; undefined for other templates. */
function translateItem(text: string): string | undefined {
  const translated = text.replaceAll(/\{\{\s*item\.([A-Za-z_][\w.]*)\s*\}\}/g, '{{ $1 }}');
  return /\{[%#]|\{\{(?!\s[\w.]+\s\}\})/.test(translated) ? undefined : translated;
}

function convertTemplate(written: Written, draft: Draft): readonly unknown[] {
  const list = written.child('template');
  const messages = list.items().map((item) => {
    const { role, content } = Object(item.value) as Readonly<Record<string, unknown>>;
    const source = isMap(content) ? content['text'] : content;
    const text = typeof source === 'string' ? translateItem(source) : undefined;
    if (text === undefined || typeof role !== 'string' || !['system', 'developer', 'user', 'assistant'].includes(role))
      return draft.refuse(item, 'a message of the template has no equivalent here');
    return { role, content: text };
  });
  if (messages.length === 0)
    return [draft.refuse(written, 'there is no template of messages', 'add prompts: to the suite')];
  const leftOut = messages.find((message) => message instanceof LeftOut);
  return [leftOut ?? { id: 'v1', messages }];
}
