import { defined } from '../../json/defined.ts';
import type { SourceLocation } from '../../model/problem.ts';
import type { CheckSpec } from '../../model/run/verdict.ts';
import type { AdapterDeclaration } from '../../model/suite/provider.ts';
import type { Contract } from '../../model/suite/recorded-settings.ts';
import type { Case, ProviderConfig, Vars } from '../../model/suite/suite.ts';
import { loadTemplateEngine, needsTemplateEngine } from '../../templates/template.ts';
import { TemplateError } from '../../templates/template-error.ts';
import { attempt } from '../../text/attempt.ts';
import type { AssertionContext } from '../assertions/compile-plain.ts';
import type { CompiledAssertion } from '../assertions/compiled-assertion.ts';
import { type CheckInput, type CheckPaths, createPathCheck } from '../contracts/check-contract.ts';
import {
  childOf,
  createProblems,
  itemsOf,
  type Located,
  locate,
  type Problems,
  readOwn,
  withoutExcerpt,
} from '../documents/locate.ts';
import { readPlacedFiles } from '../documents/read-document.ts';
import { changedError, type ProjectFiles } from '../files/project-files.ts';
import type { CompiledPrompt } from '../prompts/parse-prompts.ts';
import { caseSchema } from '../schema/suite-schema.ts';
import {
  addRoots,
  buildAgent,
  buildChecks,
  buildTruth,
  buildTurns,
  type CaseInput,
  type CheckBuilder,
  compileCaseTools,
  compileRow,
  noteTools,
  noteVariables,
  type TruthSource,
} from './case-checks.ts';
import { hashCase } from './case-hash.ts';
import { checkTurns, checkWorkspace, createCaseFaults, registerId } from './check-case.ts';
import {
  type CaseFile,
  type CaseGroup,
  type CaseRow,
  checkSettings,
  idOf,
  mergeSettings,
  type RowSource,
  readRow,
  type Settings,
} from './open-case-files.ts';
import { reportUnused, warnOfMissing } from './report-unused.ts';
import { noteStubs, type StubUse } from './suite-tools.ts';
import type { CompiledTools } from './tool-stubs.ts';

export interface CaseContext {
  /** Checks the vars of a case against the input contract. */
  readonly checkInput: CheckInput;
  readonly problems: Problems;
  readonly assertionContext: AssertionContext;
  readonly defaults: CaseGroup;
  readonly prompts: readonly CompiledPrompt[];
  /** The ids of all prompts, including prompts with errors. */
  readonly promptIds: readonly string[];
  readonly providerIds: readonly string[];
  readonly providers: readonly ProviderConfig[];
  readonly adapters: Readonly<Record<string, AdapterDeclaration>>;
  readonly config: { readonly providers: readonly ProviderConfig[] };
  readonly files: ProjectFiles;
  /** The tools that the models are given; undefined if they may have others. */
  readonly declaredTools: ReadonlySet<string> | undefined;
  readonly hasOutputContract: boolean;
  /** The source of a case's class, if the suite has classes. */
  readonly truth: TruthSource | undefined;
  /** The suite's, for prompts without one of their own. */
  readonly contract: Contract;
}

/** The cases of a class. */
export interface ClassUse {
  readonly cases: number;
  readonly first: { readonly id: string; readonly row: Located };
}

export interface BuiltCases {
  readonly count: number;
  readonly emptyFiles: readonly CaseFile[];
  /** The classes of the cases. */
  readonly classes: ReadonlyMap<string, ClassUse>;
  /** Iterates over the cases in the order of their rows. */
  readonly iterate: () => Iterable<Case>;
  /** Warns of names that look mistyped: variables that nothing reads or no case has, and stubs that no call reaches. */
  readonly reportUnused: () => void;
}

/**
 * The most characters of a suite's rows whose cases stay in memory. If there are more, each reader reads the files
 * again.
 */
const maxKeptChars = 4 * 1024 * 1024;

