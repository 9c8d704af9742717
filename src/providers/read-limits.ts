import type { IncomingHttpHeaders } from 'node:http';
import { defined, type Writable } from '../json/defined.ts';
import type { CompletionOutcome, LimitReport } from '../model/run/completion.ts';

type Unit = LimitReport['unit'];

/** Meaning of a header's name. `unit` and `periodMs` are set if the name contains them. */
interface Naming {
  readonly field: 'limit' | 'remaining' | 'reset' | 'period';
  readonly unit?: Unit;
  readonly periodMs?: number;
}

type Draft = Partial<Writable<Omit<LimitReport, 'unit'>>>;

/** Adds the server's limits from the answer's headers. */
export function withLimits(
  outcome: CompletionOutcome,
  headers: IncomingHttpHeaders | undefined,
  nowMs: number,
): CompletionOutcome {
  const limits = readLimits(headers ?? {}, nowMs);
  return limits.length === 0 ? outcome : { ...outcome, limits };
}

/**
 * Reads rate limits from headers, as of 2026. OpenAI, Azure, Groq, Cerebras, xAI, Fireworks, Mistral and OpenRouter
 * send x-ratelimit-*, Anthropic sends anthropic-ratelimit-*. The IETF's drafts use ratelimit-*. Cohere sends limits for
 * trial keys.
 */
export function readLimits(headers: IncomingHttpHeaders, nowMs: number): readonly LimitReport[] {
  const drafts = new Map<string, Draft>();
  for (const name in headers) {
    const naming = parseName(name);
    if (naming === undefined) continue;
    const value = String(headers[name]);
    // One structured field replaces several older headers.
    if (naming === 'structured') readStructured(value, draftOf(drafts, 'requests unnamed'));
    else readPart(naming, value, draftOf(drafts, keyOf(naming)), serverTime(headers, nowMs));
  }
  return [...drafts].flatMap(([key, draft]) => buildReport(key, draft));
}

function buildReport(key: string, { limit, remaining, resetMs, periodMs }: Draft): readonly LimitReport[] {
  const [word = 'requests', named] = key.split(' ');
  const unit = units.find((known) => known === word) ?? 'requests';
  if (limit === undefined && remaining === undefined) return [];
  // Without a unit or period, a limit may be per second or per day: only `remaining` is certain.
  const isSure = named !== 'unnamed' || periodMs !== undefined;
  const known = !isSure && resetMs !== undefined && resetMs > 20_000 && resetMs <= 61_000 ? 60_000 : periodMs;
  return [
    {
      unit,
      ...defined({
        limit: limit !== undefined && (isSure || known !== undefined) ? limit : undefined,
        remaining,
        resetMs,
        periodMs: known,
      }),
    },
  ];
}

const units: readonly Unit[] = ['requests', 'tokens', 'inputTokens', 'outputTokens'];

function draftOf(drafts: Map<string, Draft>, key: string): Draft {
  const draft = drafts.get(key) ?? {};
  drafts.set(key, draft);
  return draft;
}

function keyOf({ unit, periodMs }: Naming): string {
  return `${unit ?? 'requests'} ${unit === undefined ? 'unnamed' : (periodMs ?? 'minute')}`;
}

function readPart({ field, periodMs }: Naming, value: string, draft: Draft, nowMs: number): void {
  if (periodMs !== undefined) draft.periodMs = periodMs;
  if (field === 'reset') {
    const resetMs = parseReset(value, nowMs);
    if (resetMs !== undefined) draft.resetMs = resetMs;
    return;
  }
  const count = Number.parseFloat(value);
  if (!Number.isFinite(count) || count < 0) return;
  if (field === 'period') draft.periodMs = count * 1000;
  else draft[field] = count;
}

/** Reads `"default";r=50;t=30`, `"default";q=100;w=60` or `limit=100, remaining=50, reset=30`. */
function readStructured(value: string, draft: Draft): void {
  const figure = (names: string): number | undefined => {
    const found = new RegExp(`(?:^|[;,\\s])(?:${names})=(\\d+)`).exec(value)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  const inMs = (seconds: number | undefined) => (seconds === undefined ? undefined : seconds * 1000);
  const [limit, remaining] = [figure('q|limit'), figure('r|remaining')];
  Object.assign(draft, defined({ limit, remaining, resetMs: inMs(figure('t|reset')), periodMs: inMs(figure('w')) }));
}

/** Reads seconds, a Go duration such as `6m0s`, a date, or an epoch in seconds or milliseconds. */
function parseReset(value: string, nowMs: number): number | undefined {
  const text = value.trim();
  if (/^\d+(\.\d+)?$/.test(text)) {
    const figure = Number(text);
    if (figure > 1e11) return Math.max(0, figure - nowMs);
    return figure > 1e8 ? Math.max(0, figure * 1000 - nowMs) : Math.round(figure * 1000);
  }
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|us|µs|ns|s|m|h|d)/g)];
  if (parts.length > 0 && parts.map(([part]) => part).join('') === text) {
    return parts.reduce((sum, [, figure, unit]) => sum + Number(figure) * (unitMs[unit ?? ''] ?? 0), 0);
  }
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const periods: Readonly<Record<string, number>> = {
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  month: 30 * 86_400_000,
};

/** Returns the server's time if it sends one, so that a difference of clocks does not matter. */
function serverTime(headers: IncomingHttpHeaders, nowMs: number): number {
  const date = Date.parse(headers.date ?? '');
  return Number.isNaN(date) ? nowMs : date;
}

function parseName(name: string): Naming | 'structured' | undefined {
  if (name === 'ratelimit' || name === 'ratelimit-policy') return 'structured';
  if (name === 'x-trial-endpoint-call-limit') return { field: 'limit', unit: 'requests', periodMs: 60_000 };
  if (name === 'x-trial-endpoint-call-remaining') return { field: 'remaining', unit: 'requests', periodMs: 60_000 };
  const found = /^(?:x-|anthropic-|x-ms-)?rate-?limit(bysize)?-(.+)$/.exec(name);
  if (found === null) return undefined;
  const naming: Partial<Writable<Naming>> = found[1] === undefined ? {} : { unit: 'tokens' };
  for (const word of (found[2] ?? '').split('-')) {
    const periodMs = Object.hasOwn(periods, word) ? periods[word] : undefined;
    if (periodMs !== undefined) naming.periodMs = periodMs;
    else if (word === 'limit' || word === 'remaining' || word === 'reset') naming.field = word;
    else if (word === 'renewalperiod') naming.field = 'period';
    else if (word === 'requests' || word === 'request' || word === 'req') naming.unit = 'requests';
    else if (word === 'input' || word === 'prompt') naming.unit = 'inputTokens';
    else if (word === 'output' || word === 'generated') naming.unit = 'outputTokens';
    else if (word === 'tokens' || word === 'token') naming.unit ??= 'tokens';
    // The header counts something else: images, a project's tokens, the cost of a query.
    else return undefined;
  }
  const { field, ...rest } = naming;
  return field === undefined ? undefined : { field, ...rest };
}
