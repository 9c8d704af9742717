import type { Writable } from '../../json/defined.ts';
import type { SourceLocation } from '../../model/problem.ts';
import type { Case, Contract, Turn, Vars } from '../../model/suite.ts';
import type { CheckSpec } from '../../model/verdict.ts';
import { loadTemplateEngine, needsTemplateEngine } from '../../templates/template.ts';
import { TemplateError } from '../../templates/template-error.ts';
import type { AssertionContext } from '../assertions/compile-plain.ts';
import type { CompiledAssertion } from '../assertions/compiled-assertion.ts';
import { type CheckPaths, createPathCheck, type VisitCase } from '../contracts/check-contract.ts';
import type { ContractKnowledge } from '../contracts/parse-contract.ts';
import { childOf, itemsOf, type Located, locate, placeOf } from '../documents/locate.ts';
import { createProblems, type Problems } from '../documents/problems.ts';
import type { CompiledPrompt } from '../prompts/parse-prompts.ts';
import { toFraction } from '../schema/fields.ts';
import { caseSchema } from '../schema/suite-schema.ts';
import { buildChecks, buildTurns, type CheckBuilder, compileOwn, NONE } from './case-checks.ts';
import { createCaseFaults } from './case-faults.ts';
import type { BuiltCase } from './case-hash.ts';
import { CaseList } from './case-list.ts';
import {
  type CaseGroup,
  type CaseRow,
  checkCaseSettings,
  idOf,
  isBare,
  mergeSettings,
  type Naming,
  readRow,
  type Settings,
} from './case-row.ts';
import { type CaseFile, type PlacedRow, type RowSource, rowsOf } from './read-cases.ts';

interface CaseContext {
  readonly visit: VisitCase;
  readonly problems: Problems;
  readonly assertionContext: AssertionContext;
  readonly defaults: CaseGroup;
  readonly prompts: readonly CompiledPrompt[];
  /** All that the suite names, those that could not be read included. */
  readonly promptIds: readonly string[];
  readonly providerIds: readonly string[];
  readonly hasOutputContract: boolean;
  /** The suite's, for prompts without one of their own. */
  readonly contract: Contract;
  readonly contracts?: ContractKnowledge;
}

interface BuiltCases {
  readonly count: number;
  readonly emptyFiles: readonly CaseFile[];
  /** In the order of their rows. */
  readonly iterate: () => Iterable<Case>;
  /** Names of the variables that some assertion or turn reads. */
  readonly variables: ReadonlySet<string>;
}

/**
 * Characters of a suite's rows whose cases are kept. Where there are more, none is: each cleaning of the heap walks what is
 * kept, which over a long run takes longer than to read it all again.
 */
const maxKeptChars = 4 * 1024 * 1024;

/**
 * Builds every case once, to check it: shape, id, checks, turns, and a trial rendering of each prompt. Where files hold
 * many, theirs are built again by each who asks for them.
 */
export async function buildCases(sources: readonly RowSource[], context: CaseContext): Promise<BuiltCases> {
  const list = new CaseList();
  const builder: Builder = {
    ...context,
    faults: createCaseFaults(),
    known: new Map(),
    combined: new WeakMap(),
    variables: new Set(),
    stopped: new Set(),
    shared: new Map(),
    checkPaths: createPathCheck(context),
    register: createRegister(context.problems),
    isFirstReading: true,
  };
  const silent = createSilent(builder);
  const rebuild = (placed: PlacedRow) => buildCase(placed, silent);
  let keptChars = 0;
  const emptyFiles: CaseFile[] = [];
  for (const source of sources) {
    let rows = 0;
    const part = list.open(source, rebuild);
    for (const placed of rowsOf(source, context.problems)) {
      rows += 1;
      if (placed.text !== undefined && needsTemplateEngine(placed.text)) await loadTemplateEngine();
      const built = buildCase(placed, builder);
      if (built === undefined) continue;
      context.visit(built, placed.row);
      keptChars += placed.text?.length ?? 0;
      if (keptChars > maxKeptChars) list.release();
      part.add(built, placed.start);
    }
    if (rows === 0 && source.file !== undefined) emptyFiles.push(source.file);
  }
  builder.faults.flush(context.problems);
  return { count: list.count, emptyFiles, iterate: () => list.iterate(), variables: builder.variables };
}

interface Builder extends CaseContext, CheckBuilder {
  readonly register: RegisterId;
  /** Prompts that took too long to render once are not tried again. */
  readonly stopped: Set<CompiledPrompt>;
  /** The settings of rows that bring none, by their group. */
  readonly shared: Map<object, Settings>;
  readonly checkPaths: CheckPaths;
  /** False where a row is known to be right. */
  readonly isFirstReading: boolean;
}

