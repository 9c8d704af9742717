import { defined } from '../json/defined.ts';
import type { Complete } from '../model/run/completion.ts';
import type { ConnectedProvider, Endpoint, ProviderEnv } from '../model/suite/provider.ts';
import type { Project, ProviderConfig } from '../model/suite/suite.ts';
import type { RunPorts } from '../plan/run-options.ts';
import { fail } from '../providers/answer.ts';
import { findAdapter } from '../providers/index.ts';
import {
  openWorker,
  type QueueWorker,
  type ServedProvider,
  type WorkerPorts,
  type WorkerSettings,
} from '../queue/worker.ts';
import { maskJson } from '../secrets/mask-secrets.ts';
import { askedProviders, loadQueueModules, queueNameOf, refuseQueue } from './open-queue-dispatch.ts';
import { timeAttempts } from './time-attempts.ts';
import { watchCode } from './watch-code.ts';

export interface WorkOptions extends WorkerSettings {
  readonly project: Project;
}

export interface WorkPorts extends Pick<RunPorts, 'env' | 'clock' | 'mask'>, WorkerPorts {}

export interface OpenWork extends Pick<QueueWorker, 'answered' | 'drain'> {
  /** Ids of the providers that calls are made of. */
  readonly serves: readonly string[];
  /** Closes the connections of the calls. */
  readonly close: () => Promise<void>;
}

/** Makes the calls of any run, for the providers that this checkout configures and has the keys of. */
export async function openWork(options: WorkOptions, ports: WorkPorts): Promise<OpenWork> {
  const { project, address } = options;
  const modules = await loadQueueModules(project.root);
  const providerEnv = { env: ports.env, projectRoot: project.root };
  const connected: Promise<ConnectedProvider>[] = [];
  const { served, unserved } = findServed(options, ports, providerEnv, connected);
  const providers = [...served.values()];
  const worker = await openWorker({ ...options, ...ports, modules, providers, unserved });
  if (typeof worker === 'string') throw refuseQueue(address.shown, worker);
  return {
    serves: [...new Set(providers.map(({ label }) => label))],
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
    const queue = queueNameOf(config, endpoint, { root: project.root, version: toolVersion });
    if (served.has(queue)) continue;
    const connect = () => {
      const connecting = adapter.connect(config, providerEnv);
      connected.push(connecting);
      return connecting;
    };
    served.set(queue, {
      queue,
      label: config.id,
      attempt: openAttempt(config, endpoint, {
        connect,
        clock,
        mask,
        writes: adapter.writes ?? [],
        isSameCode: watchCode(config, endpoint, providerEnv),
      }),
    });
  }
  return { served, unserved };
}

interface AttemptPorts extends Pick<WorkPorts, 'clock' | 'mask'> {
  /** Members of a request that the worker's adapter sets. */
  readonly writes: readonly string[];
  readonly connect: () => Promise<ConnectedProvider>;
  readonly isSameCode: () => boolean;
}

/** Makes an attempt with the adapter and time limit of a run's own process. The outcome holds no secret. */
export function openAttempt(
  { id, adapter, model }: ProviderConfig,
  { adapterVersion }: Endpoint,
  { writes, connect, clock, mask, isSameCode }: AttemptPorts,
): ServedProvider['attempt'] {
  let connecting: Promise<ConnectedProvider> | undefined;
  const message = `the code of provider ${id} changed since its worker started: restart the worker`;
  const sent: Complete = async (request, signal) => {
    if (!isSameCode()) return fail({ kind: 'badRequest', message }, 0);
    connecting ??= connect();
    const outcome = await (await connecting).complete(request, signal);
    return isSameCode() ? outcome : fail({ kind: 'badRequest', message }, outcome.attempts);
  };
  const attempt = timeAttempts(sent, clock);
  return async ({ request, timeoutMs }, signal) => {
    const { messages, params, trial, origin, vars, workspace } = request;
    // No suite can set such a parameter, so no run sent this job.
    const written = writes.find((member) => Object.hasOwn(params, member));
    if (written !== undefined) {
      const refusal = `the job sets ${written}, which the worker takes from its own checkout`;
      const outcome = fail({ kind: 'badRequest', message: refusal, retryable: false }, 0);
      return { outcome, isTimeUp: false, elapsedMs: 0 };
    }
    const full = { adapter, adapterVersion, model, messages, params, trial, origin, ...defined({ vars, workspace }) };
    const timed = await attempt(full, signal, timeoutMs);
    return maskJson(timed, mask);
  };
}
