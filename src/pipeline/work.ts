import { timeAttempts } from '../execute/time-attempts.ts';
import { maskJson } from '../lib/mask-json.ts';
import type { QueueUrl } from '../lib/queue-url.ts';
import { sha256Hex } from '../lib/sha256.ts';
import type { Complete } from '../model/completion.ts';
import type { ConnectedProvider, Endpoint, ProviderEnv } from '../model/provider.ts';
import type { Project, ProviderConfig } from '../model/suite.ts';
import { findAdapter } from '../providers/index.ts';
import { openWorker, type QueueWorker, type ServedProvider } from '../queue/open-worker.ts';
import { askedProviders, loadQueueModules, refuseQueue, stampOf } from './open-queue.ts';
import type { RunPorts } from './run-options.ts';

export interface WorkOptions {
  readonly project: Project;
  readonly address: QueueUrl;
  readonly toolVersion: string;
  readonly id: string;
  readonly concurrency: number;
  readonly leaseMs: number;
}

export interface WorkPorts extends Pick<RunPorts, 'env' | 'clock' | 'mask'> {
  readonly log: (message: string) => void;
  readonly onBug: (bug: unknown) => void;
}

export interface OpenWork extends QueueWorker {
  /** Ids of the providers that calls are made of. */
  readonly serves: readonly string[];
  /** Closes what calls were made over. */
  readonly close: () => Promise<void>;
}

/** Makes calls of whatever run plans them, for the providers that this checkout configures and has the keys of. */
export async function openWork(options: WorkOptions, ports: WorkPorts): Promise<OpenWork> {
  const { project, address } = options;
  const modules = await loadQueueModules(project.root);
  const providerEnv = { env: ports.env, projectRoot: project.root };
  const connected: Promise<ConnectedProvider>[] = [];
  const { served, unserved } = findServed(options, ports, providerEnv, connected);
  const worker = await openWorker({
    modules,
    address,
    shown: address.shown,
    version: options.toolVersion,
    id: options.id,
    concurrency: options.concurrency,
    leaseMs: options.leaseMs,
    providers: [...served.values()],
    unserved,
    nowMs: () => ports.clock.now(),
    startTimer: (ms, fire) => ports.clock.startTimer(ms, fire),
    wait: (ms, signal) => ports.clock.wait(ms, signal),
    log: ports.log,
    onBug: ports.onBug,
  });
  if ('refused' in worker) throw refuseQueue(address.shown, worker.refused);
  return {
    serves: [...new Set([...served.values()].map(({ label }) => label))],
    drain: (drainMs) => worker.drain(drainMs),
    get answered() {
      return worker.answered;
    },
    async close() {
      await Promise.allSettled(connected.map(async (provider) => (await provider).close()));
    },
  };
}

function findServed(
  { project, toolVersion }: WorkOptions,
  { env, clock, mask }: WorkPorts,
  providerEnv: ProviderEnv,
  connected: Promise<ConnectedProvider>[],
) {
  const served = new Map<string, ServedProvider>();
  const unserved = new Map<string, string>();
  for (const config of askedProviders(project.suites)) {
    const adapter = findAdapter(config);
    if (adapter === undefined) throw new Error(`adapter ${config.adapter} is not registered`);
    const endpoint = adapter.resolve(config, providerEnv);
    const { apiKeyEnv } = endpoint;
    if (!endpoint.sends) continue;
    // A refusal for want of a key would stop the provider for the whole run.
    if (apiKeyEnv !== undefined && (env[apiKeyEnv] ?? '') === '') {
      unserved.set(config.id, `${apiKeyEnv} is not set here`);
      continue;
    }
    const stamp = stampOf(config, endpoint, { root: project.root, version: toolVersion });
    if (served.has(stamp)) continue;
    const connect = () => {
      const connecting = adapter.connect(config, providerEnv);
      connected.push(connecting);
      return connecting;
    };
    served.set(stamp, {
      stamp,
      label: config.id,
      account: accountOf(config, endpoint, env),
      attempt: openAttempt(config, endpoint, { connect, clock, mask }),
    });
  }
  return { served, unserved };
}

interface AttemptPorts extends Pick<WorkPorts, 'clock' | 'mask'> {
  readonly connect: () => Promise<ConnectedProvider>;
}

/** The same attempt as in the process of a run: same adapter, same time limit. Nothing secret goes back with its outcome. */
function openAttempt(
  { adapter, model }: ProviderConfig,
  { adapterVersion, baseUrl }: Endpoint,
  { connect, clock, mask }: AttemptPorts,
): ServedProvider['attempt'] {
  let connecting: Promise<ConnectedProvider> | undefined;
  const sent: Complete = async (request, signal) => {
    connecting ??= connect();
    return (await connecting).complete(request, signal);
  };
  const attempt = timeAttempts(sent, clock);
  return async ({ request, timeoutMs }, signal) => {
    const { messages, params, trial, origin } = request;
    const full = { adapter, adapterVersion, model, messages, params, trial, origin };
    const timed = await attempt(baseUrl === undefined ? full : { ...full, baseUrl }, signal, timeoutMs);
    return maskJson(timed, mask);
  };
}

/** Limits belong to a key at an address; what Redis sees of both is a hash. */
function accountOf({ headers }: ProviderConfig, endpoint: Endpoint, env: WorkPorts['env']): string {
  const variables = Object.values(headers).flatMap((value) => (typeof value === 'string' ? [] : [value.env]));
  const names = [endpoint.apiKeyEnv ?? '', ...variables.toSorted()];
  const values = names.map((name) => env[name] ?? '');
  return sha256Hex(JSON.stringify(['llmcheck', endpoint.baseUrl ?? endpoint.adapterVersion, ...values])).slice(0, 32);
}
