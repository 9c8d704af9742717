import { type Document, isAlias, isMap, isSeq, type Node, parseDocument, YAMLMap, YAMLSeq } from 'yaml';
import { canonicalJson, writeJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import { isJsonObject, type JsonObject } from '../json/json.ts';
import { parseJson } from '../json/parse-json.ts';
import type { ToolCall, ToolResult } from '../model/run/completion.ts';
import { findSecrets } from '../secrets/find-secrets.ts';
import type { Mask } from '../secrets/mask-secrets.ts';
import { findPii, piiKinds } from '../secrets/personal-data.ts';
import { isTemplate } from '../templates/template.ts';
import { compareText } from '../text/compare-text.ts';
import { quote } from '../text/shorten.ts';
import { findLongNumbers, plainNumbers } from '../text/yaml/exact-numbers.ts';
import { readArguments } from './tool-sources.ts';

/** A real tool's answer, as an entry of a stub file. */
export interface RecordedStub {
  readonly name: string;
  readonly when: JsonObject;
  readonly answer: { readonly returns: string } | { readonly fails: string };
}

/** The arguments of a call for a stub, or the reason why a stub can't contain them. */
export function readWhen(call: ToolCall, mask: Mask): { readonly when: JsonObject } | { readonly reason: string } {
  const value = readArguments(call);
  if (!isJsonObject(value)) return { reason: 'its arguments are no JSON object' };
  if (findLongNumbers(value).length > 0) return { reason: 'a number in its arguments is too long for a stub' };
  // A masked argument would match no call, and one without it would match other calls too.
  const text = JSON.stringify(value);
  if (maskSecrets(text, mask) !== text) return { reason: 'its arguments hold a secret' };
  return { when: value };
}

/** A result without secrets and personal data. Data from the call itself stays, because the model knows it. */
export function maskResult({ content, ...rest }: ToolResult, { rawArguments }: ToolCall, mask: Mask): ToolResult {
  let masked = maskSecrets(content, mask);
  const known = new Set(findAllPii(rawArguments).map(({ text }) => text.toLowerCase()));
  for (const { text } of findAllPii(masked)) {
    if (!known.has(text.toLowerCase())) masked = masked.replaceAll(text, '***');
  }
  return { content: masked, ...rest };
}

/** Finds personal data, without telephone numbers: numbers of orders, parcels and customers look the same. */
function findAllPii(text: string) {
  const kinds = piiKinds.filter((kind) => kind !== 'phone');
  return findPii(text, { kinds, ignore: new Set(), limit: maxFindings });
}

function maskSecrets(text: string, mask: Mask): string {
  let masked = mask(text);
  for (const { text: secret } of findSecrets(masked, { entropy: false, ignore: new Set(), limit: maxFindings })) {
    masked = masked.replaceAll(secret, '***');
  }
  return masked;
}

const maxFindings = 10_000;

/** A key that is equal for equal calls. */
export function stubKey(name: string, when: JsonObject): string {
  return canonicalJson([name, when]);
}

/** `find_order {"id":"7"}`. */
export function describeStubCall({ name, rawArguments }: ToolCall): string {
  return `${quote(name, 60)} with ${quote(rawArguments, 100)}`;
}

const head = ' Written by "llmcheck run --record-tools", which adds calls and changes none: edit as you like.';

/**
 * Adds recorded stubs to the text of a stub file; undefined if the file does not exist. Existing entries and comments
 * stay. New entries are sorted by name and arguments, so that the order of calls does not matter.
 */
export function insertStubs(
  text: string | undefined,
  stubs: readonly RecordedStub[],
): { readonly text: string } | { readonly fault: string } {
  const document: Document = parseDocument(text ?? '', { logLevel: 'silent' });
  const [error] = document.errors;
  if (error !== undefined) return { fault: error.message.split('\n')[0] ?? '' };
  if (document.contents !== null && !isMap(document.contents)) return { fault: 'it holds no map of tools' };
  if (text === undefined) document.commentBefore = head;
  const root = isMap(document.contents) ? document.contents : new YAMLMap();
  document.contents = root;
  // An empty map or list can be written on one line only, which long entries should not be.
  if (root.items.length === 0) root.flow = false;
  for (const stub of stubs) insertStub(root, stub, document);
  return { text: document.toString({ lineWidth: 0 }) };
}

function insertStub(root: YAMLMap, stub: RecordedStub, document: Document): void {
  const entries = entriesOf(root, stub.name, document);
  const key = canonicalJson(stub.when);
  const keys = entries.items.map((item) => recordedKey(item, document));
  // Another run has recorded it meanwhile.
  if (keys.includes(key)) return;
  const entry = document.createNode(writeEntry(stub));
  const next = keys.findIndex((known) => known !== undefined && compareText(known, key) > 0);
  entries.items.splice(next === -1 ? keys.length : next, 0, entry);
}

/** The list of a tool's entries, which is made if there is none or only one entry. */
function entriesOf(root: YAMLMap, name: string, document: Document): YAMLSeq {
  const pair = root.items.find(({ key }) => String(key) === name);
  if (pair === undefined) {
    const entries = new YAMLSeq();
    const made = document.createPair(name, undefined);
    made.value = entries;
    const next = root.items.findIndex(({ key }) => compareText(String(key), name) > 0);
    root.items.splice(next === -1 ? root.items.length : next, 0, made);
    return entries;
  }
  const value = isAlias(pair.value) ? pair.value.resolve(document)?.clone() : pair.value;
  if (isSeq(value)) {
    if (value.items.length === 0) value.flow = false;
    pair.value = value;
    return value;
  }
  const entries = new YAMLSeq();
  if (isMap(value)) entries.items.push(value);
  pair.value = entries;
  return entries;
}

/** The arguments of an entry that answers exactly one call, as such entries are recorded. */
function recordedKey(item: unknown, document: Document): string | undefined {
  if (!isMap(item)) return undefined;
  const { when, compare } = (item as Node).toJS(document) as { when?: unknown; compare?: unknown };
  return compare === 'exact' && when !== undefined ? canonicalJson(when) : undefined;
}

function writeEntry({ when, answer }: RecordedStub): object {
  const [kind, content] =
    'fails' in answer ? (['fails', answer.fails] as const) : (['returns', answer.returns] as const);
  const value = kind === 'fails' ? content : readValue(content);
  const isLiteral = isTemplate(content) || isTemplate(canonicalJson(when));
  return { when, compare: 'exact', ...defined({ templates: isLiteral ? false : undefined }), [kind]: value };
}

/** Reads an object or a list for writing as YAML, if its JSON gives the same text. */
function readValue(content: string): unknown {
  if (!/^[[{]/.test(content)) return content;
  const parsed = parseJson(content);
  if (!parsed.ok || findLongNumbers(parsed.value).length > 0) return content;
  const value = plainNumbers(parsed.value);
  return writeJson(value) === content ? value : content;
}