/** Builds and checks every case: shape, id, settings, checks, turns, and a trial rendering of each prompt. */
export async function buildCases(sources: readonly RowSource[], context: CaseContext): Promise<BuiltCases> {
  const builder: Builder = {
    ...context,
    faults: createCaseFaults(),
    compiled: new Map(),
    variables: new Set(),
    stopped: new Set(),
    stubUse: new Map(),
    checkPaths: createPathCheck(context),
    firstPlaces: new Map(),
  };
  const { problems, defaults } = context;
  const emptyFiles: CaseFile[] = [];
  const rowByVariable = new Map<string, Located>();
  const given = new Set<string>();
  let kept: Case[] | undefined = [];
  let keptChars = 0;
  let count = 0;
  noteVariables(defaults.assertions, builder);
  if (defaults.tools !== undefined) noteTools(defaults.tools, builder);
  addRoots(context.truth?.template.variables ?? [], builder.variables);
  const classes = new Map<string, ClassUse>();
  for (const source of sources) {
    let rows = 0;
    noteVariables(source.group.assertions, builder);
    if (source.group.tools !== undefined) noteTools(source.group.tools, builder);
    for (const { row, text = '' } of source.read(problems.report)) {
      rows += 1;
      if (needsTemplateEngine(text)) await loadTemplateEngine();
      const built = checkCase(row, source.group, builder);
      if (built === undefined) continue;
      count += 1;
      if (built.truth !== undefined) {
        const { cases, first } = classes.get(built.truth) ?? { cases: 0, first: { id: built.id, row } };
        classes.set(built.truth, { cases: cases + 1, first });
      }
      for (const name of Object.keys(built.vars)) given.add(name);
      for (const name of Object.keys(readOwn(row.value, 'vars') ?? {})) {
        if (!rowByVariable.has(name)) rowByVariable.set(name, row);
      }
      keptChars += text.length;
      if (keptChars > maxKeptChars) kept = undefined;
      kept?.push(built);
    }
    if (rows === 0 && source.file !== undefined) emptyFiles.push(source.file);
  }
  builder.faults.flush(problems);
  // They are not needed while the cases run.
  builder.firstPlaces.clear();
  return {
    count,
    emptyFiles,
    classes,
    iterate: () => kept ?? rebuildCases(sources, builder),
    reportUnused() {
      if (count > 0) warnOfMissing(given, builder);
      reportUnused(rowByVariable, builder);
    },
  };
}

interface Builder extends CaseContext, CheckBuilder {
  readonly stubUse: StubUse;
  /** Prompts that took too long to render once are not tried again. */
  readonly stopped: Set<CompiledPrompt>;
  readonly checkPaths: CheckPaths;
  /** The first place of each id. */
  readonly firstPlaces: Map<string, SourceLocation>;
}

/** Builds the cases that were checked before; throws a `UserError` if their files have changed since. */
function* rebuildCases(sources: readonly RowSource[], builder: Builder): Generator<Case> {
  const problems = createProblems();
  const silent: Builder = {
    ...builder,
    problems,
    assertionContext: { ...builder.assertionContext, problems },
    faults: createCaseFaults(),
  };
  for (const { read, group, file } of sources) {
    for (const { row } of read(() => undefined)) {
      const own = readRow(row, problems);
      if (own === undefined) throw changedError(file?.shown ?? row.source.file);
      yield buildCase(draftCase(row, own, group, silent), silent);
    }
  }
}

/** A row with the additions of its file and the defaults. */
interface Draft extends CaseInput {
  readonly own: CaseRow;
  readonly settings: Settings;
  readonly vars: Vars;
  /** Its own assertions. The assertions of its file and the defaults come before them. */
  readonly assertions: readonly CompiledAssertion[];
  /** Its own stubs. The stubs of its file and of the suite come after them. */
  readonly tools: CompiledTools | undefined;
  readonly group: CaseGroup;
  readonly at: SourceLocation;
}

function draftCase(row: Located, own: CaseRow, group: CaseGroup, builder: Builder): Draft {
  const { defaults } = builder;
  const settings = mergeSettings(own, group.settings, defaults.settings);
  const vars = mergeVars(defaults.settings.vars, group.settings.vars, own.vars);
  // Unlike `Object.assign`, this keeps a variable that is named `__proto__`.
  const scope =
    own.expected === undefined ? vars : Object.fromEntries([...Object.entries(vars), ['expected', own.expected]]);
  const assertions = compileRow(childOf(row, 'assert'), builder);
  const tools = compileCaseTools(childOf(row, 'tools'), builder);
  return { id: idOf(own), row, own, settings, vars, scope, assertions, tools, group, at: withoutExcerpt(locate(row)) };
}

function mergeVars(defaults: Vars | undefined, group: Vars | undefined, own: Vars = {}): Vars {
  return defaults === undefined && group === undefined ? own : { ...defaults, ...group, ...own };
}

