import { AsyncLocalStorage } from 'node:async_hooks';
import { defined } from '../json/defined.ts';
import type { Report } from '../model/report/report.ts';
import type { CellResult } from '../model/run/cell.ts';
import type { Complete, CompletionOutcome, CompletionRequest, ToolCall } from '../model/run/completion.ts';
import type { RunTrace } from '../model/run/progress.ts';
import type { Verdict } from '../model/run/verdict.ts';
import type { Endpoint } from '../model/suite/provider.ts';
import type { ProviderConfig } from '../model/suite/suite.ts';
import {
  contentAttributes,
  operationOf,
  outcomeAttributes,
  requestAttributes,
  toolAttributes,
  toolError,
  verdictAttributes,
} from './gen-ai.ts';
import type { Attributes, AttributeValue, Exporter, OtelSettings, Span } from './otlp-exporter.ts';

export interface TracePorts {
  readonly exporter: Exporter;
  readonly settings: Pick<OtelSettings, 'capturesContent' | 'parent'>;
  /** Hides secrets in every text that leaves. */
  readonly mask: (text: string) => string;
  /** Milliseconds since 1970 on a clock that only goes forward. */
  readonly nowMs: () => number;
  /** Hex digits, at random. */
  readonly newId: (bytes: number) => string;
}

export interface OpenTrace extends RunTrace {
  /** Ends the run's own span, with its verdict if there is one. */
  readonly finish: (report: Report | undefined) => void;
}

/** The span of a cell while it runs: requests and checks are its children. */
interface CellSpan {
  readonly spanId: string;
  checksStartMs: number;
}

/** Makes spans of a run, of its cells, and of the requests, tool calls and checks of each cell. */
export function openTrace(ports: TracePorts): OpenTrace {
  const { settings, nowMs, newId } = ports;
  const addSpan = createAddSpan(ports);
  const run = { spanId: newId(8), startMs: nowMs() };
  const cells = new AsyncLocalStorage<CellSpan>();
  const ended = new WeakSet<CellResult>();
  const parentOf = () => cells.getStore()?.spanId ?? run.spanId;

  function addCell(result: CellResult, spanId: string, startMs: number): void {
    addSpan({ name: 'llmcheck.cell', spanId, parentSpanId: run.spanId, startMs, ...describeCell(result) });
  }

  function addCheck(verdict: Verdict, parentSpanId: string, startMs: number): void {
    const described = describeCheck(verdict, settings.capturesContent);
    addSpan({ name: `evaluate ${verdict.assertion}`, parentSpanId, startMs, ...described });
  }

  return {
    async cell(_cell, work) {
      const startMs = nowMs();
      const span: CellSpan = { spanId: newId(8), checksStartMs: startMs };
      const result = await cells.run(span, work);
      ended.add(result);
      // A conversation that broke off has a verdict that no check gave.
      for (const verdict of verdictsWithoutCheck(result)) addCheck(verdict, span.spanId, nowMs());
      addCell(result, span.spanId, startMs);
      return result;
    },
    attempts: (config, endpoint, next) =>
      countAttempts(next, (request, attempt) =>
        startAttempt({ request, attempt, config, endpoint }, ports, addSpan, parentOf()),
      ),
    startChecks() {
      const span = cells.getStore();
      if (span !== undefined) span.checksStartMs = nowMs();
    },
    verdict(verdict) {
      const span = cells.getStore();
      if (span === undefined) return;
      addCheck(verdict, span.spanId, span.checksStartMs);
      span.checksStartMs = nowMs();
    },
    toolCall: (call) => traceToolCall(call, ports, addSpan, parentOf()),
    result(result) {
      if (!ended.has(result)) addCell(result, newId(8), nowMs());
    },
    finish(report) {
      // Otherwise every promise of a process that runs on, such as a test runner, would carry it along.
      cells.disable();
      addSpan({ name: 'llmcheck.run', ...run, parentSpanId: settings.parent?.spanId, ...describeRun(report) });
    },
  };
}

interface Attempt {
  readonly request: CompletionRequest;
  /** The number of the attempt, from 1. */
  readonly attempt: number;
  readonly config: ProviderConfig;
  readonly endpoint: Endpoint;
}

/** Starts an attempt. The returned function ends it; its outcome is undefined if the attempt threw. */
function startAttempt(
  { request, attempt, config, endpoint }: Attempt,
  { settings, nowMs }: TracePorts,
  addSpan: ReturnType<typeof createAddSpan>,
  parentSpanId: string,
): (outcome: CompletionOutcome | undefined) => void {
  const startMs = nowMs();
  return (outcome) => {
    const described = describeAttempt(request, outcome, endpoint, settings.capturesContent);
    const own: Attributes = { 'llmcheck.provider': config.id, 'llmcheck.attempt': { integer: attempt } };
    const error = outcome?.status === 'failed' ? outcome.failure.kind : undefined;
    const name = `${operationOf(request)} ${request.model}`;
    addSpan({ name, kind: 'client', parentSpanId, startMs, attributes: { ...described, ...own }, error });
  };
}

