import { canonicalJson, writeJson } from '../json/canonical-json.ts';
import type { JsonValue } from '../json/json.ts';
import type { ComparedSide } from '../model/comparison/comparison.ts';
import type { RecordedVariant } from '../model/run/record.ts';
import type { CaseSummary, RowSummary } from '../model/run/summary.ts';
import { isSamePrompt } from '../templates/rendered-table.ts';
import { sha256Hex } from '../text/sha256.ts';

/** What differs between two sides besides the prompt, one line each: an unmatched provider, model or parameter. */
export function findUnmatched(before: ComparedSide, after: ComparedSide): readonly string[] {
  const [baseline, candidate] = [before.recorded, after.recorded];
  const lines: string[] = [];
  const compare = (name: string, from: unknown, to: unknown) => {
    const [a, b] = [textOf(from), textOf(to)];
    if (a === b) return;
    const at = firstDifference(a, b);
    lines.push(`${name}: ${cut(a, at)} → ${cut(b, at)}`);
  };
  compare('provider', baseline.provider, candidate.provider);
  compare('model', `${baseline.adapter}:${baseline.model}`, `${candidate.adapter}:${candidate.model}`);
  compare('base URL', baseline.baseUrl, candidate.baseUrl);
  compare('model snapshot', before.models, after.models);
  for (const key of [...new Set([...Object.keys(baseline.params), ...Object.keys(candidate.params)])].sort()) {
    compare(`params.${key}`, baseline.params[key], candidate.params[key]);
  }
  return lines;
}

function textOf(value: unknown): string {
  if (value === undefined) return 'none';
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join(', ') || 'none';
  // In the order in which its members are sent.
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const maxLength = 60;
const contextLength = 20;

function firstDifference(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at += 1;
  return at;
}

/** Shows a long text from its start, or from just before the difference if that is further on. */
function cut(text: string, difference: number): string {
  if (text.length <= maxLength) return text;
  const start = difference < maxLength - contextLength ? 0 : difference - contextLength;
  const shown = text.slice(start, start + maxLength - 3);
  return `${start === 0 ? '' : '…'}${shown}${start + shown.length < text.length ? '…' : ''}`;
}

interface SameAnswers {
  /** Answers of the candidate that the baseline holds and that came without a call. */
  readonly same: number;
  /** All of the candidate, with observed cases and fresh trials. */
  readonly all: number;
}

/**
 * Counts the answers that the candidate took from the cache and that the baseline holds. Equal ids make two answers the same,
 * not equal texts. Two versions of one run that ask the same share an answer: the first call's.
 */
export function countSameAnswers(
  baseline: Pick<ComparedSide, 'cases' | 'kind'>,
  candidate: Pick<ComparedSide, 'cases'>,
): SameAnswers {
  const isWithinRun = baseline.kind !== 'stored';
  let [same, all] = [0, 0];
  for (const found of candidate.cases.values()) {
    const others = baseline.cases.get(found.caseId);
    for (const row of rowsOf(found)) {
      if (row.answerHash === undefined) continue;
      all += 1;
      if (others !== undefined && isSameAnswer(row, others, isWithinRun)) same += 1;
    }
  }
  return { same, all };
}

function isSameAnswer(row: RowSummary, others: CaseSummary, isWithinRun: boolean): boolean {
  const { answerId } = row;
  if (answerId === undefined || (!row.cached && !isWithinRun)) return false;
  if (others.pooled?.answers.includes(answerId) === true) return true;
  return rowsOf(others).some((other) => other.answerId === answerId && (row.cached || other.cached));
}

function rowsOf({ trials, confirmations }: CaseSummary): readonly RowSummary[] {
  return confirmations.length === 0 ? trials : [...trials, ...confirmations];
}

/** Everything of a variant that can change an answer or its verdict, as a record and a baseline keep it. */
export type SentVariant = Pick<
  RecordedVariant,
  'adapter' | 'adapterVersion' | 'isContentUnknown' | 'baseUrl' | 'model' | 'params' | 'options' | 'messages'
> & { readonly contract: { readonly output?: JsonValue } };

/** Names what a variant asks, and how: equal names where nothing that can change an answer differs. */
export function nameSent(variant: SentVariant): string {
  return sha256Hex(canonicalJson([settingsOf(variant), questionOf(variant, variant.messages)])).slice(0, 16);
}

/** True where both ask the same model the same question, and hold its answers to the same schema. */
export function isSameQuestion(a: SentVariant, b: SentVariant): boolean {
  return questionOf(a, []) === questionOf(b, []) && isSamePrompt(a.messages, b.messages);
}

/** True where nothing that can change an answer differs. */
export function isSameSent(a: SentVariant, b: SentVariant): boolean {
  return settingsOf(a) === settingsOf(b) && isSameQuestion(a, b);
}

/** True where both ask in the same way at the same address. Older records do not say how they asked. */
export function isSameSettings(a: SentVariant, b: SentVariant): boolean {
  return a.adapterVersion !== undefined && settingsOf(a) === settingsOf(b);
}

/** True where headers or options differ. */
export function hasOtherOptions(a: SentVariant, b: SentVariant): boolean {
  return canonicalJson(a.options ?? {}) !== canonicalJson(b.options ?? {});
}

function questionOf({ model, params, contract }: SentVariant, messages: SentVariant['messages']): string {
  // Params keep the order in which they are sent. A baseline keeps the members of a message sorted.
  return canonicalJson([model, writeJson(params) ?? null, messages, contract.output ?? null]);
}

function settingsOf({ adapter, adapterVersion, baseUrl, options = {} }: SentVariant): string {
  return canonicalJson([adapter, adapterVersion ?? null, baseUrl ?? null, options]);
}
