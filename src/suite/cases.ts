import { canonicalJson } from '../lib/canonical-json.ts';
import { didYouMean } from '../lib/did-you-mean.ts';
import { sha256Hex } from '../lib/sha256.ts';
import { plainNumbers, spell } from '../lib/spelled-number.ts';
import { TemplateError } from '../lib/template-error.ts';
import type { Writable } from '../lib/writable.ts';
import type { Case, Contract, Turn, Vars } from '../model/suite.ts';
import type { AssertionContext } from './assertion-forms.ts';
import {
  buildChecks,
  buildTurns,
  type CaseGroup,
  type CheckBuilder,
  compileOwn,
  type Naming,
  NONE,
} from './case-checks.ts';
import { createCaseFaults } from './case-faults.ts';
import { type CaseRow, isBare, isPlainCase, mergeSettings, type Settings } from './case-rows.ts';
import { type CheckPaths, createPathCheck } from './check-paths.ts';
import type { CompiledAssertion } from './compiled-assertion.ts';
import type { ContractKnowledge } from './contracts.ts';
import { checkShape } from './describe-issues.ts';
import { childOf, itemsOf, type Located, locate, placeOf } from './locate.ts';
import type { Problems } from './problems.ts';
import type { CompiledPrompt } from './prompts.ts';
import { caseSchema, toFraction } from './schema.ts';

export interface GroupedRow {
  readonly row: Located;
  readonly group?: CaseGroup;
}