/** Builds again what was checked once. */
function createSilent(builder: Builder): Builder {
  const problems = createProblems();
  return {
    ...builder,
    problems,
    assertionContext: { ...builder.assertionContext, problems },
    faults: createCaseFaults(),
    register: () => undefined,
    checkPaths: () => undefined,
    // Nothing is rendered on trial.
    prompts: [],
    isFirstReading: false,
  };
}

/** The case of a row; undefined where it can't be one. */
function buildCase(placed: PlacedRow, builder: Builder): BuiltCase | undefined {
  const { row } = placed;
  const own = readRow(row, builder.problems);
  if (own === undefined) {
    checkParts(placed, builder);
    return undefined;
  }
  const draft = draftCase(placed, own, builder);
  const assertions = own.assert === undefined ? NONE : compileOwn(childOf(row, 'assert'), builder);
  const turns = own.turns === undefined ? noTurns : buildTurns(childOf(row, 'turns'), draft.naming, builder);
  return finishCase(draft, assertions, turns, builder);
}

const noTurns: readonly Turn[] = [];

/** What a row says without its assertions and turns. */
interface Draft {
  readonly own: CaseRow;
  readonly group: CaseGroup | undefined;
  readonly settings: Settings;
  readonly vars: Vars;
  readonly naming: Naming;
}

function draftCase(placed: PlacedRow, own: CaseRow, builder: Builder): Draft {
  const { defaults } = builder;
  const { row, source } = placed;
  const { group } = source;
  const vars = mergeVars(defaults.settings.vars, group?.settings.vars, own.vars);
  return {
    own,
    group,
    settings: isBare(own) ? sharedSettings(group, builder) : mergeSettings(defaults.settings, group?.settings, own),
    vars,
    naming: {
      id: registerId(own, placed, builder),
      row,
      scope: Object.hasOwn(own, 'expected') ? { ...vars, expected: own.expected } : vars,
    },
  };
}

const noGroup = {};

function sharedSettings(group: CaseGroup | undefined, { defaults, shared }: Builder): Settings {
  const key = group ?? noGroup;
  let settings = shared.get(key);
  if (settings === undefined) {
    settings = mergeSettings(defaults.settings, group?.settings, {});
    shared.set(key, settings);
  }
  return settings;
}

function finishCase(
  draft: Draft,
  assertions: readonly CompiledAssertion[],
  turns: readonly Turn[],
  builder: Builder,
): BuiltCase {
  const { own, group, settings, vars, naming } = draft;
  const { row } = naming;
  const { defaults } = builder;
  const groupAssertions = group?.assertions ?? NONE;
  const checks = buildChecks(groupAssertions, assertions, naming, builder);
  if (builder.isFirstReading) {
    builder.checkPaths(defaults.assertions, settings.prompts);
    builder.checkPaths(groupAssertions, settings.prompts);
    builder.checkPaths(assertions, settings.prompts);
    checkCaseSettings(naming, settings, builder);
    checkJudged(draft, { checks, turns }, builder);
    tryPrompts(naming, vars, settings, builder);
  }
  const built: Writable<BuiltCase> = {
    id: naming.id,
    vars,
    checks,
    tags: mergeTags(group?.settings.tags, own.tags),
    trials: settings.trials ?? 1,
    mustPass: settings.mustPass ?? false,
    observe: settings.observe ?? false,
    turns,
    at: placeOf(row),
  };
  // One by one: a spread for each that may be missing would cost as much as all the rest.
  if (Object.hasOwn(own, 'expected')) built.expected = own.expected;
  if (settings.threshold !== undefined) built.threshold = toFraction(settings.threshold);
  if (settings.skip !== undefined) built.skip = settings.skip;
  if (settings.prompts !== undefined) built.prompts = settings.prompts;
  if (settings.providers !== undefined) built.providers = settings.providers;
  if (own.description !== undefined) built.description = own.description;
  return built;
}

/** A case without a check is reported, unless it says that it wants none. */
function checkJudged(
  { own, group, settings, naming }: Draft,
  { checks, turns }: Pick<BuiltCase, 'checks' | 'turns'>,
  builder: Builder,
): void {
  const isJudged = checks.some(counts) || turns.some((turn) => turn.kind === 'user' && turn.checks.some(counts));
  if (isJudged || settings.observe === true) return;
  if (checks.length > 0 || turns.some((turn) => turn.kind === 'user' && turn.checks.length > 0)) {
    reportNoAssertion(
      naming,
      builder,
      `no assertion of case "${naming.id}" counts: all have weight 0, and none is required`,
    );
    return;
  }
  // Assertions that could not be read are reported themselves.
  const written = [builder.defaults.settings.assert, group?.settings.assert, own.assert, own.turns].flatMap(
    (list) => list ?? [],
  );
  if (written.every(isBareTurn)) reportNoAssertion(naming, builder);
}

