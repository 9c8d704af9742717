import { basename, resolve } from 'node:path';
import type * as z from 'zod';
import { defined } from '../json/defined.ts';
import type { AssertionDeclaration } from '../model/assertion.ts';
import type { VersionOf } from '../model/optional-packages.ts';
import type { AdapterDeclaration } from '../model/provider.ts';
import type { EmptySelection, GatePolicy, MetricLimits, Suite } from '../model/suite.ts';
import { parseDurationMs } from '../text/duration.ts';
import { SpelledNumber } from '../text/exact-numbers.ts';
import { createAskedModels } from './assertions/asked-models.ts';
import { compileAssertions } from './assertions/compile-assertions.ts';
import type { AssertionContext } from './assertions/compile-plain.ts';
import { readLabels } from './assertions/labels.ts';
import { createReadCode } from './assertions/own-code.ts';
import { buildCases } from './cases/build-cases.ts';
import type { CaseGroup } from './cases/case-row.ts';
import { type CaseFile, readCases } from './cases/read-cases.ts';
import type { Config } from './config.ts';
import { checkPromptVariables, openInputCheck } from './contracts/check-contract.ts';
import { createContractLocator, placeOf } from './contracts/contract-places.ts';
import { type ContractKnowledge, joinContracts, parseContract } from './contracts/parse-contract.ts';
import { checkKeys, checkPart, requireMap } from './documents/check-shape.ts';
import { isCodeSuite } from './documents/code-suite.ts';
import { childOf, type Located, locate } from './documents/locate.ts';
import type { Problems } from './documents/problems.ts';
import { createReadData, readDocument, reportFault } from './documents/read-document.ts';
import { type ProjectFiles, type ReadLog, sourcesOf } from './files/project-files.ts';
import { parsePrompts } from './prompts/parse-prompts.ts';
import type { ParsePrompt } from './prompts/prompt-file.ts';
import {
  checkPromptParams,
  idsOf,
  parseEndpoints,
  parseSuiteProviders,
  restrictToModel,
} from './providers/suite-providers.ts';
import { toFraction } from './schema/fields.ts';
import { type gateSchema, suiteShape } from './schema/suite-schema.ts';

interface SuiteContext {
  readonly assertions: Readonly<Record<string, AssertionDeclaration>>;
  readonly adapters: Readonly<Record<string, AdapterDeclaration>>;
  readonly parsePrompt: ParsePrompt;
  readonly packageVersion: VersionOf;
  readonly files: ProjectFiles;
  /** What was read through `files`. */
  readonly reads: ReadLog;
  readonly problems: Problems;
  readonly config: Config;
  readonly contracts?: ContractKnowledge;
  /** Leaves cases, assertions and recordings unread: what a contract is made of may be whole where they are not. */
  readonly contractOnly?: boolean;
  /** True where a prompt file stands for the suite. */
  readonly isPromptFile?: boolean;
}

export interface ParsedSuite {
  readonly suite: Suite;
  /** Where its id stands. */
  readonly idAt: Located;
}

