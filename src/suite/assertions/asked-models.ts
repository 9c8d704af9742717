import { canonicalJson } from '../../json/canonical-json.ts';
import { defined } from '../../json/defined.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import { findPackageFault, type VersionOf } from '../../model/optional-packages.ts';
import type { CheckSpec } from '../../model/run/verdict.ts';
import type { AskedModel, AssertionDeclaration } from '../../model/suite/assertion.ts';
import type { AdapterDeclaration } from '../../model/suite/provider.ts';
import type { Criterion, ProviderConfig } from '../../model/suite/suite.ts';
import { sha256Hex } from '../../text/sha256.ts';
import { didYouMean } from '../../text/words/did-you-mean.ts';
import { plainNumbers, toJsonObject } from '../../text/yaml/exact-numbers.ts';
import { childOf, type Located, locate, type Problems, withoutExcerpt } from '../documents/locate.ts';
import { parseUse, placeOf } from '../providers/parse-providers.ts';
import type { Endpoints } from '../providers/suite-providers.ts';
import type { Frame } from './assertion-frame.ts';
import type { CompiledAssertion } from './compiled-assertion.ts';

/** A criterion with the assertion for its checks. */
export interface CompiledCriterion {
  readonly criterion: Criterion;
  readonly compiled: CompiledAssertion;
}

/** The model that one written assertion asks. */
export interface FoundModel {
  /** Its id in requests; undefined for a local model. */
  readonly id?: string;
  /** The part for the case hash: the model but not its id. */
  readonly identity: JsonValue;
  readonly config?: ProviderConfig;
}

/** Finds the judge or the embedding model of an assertion, and collects all of them. */
export interface AskedModels {
  /** Undefined if it can't be found, which is reported. */
  readonly find: (name: string, asks: AskedModel, written: Located) => FoundModel | undefined;
  readonly remember: (name: string, asked: RememberedAssertion) => void;
  readonly configs: () => readonly ProviderConfig[];
  readonly criteria: () => readonly CompiledCriterion[];
}

interface RememberedAssertion {
  readonly model: FoundModel;
  readonly written: Located;
  readonly frame: Frame;
  readonly declaration: AssertionDeclaration;
  readonly compiled: CompiledAssertion;
}

interface AskedModelsContext {
  readonly problems: Problems;
  readonly adapters: Readonly<Record<string, AdapterDeclaration>>;
  readonly packageVersion: VersionOf;
  readonly judges: Endpoints;
  /** The models under test. */
  readonly providers: readonly ProviderConfig[];
}

export function createAskedModels(context: AskedModelsContext): AskedModels {
  const configs = new Map<string, ProviderConfig>();
  const criteria = new Map<string, CompiledCriterion>();

  return {
    find(name, asks, written) {
      const found =
        asks.kind === 'judge' ? findJudge(name, written, context) : findEmbeddings(name, asks, written, context);
      if (found?.config !== undefined) configs.set(found.config.id, found.config);
      return found;
    },
    remember(name, { model, written, frame, declaration, compiled }) {
      if (model.config === undefined || declaration.asks?.kind !== 'judge') return;
      const source = canonicalJson({
        [name]: withoutModel(plainNumbers(written.value), declaration.asks),
        model: model.identity,
        wording: declaration.asks.wording,
        ...defined({ select: frame.select && { ...frame.select } }),
      });
      const criterionHash = sha256Hex(source).slice(0, 12);
      const key = `${model.id ?? ''} ${criterionHash}`;
      if (criteria.has(key)) return;
      const at = withoutExcerpt(locate(written));
      const criterion = { judge: model.config, assertion: name, ...defined({ name: frame.name }), criterionHash, at };
      criteria.set(key, { criterion, compiled });
    },
    configs: () => [...configs.values()],
    criteria: () => [...criteria.values()],
  };
}

function findJudge(name: string, written: Located, context: AskedModelsContext): FoundModel | undefined {
  const named = childOf(written, 'judge');
  const judge = chooseJudge(name, named.value === undefined ? written : named, named.value, context);
  if (judge === undefined || refuseUnfit(name, judge, written, context)) return undefined;
  return { id: judge.id, identity: identityOf(judge), config: judge };
}

function findEmbeddings(
  name: string,
  { offline }: AskedModel,
  written: Located,
  context: AskedModelsContext,
): FoundModel | undefined {
  const named = childOf(written, 'provider');
  if (named.value === undefined && offline !== undefined) {
    const fault = findPackageFault(offline.packages, context.packageVersion);
    if (fault === undefined) return { identity: offline.model };
    context.problems.report({
      code: 'environment',
      message: `${name} needs ${fault.needed}, or a provider of embeddings`,
      hint: `${fault.install}, or add provider: openai:text-embedding-3-small`,
      at: locate(written),
    });
    return undefined;
  }
  // The parameter's own schema reports a value that is not a text.
  if (typeof named.value !== 'string') return undefined;
  const config = chooseEmbeddings({ ...named, value: named.value }, context);
  return config && { id: config.id, identity: identityOf(config), config };
}