export interface CaseContext {
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

/** A case but for its stamp, which is hashed when it is asked for. */
export type BuiltCase = Omit<Case, 'stamp'>;

export interface BuiltCases {
  readonly cases: readonly BuiltCase[];
  /** Names of the variables that some assertion or turn reads. */
  readonly variables: ReadonlySet<string>;
}

/** Builds every case: shape, id, checks, turns, and a trial rendering of each prompt. */
export async function buildCases(rows: readonly GroupedRow[], context: CaseContext): Promise<BuiltCases> {
  const builder: Builder = {
    ...context,
    faults: createCaseFaults(),
    known: new Map(),
    seen: new Map(),
    combined: new Map(),
    variables: new Set(),
    stopped: new Set(),
    shared: new Map(),
    checkPaths: createPathCheck(context),
  };
  const cases: BuiltCase[] = [];
  for (const { row, group } of rows) {
    const own = readRow(row, builder.problems);
    if (own === undefined) {
      await checkParts(row, builder);
      continue;
    }
    const draft = draftCase(row, own, group, builder);
    // Most rows of a file have neither, and to wait for nothing would cost as much as the row.
    const assertions = own.assert === undefined ? NONE : await compileOwn(childOf(row, 'assert'), builder);
    const turns = own.turns === undefined ? noTurns : await buildTurns(childOf(row, 'turns'), draft.naming, builder);
    cases.push(finishCase(draft, assertions, turns, builder));
  }
  builder.faults.flush(context.problems);
  return { cases, variables: builder.variables };
}

interface Builder extends CaseContext, CheckBuilder {
  readonly seen: Map<string, Located>;
  /** Prompts that took too long to render once are not tried again. */
  readonly stopped: Set<CompiledPrompt>;
  /** The settings of rows that bring none, by their group. */
  readonly shared: Map<object, Settings>;
  readonly checkPaths: CheckPaths;
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

function draftCase(row: Located, own: CaseRow, group: CaseGroup | undefined, builder: Builder): Draft {
  const { defaults } = builder;
  const vars = mergeVars(defaults.settings.vars, group?.settings.vars, own.vars);
  return {
    own,
    group,
    settings: isBare(own) ? sharedSettings(group, builder) : mergeSettings(defaults.settings, group?.settings, own),
    vars,
    naming: {
      id: registerId(own, row, builder),
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
  { own, group, settings, vars, naming }: Draft,
  assertions: readonly CompiledAssertion[],
  turns: readonly Turn[],
  builder: Builder,
): BuiltCase {
  const { row } = naming;
  const { defaults } = builder;
  const groupAssertions = group?.assertions ?? NONE;
  builder.checkPaths(defaults.assertions, settings.prompts);
  builder.checkPaths(groupAssertions, settings.prompts);
  builder.checkPaths(assertions, settings.prompts);
  const checks = buildChecks(groupAssertions, assertions, naming, builder);
  checkReferences(row, settings, builder);
  const isJudged = checks.length > 0 || turns.some((turn) => turn.kind === 'user' && turn.checks.length > 0);
  if (!isJudged && settings.observe !== true) {
    // Assertions that could not be read are reported themselves.
    const written = [defaults.settings.assert, group?.settings.assert, own.assert, own.turns].flatMap(
      (list) => list ?? [],
    );
    if (written.every(isBareTurn)) reportNoAssertion(naming, builder);
  }
  tryPrompts(naming, vars, settings, builder);
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

/** The row with its settings as plain numbers; vars, expected and assertions keep every spelling. */
function readRow(row: Located, problems: Problems): CaseRow | undefined {
  if (isPlainCase(row.value)) return row.value;
  const { value } = row;
  const plain =
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(
          Object.entries(value).map(([key, item]) => [key, SPELLED_KEYS.has(key) ? item : plainNumbers(item)]),
        )
      : value;
  const shaped = checkShape(caseSchema, { ...row, value: plain }, { label: 'the case', problems });
  return shaped === undefined ? undefined : dropUndefined(shaped);
}

/** One mistake in a case must not hide the others: what can be checked without the rest of it is. */
async function checkParts(row: Located, builder: Builder): Promise<void> {
  if (caseSchema.shape.assert.safeParse(childOf(row, 'assert').value).success) {
    await compileOwn(childOf(row, 'assert'), builder);
  }
  for (const turn of itemsOf(childOf(row, 'turns'))) await compileOwn(childOf(turn, 'assert'), builder);
  const id = childOf(row, 'id').value;
  if (id !== undefined && caseSchema.shape.id.safeParse(id).success) registerId({ id }, row, builder);
}

const SPELLED_KEYS = new Set(['id', 'vars', 'expected', 'assert', 'turns']);

function dropUndefined(value: object): CaseRow {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined));
}

/** The case's id, or the start of a hash of its input: where it stands in the file is no part of what it is. */
function registerId(own: CaseRow, row: Located, { seen, problems }: Builder): string {
  const id = own.id === undefined ? hashInput(own) : spell(own.id);
  const first = seen.get(id);
  if (first === undefined) {
    seen.set(id, row);
    return id;
  }
  const { file, line } = locate(first);
  problems.report({
    code: 'duplicate-id',
    message:
      own.id === undefined
        ? `two cases have the same vars and turns, and so the id "${id}" (the first at ${file}:${line})`
        : `two cases have the id "${id}" (the first at ${file}:${line})`,
    hint: own.id === undefined ? 'remove one, or give each an id' : 'every case of a suite needs an id of its own',
    at: locate(own.id === undefined ? row : childOf(row, 'id')),
  });
  return id;
}

function hashInput({ vars = {}, turns }: CaseRow): string {
  const said = turns?.map((turn) =>
    typeof turn === 'object' && turn !== null ? { ...turn, assert: undefined } : turn,
  );
  return sha256Hex(canonicalJson({ vars, turns: said })).slice(0, 8);
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
        faults.add({
          reader: `prompt "${prompt.version.id}"`,
          key: prompt,
          at: at(error.line ?? 1, error.column ?? 1),
          error,
          caseId: id,
          row,
          scope: vars,
        });
        if (error.kind === 'limit') stopped.add(prompt);
      }
    }
  }
}

function checkReferences(
  row: Located,
  { prompts, providers }: Settings,
  { promptIds, providerIds, problems }: Builder,
): void {
  if (prompts === undefined && providers === undefined) return;
  const check = (key: string, ids: readonly string[] | undefined, known: readonly string[]) => {
    for (const [index, id] of (ids ?? []).entries()) {
      if (known.includes(id)) continue;
      problems.report({
        code: 'unknown-id',
        message: `"${id}" is no ${key.slice(0, -1)} of this suite`,
        hint: didYouMean(id, known) ?? `known: ${known.join(', ')}`,
        at: locate(childOf(childOf(row, key), index)),
      });
    }
  };
  check('prompts', prompts, promptIds);
  check('providers', providers, providerIds);
}

/** A step of a conversation that asks for no check. */
function isBareTurn(item: unknown): boolean {
  return typeof item === 'object' && item !== null && ('user' in item || 'toolResult' in item) && !('assert' in item);
}

function reportNoAssertion({ id, row }: Naming, { problems, hasOutputContract }: Builder): void {
  problems.report({
    code: 'no-assertion',
    message: `case "${id}" has no assertion`,
    hint: hasOutputContract
      ? 'the output contract says nothing of what is right: add assert, or observe: true to run it unjudged'
      : 'add assert, or observe: true to run it unjudged',
    at: locate(row),
  });
}