function buildCase(draft: Draft, builder: Builder): Case {
  const { id, row, own, settings, vars, group, at } = draft;
  const assertions = [...builder.defaults.assertions, ...group.assertions, ...draft.assertions];
  const { threshold, skip, prompts, providers, group: cluster } = settings;
  const turns = buildTurns(childOf(row, 'turns'), draft, builder);
  const agent = buildAgent([draft.tools, group.tools, builder.defaults.tools], settings, draft, builder);
  const built = {
    id,
    vars,
    checks: buildChecks(assertions, draft, builder),
    tags: [...new Set([...(group.settings.tags ?? []), ...(own.tags ?? [])])],
    trials: settings.trials,
    mustPass: settings.mustPass,
    observe: settings.observe,
    turns,
    at,
    ...defined({
      agent,
      expected: own.expected,
      threshold,
      skip,
      prompts,
      providers,
      group: cluster,
      description: own.description,
      workspace: own.workspace && readPlacedFiles(childOf(row, 'workspace'), builder),
    }),
  };
  const truth = builder.truth === undefined || built.observe ? undefined : buildTruth(builder.truth, draft, builder);
  return Object.assign(built, { caseHash: hashCase(built) }, defined({ truth }));
}

/** Builds the case of a row and reports all its mistakes. Undefined if no case can be built. */
function checkCase(row: Located, group: CaseGroup, builder: Builder): Case | undefined {
  const own = readRow(row, builder.problems);
  if (own === undefined) {
    checkParts(row, builder);
    return undefined;
  }
  const draft = draftCase(row, own, group, builder);
  registerId(draft.id, own.id !== undefined, draft, builder);
  const built = buildCase(draft, builder);
  const { settings } = draft;
  for (const assertions of [builder.defaults.assertions, group.assertions, draft.assertions]) {
    builder.checkPaths(assertions, settings.prompts);
  }
  checkSettings(draft.id, row, settings, builder);
  checkTurns(row, built, builder);
  checkWorkspace(row, built, builder);
  noteStubs(built.agent?.stubs ?? [], row, builder.stubUse);
  checkJudged(draft, built, builder);
  tryPrompts(draft, builder);
  builder.checkInput(built, row);
  return built;
}

/** Checks the valid parts of a row, so that one mistake does not hide others. */
function checkParts(row: Located, builder: Builder): void {
  const written = childOf(row, 'assert');
  if (caseSchema.shape.assert.safeParse(written.value).success) compileRow(written, builder);
  for (const turn of itemsOf(childOf(row, 'turns'))) compileRow(childOf(turn, 'assert'), builder);
  const { value: id } = childOf(row, 'id');
  if (id !== undefined && caseSchema.shape.id.safeParse(id).success)
    registerId(idOf({ id }), true, { row, at: locate(row) }, builder);
}

/** Reports a case that nothing judges, unless it has `observe: true`. */
function checkJudged(draft: Draft, { checks, turns }: Case, { defaults, problems, hasOutputContract }: Builder): void {
  const { id, row, own, group, settings } = draft;
  const all = [...checks, ...turns.flatMap((turn) => turn.checks)];
  if (all.some(counts) || settings.observe) return;
  // Assertions that could not be read are reported themselves.
  const isWritten =
    [defaults.settings.assert, group.settings.assert, own.assert].some((list) => list !== undefined) ||
    own.turns?.some((turn) => 'assert' in turn) === true;
  if (all.length === 0 && isWritten) return;
  problems.report({
    code: 'no-assertion',
    message:
      all.length === 0
        ? `case "${id}" has no assertion`
        : `no assertion of case "${id}" counts: all have weight 0, and none is required`,
    hint: hasOutputContract
      ? 'the output contract does not say what is right: add assert, or observe: true to run it unjudged'
      : 'add assert, or observe: true to run it unjudged',
    at: locate(row),
  });
}

/** A check of weight 0 that is not required is shown, and decides nothing. */
function counts({ weight, required }: CheckSpec): boolean {
  return weight > 0 || required;
}

/** Renders each prompt, so that a variable it lacks is known before any call. */
function tryPrompts({ id, row, vars, settings }: Draft, { prompts, faults, stopped }: Builder): void {
  for (const prompt of prompts) {
    if (stopped.has(prompt) || settings.prompts?.includes(prompt.version.id) === false) continue;
    faults.tried(prompt);
    for (const { template, at } of prompt.templates) {
      const fault = attempt(() => template.render(vars), TemplateError);
      if (!(fault instanceof TemplateError)) continue;
      const reader = `prompt "${prompt.version.id}"`;
      for (const one of [fault, ...fault.also]) {
        const place = at(one.line ?? 1, one.column ?? 1);
        faults.add({ reader, key: prompt, at: place, error: one, caseId: id, row, scope: vars });
      }
      if (fault.kind === 'limit') stopped.add(prompt);
    }
  }
}