function traceToolCall(
  call: ToolCall,
  { settings, nowMs }: TracePorts,
  addSpan: ReturnType<typeof createAddSpan>,
  parentSpanId: string,
): ReturnType<OpenTrace['toolCall']> {
  const startMs = nowMs();
  return (outcome) => {
    const attributes = toolAttributes(call, outcome, settings.capturesContent);
    addSpan({ name: `execute_tool ${call.name}`, parentSpanId, startMs, attributes, error: toolError(outcome) });
  };
}

function verdictsWithoutCheck(result: CellResult): readonly Verdict[] {
  if (result.status === 'skipped') return [];
  return result.verdicts.filter(({ assertion }) => assertion === 'turns' || assertion === 'tools');
}

interface NewSpan extends Pick<Span, 'name' | 'startMs' | 'attributes'> {
  readonly kind?: Span['kind'];
  readonly spanId?: string;
  readonly parentSpanId: string | undefined;
  readonly error?: string | undefined;
}

/** Adds spans that end now to the trace, with their texts masked. */
function createAddSpan({ exporter, settings, mask, nowMs, newId }: TracePorts): (span: NewSpan) => void {
  const traceId = settings.parent?.traceId ?? newId(16);
  const maskValue = (value: AttributeValue | undefined): AttributeValue | undefined => {
    if (typeof value === 'string') return mask(value);
    return Array.isArray(value) ? value.map(mask) : value;
  };
  return ({ name, kind = 'internal', spanId = newId(8), parentSpanId, startMs, attributes, error }) => {
    const masked = Object.entries(attributes).map(([key, value]) => [key, maskValue(value)]);
    exporter.add({
      traceId,
      spanId,
      name: mask(name),
      kind,
      startMs,
      endMs: nowMs(),
      attributes: Object.fromEntries(masked) as Attributes,
      ...defined({ parentSpanId, error: error === undefined ? undefined : mask(error) }),
    });
  };
}

/**
 * Calls `start` before each attempt of a request. Then calls the returned function with the outcome, or with undefined
 * after a bug.
 */
function countAttempts(
  next: Complete,
  start: (request: CompletionRequest, attempt: number) => (outcome: CompletionOutcome | undefined) => void,
): Complete {
  // A retry asks with the same object.
  const attempts = new WeakMap<object, number>();
  return async (request, signal) => {
    const attempt = (attempts.get(request) ?? 0) + 1;
    attempts.set(request, attempt);
    const end = start(request, attempt);
    let outcome: CompletionOutcome | undefined;
    try {
      outcome = await next(request, signal);
      return outcome;
    } finally {
      end(outcome);
    }
  };
}

function describeAttempt(
  request: CompletionRequest,
  outcome: CompletionOutcome | undefined,
  endpoint: Endpoint,
  capturesContent: boolean,
): Attributes {
  if (outcome === undefined) return { ...requestAttributes(request, endpoint), 'error.type': 'bug' };
  return {
    ...requestAttributes(request, endpoint),
    ...outcomeAttributes(outcome),
    ...(capturesContent ? contentAttributes(request, outcome) : {}),
  };
}

type Described = Pick<NewSpan, 'attributes' | 'error'>;

function describeCell(result: CellResult): Described {
  const { key, calls } = result;
  const error = result.status === 'errored' ? result.failure.kind : undefined;
  const attributes = {
    'llmcheck.suite': key.suite,
    'llmcheck.prompt': key.prompt,
    'llmcheck.provider': key.provider,
    'llmcheck.case.id': key.caseId,
    'llmcheck.trial': { integer: key.trial },
    'llmcheck.status': result.status === 'judged' ? (result.passed ? 'passed' : 'failed') : result.status,
    'llmcheck.cached': calls.length > 0 && calls.every(({ cached }) => cached),
    'llmcheck.score': result.status === 'judged' ? result.score : undefined,
    'llmcheck.confirmation': result.confirmation === true ? true : undefined,
    'error.type': error,
  };
  return { attributes, error };
}

function describeCheck(verdict: Verdict, capturesContent: boolean): Described {
  const attributes = verdictAttributes(verdict, capturesContent);
  if (verdict.error === undefined) return { attributes };
  return { attributes, error: capturesContent ? verdict.error : 'the check could not be made' };
}

function describeRun(report: Report | undefined): Described {
  if (report === undefined) return { attributes: {}, error: 'the run did not end' };
  const { run, decision, exitCode, totals, tool } = report;
  const { planned, passed, failed, errored, skipped, observed, cached, costUsd, spentUsd } = totals;
  const counts = Object.entries({ planned, passed, failed, errored, skipped, observed, cached });
  const attributes = {
    'llmcheck.run.id': run.id,
    'llmcheck.version': tool.version,
    'llmcheck.outcome': decision.outcome,
    'llmcheck.exit_code': { integer: exitCode },
    ...Object.fromEntries(counts.map(([name, value]) => [`llmcheck.cells.${name}`, { integer: value }])),
    'llmcheck.cost_usd': costUsd ?? undefined,
    'llmcheck.spent_usd': spentUsd ?? undefined,
  };
  return { attributes, error: exitCode === 0 ? undefined : decision.outcome };
}
