import { Buffer } from 'node:buffer';
import { lookupAssertion } from '../assertions/index.ts';
import { writeJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import type { Cell } from '../model/run/cell.ts';
import type { Completion, CompletionRequest, Usage } from '../model/run/completion.ts';
import type { RecordedSuite, RecordedVariant } from '../model/run/record.ts';
import type { CheckSpec } from '../model/run/verdict.ts';
import { type AgentSettings, maxCallsPerStep, maxResultBytes } from '../model/suite/agent.ts';
import type { Endpoint } from '../model/suite/provider.ts';
import type { ProviderConfig, Suite } from '../model/suite/suite.ts';
import { createPricer, type PricedModel, type Pricer } from '../prices/create-pricer.ts';
import { plainNumbers } from '../text/yaml/exact-numbers.ts';

/** The members of a stored variant that decide its price. */
export type PricedVariant = Pick<RecordedVariant, 'provider' | 'adapter' | 'model' | 'price' | 'priceProvider'>;

/** The data of a configured provider for the price table. */
export function pricedModel(provider: ProviderConfig, endpoint: Endpoint): PricedModel {
  return {
    providerId: provider.pricedAs ?? provider.id,
    adapter: provider.adapter,
    model: provider.model,
    ...defined({ priceProvider: endpoint.priceProvider, ownPrice: provider.price }),
  };
}

/** Computes an upper bound in USD for a cell's requests; undefined if the price or the output limit is unknown. */
export function boundRequests(
  { pricer, endpointOf, recordsTools = false }: BoundBasis,
  provider: ProviderConfig,
  cell: Cell,
  isBatched = false,
): number | undefined {
  const model = pricedModel(provider, endpointOf(provider));
  return boundCell(cell, recordsTools, (inputTokens, maxOutputTokens) =>
    pricer.boundOf({ ...model, isBatched, inputTokens, maxOutputTokens }),
  );
}

interface BoundBasis {
  readonly pricer: Pricer;
  readonly endpointOf: (provider: ProviderConfig) => Endpoint;
  /** True if stubs are recorded, so that real tools answer. */
  readonly recordsTools?: boolean;
}

/**
 * Prices a stored answer. An answer of the same provider and model has today's price. An answer of another model has
 * the price in its record.
 */
export function pricedModelOfVariant(
  variant: PricedVariant,
  providers: Iterable<ProviderConfig>,
  endpointOf: (provider: ProviderConfig) => Endpoint,
): PricedModel {
  for (const provider of providers) {
    if (provider.id === variant.provider && provider.adapter === variant.adapter && provider.model === variant.model) {
      return pricedModel(provider, endpointOf(provider));
    }
  }
  return recordedModel(variant);
}

/**
 * Prices stored answers without a suite. The price in the record of these suites comes first, so that both compared
 * sides have the same price. Then comes the price stored with the answer, and last the table's.
 */
export async function createRecordPricer(
  suites: readonly Pick<RecordedSuite, 'variants'>[] = [],
): Promise<(variant: PricedVariant, usage: Usage | undefined) => number | undefined> {
  const pricer = await createPricer({ prices: {} });
  const known = new Map<string, PricedVariant>();
  for (const { variants } of suites) for (const variant of variants) known.set(modelKey(variant), variant);
  const models = new Map<PricedVariant, PricedModel>();
  return (variant, usage) => {
    const model = models.get(variant) ?? recordedModel(known.get(modelKey(variant)) ?? variant);
    models.set(variant, model);
    return pricer.priceOf({ usage, ...model });
  };
}

function recordedModel({ provider, adapter, model, price, priceProvider = adapter }: PricedVariant): PricedModel {
  return { providerId: provider, adapter, model, priceProvider, ...defined({ ownPrice: price }) };
}

function modelKey({ provider, adapter, model }: PricedVariant): string {
  return JSON.stringify([provider, adapter, model]);
}

export interface JudgeBound {
  /** The bound in USD of the judges that have one; undefined if none has one, or none is asked. */
  readonly usd: number | undefined;
  /** The judges without a bound, each with the reason. */
  readonly uncounted: readonly string[];
}

interface Prices {
  readonly pricer: Pricer;
  readonly endpointOf: (provider: ProviderConfig) => Endpoint;
}

/** An upper bound of the cost of a cell's judges and embeddings models. */
export function boundJudges({ pricer, endpointOf }: Prices, { askedModels }: Suite, cell: Cell): JudgeBound {
  let usd: number | undefined;
  const uncounted = new Set<string>();
  const answers = maxOutputTokens(cell.request);
  for (const check of checksOf(cell)) {
    const config = askedModels.find(({ id }) => id === check.asks);
    if (config === undefined) continue;
    const model = pricedModel(config, endpointOf(config));
    const output = isEmbedding(check) ? 0 : maxOutputTokens(config);
    if (!pricer.hasPrice(model)) uncounted.add(`${config.id} has no price`);
    else if (output === undefined) uncounted.add(`${config.id} has no limit on output tokens`);
    else if (answers === undefined) uncounted.add(`${config.id} is shown answers without a limit`);
    else {
      const inputTokens = checkBytes(cell, check) + answers * countRequests(cell) * tokensPerToken * 2 + output;
      const bound = pricer.boundOf({ ...model, isBatched: false, inputTokens, maxOutputTokens: output }) ?? 0;
      usd = (usd ?? 0) + bound * countVotes([check]) * judgeRounds;
    }
  }
  return { usd, uncounted: [...uncounted] };
}

/** The checks that ask a model, including checks of turns and inside combinators. */
function checksOf({ checks, turns }: Cell): readonly CheckSpec[] {
  const asking = (all: readonly CheckSpec[]): readonly CheckSpec[] =>
    all.flatMap((check) => (check.asks === undefined ? asking(check.children ?? []) : [check]));
  return asking([...checks, ...turns.flatMap((turn) => turn.checks)]);
}

/**
 * The bytes of a judge's request without the answers: the check, the case's variables and the user's messages, never
 * the prompt.
 */
function checkBytes({ vars, turns }: Cell, { source }: CheckSpec): number {
  const written = [
    writeJson(source),
    writeJson(plainNumbers(vars)),
    ...turns.map((turn) => (turn.kind === 'first' ? '' : turn.content)),
  ];
  return written.reduce<number>((sum, text) => sum + Buffer.byteLength(text ?? ''), frameBytes);
}

/** A judge's task, the frame of its parts, the reply's form and schema, and the request for a second reply. */
const frameBytes = 8192;

/** A judge may split a token of the answer into its bytes. */
const tokensPerToken = 4;

function isEmbedding({ assertion }: CheckSpec): boolean {
  const declared = lookupAssertion(assertion);
  return declared !== undefined && 'asks' in declared && declared.asks?.kind === 'embeddings';
}

/**
 * The requests of a cell: one for the prompt, and one for each user turn and each group of tool results. If stubs
 * answer the model's tool calls, the maximum number.
 */
export function countRequests({ turns, agent }: Pick<Cell, 'turns' | 'agent'>): number {
  if (agent !== undefined) return agent.maxSteps;
  return 1 + turns.filter((_, index) => isRequested(turns, index)).length;
}

/** The maximum requests of a cell to judges: each vote, and one more if a reply can't be read. */
export function countJudgeRequests({ checks, turns }: Pick<Cell, 'checks' | 'turns'>): number {
  return countVotes([...checks, ...turns.flatMap((turn) => turn.checks)]) * judgeRounds;
}

/** A judge whose reply can't be read is asked once more. */
const judgeRounds = 2;

/** An upper bound of the cost of all requests of a cell. Each later request repeats the conversation so far. */
function boundCell(
  { request, turns, agent }: Cell,
  recordsTools: boolean,
  boundOf: (inputTokens: number, outputTokens: number) => number | undefined,
): number | undefined {
  const output = maxOutputTokens(request);
  if (output === undefined) return undefined;
  if (agent !== undefined) {
    const longest = longestResult(agent, recordsTools);
    return boundAgent(request, turns, { maxSteps: agent.maxSteps, longest }, (input) => boundOf(input, output), output);
  }
  let input = inputBytes(request);
  let sum = boundOf(input, output);
  for (const [index, turn] of turns.entries()) {
    if (turn.kind === 'first') continue;
    input += Buffer.byteLength(turn.content) + perMessageOverhead;
    if (!isRequested(turns, index)) continue;
    input += output + perMessageOverhead;
    const bound = boundOf(input, output);
    sum = sum === undefined || bound === undefined ? undefined : sum + bound;
  }
  return sum;
}

/** The bytes of the longest possible tool result. Only results of stubs are known before a run. */
function longestResult({ stubs, module, servers, record }: AgentSettings, recordsTools: boolean): number {
  const isLive = module !== undefined || servers !== undefined || (recordsTools && record !== undefined);
  if (isLive) return maxResultBytes;
  const contents = stubs.map(({ answer }) =>
    'content' in answer ? answer.content : 'message' in answer ? answer.message : '',
  );
  return Math.max(0, ...contents.map((text) => Buffer.byteLength(text)));
}

/** Assumes that each answer makes the maximum number of calls, each with the longest result. */
function boundAgent(
  request: CompletionRequest,
  turns: Cell['turns'],
  { maxSteps, longest }: { readonly maxSteps: number; readonly longest: number },
  boundOf: (inputTokens: number) => number | undefined,
  output: number,
): number | undefined {
  const ofTurns = turns.map((turn) =>
    turn.kind === 'first' ? 0 : Buffer.byteLength(turn.content) + perMessageOverhead,
  );
  const base = inputBytes(request) + ofTurns.reduce((sum, bytes) => sum + bytes, 0);
  const growth = output + perMessageOverhead + maxCallsPerStep * (longest + perMessageOverhead);
  let sum: number | undefined = 0;
  for (let step = 0; step < maxSteps; step += 1) {
    const bound = boundOf(base + step * growth);
    sum = sum === undefined || bound === undefined ? undefined : sum + bound;
  }
  return sum;
}

/** Results of several tool calls go in one request, after the last of them. The first turn is the prompt's own request. */
function isRequested(turns: Cell['turns'], index: number): boolean {
  const kind = turns[index]?.kind;
  return kind === 'user' || (kind === 'toolResult' && turns[index + 1]?.kind !== 'toolResult');
}

function countVotes(checks: readonly CheckSpec[]): number {
  return checks.reduce((sum, { asks, assertion, params, children = [] }) => {
    if (asks === undefined) return sum + countVotes(children);
    const { votes = 1 } = params as { readonly votes?: number };
    return sum + votes * (assertion === 'pairwise' ? 2 : 1);
  }, 0);
}

/** No tokenizer makes more tokens than bytes, so bytes are an upper bound for any model. */
export function inputBytes({ messages, params }: CompletionRequest): number {
  let bytes = 0;
  for (const { content, toolCalls, continuation, attachments = [] } of messages) {
    for (const { mediaType, bytes: size } of attachments) {
      bytes += mediaType.startsWith('image/') ? maxImageTokens : size;
    }
    bytes += Buffer.byteLength(content) + perMessageOverhead;
    for (const sent of [toolCalls, continuation]) {
      if (sent !== undefined) bytes += Buffer.byteLength(JSON.stringify(sent));
    }
  }
  for (const key of ['tools', 'functions', 'response_format', 'text']) {
    if (params[key] !== undefined) bytes += Buffer.byteLength(JSON.stringify(params[key]));
  }
  return bytes;
}

/** Vendors scale images down; none counts more tokens for one (2026). */
const maxImageTokens = 20_000;

/** Role and separators of a message, in tokens. */
const perMessageOverhead = 8;

/** The request's own limit on output tokens, over all the choices it asks for. */
export function maxOutputTokens({ params }: Pick<CompletionRequest, 'params'>): number | undefined {
  for (const key of ['max_completion_tokens', 'max_tokens', 'max_output_tokens']) {
    const limit = params[key];
    if (typeof limit === 'number') return limit * (typeof params['n'] === 'number' ? params['n'] : 1);
  }
  return undefined;
}

const firstOutputEstimate = 4096;

/** Bounds the output tokens of requests without a limit. */
interface OutputEstimate {
  observe(completion: Pick<Completion, 'usage'>): void;
  boundOf(request: CompletionRequest): number;
}

/** For a request without a limit, the bound is twice the longest answer so far. One note says so. */
export function createOutputEstimate(note: (message: string) => void): OutputEstimate {
  let longest = 0;
  return {
    observe({ usage }) {
      longest = Math.max(longest, usage?.outputTokens ?? 0);
    },
    boundOf(request) {
      const limit = maxOutputTokens(request);
      if (limit !== undefined) return limit;
      note(
        `requests to ${request.adapter}:${request.model} set no limit on output tokens, so --max-cost reserves an estimate ` +
          'from the answers so far; set max_tokens in params for a hard bound',
      );
      return longest === 0 ? firstOutputEstimate : longest * 2;
    },
  };
}
