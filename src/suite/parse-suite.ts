import { basename, resolve } from 'node:path';
import { defined } from '../json/defined.ts';
import type { VersionOf } from '../model/optional-packages.ts';
import type { UsedSnapshot } from '../model/suite/agent.ts';
import type { EmptySelection } from '../model/suite/recorded-settings.ts';
import type { ProviderConfig, Suite } from '../model/suite/suite.ts';
import { plainNumbers } from '../text/yaml/exact-numbers.ts';
import { createAskedModels } from './assertions/asked-models.ts';
import { compileAssertions } from './assertions/compile-assertions.ts';
import type { AssertionContext } from './assertions/compile-plain.ts';
import { readLabels } from './assertions/labels.ts';
import { createReadCode } from './assertions/own-code.ts';
import { type BuiltCases, buildCases, type CaseContext } from './cases/build-cases.ts';
import type { CaseGroup, RowSource } from './cases/open-case-files.ts';
import { createFindServers, findDeclaredTools } from './cases/suite-tools.ts';
import { compileTools } from './cases/tool-stubs.ts';
import { type ParsedClasses, parseClasses, reportClassMistakes } from './classes.ts';
import type { Config } from './config.ts';
import { checkPromptVariables, openInputCheck } from './contracts/check-contract.ts';
import { createContractLocator, placeOf } from './contracts/contract-places.ts';
import { joinContracts, type ParsedContract, parseContract } from './contracts/parse-contract.ts';
import { checkKeys, checkPart, requireMap } from './documents/check-shape.ts';
import { findMeant } from './documents/describe-issue.ts';
import { childOf, idsOf, itemsOf, type Located, locate, type Problems } from './documents/locate.ts';
import { createReadData, readDocument, reportFault } from './documents/read-document.ts';
import type { ProjectFiles } from './files/project-files.ts';
import type { ProjectPlace } from './files/project-place.ts';
import { type ReadLog, sourcesOf } from './files/read-log.ts';
import { buildGate, collectTags, type Gate, hasSlices, parseGate, reportEmptySlices } from './gate.ts';
import type { LoadOptions } from './open-project.ts';
import { callPromptCode, defaultVars, readSources } from './prompts/code-prompts.ts';
import { parsePrompts } from './prompts/parse-prompts.ts';
import {
  checkPromptParams,
  checkPromptProviders,
  parseEndpoints,
  parseSuiteProviders,
  restrictToModel,
} from './providers/suite-providers.ts';
import { suiteShape } from './schema/suite-schema.ts';

interface SuiteContext
  extends Pick<
    LoadOptions,
    'assertions' | 'adapters' | 'parsePrompt' | 'renderPrompts' | 'snapshot' | 'contractOnly' | 'mayLackLabels'
  > {
  readonly packageVersion: VersionOf;
  readonly place: ProjectPlace;
  readonly files: ProjectFiles;
  /** The files read through `files`. */
  readonly reads: ReadLog;
  readonly problems: Problems;
  readonly config: Config;
  /** True for a prompt file that is run as a suite. */
  readonly isPromptFile?: boolean;
}

export interface ParsedSuite {
  readonly suite: Suite;
  /** The place of its id. */
  readonly idAt: Located;
}

/** Parses a suite document and reports all mistakes. */
export async function parseSuite(
  path: string,
  document: Located,
  context: SuiteContext,
): Promise<ParsedSuite | undefined> {
  const { problems, files, config, reads } = context;
  if (!requireMap(document, 'a suite', problems)) return undefined;
  checkKeys(document, suiteShape, 'the suite', problems);
  const id = checkPart(document, 'suite', suiteShape.suite, problems) ?? basename(path).replace(suiteEnding, '');
  const description = checkPart(document, 'description', suiteShape.description, problems);
  const gate = parseGate(document, suiteShape.gate, problems);
  const baseline = checkPart(document, 'baseline', suiteShape.baseline, problems);
  const recordings = parseRecordings(document, context);
  const judges = parseEndpoints('judges', document, context);
  const suiteContract = await parseSuiteContract(document, context);
  const { contract } = suiteContract;
  const promptList = childOf(document, 'prompts');
  const written = await parsePromptList(document, suiteContract, context);
  const providers = parseSuiteProviders(document, written, context);
  const snapshots = collectSnapshots(written, providers.list);
  const models = createAskedModels({ ...context, judges, providers: providers.list });
  const findServers = createFindServers(snapshots, { ...context, hasRecordings: recordings !== undefined });
  const assertionContext = openAssertions({ models, findServers }, context);
  const sources = await readSources(document, assertionContext, context);
  const prompts = await callPromptCode(written, document, { assertionContext, sources }, context);
  checkPromptVariables(prompts, contract, problems);
  checkPromptParams(prompts, { ...context, list: promptList, providers: providers.list });
  checkPromptProviders(prompts, { problems, list: promptList, providers });
  const classes = parseClasses(document, problems);
  const versions = prompts.map(({ version }) => version);
  const declaredTools = findDeclaredTools(versions, providers.list);
  const known = { prompts, promptIds: idsOf(promptList), providers: providers.list, providerIds: providers.known };
  const given = { ...known, declaredTools, contract, assertionContext, truth: classes?.truth };
  const cases = await parseCases(document, { ...given, sources }, context);
  const criteria = models.criteria();
  const labels = await readLabels(criteria, context);
  const policy = classes && { ...classes.policy, names: [...cases.classes.keys()].sort() };
  const { tags, empty } = checkCases(id, document, { cases, gate, classes }, context);
  const suite: Suite = {
    id,
    path: files.relative(path),
    prompts: prompts.map((prompt) => restrictToModel(prompt, providers)),
    providers: providers.list,
    judges: judges.list,
    askedModels: models.configs(),
    criteria: criteria.map(({ criterion }) => criterion),
    labels,
    contract,
    locateContract: locateContracts(prompts, promptList, snapshots, files),
    ...defined({ snapshots: snapshots.length === 0 ? undefined : snapshots }),
    gate: buildGate(gate, config.gate, tags),
    ...defined({ description, recordings, classes: policy }),
    baseline: { outputs: baseline?.outputs ?? 'full' },
    sources: sourcesOf(reads, files),
    caseCount: cases.count,
    ...defined({ emptySelections: empty.length === 0 ? undefined : empty }),
    cases: cases.iterate,
  };
  return { suite, idAt: childOf(document, 'suite') };
}

