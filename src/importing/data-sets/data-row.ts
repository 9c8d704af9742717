import { nameSet } from '../../text/name-set.ts';
import { isMap } from '../draft.ts';
import { type ChatMessage, readMessage, readMessages } from './chat-messages.ts';

/** Fields of a row by name. Fields of an envelope (`input`, `inputs`, `outputs`) have its prefix: `inputs.question`. */
export type Fields = ReadonlyMap<string, unknown>;

/** The useful parts of a row: variables, conversation and golden answer. */
export interface DataRow {
  readonly id: string | undefined;
  readonly vars: ReadonlyMap<string, unknown>;
  readonly chat: readonly ChatMessage[];
  readonly answer: unknown;
}

const envelopeNames = new Set(['input', 'inputs', 'outputs', 'expectations']);
const chatNames = new Set(['messages', 'conversations', 'conversation', 'chat', 'chat_history', 'prompt']);

export function hasEnvelope(row: Readonly<Record<string, unknown>>): boolean {
  return Object.hasOwn(row, 'input') || Object.hasOwn(row, 'inputs');
}

/** Reads a row's fields, opening its envelopes. Omits fields without a value. */
export function readFields(row: Readonly<Record<string, unknown>>): Fields {
  const fields = new Map<string, unknown>();
  for (const [key, value] of Object.entries(row)) {
    if (value === null) continue;
    if (!envelopeNames.has(key) || !isMap(value) || readMessage(value) !== undefined) fields.set(key, value);
    else {
      for (const [inner, item] of Object.entries(value)) if (item !== null) fields.set(`${key}.${inner}`, item);
    }
  }
  return fields;
}

/** Value of the golden field: a field, or a whole envelope. */
export function readGolden(row: Readonly<Record<string, unknown>>, fields: Fields, name: string): unknown {
  return readAnswer(fields.get(name) ?? (Object.hasOwn(row, name) ? row[name] : undefined));
}

/** Unwraps an answer: the text of a message, or of a wrapper such as `{"answer": …}`. */
function readAnswer(value: unknown): unknown {
  const messages = readMessages(value);
  if (messages !== undefined) return messages.findLast(({ role }) => role === 'assistant')?.content ?? value;
  if (!isMap(value)) return value;
  const message = readMessage(value);
  if (message !== undefined) return message.content;
  // SQuAD stores the answers' positions beside them.
  const { text, answer_start: starts } = value;
  if (Array.isArray(text) && Array.isArray(starts)) return [...new Set<unknown>(text)];
  const [[key, inner] = ['', undefined], ...others] = Object.entries(value);
  return others.length === 0 && isTextField(key) && typeof inner !== 'object' ? inner : value;
}

/** Finds the field with a row's conversation; undefined if there is none. */
export function findChat(
  fields: Fields,
  hidden: ReadonlySet<string>,
):
  | { readonly name: string; readonly value: unknown; readonly messages: readonly ChatMessage[] | undefined }
  | undefined {
  for (const [name, value] of fields) {
    const isNamed = name === 'input' || chatNames.has(name.replace(/^inputs?\./, ''));
    if (hidden.has(name) || !isNamed || !Array.isArray(value)) continue;
    const messages = readMessages(value);
    return { name, value, messages };
  }
  return undefined;
}

/** Adds letters to choices if the answers are letters such as `B`, as Inspect does. */
export function letterChoices(vars: ReadonlyMap<string, unknown>, answer: unknown): ReadonlyMap<string, unknown> {
  const choices = vars.get('choices');
  const letters = Array.isArray(answer) ? answer : [answer];
  const isLettered = letters.every((letter) => typeof letter === 'string' && /^[A-Z]$/.test(letter));
  if (!Array.isArray(choices) || !isLettered || !choices.every((choice) => typeof choice === 'string')) return vars;
  const shown = choices.map((choice, index) => `${String.fromCodePoint(65 + index)}) ${choice}`);
  return new Map([...vars, ['choices', shown]]);
}

/** Normalizes a name: `Expected Output`, `expected_output` and `expectedOutput` become equal. */
function plain(name: string): string {
  return name
    .replace(/^.*\./, '')
    .normalize()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, '');
}

/** Names of the golden answer in tools and data sets. */
const goldenNames = nameSet(`
  expected expectedoutput expectedanswer expectedanswers expectedresponse expectedresult expectedvalue expectedlabel
  expectedoutputs ideal idealanswer idealresponse idealoutput truth groundtruth groundtruths groundtruthanswer gt gold golden
  goldanswer goldenanswer goldoutput goldenoutput goldlabel reference references referenceanswer referenceanswers
  referenceoutput referenceoutputs referenceresponse target targets targetoutput targetanswer label labels answer answers
  correct correctanswer correctanswers correctoutput correctresponse bestanswer solution canonicalsolution finalanswer
  chosen preferred ответ правильныйответ 答案 正确答案 参考答案 标准答案 正解 答え 정답 respuesta réponse antwort risposta
  resposta`);

