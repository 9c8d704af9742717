import { cacheKey } from '../../cache/cache-key.ts';
import type { Calls } from '../../calls/calls.ts';
import { type BatchAnswers, type BatchRequests, type BatchResults, runBatches } from '../../calls/run-batches.ts';
import type { Stop } from '../../calls/stop.ts';
import { statePath } from '../../files/state-folder.ts';
import { StorageError } from '../../files/write-files.ts';
import { type Problem, UserError } from '../../model/problem.ts';
import { type BatchHandle, type BatchItem, batchHandleFormat } from '../../model/suite/provider.ts';
import type { ProviderConfig } from '../../model/suite/suite.ts';
import { providerKey } from '../../plan/build-plan.ts';
import type { PlannedRun } from '../../plan/plan-run.ts';
import type { RunOptions, RunPorts } from '../../plan/run-options.ts';
import { type BatchHandles, openBatchHandles } from '../../providers/batch/batch-handles.ts';
import { batchAdapters, lookupBatchApi } from '../../providers/batch/index.ts';
import { formatCount } from '../../text/format-amount.ts';
import { sha256Hex } from '../../text/sha256.ts';
import type { EarlierPart } from '../record/resume.ts';

export interface CollectedBatches {
  /** Notes for the report about batches in progress. */
  readonly notes: readonly string[];
  /** Forgets the batches whose answers were collected. Call it once the answers are in the record. */
  forgetCollected(): void;
}

/** The members of a run that batches need. */
export interface BatchRun {
  readonly options: Pick<RunOptions, 'project'>;
  readonly ports: RunPorts;
  readonly planned: PlannedRun;
  readonly calls: Pick<Calls, 'needsNoCall' | 'batchSpendingOf'>;
  readonly earlier: Pick<EarlierPart, 'rowOf'> | undefined;
  readonly stop: Stop;
}

/** Adds answers from the providers' batch APIs. They are for the first requests of all cells that would need a call. */
export async function collectBatches(run: BatchRun, answers: BatchAnswers): Promise<CollectedBatches> {
  const { options, ports, planned, calls, earlier } = run;
  const say = (message: string) => ports.onProgress({ type: 'note', message });
  const handles = openBatchHandles(statePath(options.project.root, 'batches'), say);
  const stored = handles.list();
  const suites = new Map(planned.plan.suites.map(({ suite }) => [suite.id, suite]));

  function* unanswered(providerKey: string): Iterable<BatchItem> {
    for (const cell of planned.plan.cells(providerKey)) {
      const suite = suites.get(cell.key.suite);
      if (suite === undefined || cell.skip !== undefined || earlier?.rowOf(cell.key) !== undefined) continue;
      if (!calls.needsNoCall(cell.request, suite)) yield { key: cacheKey(cell.request), request: cell.request };
    }
  }

  const found = await Promise.all(
    [...batchProviders(planned)].map(async ([providerKey, config]) => {
      // Request keys already cover model and address, but not the account. Another API key may belong to another
      // account.
      const endpoint = sha256Hex(planned.endpointOf(config).apiKeyEnv ?? '');
      const wanted = new Set([...unanswered(providerKey)].map(({ key }) => key));
      const own = stored.filter((handle) => handle.endpoint === endpoint && handle.keys.some((key) => wanted.has(key)));
      const requests = { items: () => unanswered(providerKey), handles: own };
      return collectFromProvider(config, run, { requests, endpoint, handles });
    }),
  );
  for (const result of found) answers.add(result.answers);
  return {
    notes: found.flatMap(({ pending }) => pending.map(describePending)),
    forgetCollected() {
      try {
        for (const { collected } of found) for (const handle of collected) handles.forget(handle);
      } catch (error) {
        // The run has the answers already. If the handle stays, the next run only collects them again.
        if (!(error instanceof StorageError)) throw error;
        ports.onProgress({ type: 'note', message: error.message });
      }
    },
  };
}

interface ProviderBatches {
  readonly requests: BatchRequests;
  readonly endpoint: string;
  readonly handles: BatchHandles;
}