/** Each file once. */
function collectSnapshots(
  prompts: Awaited<ReturnType<typeof parsePromptList>>,
  providers: readonly ProviderConfig[],
): readonly UsedSnapshot[] {
  const used = [...prompts.map(({ version }) => version), ...providers].flatMap(({ snapshots = [] }) => snapshots);
  const byFile = new Map<string, UsedSnapshot>();
  for (const one of used) {
    const sent = [...(byFile.get(one.file)?.sent ?? []), ...one.sent];
    byFile.set(one.file, { ...one, sent: [...new Set(sent)] });
  }
  return [...byFile.values()];
}

function locateContracts(
  prompts: Awaited<ReturnType<typeof parsePromptList>>,
  promptList: Located,
  snapshots: readonly UsedSnapshot[],
  files: ProjectFiles,
) {
  const places = new Map(prompts.map(({ version, places }) => [version.id, places]));
  const snapshotFiles = snapshots.map(({ file }) => file);
  return createContractLocator(files, places, placeOf(promptList), snapshotFiles);
}

const suiteEnding = /(?:\.eval|\.prompt)?\.(?:ya?ml|[cm]?[jt]s)$|\.prompty?$/;

function fileReader({ files, problems }: SuiteContext): (namedBy: Located<string>) => Promise<Located | undefined> {
  return (namedBy) => readDocument(resolve(namedBy.source.folder, namedBy.value), files, problems, namedBy);
}

/** The suite's contract merged with the config's, which has lower precedence. */
async function parseSuiteContract(document: Located, context: SuiteContext): Promise<ParsedContract> {
  const own =
    checkPart(document, 'contract', suiteShape.contract, context.problems) === undefined
      ? undefined
      : await parseContract(childOf(document, 'contract'), { ...context, readFile: fileReader(context) });
  return joinContracts(context.config.contract, own);
}

async function parsePromptList(document: Located, suiteContract: ParsedContract, context: SuiteContext) {
  if (checkPart(document, 'prompts', suiteShape.prompts, context.problems) === undefined) return [];
  const readFile = fileReader(context);
  return parsePrompts(childOf(document, 'prompts'), { ...context, readFile, suiteContract });
}

/** The absolute path of the recordings, which are read when a run opens them. */
function parseRecordings(document: Located, { problems, files, reads, contractOnly }: SuiteContext) {
  const written = checkPart(document, 'recordings', suiteShape.recordings, problems);
  if (written === undefined) return undefined;
  const path = resolve(document.source.folder, written);
  if (contractOnly === true) return path;
  reads.files.add(path);
  const fault = files.findReadFault(path);
  if (fault !== undefined) reportFault(fault, problems, childOf(document, 'recordings'));
  return path;
}

function openAssertions(
  own: Pick<AssertionContext, 'models' | 'findServers'>,
  context: SuiteContext,
): AssertionContext {
  const { files, problems } = context;
  const readCode = createReadCode(context);
  return {
    ...context,
    ...own,
    declarations: context.assertions,
    readFile: createReadData(files, problems),
    readCode,
  };
}

type CaseParts = Omit<
  CaseContext,
  'problems' | 'config' | 'files' | 'adapters' | 'defaults' | 'checkInput' | 'hasOutputContract'
>;