/** Golden only without another golden field. Beside one, they are a model's answer. */
const recordedNames = nameSet('output outputs completion response generation result');

/** Names that always mean a model's answer. */
const answerNames = nameSet(`
  actual actualoutput actualanswer actualresponse prediction predicted predictedoutput generated generatedoutput
  modeloutput modelresponse modelanswer rejected`);

/** Possible golden answers of a classification, summary or translation. */
const classNames = nameSet(`
  category class classification intent sentiment verdict score rating grade topic summary highlights translation sql code`);

const revealingNamePattern =
  /answer|expect|gold|truth|ideal|correct|solution|reference|rationale|explanation|completion|response|output|label|annotation|rubric|grading|^(?:unit)?tests?(?:list|cases?)?$/;

/** Last words of fields that describe the answer, such as `answer_format`. */
const describingWords = nameSet(
  'language lang format type length schema style url id count choices options instruction instructions',
);

/** Data that other tools store with a row, not sent to a model. */
const bookkeepingNames = nameSet(`
  metadata additionalmetadata tags name createdat updatedat modifiedat created datasetid datasetname sourcetraceid
  sourceobservationid sourcerunid status split splits comments rootspanid spanid isroot origin projectid logid xactid
  paginationkey auditdata facets classifications sourcefile customcolumnkeyvalues toolscalled expectedtools sandbox files
  setup scores metrics attachments scenario userdescription expectedoutcome validationstatus archivedat exampleid
  htmlsourcepath validfrom isdeleted mediareferences attachmenturls runs orgid comparisonkey asyncscoringstate assets
  datasetrecordid lastupdatedby lastupdatetime createtime createdby`);

export interface AnswerFields {
  /** Field of the golden answer. */
  readonly golden: string | undefined;
  /** Fields that may reveal the answer, and so are no variables. */
  readonly hidden: readonly string[];
}

/** Chooses the golden field, or returns a sentence if it is unclear. */
export function chooseAnswerFields(
  names: readonly string[],
  expected: string | false | undefined,
): AnswerFields | string {
  const actual = names.filter((name) => answerNames.has(plain(name)));
  if (expected === false) return { golden: undefined, hidden: actual };
  const suspicious = new Set(names.filter(isSuspicious));
  const hide = (golden: string) => names.filter((name) => name !== golden && namesAnswer(name));
  if (expected !== undefined) return { golden: expected, hidden: hide(expected) };
  const strong = names.filter((name) => goldenNames.has(plain(name)));
  const weak = names.filter((name) => recordedNames.has(plain(name)));
  const candidates = strong.length > 0 ? strong : weak;
  const [golden] = candidates;
  if (candidates.length > 1) return `${joinQuoted(candidates)} may each hold the golden answer`;
  if (golden !== undefined) return { golden, hidden: hide(golden) };
  const maybe = names
    .filter((name) => suspicious.has(name) || classNames.has(plain(name)))
    .filter((name) => !actual.includes(name));
  if (maybe.length > 0) return `${joinQuoted(maybe)} may hold the golden answer`;
  return { golden: undefined, hidden: actual };
}

function isSuspicious(name: string): boolean {
  return revealingNamePattern.test(plain(name)) && !describingWords.has(lastWord(name));
}

/** Last word of a name: `format` for `answer_format`, `answer-format` and `answerFormat`. */
function lastWord(name: string): string {
  return plain(/(?:\p{Lu}+|\p{L}\p{Ll}*)[^\p{L}]*$/u.exec(name)?.[0] ?? name);
}

/** True for a name that suggests an answer, right or wrong, or marks the right one. */
export function namesAnswer(name: string): boolean {
  return [goldenNames, recordedNames, answerNames].some((known) => known.has(plain(name))) || isSuspicious(name);
}

/** Joins names: `"answer" and "label"`. */
export function joinQuoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(' and ');
}

/**
 * True for data that another tool stores with a row. Only a row with an envelope (`input`, `inputs`) certainly comes
 * from one.
 */
export function isBookkeeping(name: string, value: unknown, hasEnvelope: boolean): boolean {
  const isMetadata = ['metadata', 'source'].includes(plain(name)) && typeof value === 'object';
  return isMetadata || (hasEnvelope && bookkeepingNames.has(plain(name)));
}

/** True for a field that contains only the answer, as text or content. */
function isTextField(name: string): boolean {
  return (
    goldenNames.has(plain(name)) || recordedNames.has(plain(name)) || ['text', 'content', 'value'].includes(plain(name))
  );
}