/** Parses a suite document; what is wrong is reported, all of it. */
export async function parseSuite(
  path: string,
  document: Located,
  context: SuiteContext,
): Promise<ParsedSuite | undefined> {
  const { problems, files, config, reads } = context;
  if (!requireMap(document, 'a suite', problems)) return undefined;
  const readFile = (namedBy: Located<string>) =>
    readDocument(resolve(namedBy.source.folder, namedBy.value), files, problems, namedBy);
  checkKeys(document, suiteShape, 'the suite', problems);
  const id =
    checkPart(document, 'suite', suiteShape.suite, problems) ??
    basename(path).replace(/(?:\.eval|\.prompt)?\.(?:ya?ml|[cm]?[jt]s)$|\.prompty?$/, '');
  const description = checkPart(document, 'description', suiteShape.description, problems);
  const gate = checkPart(document, 'gate', suiteShape.gate, problems);
  const baseline = checkPart(document, 'baseline', suiteShape.baseline, problems);
  const recordings = checkPart(document, 'recordings', suiteShape.recordings, problems);
  const judges = parseEndpoints('judges', document, context);
  const knowledge = context.contracts === undefined ? {} : { contracts: context.contracts };
  const joined = joinContracts(
    config.contract,
    checkPart(document, 'contract', suiteShape.contract, problems) === undefined
      ? undefined
      : await parseContract(childOf(document, 'contract'), { problems, readFile, ...knowledge }),
  );
  const { contract } = joined;
  const promptList = childOf(document, 'prompts');
  const prompts =
    checkPart(document, 'prompts', suiteShape.prompts, problems) === undefined
      ? []
      : await parsePrompts(promptList, {
          files,
          problems,
          parsePrompt: context.parsePrompt,
          resolvePath: (located) => resolve(located.source.folder, located.value),
          readFile,
          suiteContract: joined,
          ...knowledge,
        });
  checkPromptVariables(prompts, contract, { problems, ...knowledge });
  const providers = parseSuiteProviders(document, prompts, context);
  for (const prompt of prompts) {
    checkPromptParams(prompt, { prompts: promptList, providers: providers.list, adapters: context.adapters, problems });
  }
  const models = createAskedModels({
    problems,
    adapters: context.adapters,
    packageVersion: context.packageVersion,
    judges: judges.list,
    judgeIds: judges.known,
    providers: providers.list,
  });
  const readCode = createReadCode({ files, problems });
  // What the suite's own code imports decides what it says.
  if (isCodeSuite(path)) readCode('module', { value: { ...document, value: path, path: [] } });
  const assertionContext: AssertionContext = {
    ...knowledge,
    models,
    declarations: context.assertions,
    problems,
    readFile: createReadData(files, problems),
    readCode,
    packageVersion: context.packageVersion,
  };
  const isWhole = context.contractOnly !== true;
  const defaults = isWhole ? parseDefaults(document, context, assertionContext) : { settings: {}, assertions: [] };
  const sources =
    !isWhole || checkPart(document, 'cases', suiteShape.cases, problems) === undefined
      ? []
      : await readCases(childOf(document, 'cases'), {
          files,
          problems,
          assertionContext,
          parsePrompt: context.parsePrompt,
        });
  const cases = await buildCases(sources, {
    checkInput: await openInputCheck(contract, prompts, problems),
    problems,
    assertionContext,
    defaults,
    prompts,
    promptIds: idsOf(promptList),
    providerIds: providers.known,
    hasOutputContract:
      contract.output !== undefined || prompts.some(({ version }) => version.contract?.output !== undefined),
    contract,
    ...knowledge,
  });
  const criteria = models.criteria();
  const labels = await readLabels(criteria, { files, problems });
  if (isWhole) cases.reportUnused();
  const recordingsPath = recordings === undefined ? undefined : resolve(document.source.folder, recordings);
  if (recordingsPath !== undefined && isWhole) {
    // Read by whoever opens the recordings.
    reads.files.add(recordingsPath);
    const fault = files.findReadFault(recordingsPath);
    if (fault !== undefined) reportFault(fault, problems, childOf(document, 'recordings'));
  }
  // What could not be read is no empty list.
  const isEmptyKnown = isWhole && Array.isArray(childOf(document, 'cases').value) && problems.errorCount() === 0;
  const { count, emptyFiles } = cases;
  const empty = isEmptyKnown
    ? findEmptyCases({ suite: id, cases: childOf(document, 'cases'), count, emptyFiles }, problems)
    : [];
  const suite: Suite = {
    id,
    ...defined({ description }),
    path: files.relative(path),
    prompts: prompts.map((prompt) => restrictToModel(prompt, providers)),
    providers: providers.list,
    judges: judges.list,
    askedModels: models.configs(),
    criteria: criteria.map(({ criterion }) => criterion),
    labels,
    contract,
    locateContract: createContractLocator(
      files,
      new Map(prompts.map(({ version, places }) => [version.id, places])),
      placeOf(promptList),
    ),
    gate: buildGate(gate, config.gate),
    ...defined({ recordings: recordingsPath }),
    baseline: { outputs: baseline?.outputs ?? 'full' },
    sources: sourcesOf(reads, files),
    caseCount: cases.count,
    ...(empty.length === 0 ? {} : { emptySelections: empty }),
    cases: () => cases.iterate(),
  };
  return { suite, idAt: childOf(document, 'suite') };
}

