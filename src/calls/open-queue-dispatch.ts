import { relative } from 'node:path';
import { cacheKey } from '../cache/cache-key.ts';
import { defined } from '../json/defined.ts';
import { findPackageFault } from '../model/optional-packages.ts';
import { UserError } from '../model/problem.ts';
import type { CellKey } from '../model/run/cell.ts';
import type { CompletionRequest, RequestOrigin } from '../model/run/completion.ts';
import type { ProviderLimits } from '../model/suite/limits.ts';
import type { Endpoint } from '../model/suite/provider.ts';
import type { ProviderConfig, Suite } from '../model/suite/suite.ts';
import { accountId } from '../plan/build-plan.ts';
import type { PlannedRun } from '../plan/plan-run.ts';
import type { RunOptions, RunPorts } from '../plan/run-options.ts';
import { openPackages, type Packages } from '../programs/import-module.ts';
import type { QueueModules } from '../queue/connect-redis.ts';
import { type LimitedProvider, openDispatcher } from '../queue/dispatcher.ts';
import { type QueueLimits, toQueuedRequest } from '../queue/messages.ts';
import type { QueueUrl } from '../text/addresses/store-urls.ts';
import { sha256Hex } from '../text/sha256.ts';
import type { TimedAttempt } from './time-attempts.ts';

/** Workers that make the calls of a run. */
export interface Dispatch {
  /** Makes attempts of one provider on any free worker. */
  readonly attemptFor: (config: ProviderConfig, endpoint: Endpoint) => TimedAttempt;
  /** Before the first attempt. */
  readonly begin: (
    record: { readonly id: string; readonly startedAt: string },
    planned: Pick<PlannedRun, 'plan' | 'endpointOf'>,
    signal: AbortSignal,
  ) => Promise<void>;
  /** Called when the cell is in the record, so that its answers need not be kept for a resumption. */
  readonly forget: (key: CellKey) => void;
  readonly close: () => Promise<void>;
}

/** A call that was answered, and whose cell is not in the record yet. */
interface AnsweredCall {
  readonly queue: string;
  readonly base: string;
  readonly call: string;
}

export async function openDispatch(
  address: QueueUrl,
  options: Pick<RunOptions, 'project' | 'toolVersion'>,
  ports: Pick<RunPorts, 'onProgress'>,
  onLost: () => void,
): Promise<Dispatch> {
  const where = { root: options.project.root, version: options.toolVersion };
  const onNote = (message: string) => ports.onProgress({ type: 'note', message });
  const dispatcher = await openDispatcher({
    modules: await loadQueueModules(where.root),
    address,
    version: where.version,
    onNote,
    onLost(message) {
      onNote(`The run stops: ${message}. \`llmcheck run --resume\` continues it.`);
      onLost();
    },
  });
  if (typeof dispatcher === 'string') throw refuseQueue(address.shown, dispatcher);
  /** How often each request was sent: a retry is a call of its own. */
  const sent = new Map<string, number>();
  const answered = new Map<string, AnsweredCall[]>();

  function nameCall(request: CompletionRequest): Pick<AnsweredCall, 'base' | 'call'> {
    const base = sha256Hex(`${cacheKey(request)} ${JSON.stringify(request.origin)}`).slice(0, 32);
    const count = sent.get(base) ?? 0;
    sent.set(base, count + 1);
    return { base, call: `${base}_${count}` };
  }

  return {
    attemptFor(config, endpoint) {
      const queue = queueNameOf(config, endpoint, where);
      return async (request, signal, timeoutMs) => {
        const { origin } = request;
        const { base, call } = nameCall(request);
        const task = { request: toQueuedRequest(request), timeoutMs };
        const answer = await dispatcher.send(queue, call, task, signal);
        if (answer.outcome.status === 'completed') {
          const calls = answered.get(placeOf(origin)) ?? [];
          answered.set(placeOf(origin), [...calls, { queue, base, call }]);
        }
        return answer;
      };
    },
    begin: ({ id, startedAt }, planned, signal) => {
      // Runs of many machines meet in one Redis, and their ids are made to differ in one folder.
      const unique = sha256Hex(JSON.stringify([id, startedAt, where.root])).slice(0, 8);
      return dispatcher.begin(`${id}-${unique}`, findProviders(planned, where), signal);
    },
    forget(key) {
      for (const { queue, base, call } of answered.get(placeOf(key)) ?? []) {
        sent.delete(base);
        dispatcher.forget(queue, call);
      }
      answered.delete(placeOf(key));
    },
    close: () => dispatcher.close(),
  };
}

