import { join } from 'node:path';
import { cacheKey } from '../cache/cache-key.ts';
import { openCacheStore } from '../cache/file-store.ts';
import { type Recordings, readRecordings } from '../cache/recordings.ts';
import { withCache } from '../cache/with-cache.ts';
import { withRecordings } from '../cache/with-recordings.ts';
import type { Lane } from '../execute/execute-cells.ts';
import { createLimiter } from '../execute/limiter.ts';
import { type JudgedAnswer, runCell } from '../execute/run-cell.ts';
import { createSemaphore } from '../execute/semaphore.ts';
import { createBreaker } from '../execute/with-breaker.ts';
import { createBudget } from '../execute/with-budget.ts';
import { withRetry } from '../execute/with-retry.ts';
import type { Cell } from '../model/cell.ts';
import type { Complete, Completion, CompletionRequest } from '../model/completion.ts';
import type { ConnectedProvider } from '../model/provider.ts';
import type { ProviderConfig, Suite } from '../model/suite.ts';
import type { CheckSpec } from '../model/verdict.ts';
import { lookupAdapter } from '../providers/index.ts';
import { createOutputEstimate, inputBytes, maxOutputTokens } from './estimate-tokens.ts';
import { withAcceptedIdentity } from './identify.ts';
import { decideAnswer, type JudgePorts, judgeAnswer } from './judge-answer.ts';
import { type PlannedRun, pricedModel } from './plan-run.ts';
import { createRecorder } from './record-answers.ts';
import type { RunOptions, RunPorts } from './run-options.ts';
import type { Stop } from './stop.ts';

/** The providers of a run, each behind its cache, budget, retries and limits. */
export interface Lanes {
  /** Cells of one provider, ready to run. */
  lane(laneId: string, cells: Iterable<Cell>): Lane;
  /** True where a suite answers from its recordings or the cache alone, so that asking again gives the same answer. */
  readonly isHermetic: (suiteId: string) => boolean;
  isBudgetExhausted(): boolean;
  /** Once-per-run remarks. */
  notes(): readonly string[];
  writeRecordings(): void;
  close(): Promise<void>;
}

const defaultConcurrency = 8;
const defaultRetries = 4;