/** The check with the model it asks, which is part of the case's hash. */
export function withModel(
  check: CheckSpec | undefined,
  model: FoundModel | undefined,
  asks: AskedModel | undefined,
  name: string,
): CheckSpec | undefined {
  if (check === undefined || model === undefined || asks === undefined) return check;
  const source = isJsonObject(check.source) ? check.source : {};
  return {
    ...check,
    ...defined({ asks: model.id }),
    source: { ...source, [name]: withoutModel(source[name], asks), model: model.identity, wording: asks.wording },
  };
}

/** Removes the judge's id, which does not change its verdict. */
function withoutModel(value: unknown, { param }: AskedModel): JsonValue {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value as JsonValue;
  const { [param]: _, ...rest } = value as JsonObject;
  return rest;
}

/** Its address and its limits are not part of its identity. */
function identityOf({ adapter, model, params }: ProviderConfig): JsonObject {
  return { adapter, model, params };
}

function chooseJudge(
  name: string,
  place: Located,
  id: unknown,
  { judges, problems }: AskedModelsContext,
): ProviderConfig | undefined {
  const at = locate(place);
  const known = [...new Set([...judges.known, ...judges.list.map((judge) => judge.id)])];
  if (known.length === 0) {
    problems.report({
      code: 'unknown-id',
      message: `${name} needs a judge, and the suite has none`,
      hint: 'add judges: [openai:gpt-4o], for example: the model under test is never asked to judge itself',
      at,
    });
    return undefined;
  }
  if (id === undefined) {
    const [only, second] = known;
    if (second === undefined) return judges.list.find((judge) => judge.id === only);
    problems.report({
      code: 'invalid-value',
      message: `${name} names no judge, and the suite has several: ${known.join(', ')}`,
      hint: `write ${name}: {value: …, judge: ${only ?? ''}}`,
      at,
    });
    return undefined;
  }
  // The parameter's own schema reports a value that is not a text.
  if (typeof id !== 'string') return undefined;
  const judge = judges.list.find((other) => other.id === id);
  if (judge === undefined && !known.includes(id)) {
    problems.report({
      code: 'unknown-id',
      message: `"${id}" is not a judge of this suite`,
      hint: didYouMean(id, known) ?? `known: ${known.join(', ')}`,
      at,
    });
  }
  return judge;
}

/** Reports a judge that is a model under test or has its id. Returns true if it reported one. */
function refuseUnfit(name: string, judge: ProviderConfig, written: Located, context: AskedModelsContext): boolean {
  const { providers, problems } = context;
  const same = providers.find(
    ({ adapter, model, baseUrl }) => adapter === judge.adapter && model === judge.model && baseUrl === judge.baseUrl,
  );
  if (same !== undefined && judge.judging?.sameModel !== true) {
    problems.report({
      code: 'invalid-value',
      message: `${name} would let ${judge.adapter}:${judge.model} judge itself: judge "${judge.id}" is the model under test of provider "${same.id}"`,
      hint: 'use another model as the judge, or write sameModel: true in its map under judges',
      at: judge.at ?? locate(written),
    });
    return true;
  }
  const namesake = providers.find(({ id }) => id === judge.id);
  if (namesake === undefined) return false;
  problems.report({
    code: 'duplicate-id',
    message: `the judge "${judge.id}" has the id of a provider, so that recordings could not tell them apart`,
    hint: 'give the judge an id of its own',
    at: judge.at ?? locate(written),
  });
  return true;
}

/** A judge by its id, else adapter:model; with the options under which its adapter gives embeddings. */
function chooseEmbeddings(named: Located<string>, context: AskedModelsContext): ProviderConfig | undefined {
  const { adapters, judges, problems } = context;
  const known = judges.list.find(({ id }) => id === named.value);
  const use = known ?? parseUse(named, { adapters, problems, known: judges.list, noun: 'judge' });
  if (use === undefined) return undefined;
  const { embeddings } = adapters[use.adapter] ?? {};
  if (embeddings === undefined) {
    const able = Object.entries(adapters).flatMap(([adapter, declared]) =>
      declared.embeddings === undefined ? [] : [adapter],
    );
    return problems.refuse(
      named,
      `the adapter ${use.adapter} gives no embeddings`,
      `those that do: ${able.join(', ')}`,
    );
  }
  if (known !== undefined) return { ...known, options: toJsonObject({ ...known.options, ...embeddings }) };
  return { id: named.value, ...use, params: {}, headers: {}, limits: {}, options: embeddings, ...placeOf(named) };
}
