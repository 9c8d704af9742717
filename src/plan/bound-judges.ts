import { Buffer } from 'node:buffer';
import { lookupAssertion } from '../assertions/index.ts';
import { writeJson } from '../json/canonical-json.ts';
import type { Cell } from '../model/cell.ts';
import type { Endpoint } from '../model/provider.ts';
import type { ProviderConfig, Suite } from '../model/suite.ts';
import type { CheckSpec } from '../model/verdict.ts';
import type { Pricer } from '../prices/create-pricer.ts';
import { plainNumbers } from '../text/exact-numbers.ts';
import { countRequests, countVotes, judgeRounds, maxOutputTokens } from './estimate-requests.ts';
import { pricedModel } from './price-variants.ts';

export interface JudgeBound {
  /** USD of the judges whose cost has a bound; undefined where none has, or none is asked. */
  readonly usd: number | undefined;
  /** Judges whose cost has none, each with the reason. */
  readonly uncounted: readonly string[];
}

interface Prices {
  readonly pricer: Pricer;
  readonly endpointOf: (provider: ProviderConfig) => Endpoint;
}

/** An upper bound of what a cell's judges and embeddings models cost. */
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
      const inputTokens = inputBytes(cell, check) + answers * countRequests(cell) * tokensPerToken * 2 + output;
      const bound = pricer.boundOf({ ...model, isBatched: false, inputTokens, maxOutputTokens: output }) ?? 0;
      usd = (usd ?? 0) + bound * countVotes([check]) * judgeRounds;
    }
  }
  return { usd, uncounted: [...uncounted] };
}

/** Checks that ask a model, those of turns and of combinators too. */
function checksOf({ checks, turns }: Cell): readonly CheckSpec[] {
  const asking = (all: readonly CheckSpec[]): readonly CheckSpec[] =>
    all.flatMap((check) => (check.asks === undefined ? asking(check.children ?? []) : [check]));
  return asking([...checks, ...turns.flatMap((turn) => (turn.kind === 'user' ? turn.checks : []))]);
}

/** Without the answers. A judge is shown the check, the case's variables and what the user said, never the prompt. */
function inputBytes({ vars, turns }: Cell, { source }: CheckSpec): number {
  const written = [writeJson(source), writeJson(plainNumbers(vars)), ...turns.map(({ content }) => content)];
  return written.reduce<number>((sum, text) => sum + Buffer.byteLength(text ?? ''), frameBytes);
}

/** The task, the frame of its parts, the form of the reply and its schema, and the request to write it again. */
const frameBytes = 8192;

/** A judge may split a token of the answer into its bytes. */
const tokensPerToken = 4;

function isEmbedding({ assertion }: CheckSpec): boolean {
  const declared = lookupAssertion(assertion);
  return declared !== undefined && 'asks' in declared && declared.asks?.kind === 'embeddings';
}