export function openLanes(
  planned: PlannedRun,
  options: RunOptions,
  ports: RunPorts,
  { stop, judgePorts }: { readonly stop: Stop; readonly judgePorts: JudgePorts },
): Lanes {
  const { plan, providers } = planned;
  const notes = new Set<string>();
  const note = (message: string) => {
    if (notes.has(message)) return;
    notes.add(message);
    ports.onProgress({ type: 'note', message });
  };
  const largest = Math.max(0, ...[...providers.values()].map(({ limits }) => limits.concurrency ?? 0));
  const concurrency = options.concurrency ?? Math.max(defaultConcurrency, largest);
  const shared = createSemaphore(concurrency);
  const { maxCostUsd, cacheMode } = options.settings;
  const budget = maxCostUsd === undefined ? undefined : createBudget(maxCostUsd);
  const store = openCacheStore(join(options.project.root, '.llmcheck', 'cache'), { now: ports.now, onWarning: note });
  const connected: Promise<ConnectedProvider>[] = [];
  const recordings = new Map<string, Recordings>();
  const runners = new Map<string, Omit<Lane, 'cells'>>();
  const recorder = options.record ? createRecorder(options.project.suites, ports.mask) : undefined;

  function openProvider(config: ProviderConfig): Complete {
    const endpoint = planned.endpointOf(config);
    const { limits } = config;
    const breaker = createBreaker((failure) =>
      ports.onProgress({ type: 'provider-stopped', provider: config.id, failure }),
    );
    const limiter = createLimiter({
      concurrency: Math.min(limits.concurrency ?? concurrency, concurrency),
      ...(limits.rpm === undefined ? {} : { rpm: limits.rpm }),
      ...(limits.tpm === undefined ? {} : { tpm: limits.tpm }),
      shared,
      clock: ports.clock,
      estimateTokens: (request) => Math.ceil(inputBytes(request) / 4) + (maxOutputTokens(request) ?? 256),
    });
    const attempts = withRetry(breaker(connectLazily(config)), {
      retries: limits.retries ?? defaultRetries,
      timeoutMs: limits.timeoutMs ?? options.timeoutMs,
      limiter,
      clock: ports.clock,
      random: ports.random,
    });
    const retried = breaker(attempts);
    if (budget === undefined || !endpoint.sends) return retried;
    const outputs = createOutputEstimate(note);
    return budget.wrap(retried, {
      boundOf: (request) =>
        planned.pricer.boundOf({
          ...pricedModel(config, endpoint),
          inputTokens: inputBytes(request),
          maxOutputTokens: outputs.boundOf(request),
        }) ?? 0,
      costOf: (_request, completion) => {
        outputs.observe(completion);
        return costOf(config, completion);
      },
    });
  }

  /** The SDK is loaded by the first call that really is sent. */
  function connectLazily(config: ProviderConfig): Complete {
    let provider: Promise<ConnectedProvider> | undefined;
    return async (request, signal) => {
      if (provider === undefined) {
        const adapter = lookupAdapter(config.adapter);
        if (adapter === undefined) throw new Error(`adapter ${config.adapter} is not registered`);
        provider = adapter.connect(config, planned.providerEnv);
        connected.push(provider);
      }
      return (await provider).complete(request, signal);
    };
  }

  function costOf(config: ProviderConfig, completion: Completion): number | undefined {
    return planned.pricer.priceOf({ usage: completion.usage, ...pricedModel(config, planned.endpointOf(config)) });
  }

  function isHermetic(suite: Suite): boolean {
    return suite.recordings !== undefined && !options.record && (!options.isCacheModeChosen || cacheMode === 'replay');
  }

  function recordingsOf(suite: Suite, path: string): Recordings {
    let found = recordings.get(suite.id);
    if (found === undefined) {
      found = readRecordings(path, relativeTo(ports.cwd, path));
      recordings.set(suite.id, found);
    }
    return found;
  }

  function openRunner(laneId: string): Omit<Lane, 'cells'> {
    const config = providers.get(laneId);
    if (config === undefined) throw new Error(`the plan has no provider in lane ${laneId}`);
    const live = openProvider(config);
    const cached = withCache(live, {
      store,
      mode: cacheMode,
      now: ports.now,
      // A secret that a server echoes must not reach the disk.
      canStore: (completion) => {
        const text = JSON.stringify(completion);
        return ports.mask(text) === text;
      },
    });
    const answered = recorder?.wrap(cached) ?? cached;
    const bySuite = new Map<string, Complete>();
    for (const { suite } of plan.suites) {
      const { recordings: path } = suite;
      if (path === undefined || !isHermetic(suite)) continue;
      bySuite.set(suite.id, withRecordings(live, recordingsOf(suite, path), { missing: 'fail' }));
    }
    const { findAccepted } = judgePorts;
    const identified = (cell: Cell) => (findAccepted === undefined ? cell : withAcceptedIdentity(cell, findAccepted));
    const cellPorts = {
      requestKey: cacheKey,
      costOf: (_request: CompletionRequest, completion: Completion) => costOf(config, completion),
      judge: (checks: readonly CheckSpec[], answer: JudgedAnswer) => judgeAnswer(checks, answer, judgePorts),
      decide: decideAnswer,
      stopReason: stop.reason,
    };
    return {
      // Twice the slots, so that calls which wait for a retry don't leave a slot empty.
      workers: Math.min(config.limits.concurrency ?? concurrency, concurrency) * 2,
      run: (cell) =>
        runCell(identified(cell), { ...cellPorts, complete: bySuite.get(cell.key.suite) ?? answered }, stop.signal),
    };
  }

  // A damaged file is found before the first call.
  for (const { suite } of plan.suites) {
    if (suite.recordings !== undefined && isHermetic(suite)) recordingsOf(suite, suite.recordings);
  }

  return {
    lane(laneId, cells) {
      // Fresh trials go through the same breaker, limits and connection as the planned ones.
      let runner = runners.get(laneId);
      if (runner === undefined) {
        runner = openRunner(laneId);
        runners.set(laneId, runner);
      }
      return { ...runner, cells };
    },
    isHermetic: (suiteId) =>
      cacheMode === 'replay' || plan.suites.some(({ suite }) => suite.id === suiteId && isHermetic(suite)),
    isBudgetExhausted: () => budget?.exhausted === true,
    notes: () => [...notes],
    writeRecordings: () => recorder?.write(),
    async close() {
      store.close();
      // A provider that could not be connected has nothing to close; its cells carry the error.
      await Promise.allSettled(connected.map(async (provider) => (await provider).close()));
    },
  };
}

function relativeTo(cwd: string, path: string): string {
  return path.startsWith(`${cwd}/`) ? path.slice(cwd.length + 1) : path;
}