async function collectFromProvider(
  config: ProviderConfig,
  run: BatchRun,
  { requests, endpoint, handles }: ProviderBatches,
): Promise<BatchResults> {
  const { planned, calls, stop, ports } = run;
  const connect = await lookupBatchApi(config.adapter)?.();
  if (connect === undefined) throw new Error(`adapter ${config.adapter} has no batch API`);
  const api = connect(config, planned.providerEnv);
  if ('failure' in api) {
    const failed = { answer: api, isSent: false } as const;
    return { answers: new Map([...requests.items()].map(({ key }) => [key, failed])), pending: [], collected: [] };
  }
  const spending = calls.batchSpendingOf(config);
  try {
    const results = await runBatches(requests, {
      api,
      clock: ports.clock,
      signal: stop.signal,
      newHandle: (keys) => ({
        format: batchHandleFormat,
        name: newName(ports),
        provider: config.id,
        endpoint,
        startedAt: ports.now().toISOString(),
        keys,
        batchIds: [],
        isConfirmed: false,
      }),
      save: (handle) => save(handle, handles, run),
      forget: handles.forget,
      refuse: ({ key, request }) => spending.take(key, request),
      say: (message) => ports.onProgress({ type: 'note', message: `${config.id}: ${message}` }),
    });
    for (const [key, { answer }] of results.answers) spending.settle(key, answer);
    return results;
  } finally {
    api.close();
  }
}

function save(handle: BatchHandle, handles: BatchHandles, { stop, ports }: BatchRun): boolean {
  try {
    handles.write(handle);
    return true;
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    ports.onProgress({ type: 'note', message: error.message });
    stop.hard('storage');
    return false;
  }
}

/** Throws a `UserError` if `--batch` can't work: no provider has a batch API, or a case takes several requests. */
export function refuseUnbatchable(planned: PlannedRun): void {
  const sending = listSending(planned);
  if (sending.length > 0 && !sending.some(hasBatchApi)) {
    const names = sending.map(({ id }) => id).join(', ');
    const message = `--batch: no provider of this run has a batch API: ${names}`;
    const hint = `leave it out; batches are known for ${batchAdapters.join(', ')}`;
    throw new UserError({ code: 'usage', message, hint });
  }
  const problems = sending.flatMap((config) => [...findAgentCases(planned.plan, providerKey(config))]);
  if (problems.length > 0) throw new UserError(problems);
}

/** A remark for each provider that is asked live in a run with `--batch`. */
export function describeUnbatched(planned: PlannedRun): readonly string[] {
  return listSending(planned)
    .filter((config) => !hasBatchApi(config))
    .map(({ id }) => `provider ${id} has no batch API that llmcheck speaks, so it is asked live, at the live price`);
}

function listSending({ plan, providers, endpointOf }: PlannedRun): readonly ProviderConfig[] {
  return plan.providerKeys.flatMap((id) => providers.get(id) ?? []).filter((config) => endpointOf(config).sends);
}

function hasBatchApi({ adapter }: ProviderConfig): boolean {
  return lookupBatchApi(adapter) !== undefined;
}

/**
 * Finds the first case with tools of each suite. Such a cell needs a request for each step, but a batch answers only
 * one.
 */
function* findAgentCases(plan: PlannedRun['plan'], key: string): Iterable<Problem> {
  const named = new Set<string>();
  for (const { key: cellKey, agent, skip, at } of plan.cells(key, (suite) => !named.has(suite))) {
    if (agent === undefined || skip !== undefined || named.has(cellKey.suite)) continue;
    named.add(cellKey.suite);
    yield {
      code: 'usage',
      severity: 'error',
      message: `--batch: case ${cellKey.caseId} of suite ${cellKey.suite} has tools, and each step of an agent waits for the answer before it`,
      hint: 'leave --batch out, or select suites without tools',
      at,
    };
  }
}

function* batchProviders({ plan, providers }: PlannedRun): Iterable<readonly [string, ProviderConfig]> {
  for (const id of plan.providerKeys) {
    const config = providers.get(id);
    if (config !== undefined && lookupBatchApi(config.adapter) !== undefined) yield [id, config];
  }
}

/** A new batch name, of characters that every API accepts. */
function newName({ now, random }: RunPorts): string {
  const time = now()
    .toISOString()
    .replaceAll(/[^0-9]/g, '')
    .slice(0, 14);
  const tail = Array.from({ length: 12 }, () => Math.floor(random() * 16).toString(16)).join('');
  return `llmcheck-${time}-${tail}`;
}

function describePending({ provider, batchIds, keys }: BatchHandle): string {
  const id = batchIds.length === 0 ? 'not confirmed yet' : batchIds.join(' or ');
  return `a batch of ${formatCount(keys.length, 'request')} to ${provider} is under way (${id}): run the same command again to collect it`;
}