/** The suite's defaults, and the config's where it says nothing, key by key. */
function parseDefaults(
  document: Located,
  { config, problems }: SuiteContext,
  assertionContext: AssertionContext,
): CaseGroup {
  const own = childOf(document, 'defaults');
  const suite = checkPart(document, 'defaults', suiteShape.defaults, problems);
  const configured = config.defaults;
  const ownVars = childOf(own, 'vars').value;
  const configVars = configured === undefined ? undefined : childOf(configured, 'vars').value;
  const assertPart =
    childOf(own, 'assert').value === undefined && configured !== undefined
      ? childOf(configured, 'assert')
      : childOf(own, 'assert');
  const trials = suite?.trials ?? (configured === undefined ? undefined : toCount(childOf(configured, 'trials').value));
  const isRight = own.value === undefined || suite !== undefined;
  return {
    settings: {
      ...defined({ trials }),
      ...(ownVars === undefined && configVars === undefined
        ? {}
        : { vars: { ...toRecord(configVars), ...toRecord(ownVars) } }),
      ...(Array.isArray(assertPart.value) ? { assert: assertPart.value } : {}),
    },
    assertions: isRight && Array.isArray(assertPart.value) ? compileAssertions(assertPart, assertionContext) : [],
  };
}

function toCount(value: unknown): number | undefined {
  return typeof value === 'number' || value instanceof SpelledNumber ? Number(value) : undefined;
}

function toRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : {};
}

type Gate = z.output<typeof gateSchema>;

/** The suite's gate, with the config's where it says nothing, key by key. */
function buildGate(suite: Gate = {}, config: Gate = {}): GatePolicy {
  const cases = { ...config.cases, ...suite.cases };
  const latency = { ...config.latency, ...suite.latency };
  return {
    alpha: suite.alpha ?? config.alpha ?? 0.05,
    scope: suite.scope ?? config.scope ?? 'population',
    cases: { broken: cases.broken ?? 'fail', added: cases.added ?? 'fail' },
    passRate: toLimits({ ...config.passRate, ...suite.passRate }),
    score: toLimits({ ...config.score, ...suite.score }),
    cost: toLimits({ ...config.cost, ...suite.cost }),
    latency: {
      ...toLimits({ maxIncrease: latency.maxIncrease }),
      ...(latency.p95Max === undefined ? {} : { p95MaxMs: parseDurationMs(latency.p95Max) }),
    },
  };
}

type Limit = 'min' | 'max' | 'maxDrop' | 'maxIncrease';

function toLimits(limits: { readonly [Key in Limit]?: unknown }): MetricLimits {
  const written = Object.entries(limits).filter(([, value]) => value !== undefined);
  return Object.fromEntries(written.map(([key, value]) => [key, toFraction(value)]));
}

interface WrittenCases {
  readonly suite: string;
  readonly cases: Located;
  readonly count: number;
  readonly emptyFiles: readonly CaseFile[];
}

/** Warns of files of cases that hold none, and of a suite that has none at all. */
function findEmptyCases(
  { suite, cases, count, emptyFiles }: WrittenCases,
  problems: Problems,
): readonly EmptySelection[] {
  const found: EmptySelection[] = [];
  const warn = (message: string, isNamed: boolean, at: Located) => {
    problems.warn({ code: 'selects-nothing', message, at: locate(at) });
    found.push({ message: `suite ${suite}: ${message}`, isNamed });
  };
  for (const { shown, namedBy, isNamed } of emptyFiles) warn(`${shown} holds no case`, isNamed, namedBy);
  if (count === 0) warn('the suite has no case', true, cases);
  return found;
}