/** The suite's cases; none if only its contract is wanted. */
async function parseCases(
  document: Located,
  { sources, ...parts }: CaseParts & { readonly sources: readonly RowSource[] },
  context: SuiteContext,
) {
  const { prompts, contract, assertionContext } = parts;
  const { problems, contractOnly } = context;
  const defaults =
    contractOnly === true ? { settings: {}, assertions: [] } : parseDefaults(document, context, assertionContext);
  return buildCases(sources, {
    ...context,
    ...parts,
    defaults,
    checkInput: openInputCheck(contract, prompts, problems),
    hasOutputContract: [contract, ...prompts.map(({ version }) => version.contract)].some(
      (one) => one?.output !== undefined,
    ),
  });
}

/** The suite's defaults. Missing keys come from the config's defaults. */
function parseDefaults(
  document: Located,
  { config, problems }: SuiteContext,
  assertionContext: AssertionContext,
): CaseGroup {
  const suite = checkPart(document, 'defaults', suiteShape.defaults, problems);
  const own = childOf(document, 'defaults');
  const general = config.defaults ?? { ...document, value: undefined };
  const assert = [own, general].map((part) => childOf(part, 'assert')).find(({ value }) => Array.isArray(value));
  const vars = defaultVars(document, config);
  const trials = suite?.trials ?? plainNumbers(childOf(general, 'trials').value);
  const isRight = own.value === undefined || suite !== undefined;
  const maxSteps = checkPart(document, 'maxSteps', suiteShape.maxSteps, problems);
  const written = childOf(document, 'tools');
  const shared = assert === undefined ? undefined : itemsOf(assert).map(({ value }) => value);
  const tools = written.value === undefined ? undefined : compileTools(written, assertionContext);
  return {
    settings: defined({
      trials: typeof trials === 'number' ? trials : undefined,
      vars: Object.keys(vars).length === 0 ? undefined : vars,
      assert: shared ?? (holdsUnreadAssertions(document) ? [] : undefined),
      maxSteps,
    }),
    ...defined({ tools }),
    assertions: isRight && assert !== undefined ? compileAssertions(assert, assertionContext) : [],
  };
}

/** True if assertions for every case are written under another name or not as a list, which is reported. */
function holdsUnreadAssertions(document: Located): boolean {
  const { value } = childOf(document, 'defaults');
  const namesIn = (map: unknown) => Object.keys(map ?? {});
  if (value !== undefined) return namesIn(value).some((name) => findMeant(name, ['assert']) !== undefined);
  return namesIn(document.value).some((name) => name === 'assert' || findMeant(name, ['defaults']) !== undefined);
}

/** Reports problems that need all cases: unused parts, files and slices without a case, unused classes. */
function checkCases(
  id: string,
  document: Located,
  {
    cases,
    gate,
    classes,
  }: { readonly cases: BuiltCases; readonly gate: Gate | undefined; readonly classes: ParsedClasses | undefined },
  context: SuiteContext,
): { readonly tags: ReadonlySet<string>; readonly empty: readonly EmptySelection[] } {
  const { config, problems } = context;
  if (context.contractOnly !== true) cases.reportUnused();
  const empty = findEmptyCases(id, childOf(document, 'cases'), cases, context);
  const tags = tagsFor([gate, config.gate], () => collectTags([cases.iterate()]), context);
  if (classes !== undefined && isReadWhole(context)) reportClassMistakes(document, classes, cases.classes, problems);
  if (gate?.slices === undefined || !isReadWhole(context)) return { tags, empty };
  const messages = reportEmptySlices(childOf(document, 'gate'), tags, problems);
  return {
    tags,
    empty: [...empty, ...messages.map((message) => ({ message: `suite ${id}: ${message}`, isNamed: true }))],
  };
}

/** The tags of the suite's cases. Every slice is kept for a suite without its cases. */
function tagsFor(
  gates: readonly (Gate | undefined)[],
  collect: () => ReadonlySet<string>,
  context: SuiteContext,
): ReadonlySet<string> {
  if (context.contractOnly === true) return new Set(gates.flatMap((gate) => Object.keys(gate?.slices ?? {})));
  return hasSlices(...gates) && isReadWhole(context) ? collect() : new Set();
}

/** False if cases are left unread, or may be missing because of a mistake. */
function isReadWhole({ contractOnly, problems }: SuiteContext): boolean {
  return contractOnly !== true && problems.errorCount() === 0;
}

/** Warns of files of cases without a case, and of a suite without any. */
function findEmptyCases(
  suite: string,
  list: Located,
  { count, emptyFiles }: Pick<BuiltCases, 'count' | 'emptyFiles'>,
  context: SuiteContext,
): EmptySelection[] {
  const { problems } = context;
  // A list that could not be read must not count as empty.
  if (!isReadWhole(context) || !Array.isArray(list.value)) return [];
  const found: EmptySelection[] = [];
  const warn = (message: string, isNamed: boolean, at: Located) => {
    problems.warn({ code: 'selects-nothing', message, at: locate(at) });
    found.push({ message: `suite ${suite}: ${message}`, isNamed });
  };
  for (const { shown, namedBy, isNamed } of emptyFiles) warn(`${shown} holds no case`, isNamed, namedBy);
  if (count === 0) warn('the suite has no case', true, list);
  return found;
}
