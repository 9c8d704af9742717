import { cacheKey } from '../cache/cache-key.ts';
import type { TimedAttempt } from '../execute/time-attempts.ts';
import type { QueueUrl } from '../lib/queue-url.ts';
import { sha256Hex } from '../lib/sha256.ts';
import type { CellKey } from '../model/cell.ts';
import type { CompletionRequest, RequestOrigin } from '../model/completion.ts';
import type { Endpoint } from '../model/provider.ts';
import type { QueuedLimits, QueuedProvider } from '../model/queue.ts';
import type { ProviderConfig } from '../model/suite.ts';
import { openDispatcher } from '../queue/open-dispatcher.ts';
import { inputBytes, maxOutputTokens } from './estimate-tokens.ts';
import { askedProviders, loadQueueModules, refuseQueue, stampOf } from './open-queue.ts';
import type { OpenRecord } from './open-record.ts';
import type { PlannedRun } from './plan-run.ts';
import type { RunOptions, RunPorts } from './run-options.ts';

/** Workers that make the calls of a run. */
export interface Dispatch {
  /** Makes attempts of one provider on whatever worker is free; `limits` is asked with each. */
  readonly attemptFor: (config: ProviderConfig, endpoint: Endpoint, limits: () => QueuedLimits) => TimedAttempt;
  /** Before the first attempt. */
  readonly begin: (
    record: Pick<OpenRecord, 'id' | 'startedAt'>,
    planned: Pick<PlannedRun, 'plan' | 'endpointOf'>,
    signal: AbortSignal,
  ) => Promise<void>;
  /** The cell is in the record: what it was answered need not be kept for a resumption. */
  readonly forget: (key: CellKey) => void;
  readonly close: () => Promise<void>;
}

export async function openDispatch(
  address: QueueUrl,
  options: Pick<RunOptions, 'project' | 'toolVersion'>,
  ports: Pick<RunPorts, 'clock' | 'random' | 'onProgress'>,
  onLost: () => void,
): Promise<Dispatch> {
  const where = { root: options.project.root, version: options.toolVersion };
  const { shown } = address;
  const onNote = (message: string) => ports.onProgress({ type: 'note', message });
  const dispatcher = await openDispatcher({
    modules: await loadQueueModules(where.root),
    address,
    shown,
    version: where.version,
    session: sha256Hex(`${ports.random()} ${ports.random()} ${performance.now()}`).slice(0, 20),
    nowMs: () => ports.clock.now(),
    startTimer: (ms, fire) => ports.clock.startTimer(ms, fire),
    onNote,
    onLost(message) {
      onNote(`The run stops: ${message}. \`llmcheck run --resume\` goes on with it.`);
      onLost();
    },
  });
  if ('refused' in dispatcher) throw refuseQueue(shown, dispatcher.refused);
  /** How often each request was sent: a retry is a call of its own. */
  const sent = new Map<string, number>();
  /** By case and prompt: calls that were answered, and whose cells are not in the record yet. */
  const answered = new Map<string, Map<string, string>>();

  function nameCall(request: CompletionRequest): { readonly base: string; readonly call: string } {
    const base = sha256Hex(`${cacheKey(request)} ${JSON.stringify(request.origin)}`).slice(0, 32);
    const count = sent.get(base) ?? 0;
    sent.set(base, count + 1);
    return { base, call: `${base}_${count}` };
  }

  return {
    attemptFor(config, endpoint, limits) {
      const stamp = stampOf(config, endpoint, where);
      return async (request, signal, timeoutMs) => {
        const { messages, params, trial, origin } = request;
        const { base, call } = nameCall(request);
        const tokens = Math.ceil(inputBytes(request) / 4) + (maxOutputTokens(request) ?? 256);
        const task = { request: { messages, params, trial, origin }, timeoutMs, limits: limits(), tokens };
        const answer = await dispatcher.send(stamp, call, task, signal);
        if (answer.outcome.status === 'completed') {
          const place = placeOf(origin);
          const calls = answered.get(place);
          if (calls === undefined) answered.set(place, new Map([[call, base]]));
          else calls.set(call, base);
        }
        return answer;
      };
    },
    begin: ({ id, startedAt }, planned, signal) => {
      // Runs of many machines meet in one Redis, and their ids are made to differ in one folder.
      const unique = sha256Hex(JSON.stringify([id, startedAt, where.root])).slice(0, 8);
      return dispatcher.begin(`${id}-${unique}`, neededProviders(planned), signal);
    },
    forget(key) {
      const place = placeOf(key);
      const calls = answered.get(place);
      if (calls === undefined) return;
      answered.delete(place);
      for (const base of calls.values()) sent.delete(base);
      dispatcher.forget([...calls.keys()]);
    },
    close: () => dispatcher.close(),
  };

  function neededProviders({ plan, endpointOf }: Pick<PlannedRun, 'plan' | 'endpointOf'>): readonly QueuedProvider[] {
    const found = new Map<string, QueuedProvider>();
    for (const config of askedProviders(plan.suites.map(({ suite }) => suite))) {
      const endpoint = endpointOf(config);
      if (!endpoint.sends) continue;
      const stamp = stampOf(config, endpoint, where);
      found.set(stamp, { stamp, label: config.id });
    }
    return [...found.values()];
  }
}

function placeOf({ suite, prompt, caseId }: Pick<RequestOrigin, 'suite' | 'prompt' | 'caseId'>): string {
  return JSON.stringify([suite, prompt, caseId]);
}
