import { areTexts, isSwitch, isText, listOf, objectOf, optional } from '../json/guards.ts';
import { isJsonObject, type JsonObject } from '../json/json.ts';
import type { Usage } from '../model/run/completion.ts';
import type { DecidingLine } from '../model/run/deciding-lines.ts';
import {
  type CellRow,
  type EndRow,
  type ResumeRow,
  type RowHead,
  type RunHeader,
  recordFormat,
} from '../model/run/record.ts';
import type { RowClass } from '../model/suite/classes.ts';

export function isRunHeader(row: unknown): row is RunHeader {
  if (!isJsonObject(row) || row['type'] !== 'run' || !('format' in row)) return false;
  const { id, startedAt, settings, suites, tool } = row;
  // The fields of another format are unknown.
  if (row['format'] !== recordFormat) return true;
  return isText(id) && isText(startedAt) && isSettings(settings) && isJsonObject(tool) && areSuites(suites);
}

const isSettings = objectOf({
  maxErrors: isJsonObject,
  loosened: optional(
    listOf(objectOf({ suite: optional(isText), key: isText, old: isText, new: isText, cases: optional(areTexts) })),
  ),
  emptySelections: optional(listOf(objectOf({ message: isText }))),
});

const areSuites = listOf(
  objectOf({
    suite: isText,
    path: isText,
    variants: listOf(objectOf({ prompt: isText, provider: isText, planned: isNumber })),
  }),
);

export function isCellRow(row: unknown): row is CellRow {
  if (!isRowHead(row)) return false;
  const { cellHash, at, checks, calls, attempts }: JsonObject = row;
  return (
    isText(cellHash) &&
    isJsonObject(at) &&
    areChecks(checks) &&
    areObjects(calls) &&
    typeof attempts === 'number' &&
    isOptional(row['output'], isText) &&
    isOptional(row['reasoning'], isText) &&
    isOptional(row['refusal'], isText) &&
    isOptional(row['finishReason'], isText) &&
    isOptional(row['systemFingerprint'], isText) &&
    isOptional(row['error'], isJsonObject) &&
    isOptional(row['asked'], isAsked) &&
    isOptional(row['toolCalls'], Array.isArray) &&
    isOptional(row['trajectory'], Array.isArray)
  );
}

/** Whether a row has the members for counting and comparing. Other members are ignored. */
export function isRowHead(row: unknown): row is RowHead & JsonObject {
  if (!isJsonObject(row) || row['type'] !== 'cell') return false;
  const { suite, prompt, provider, caseId, trial, caseHash, status, cached } = row;
  return (
    isText(suite) &&
    isText(prompt) &&
    isText(provider) &&
    isText(caseId) &&
    isText(caseHash) &&
    caseHash !== '' &&
    isTrialNumber(trial) &&
    statuses.has(status) &&
    isSwitch(cached) &&
    isOptional(row['group'], isText) &&
    isOptional(row['slices'], areTexts) &&
    isOptional(row['classified'], isRowClass) &&
    isOptional(row['side'], (side) => side === 'accepted') &&
    isOptional(row['shard'], isCount) &&
    isOptional(row['score'], isShare) &&
    isOptional(row['latencyMs'], isMagnitude) &&
    isOptional(row['firstTokenMs'], isMagnitude) &&
    isOptional(row['position'], isCount) &&
    isOptional(row['costUsd'], isAmount) &&
    isOptional(row['spentUsd'], isAmount) &&
    isOptional(row['judgeCostUsd'], isAmount) &&
    isOptional(row['answerHash'], isText) &&
    isOptional(row['answerId'], isText) &&
    isOptional(row['usage'], isUsage) &&
    isOptional(row['model'], isText) &&
    isOptional(row['skip'], isJsonObject)
  );
}

const isClass = objectOf({ truth: isText, by: isText, found: optional((found) => found === null || isText(found)) });

/** True for the true class and found class of a cell. */
export function isRowClass(value: unknown): value is RowClass {
  return isClass(value);
}

export function isResumeRow(row: unknown): row is ResumeRow {
  return isJsonObject(row) && row['type'] === 'resume' && isText(row['startedAt']);
}

export function isEndRow(row: unknown): row is EndRow {
  return isJsonObject(row) && row['type'] === 'end' && isEnd(row);
}

/** True for a line that a decision needs. Lines of a baseline are checked when they are read. */
export function isDecidingLine(row: unknown): row is DecidingLine {
  if (!isJsonObject(row)) return false;
  const type = row['type'];
  if (type === 'compared') return isCompared(row);
  if (type === 'checks') return isText(row['hash']) && areObjects(row['checks']);
  if (type === 'judged') return isJudged(row);
  return (
    type === 'contracts' && areObjects(row['contracts']) && areObjects(row['failures']) && areTexts(row['warnings'])
  );
}

const isRole = (role: unknown): boolean => role === 'baseline' || role === 'own' || role === 'reference';
const isCompared = objectOf({
  role: isRole,
  suite: isText,
  head: optional(objectOf({ source: isText, acceptedAt: optional(isText), isFirst: optional(isSwitch) })),
  line: isJsonObject,
});

const isJudgedBase = objectOf({ suite: isText, prompt: isText, provider: isText, caseId: isText });

function isJudged(row: JsonObject): boolean {
  if (!isJudgedBase(row)) return false;
  const by = row['by'];
  if (by === 'new-checks') return isRole(row['role']) && isText(row['caseHash']) && areJudgedTrials(row['trials']);
  if (by === 'classes') return isRole(row['role']) && areClassifiedTrials(row['trials']);
  return (
    by === 'accepted-checks' &&
    verdictsOfChecks.has(row['verdict']) &&
    areTexts(row['before']) &&
    areTexts(row['after'])
  );
}

const verdictsOfChecks: ReadonlySet<unknown> = new Set(['passes', 'fails', 'unknown', 'not-kept']);
const areJudgedTrials = listOf(
  objectOf({ trial: isTrialNumber, status: (status) => statuses.has(status), score: optional(isShare) }),
);
const areClassifiedTrials = listOf(objectOf({ trial: isTrialNumber, classified: isRowClass }));

const areObjects = listOf(isJsonObject);
const isEnd = objectOf({ durationMs: isNumber, stopReason: optional(isText), notes: areTexts });

function isUsage(value: unknown): value is Usage {
  return isJsonObject(value) && isMagnitude(value['inputTokens']) && isMagnitude(value['outputTokens']);
}

const statuses: ReadonlySet<unknown> = new Set(['passed', 'failed', 'errored', 'skipped']);

const areChecks = listOf(
  objectOf({ assertion: isText, pass: isSwitch, score: isShare, reason: isText, weight: optional(isMagnitude) }),
);

const areAskedTexts = listOf(objectOf({ role: isText, content: isText }));
const isAsked = objectOf({
  messages: areAskedTexts,
  turns: optional(areAskedTexts),
  tags: optional(areTexts),
  description: optional(isText),
});

function isOptional(value: unknown, test: (value: unknown) => boolean): boolean {
  return value === undefined || test(value);
}

/** Null stands for an amount that is not known. */
function isAmount(value: unknown): value is number | null {
  return value === null || Number.isFinite(value);
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}

/** Far more than any case has: a larger number is damage. */
const maxTrial = 0xffff_ffff;

/** The number of a repetition, from 0. */
export function isTrialNumber(value: unknown): value is number {
  return isCount(value) && value <= maxTrial;
}

/** Tokens, turns and trials are whole and never negative. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

/** Scores and shares, in [0, 1]. */
export function isShare(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 1;
}

/** Durations and weights: finite, and never negative. */
export function isMagnitude(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY;
}
