import { deepEqual } from '../../json/deep-equal.ts';
import { defined } from '../../json/defined.ts';
import { parseJson } from '../../json/parse-json.ts';
import { isSystemRole } from '../../model/run/completion.ts';
import {
  createDraft,
  type Draft,
  type ImportedSuite,
  isMap,
  LeftOut,
  type Unreadable,
  type Written,
} from '../draft.ts';
import type { Importer } from '../importer.ts';
import { looksLikeMessages } from './chat-messages.ts';
import { buildPrompts } from './data-prompts.ts';
import {
  type AnswerFields,
  chooseAnswerFields,
  type DataRow,
  type Fields,
  findChat,
  hasEnvelope,
  isBookkeeping,
  joinQuoted,
  letterChoices,
  namesAnswer,
  readFields,
  readGolden,
} from './data-row.ts';
import { readDataRows } from './read-data-rows.ts';

export const dataSetImporter: Importer = {
  name: 'jsonl',
  description: 'A data set: a JSON object a line, or a JSON list.',
  input: 'the file',
  example: 'data.jsonl',
  takesExpected: true,
  read: ({ shown, text, expected }) => importDataSet(shown, text, expected),
};

/** Imports a data set with one case per row. `expected` names the golden field; false means there is none. */
export function importDataSet(
  file: string,
  text: string,
  expected: string | false | undefined,
): ImportedSuite | Unreadable {
  const all = readDataRows(file, text);
  if ('problems' in all) return all;
  const written = all.filter(({ value }) => !isArchived(value));
  const empty = `${file} has no rows${all.length === 0 ? '' : ' but archived ones'}`;
  const other = written.length === 0 ? empty : nameOther(file, written[0]?.value);
  if (other !== undefined) return { problems: [{ code: 'usage', severity: 'error', message: other }] };
  const draft = createDraft();
  const known = written.flatMap(({ value }) => (isMap(value) ? [value] : []));
  const names = new Set(known.flatMap((row) => [...openRow(row).keys()]));
  const answers = chooseFields(known, [...names], expected);
  if (typeof answers === 'string') {
    const message = `${answers}; the fields are ${[...names].join(', ')}`;
    const hint = 'name it: --expected FIELD, or --no-expected where no field holds it';
    return { problems: [{ code: 'usage', severity: 'error', message, hint }] };
  }
  const hidden = new Set([...answers.hidden, ...findCopies(known, answers.golden)]);
  const rows = written.map((row) => readRow(row, { answers, hidden, draft }));
  noteHidden(written, names, hidden, draft);
  noteLost(all, draft);
  const [first] = written;
  const open = written.filter((_, index) => isOpen(rows[index]));
  const isAnswered = rows.some((row) => !(row instanceof LeftOut || isOpen(row)));
  if (open[0] !== undefined && (isAnswered || answers.golden !== undefined))
    draft.note(open[0], `rows without a golden answer are shown and not judged: ${open.length} of ${rows.length}`);
  const shown = [...names].filter((name) => !hidden.has(name));
  if (first !== undefined && expected === undefined && answers.golden === undefined && !isAnswered && shown.length > 0)
    draft.note(
      first,
      `no field is known to hold the golden answer, so nothing is judged and the prompt shows ${shown.join(', ')}: name it with --expected FIELD, or say --no-expected`,
    );
  const { prompts, cases, defaults } = buildPrompts(rows, written, draft);
  return {
    suite: { prompts, providers: ['openai:gpt-4o-mini'], ...defined({ defaults }), cases },
    refused: draft.refused,
    notes: draft.notes,
  };
}

function isOpen(row: DataRow | LeftOut | undefined): boolean {
  return row !== undefined && !(row instanceof LeftOut) && row.answer === undefined;
}

/** True for an archived item, which Langfuse excludes from its runs. */
function isArchived(row: unknown): boolean {
  return (
    isMap(row) && row['status'] === 'ARCHIVED' && (Object.hasOwn(row, 'datasetId') || Object.hasOwn(row, 'datasetName'))
  );
}

