import type { AskModel, ModelQuestion } from '../assertions/define.ts';
import { defined } from '../json/defined.ts';
import type { JsonObject } from '../json/json.ts';
import type { CellKey } from '../model/run/cell.ts';
import {
  type Complete,
  type Completion,
  type CompletionRequest,
  findBrokenReason,
  findUnusable,
  type ProviderFailure,
} from '../model/run/completion.ts';
import type { Endpoint } from '../model/suite/provider.ts';
import type { ProviderConfig, Suite } from '../model/suite/suite.ts';
import { addKnown } from '../stats/descriptive.ts';
import { quote } from '../text/shorten.ts';

/** Asks models for the checks of one answer, and sums up the cost. */
interface Asker {
  readonly ask: AskModel;
  /** USD billed; undefined if a price is not known. */
  readonly costUsd: () => number | undefined;
  /** The last failed call. */
  readonly failure: () => ProviderFailure | undefined;
}

export type OpenAsker = (key: CellKey) => Asker;

/** The functions that call models. */
interface ModelCalls {
  readonly completeFor: (config: ProviderConfig, suite: Suite) => Complete;
  /** Like `completeFor`, but ignores stored answers. Undefined if nothing may be sent. */
  readonly refreshFor: (config: ProviderConfig, suite: Suite) => Complete | undefined;
  /** The cost of an answer, in USD. */
  readonly costOf: (config: ProviderConfig, completion: Pick<Completion, 'usage'>) => number | undefined;
}

export interface AskOptions {
  readonly calls: ModelCalls;
  readonly endpointOf: (config: ProviderConfig) => Endpoint;
  readonly findSuite: (suiteId: string) => Suite | undefined;
  readonly signal: AbortSignal;
}

/** Lets checks ask the models of their suite, through the same cache, recordings, budget, retries and limits as any call. */
export function createOpenAsker({ calls, endpointOf, findSuite, signal }: AskOptions): OpenAsker {
  return (key) => {
    let costUsd: number | undefined = 0;
    let failure: ProviderFailure | undefined;
    return {
      costUsd: () => costUsd,
      failure: () => failure,
      async ask(question) {
        const suite = findSuite(key.suite);
        const config = suite?.askedModels.find(({ id }) => id === question.model);
        if (suite === undefined || config === undefined) return { failure: `no model is named "${question.model}"` };
        const request = buildModelRequest(question, config, endpointOf(config), key);
        const refresh = calls.refreshFor(config, suite);
        const complete = (question.isFresh === true ? refresh : undefined) ?? calls.completeFor(config, suite);
        const outcome = await complete(request, signal);
        if (outcome.status === 'failed') {
          ({ failure } = outcome);
          const unusable = findUnusable(outcome);
          if (unusable !== undefined) costUsd = addKnown(costUsd, calls.costOf(config, unusable));
          return { failure: failure.message };
        }
        const { completion, cached, isStored = false } = outcome;
        if (!cached) costUsd = addKnown(costUsd, calls.costOf(config, completion));
        const broken = findBrokenReason(completion);
        if (broken !== undefined)
          return { failure: `it stopped by ${quote(broken, 60)}, so a part of its reply is lost` };
        const { text, refusal, model } = completion;
        return {
          text: text === '' ? (refusal ?? '') : text,
          canRefresh: (cached || isStored) && refresh !== undefined,
          ...defined({ model }),
        };
      },
    };
  };
}

/** The request of one question. Its trial number makes every vote on every trial a sample of its own. */
function buildModelRequest(
  { kind, messages, schema, vote, votes }: ModelQuestion,
  config: ProviderConfig,
  endpoint: Endpoint,
  { suite, prompt, caseId, trial }: CellKey,
): CompletionRequest {
  const { adapter, model, id } = config;
  const format = schema === undefined || endpoint.refusesSchema === true ? {} : responseFormat(schema);
  return {
    adapter,
    adapterVersion: endpoint.adapterVersion,
    ...defined({ baseUrl: endpoint.baseUrl, settings: endpoint.settings }),
    model,
    messages,
    params: kind === 'judge' ? withoutNulls({ temperature: 0, ...format, ...config.params }) : config.params,
    // A text has one embedding, whatever the trial.
    trial: kind === 'judge' ? trial * votes + vote : 0,
    origin: { suite, prompt, provider: id, caseId },
  };
}

/** The response format in the form of Chat Completions, which every adapter translates. */
function responseFormat(schema: JsonObject): JsonObject {
  return { response_format: { type: 'json_schema', json_schema: { name: 'verdict', strict: true, schema } } };
}

/** `temperature: null` in a judge's params leaves the default out, for models that refuse the parameter. */
function withoutNulls(params: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(params).filter(([, value]) => value !== null));
}