/** One mistake in a case must not hide the others: what can be checked without the rest of it is. */
function checkParts(placed: PlacedRow, builder: Builder): void {
  const { row } = placed;
  if (caseSchema.shape.assert.safeParse(childOf(row, 'assert').value).success) {
    compileOwn(childOf(row, 'assert'), builder);
  }
  for (const turn of itemsOf(childOf(row, 'turns'))) compileOwn(childOf(turn, 'assert'), builder);
  const id = childOf(row, 'id').value;
  if (id !== undefined && caseSchema.shape.id.safeParse(id).success) registerId({ id }, placed, builder);
}

/** The case's id, or the start of a hash of its input: where it stands in the file is no part of what it is. */
function registerId(own: CaseRow, placed: PlacedRow, { register }: Builder): string {
  const id = idOf(own);
  register(id, own.id !== undefined, placed);
  return id;
}

const noTags: readonly string[] = [];

function mergeTags(group: readonly string[] = noTags, own: readonly string[] = noTags): readonly string[] {
  return group.length + own.length === 0 ? noTags : [...new Set([...group, ...own])];
}

function mergeVars(defaults: Vars | undefined, group: Vars | undefined, own: Vars = {}): Vars {
  return defaults === undefined && group === undefined ? own : { ...defaults, ...group, ...own };
}

/** Renders what each prompt would send, so that what a template asks for and does not get is known before any call. */
function tryPrompts(
  { id, row }: Naming,
  vars: Vars,
  { prompts: only }: Pick<Settings, 'prompts'>,
  { prompts, faults, stopped }: Builder,
): void {
  for (const prompt of prompts) {
    if (stopped.has(prompt) || only?.includes(prompt.version.id) === false) continue;
    faults.tried(prompt);
    for (const { template, at } of prompt.templates) {
      try {
        template.render(vars);
      } catch (error) {
        if (!(error instanceof TemplateError)) throw error;
        const reader = `prompt "${prompt.version.id}"`;
        for (const one of [error, ...error.also]) {
          const place = at(one.line ?? 1, one.column ?? 1);
          faults.add({ reader, key: prompt, at: place, error: one, caseId: id, row, scope: vars });
        }
        if (error.kind === 'limit') stopped.add(prompt);
      }
    }
  }
}

/** A step of a conversation that asks for no check. */
function isBareTurn(item: unknown): boolean {
  return typeof item === 'object' && item !== null && ('user' in item || 'toolResult' in item) && !('assert' in item);
}

/** A check of weight 0 that is not required is shown, and decides nothing. */
function counts({ weight, required }: CheckSpec): boolean {
  return weight > 0 || required;
}

function reportNoAssertion(
  { id, row }: Naming,
  { problems, hasOutputContract }: Builder,
  message = `case "${id}" has no assertion`,
): void {
  problems.report({
    code: 'no-assertion',
    message,
    hint: hasOutputContract
      ? 'the output contract says nothing of what is right: add assert, or observe: true to run it unjudged'
      : 'add assert, or observe: true to run it unjudged',
    at: locate(row),
  });
}

/** Told of the id of every case, with its row; `isOwn` where it was written there. */
type RegisterId = (id: string, isOwn: boolean, placed: PlacedRow) => void;

/** Reports the ids that come twice. */
function createRegister(problems: Problems): RegisterId {
  /** Of each id the row that had it first; of a row of a file its place alone, since a file may be larger than memory. */
  const firsts = new Map<string, Located | SourceLocation>();
  return (id, isOwn, { row, start }) => {
    const first = firsts.get(id);
    if (first === undefined) {
      firsts.set(id, start === undefined ? row : placeOf(row));
      return;
    }
    const { file, line } = 'path' in first ? locate(first) : first;
    const where = ` (the first at ${file}:${line})`;
    problems.report({
      code: 'duplicate-id',
      message: isOwn
        ? `two cases have the id "${id}"${where}`
        : `two cases have the same vars and turns, and so the id "${id}"${where}`,
      hint: isOwn ? 'every case of a suite needs an id of its own' : 'remove one, or give each an id',
      at: locate(isOwn ? childOf(row, 'id') : row),
    });
  };
}