/** Notes the parts of rows that no case contains, each once at its first row. */
function noteLost(rows: readonly Written[], draft: Draft): void {
  const archived = rows.filter(({ value }) => isArchived(value));
  const [first] = archived;
  if (first !== undefined) draft.note(first, `archived rows are no cases: ${archived.length}`);
  const named = rows.find(({ value }) => isMap(value) && hasNamedMessage(findChat(openRow(value), new Set())?.value));
  if (named !== undefined) draft.note(named, 'the "name" of a message is left out: messages of a prompt have none');
  const tooled = rows.filter(({ value }) => isMap(value) && Array.isArray(value['tools']) && 'messages' in value);
  if (tooled[0] !== undefined)
    draft.note(tooled[0], `the prompt shows "tools" as text: write them into params.tools (${tooled.length} rows)`);
}

function hasNamedMessage(messages: unknown): boolean {
  return Array.isArray(messages) && messages.some((message) => isMap(message) && typeof message['name'] === 'string');
}

/** Names the right command for a file that is no data set. */
function nameOther(file: string, row: unknown): string | undefined {
  if (!isMap(row)) return undefined;
  const has = (...names: readonly string[]) => names.every((name) => Object.hasOwn(row, name));
  const isSpan =
    has('resourceSpans') || has('resourceLogs') || (has('attributes') && (has('spanId') || has('context')));
  if (isSpan) return `${file} holds calls of a model, not a data set: use llmcheck import otel`;
  if (has('run_type', 'inputs')) return `${file} holds runs, not a data set: use llmcheck import langsmith`;
  if ((has('traceId') || has('trace_id')) && has('type', 'input'))
    return `${file} holds observations, not a data set: use llmcheck import langfuse`;
  if (isMap(row['vars']) && has('assert'))
    return `${file} holds cases with checks: name it in cases: [{ file: … }], or use llmcheck import promptfoo`;
  if (has('skill_name', 'evals')) return `${file} holds the evals of a skill: use llmcheck import skill-evals`;
  return has('testing_criteria') ? `${file} is an eval of the OpenAI API: use llmcheck import openai-evals` : undefined;
}

/** Reads a row's fields, without its id and bookkeeping of other tools. */
function openRow(row: Readonly<Record<string, unknown>>): Fields {
  const isEnvelope = hasEnvelope(row);
  const fields = [...readFields(row)].filter(
    ([name, value]) => !(name === 'id' && isId(value)) && !isBookkeeping(name, value, isEnvelope),
  );
  return new Map(fields);
}

function isId(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}

function chooseFields(
  rows: readonly Readonly<Record<string, unknown>>[],
  names: readonly string[],
  expected: string | false | undefined,
): AnswerFields | string {
  if (typeof expected === 'string') {
    const isThere = rows.some((row) => names.includes(expected) || Object.hasOwn(row, expected));
    if (!isThere) return `no row has the field "${expected}"`;
    const ofEnvelope = names.filter((name) => name.startsWith(`${expected}.`));
    return hideMore(chooseAnswerFields(names, expected), ofEnvelope);
  }
  const expectations = names.filter((name) => name.startsWith('expectations.'));
  const response = expectations.find((name) => name === 'expectations.expected_response');
  // Facts and guidelines are for judges.
  if (response !== undefined && expected === undefined)
    return {
      golden: response,
      hidden: names.filter((name) => /^(?:expectations|outputs)\./.test(name) && name !== response),
    };
  const outputs = names.filter((name) => /^(?:outputs|expectations)\./.test(name));
  const others = names.filter((name) => !outputs.includes(name));
  if (outputs.length === 0 || expected === false) return hideMore(chooseAnswerFields(names, expected), outputs);
  // Fields of `outputs` are answers, whatever their names.
  const [only, second] = outputs;
  if (second !== undefined || only === undefined)
    return `${joinQuoted(outputs)} may each hold the golden answer, or "outputs" as a whole`;
  return chooseAnswerFields([...others, only], only);
}

function hideMore(chosen: AnswerFields | string, names: readonly string[]): AnswerFields | string {
  return typeof chosen === 'string' ? chosen : { ...chosen, hidden: [...chosen.hidden, ...names] };
}