/** Lists the providers that the run may ask, by queue, with the limits of each queue. */
function findProviders(
  { plan, endpointOf }: Pick<PlannedRun, 'plan' | 'endpointOf'>,
  where: { readonly root: string; readonly version: string },
): readonly LimitedProvider[] {
  const asked = askedProviders(plan.suites.map(({ suite }) => suite)).flatMap((config) => {
    const endpoint = endpointOf(config);
    const { id: label, limits } = config;
    if (!endpoint.sends) return [];
    return [{ queue: queueNameOf(config, endpoint, where), account: accountId(config, endpoint), label, limits }];
  });
  const limitsOf = (among: typeof asked) => among.map(({ limits }) => limits);
  return [...new Map(asked.map((provider) => [provider.queue, provider])).values()].map(({ queue, account, label }) => {
    const own = limitsOf(asked.filter((provider) => provider.queue === queue));
    const shared = limitsOf(asked.filter((provider) => provider.account === account));
    return { queue, label, limits: queueLimitsOf(own, shared) };
  });
}

function placeOf({ suite, prompt, caseId }: Pick<RequestOrigin, 'suite' | 'prompt' | 'caseId'>): string {
  return JSON.stringify([suite, prompt, caseId]);
}

const needed = ['bullmq', 'ioredis'] as const;

/** Loads the project's packages that a queue needs. It is a usage error if they are missing or too old. */
export async function loadQueueModules(root: string, packages: Packages = openPackages(root)): Promise<QueueModules> {
  const fault = findPackageFault(needed, packages.version);
  if (fault !== undefined) throw refuse(`--queue needs ${fault.needed}`, fault.install);
  const [bull, redis] = await Promise.all(needed.map((name) => packages.load(name)));
  return { bull, redis } as QueueModules;
}

export function refuseQueue(shown: string, reason: string): UserError {
  return refuse(`the queue ${shown} can't be used: ${reason}`, 'start Redis or Valkey there, or correct the address');
}

function refuse(message: string, hint: string): UserError {
  return new UserError({ code: 'environment', message, hint });
}

/**
 * Names a provider's queue by everything that can change the answers to its requests. A worker with another
 * configuration has another queue, and never sees them. Files of the user's own code are part of the adapter's version.
 */
export function queueNameOf(
  { adapter, model, baseUrl, apiKeyEnv, structured, stream, headers, options, folder }: ProviderConfig,
  endpoint: Endpoint,
  { root, version }: { readonly root: string; readonly version: string },
): string {
  const own = endpoint.baseUrl === undefined ? relative(root, folder) : undefined;
  const settings = { adapter, model, baseUrl, apiKeyEnv, structured, stream, headers, options, folder: own };
  const sent = { version: endpoint.adapterVersion, baseUrl: endpoint.baseUrl, apiKeyEnv: endpoint.apiKeyEnv };
  return `calls-${sha256Hex(JSON.stringify({ llmcheck: version, settings, sent })).slice(0, 32)}`;
}

/** Every provider and model that the suites may ask. */
export function askedProviders(suites: readonly Suite[]): readonly ProviderConfig[] {
  return suites.flatMap(({ providers, askedModels }) => [...providers, ...askedModels]);
}

/**
 * Finds the limits of a queue: the largest ones set for its provider, or the largest rate of all that share the key.
 */
export function queueLimitsOf(own: readonly ProviderLimits[], account: readonly ProviderLimits[]): QueueLimits {
  const concurrency = largest(own.map((limits) => limits.concurrency));
  const rpm = largest(own.map((limits) => limits.rpm)) ?? largest(account.map((limits) => limits.rpm));
  return { ...defined({ concurrency, rpm }) };
}

function largest(limits: readonly (number | undefined)[]): number | undefined {
  const set = limits.filter((limit) => limit !== undefined);
  return set.length === 0 ? undefined : Math.max(...set);
}
