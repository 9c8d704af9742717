import * as z from 'zod';
import { defined } from '../../json/defined.ts';
import { toZodSchema } from '../../json/to-zod-schema.ts';
import type { CompletionOutcome, CompletionRequest, ProviderFailure } from '../../model/run/completion.ts';
import type { LoadedPlugin, ProviderPlugin } from '../../model/suite/own-code.ts';
import type { Adapter } from '../../model/suite/provider.ts';
import type { ProviderConfig } from '../../model/suite/suite.ts';
import { describeThrown, onAbort } from '../../text/deadline.ts';
import { fail } from '../answer.ts';
import { classifyAbort, kindOfStatus } from '../failures/classify-failure.ts';
import { describeText } from '../failures/read-api-error.ts';
import { nameOutcome, readReturned } from './answer-object.ts';

/** Adapter of a plug-in. It runs in this process, behind the engine's limits, retries and cache. */
export function createPluginAdapter(loaded: LoadedPlugin<ProviderPlugin>): Adapter {
  const { plugin, hash, unfollowed } = loaded;
  const options = plugin.options === undefined ? z.strictObject({}) : toZodSchema(plugin.options);
  return {
    summary: plugin.summary,
    example: plugin.example ?? `${plugin.name}:model`,
    options,
    plugin: loaded,
    resolve(config) {
      return {
        adapterVersion: ['plugin-1', hash, JSON.stringify(config.options)].join(':'),
        ...defined({ baseUrl: config.baseUrl, apiKeyEnv: config.apiKeyEnv, unfollowed }),
        priceProvider: plugin.name,
        sends: true,
      };
    },
    connect(config, { env }) {
      const apiKey = config.apiKeyEnv === undefined ? undefined : env[config.apiKeyEnv];
      return Promise.resolve({
        async complete(request, signal) {
          if (signal.aborted) return fail(classifyAbort(signal), 0);
          if (config.apiKeyEnv !== undefined && (apiKey ?? '') === '')
            return fail({ kind: 'auth', message: `${config.apiKeyEnv} is not set` }, 0);
          return ask(plugin, { request, config, options: options.parse(config.options), apiKey, signal });
        },
        close: () => Promise.resolve(),
      });
    },
  };
}

interface Call {
  readonly request: CompletionRequest;
  readonly config: ProviderConfig;
  readonly options: unknown;
  readonly apiKey: string | undefined;
  readonly signal: AbortSignal;
}

async function ask(
  plugin: ProviderPlugin,
  { request, config, options, apiKey, signal }: Call,
): Promise<CompletionOutcome> {
  const { model, messages, params, trial, origin } = request;
  const { suite, prompt, caseId } = origin;
  const startedAt = performance.now();
  let stopListening = () => {};
  const aborted = new Promise<'aborted'>((resolve) => {
    stopListening = onAbort(signal, () => resolve('aborted'));
  });
  try {
    const given = { model, messages, params, options, trial, suite, prompt, caseId };
    const answer = plugin.complete({ ...given, apiKey, baseUrl: config.baseUrl, signal });
    // A plug-in that ignores its signal keeps running; its answer is dropped.
    const returned: unknown = await Promise.race([answer, aborted]);
    if (returned === 'aborted' && signal.aborted) return fail(classifyAbort(signal));
    return nameOutcome(plugin.name, readReturned(returned, performance.now() - startedAt));
  } catch (error) {
    return fail(signal.aborted ? classifyAbort(signal) : classifyThrown(error, plugin.name));
  } finally {
    stopListening();
  }
}

/** Failure for a thrown error. A `status` determines its kind. Without one, a retry would throw again. */
function classifyThrown(error: unknown, name: string): ProviderFailure {
  const thrownText = describeText(describeThrown(error));
  const message = `${name} threw ${thrownText}`;
  const status = readNumber(error, 'status');
  if (status === undefined) return { kind: 'server', message, retryable: false };
  const retryAfterMs = readNumber(error, 'retryAfterMs');
  const kind = kindOfStatus(status, { message: '', words: [] });
  return { kind, message, status, ...defined({ retryAfterMs }) };
}

function readNumber(error: unknown, key: 'status' | 'retryAfterMs'): number | undefined {
  if (typeof error !== 'object' || error === null || !(key in error)) return undefined;
  const value: unknown = Reflect.get(error, key);
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