/** Finds fields that repeat the golden answer: equal in every row that has both, or nested under an answer's name. */
function findCopies(rows: readonly Readonly<Record<string, unknown>>[], golden: string | undefined): readonly string[] {
  if (golden === undefined) return [];
  const opened = rows.map((row) => ({ fields: openRow(row), answer: readGolden(row, readFields(row), golden) }));
  const names = new Set(opened.flatMap(({ fields }) => [...fields.keys()]));
  return [...names].filter((name) => {
    const both = opened
      .filter(({ fields, answer }) => name !== golden && fields.has(name) && answer !== undefined)
      .map(({ fields, answer }) => ({ value: fields.get(name), answer }));
    const isCopy = both.length > 1 && both.every(({ value, answer }) => deepEqual(value, answer));
    const within = both.map(({ value, answer }) => ({ found: answersWithin(value), answer }));
    const named = within.filter(({ found }) => found.length > 0);
    const isWithin = named.every(({ found, answer }) => found.some((one) => one === true || deepEqual(one, answer)));
    return isCopy || (named.length > 0 && isWithin);
  });
}

/** Nested values whose key names an answer or marks the right one, as in `{"text": …, "is_correct": true}`. */
function answersWithin(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value.flatMap(answersWithin);
  if (!isMap(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    ...(namesAnswer(key) ? [inner] : []),
    ...answersWithin(inner),
  ]);
}

interface Reading {
  readonly answers: AnswerFields;
  readonly hidden: ReadonlySet<string>;
  readonly draft: Draft;
}

function readRow(written: Written, { answers, hidden, draft }: Reading): DataRow | LeftOut {
  const row = written.value;
  if (!isMap(row)) {
    const parsed = typeof row === 'string' ? parseJson(row) : undefined;
    const isBroken = parsed?.ok === false;
    return draft.refuse(written, isBroken ? `the row is not JSON: ${parsed.reason}` : 'the row is not a JSON object');
  }
  const { golden } = answers;
  const fields = openRow(row);
  const away = new Set([...hidden, ...(golden === undefined ? [] : [golden])]);
  const found = findChat(fields, away);
  if (found !== undefined && found.messages === undefined && looksLikeMessages(found.value))
    return draft.refuse(
      written,
      `a message of "${found.name}" is not only text, or has a role that prompts can't have`,
    );
  const messages = found?.messages ?? [];
  const last = messages.at(-1);
  const isAnswered = last?.role === 'assistant';
  const system = messages.length > 0 && !away.has('system') ? fields.get('system') : undefined;
  const isSystem = typeof system === 'string' && !messages.some(({ role }) => isSystemRole(role));
  const asked = isAnswered ? messages.slice(0, -1) : messages;
  const chat = isSystem ? [{ role: 'system' as const, content: system }, ...asked] : asked;
  const vars = [...fields].filter(
    ([name]) =>
      !away.has(name) && !(name === found?.name && found.messages !== undefined) && !(name === 'system' && isSystem),
  );
  if (vars.length === 0 && chat.length === 0) return draft.refuse(written, 'the row has no input');
  const own = golden === undefined ? undefined : readGolden(row, readFields(row), golden);
  if (isAnswered && golden !== undefined)
    draft.note(written, `the last message of "${found?.name ?? ''}" is an answer, and is left out`);
  const answer = own ?? (isAnswered && golden === undefined ? last.content : undefined);
  const { id } = row;
  return {
    id: isId(id) && String(id).trim() !== '' ? String(id) : undefined,
    vars: letterChoices(new Map(vars), answer),
    chat,
    answer: answer === null || answer === '' ? undefined : answer,
  };
}

/** Adds one note for the whole file, at its first row. */
function noteHidden(
  written: readonly Written[],
  names: ReadonlySet<string>,
  hidden: ReadonlySet<string>,
  draft: Draft,
): void {
  const left = [...hidden].filter((name) => names.has(name));
  const [first] = written;
  if (left.length > 0 && first !== undefined)
    draft.note(
      first,
      `${joinQuoted(left)} may give the answer away, and so ${left.length === 1 ? 'is no variable' : 'are no variables'}`,
    );
  const kept = new Set(
    written
      .flatMap(({ value }) =>
        isMap(value)
          ? [...readFields(value)].filter(([name, item]) => isBookkeeping(name, item, hasEnvelope(value)))
          : [],
      )
      .map(([name]) => name),
  );
  if (kept.size > 0 && first !== undefined)
    draft.note(
      first,
      `${joinQuoted([...kept])} ${kept.size === 1 ? 'is kept for people, and so is no variable' : 'are kept for people, and so are no variables'}`,
    );
}
