import { AsyncLocalStorage } from 'node:async_hooks';
import type { Cell, CellResult } from '../model/cell.ts';
import type { Complete, CompletionOutcome } from '../model/completion.ts';
import type { Report } from '../model/report.ts';
import type { RunTrace } from '../model/trace.ts';
import type { Verdict } from '../model/verdict.ts';
import type { Exporter } from './exporter.ts';
import { contentAttributes, operationOf, outcomeAttributes, requestAttributes, verdictAttributes } from './gen-ai.ts';
import type { OtelSettings } from './otel-settings.ts';
import type { Attributes, AttributeValue, Span } from './otlp-json.ts';

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
  /** Ends the run's own span, with its verdict where there is one. */
  readonly finish: (report: Report | undefined) => void;
}

/** The span of a cell while it runs: what happens within it is its child. */
interface Scope {
  readonly spanId: string;
  checksSinceMs: number;
}

/** Makes spans of a run: the run, its cells, and of each cell the requests that were sent and the checks that were made. */
export function openTrace({ exporter, settings, mask, nowMs, newId }: TracePorts): OpenTrace {
  const traceId = settings.parent?.traceId ?? newId(16);
  const runSpanId = newId(8);
  const runStartMs = nowMs();
  const scopes = new AsyncLocalStorage<Scope>();
  const ended = new WeakSet<CellResult>();

  function add(span: Omit<Span, 'traceId'>): void {
    const masked = Object.entries(span.attributes).map(([key, value]) => [key, maskValue(value)]);
    const error = span.error === undefined ? {} : { error: mask(span.error) };
    exporter.add({
      ...span,
      ...error,
      traceId,
      name: mask(span.name),
      attributes: Object.fromEntries(masked) as Attributes,
    });
  }

  function maskValue(value: AttributeValue | undefined): AttributeValue | undefined {
    if (typeof value === 'string') return mask(value);
    return Array.isArray(value) ? value.map(mask) : value;
  }

  function addCell(
    result: CellResult,
    { spanId, startMs }: { readonly spanId: string; readonly startMs: number },
  ): void {
    add({
      spanId,
      parentSpanId: runSpanId,
      name: 'llmcheck.cell',
      kind: 'internal',
      startMs,
      endMs: nowMs(),
      ...describeCell(result),
    });
  }

  function addCheck(verdict: Verdict, parentSpanId: string, startMs: number, endMs: number): void {
    add({
      spanId: newId(8),
      parentSpanId,
      name: `evaluate ${verdict.assertion}`,
      kind: 'internal',
      startMs,
      endMs,
      attributes: verdictAttributes(verdict, settings.capturesContent),
      ...(verdict.error !== undefined && {
        error: settings.capturesContent ? verdict.error : 'the check could not be made',
      }),
    });
  }

  return {
    async cell(_cell: Cell, run) {
      const startMs = nowMs();
      const scope: Scope = { spanId: newId(8), checksSinceMs: startMs };
      const result = await scopes.run(scope, run);
      ended.add(result);
      // A conversation that broke off has a verdict that no check gave.
      const verdicts = result.status === 'skipped' ? [] : result.verdicts;
      for (const verdict of verdicts.filter(({ assertion }) => assertion === 'turns')) {
        addCheck(verdict, scope.spanId, nowMs(), nowMs());
      }
      addCell(result, { spanId: scope.spanId, startMs });
      return result;
    },
    attempts: (config, endpoint, next) =>
      countAttempts((request, signal, attempt) => {
        const startMs = nowMs();
        const parentSpanId = scopes.getStore()?.spanId ?? runSpanId;
        const end = (outcome: CompletionOutcome | undefined): void =>
          add({
            spanId: newId(8),
            parentSpanId,
            name: `${operationOf(request)} ${request.model}`,
            kind: 'client',
            startMs,
            endMs: nowMs(),
            attributes: {
              ...requestAttributes(request, endpoint),
              ...(outcome === undefined ? { 'error.type': 'bug' } : outcomeAttributes(outcome)),
              ...(settings.capturesContent && outcome !== undefined ? contentAttributes(request, outcome) : {}),
              'llmcheck.provider': config.id,
              'llmcheck.attempt': { integer: attempt },
            },
            ...(outcome?.status === 'failed' && { error: outcome.failure.kind }),
          });
        return next(request, signal).then(
          (outcome) => {
            end(outcome);
            return outcome;
          },
          (bug: unknown) => {
            end(undefined);
            throw bug;
          },
        );
      }),
    startChecks() {
      const scope = scopes.getStore();
      if (scope !== undefined) scope.checksSinceMs = nowMs();
    },
    verdict(verdict) {
      const scope = scopes.getStore();
      if (scope === undefined) return;
      const endMs = nowMs();
      addCheck(verdict, scope.spanId, scope.checksSinceMs, endMs);
      scope.checksSinceMs = endMs;
    },
    result(result) {
      if (!ended.has(result)) addCell(result, { spanId: newId(8), startMs: nowMs() });
    },
    finish(report) {
      const parent = settings.parent?.spanId;
      add({
        spanId: runSpanId,
        ...(parent !== undefined && { parentSpanId: parent }),
        name: 'llmcheck.run',
        kind: 'internal',
        startMs: runStartMs,
        endMs: nowMs(),
        ...(report === undefined ? { attributes: {}, error: 'the run did not end' } : describeRun(report)),
      });
    },
  };
}

/** Numbers the attempts of a request from 1: a retry asks with the same object. */
function countAttempts(next: (...call: [...Parameters<Complete>, attempt: number]) => ReturnType<Complete>): Complete {
  const attempts = new WeakMap<object, number>();
  return (request, signal) => {
    const attempt = (attempts.get(request) ?? 0) + 1;
    attempts.set(request, attempt);
    return next(request, signal, attempt);
  };
}

function describeCell(result: CellResult): Pick<Span, 'attributes' | 'error'> {
  const { key, calls } = result;
  const status = result.status === 'judged' ? (result.passed ? 'passed' : 'failed') : result.status;
  return {
    attributes: {
      'llmcheck.suite': key.suite,
      'llmcheck.prompt': key.prompt,
      'llmcheck.provider': key.provider,
      'llmcheck.case.id': key.caseId,
      'llmcheck.trial': { integer: key.trial },
      'llmcheck.status': status,
      'llmcheck.cached': calls.length > 0 && calls.every(({ cached }) => cached),
      'llmcheck.score': result.status === 'judged' ? result.score : undefined,
      'llmcheck.confirmation': result.confirmation === true ? true : undefined,
      'error.type': result.status === 'errored' ? result.failure.kind : undefined,
    },
    ...(result.status === 'errored' && { error: result.failure.kind }),
  };
}

function describeRun({ run, decision, exitCode, totals, tool }: Report): Pick<Span, 'attributes' | 'error'> {
  const { planned, passed, failed, errored, skipped, observed, cached, costUsd, spentUsd } = totals;
  const counts = Object.entries({ planned, passed, failed, errored, skipped, observed, cached });
  return {
    attributes: {
      'llmcheck.run.id': run.id,
      'llmcheck.version': tool.version,
      'llmcheck.outcome': decision.outcome,
      'llmcheck.exit_code': { integer: exitCode },
      ...Object.fromEntries(counts.map(([name, value]) => [`llmcheck.cells.${name}`, { integer: value }])),
      'llmcheck.cost_usd': costUsd ?? undefined,
      'llmcheck.spent_usd': spentUsd ?? undefined,
    },
    ...(exitCode !== 0 && { error: decision.outcome }),
  };
}
