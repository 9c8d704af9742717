import { lookupAssertion } from '../assertions/index.ts';
import {
  type Mutant,
  type MutationKind,
  mutateAnswer,
  mutationKinds,
  trajectoryKinds,
} from '../assertions/mutate-answer.ts';
import { createFindAccepted, openBaselines } from '../baseline/find-baselines.ts';
import { canonicalJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import { decideAnswer, type JudgePorts, judgeAnswer, openJudgePorts } from '../judges/judge-answer.ts';
import type { SourceLocation } from '../model/problem.ts';
import type { Cell } from '../model/run/cell.ts';
import type { CheckSpec, Verdict } from '../model/run/verdict.ts';
import { type Project, providersOf, type Suite } from '../model/suite/suite.ts';
import { indexCells } from '../plan/find-cells.ts';
import { type PlannedRun, planRun } from '../plan/plan-run.ts';
import { emptySelection } from '../plan/select-cases.ts';
import { createToolOpener } from '../run/cells/start-tools.ts';
import { findKnownAnswers, type KnownAnswer, type KnownAnswersOptions } from './known-answers.ts';
import { isRefusedByTools, mutatePath, replayAgent } from './replay-agent.ts';

export const mutationKindNames: readonly string[] = mutationKinds;

export function isMutationKind(text: string): text is MutationKind {
  return mutationKindNames.includes(text);
}

export interface MutationTestOptions extends KnownAnswersOptions {
  readonly project: Project;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Kinds of mutations to skip. */
  readonly skipped: ReadonlySet<MutationKind>;
}

/** A wrong answer that passes a case. */
interface Survivor {
  readonly mutation: MutationKind;
  readonly detail: string;
}

export interface WeakCase {
  readonly caseId: string;
  readonly prompt: string;
  readonly provider: string;
  readonly at: SourceLocation;
  readonly survivors: readonly Survivor[];
}

interface MutationCount {
  readonly mutation: MutationKind;
  readonly mutants: number;
  readonly caught: number;
}

/** A check that passed every wrong answer in all its cases. */
interface WeakCheck {
  /** The user's name of the check, or the assertion's. */
  readonly check: string;
  readonly assertion: string;
  /** Number of cases with the check. */
  readonly cases: number;
}

export interface MutationResult {
  readonly suite: string;
  readonly path: string;
  /** Null if no answer is stored. */
  readonly source: string | null;
  /** Answers that pass unchanged and were mutated. */
  readonly measured: number;
  readonly mutants: number;
  readonly caught: number;
  /** Counts for each kind that was tried. */
  readonly kinds: readonly MutationCount[];
  /** Wrong answers that only a judge could find. */
  readonly leftToJudges: number;
  readonly weakCases: readonly WeakCase[];
  readonly weakChecks: readonly WeakCheck[];
  /** Cases that could not be measured, with the reason. */
  readonly unmeasured: readonly { readonly caseId: string; readonly reason: string }[];
}

/** Mutation test of checks: mutates stored right answers, and finds cases and checks that still pass. Asks no model. */
export async function runMutationTest(options: MutationTestOptions): Promise<readonly MutationResult[]> {
  const { project, env, root, cwd } = options;
  const settings = { cacheMode: 'use', maxErrors: { count: 0 }, allowEmpty: false, requireConclusive: false } as const;
  const planned = await planRun({ project, selection: emptySelection, settings, record: false }, { env });
  const cellOf = indexCells(planned.plan);
  const judge = openJudgePorts({ root, env });
  const openTools = createToolOpener(env);
  const findAccepted = createFindAccepted(project.suites, openBaselines('auto', { root, cwd, env }));
  try {
    const results: MutationResult[] = [];
    for (const suite of project.suites) {
      results.push(
        await checkSuite(suite, options, { planned, cellOf, openTools, ports: { ...judge.ports, findAccepted } }),
      );
    }
    return results;
  } finally {
    judge.close();
  }
}

interface Tools {
  readonly planned: PlannedRun;
  readonly cellOf: ReturnType<typeof indexCells>;
  readonly ports: JudgePorts;
  readonly openTools: ReturnType<typeof createToolOpener>;
}

async function checkSuite(suite: Suite, options: MutationTestOptions, tools: Tools): Promise<MutationResult> {
  const known = findKnownAnswers(suite, options);
  const tally = createTally();
  const unmeasured: { caseId: string; reason: string }[] = [];
  const replaced = new Set(suite.prompts.map(({ replaces }) => replaces));
  for (const version of suite.prompts.filter(({ id }) => !replaced.has(id))) {
    const { id: prompt } = version;
    for (const { id: provider } of providersOf(suite, version)) {
      const answers = (known?.answers ?? []).filter(
        (answer) => answer.prompt === prompt && answer.provider === provider,
      );
      await checkVariant({ suite, prompt, provider, answers }, { options, tools, tally, unmeasured });
    }
  }
  const { id, path } = suite;
  return { suite: id, path, source: known?.source ?? null, ...tally.read(), unmeasured };
}

interface Variant {
  readonly suite: Suite;
  readonly prompt: string;
  readonly provider: string;
  readonly answers: readonly KnownAnswer[];
}

interface Work {
  readonly options: MutationTestOptions;
  readonly tools: Tools;
  readonly tally: Tally;
  readonly unmeasured: { caseId: string; reason: string }[];
}

async function checkVariant({ suite, prompt, provider, answers }: Variant, work: Work): Promise<void> {
  const { options, tools, tally, unmeasured } = work;
  const expectedOf = new Map([...suite.cases()].map(({ id, expected }) => [id, expected]));
  const firstOf = new Map<string, KnownAnswer>();
  for (const answer of answers) if (!firstOf.has(answer.caseId)) firstOf.set(answer.caseId, answer);
  for (const caseId of expectedOf.keys()) {
    const cell = tools.cellOf(suite.id, prompt, provider, caseId);
    if (cell === undefined || cell.skip !== undefined || cell.observe) continue;
    const own = cell.checks.filter((check) => !asksModel(check));
    const answer = await findPassing(answers, cell, own, work);
    if (answer === undefined || own.length === 0) {
      unmeasured.push({ caseId, reason: describeUnmeasured(cell, own.length) });
      continue;
    }
    tally.open(cell, own.length < cell.checks.length);
    const others = [...firstOf.values()].filter((other) => isWrongHere(other, answer, expectedOf));
    for (const mutant of [
      ...swap(others),
      ...mutateAnswer(
        answer.completion,
        others.map(({ completion }) => completion),
      ),
      ...mutatePath(cell, own, answer.completion),
    ]) {
      if (mutant.kind !== 'disturbed' && options.skipped.has(mutant.kind)) continue;
      tally.add(mutant, own, await judgeMutant(mutant, answer, cell, own, work));
    }
    tally.close();
  }
}

function describeUnmeasured({ checks }: Cell, own: number): string {
  if (checks.length === 0) return 'only earlier turns of it are checked';
  return own === 0 ? 'only a judge checks it' : 'no stored answer of it passes';
}

/** Finds the first stored answer that passes all checks without a judge. */
async function findPassing(
  answers: readonly KnownAnswer[],
  cell: Cell,
  checks: readonly CheckSpec[],
  work: Work,
): Promise<KnownAnswer | undefined> {
  for (const stored of answers) {
    if (stored.caseId !== cell.key.caseId || hasBrokenOff(stored)) continue;
    const answer = await replayAgent(stored, cell, work.tools.openTools);
    if (answer === undefined) continue;
    if ((await judgeKnown(answer, cell, checks, work)).passed) return answer;
  }
  return undefined;
}

/** True if the conversation ended early, so no check saw its last answer. */
function hasBrokenOff({ checks }: KnownAnswer): boolean {
  return checks.some(({ assertion, pass }) => !pass && (assertion === 'turns' || assertion === 'tools'));
}

const maxSwaps = 20;

function* swap(others: readonly KnownAnswer[]): Iterable<Mutant> {
  for (const { caseId, completion } of others.slice(0, maxSwaps)) {
    yield { kind: 'swapped', detail: `the answer to ${caseId}`, answer: completion };
  }
}

/** True if another case's answer is wrong here. It is not if it is equal, or if both cases expect the same. */
function isWrongHere(
  { caseId, completion }: KnownAnswer,
  own: KnownAnswer,
  expectedOf: ReadonlyMap<string, unknown>,
): boolean {
  const [theirs, ours] = [expectedOf.get(caseId), expectedOf.get(own.caseId)];
  if (caseId === own.caseId || (theirs !== undefined && canonicalJson(theirs) === canonicalJson(ours))) return false;
  const contentOf = ({ text, toolCalls }: KnownAnswer['completion']) =>
    canonicalJson([text.trim(), toolCalls.map(({ name, rawArguments }) => [name, rawArguments])]);
  return contentOf(completion) !== contentOf(own.completion);
}

interface Judged {
  readonly passed: boolean;
  readonly verdicts: readonly Verdict[];
}

async function judgeKnown(
  { completion, costUsd, trial }: KnownAnswer,
  cell: Cell,
  checks: readonly CheckSpec[],
  { tools: { ports } }: Work,
): Promise<Judged> {
  const { latencyMs } = completion;
  const judged = { cell: { ...cell, key: { ...cell.key, trial }, checks }, completion, latencyMs, costUsd, calls: [] };
  const { verdicts } = await judgeAnswer(checks, judged, ports);
  // Cost and latency come from the stored answer. If they are unknown, checks on them don't count.
  const counting = verdicts.filter(({ error }, index) => error === undefined || !isBudget(checks[index]));
  const decision = decideAnswer(counting, cell.threshold);
  return { passed: decision.status === 'decided' && decision.passed, verdicts };
}

async function judgeMutant(
  mutant: Mutant,
  answer: KnownAnswer,
  cell: Cell,
  checks: readonly CheckSpec[],
  work: Work,
): Promise<Judged> {
  const { state, steps: _steps, ...completion } = answer.completion;
  // The state after other calls is unknown. Assume that a check on the state would notice them.
  const kept = hasSameCalls(mutant.answer, completion) ? defined({ state }) : {};
  const changed = { ...answer, completion: { ...completion, ...kept, ...mutant.answer } };
  const judged = await judgeKnown(changed, cell, checks, work);
  return (await isRefusedByTools(cell, mutant.answer)) ? { ...judged, passed: false } : judged;
}

function hasSameCalls(one: Mutant['answer'], other: Mutant['answer']): boolean {
  const [ours, theirs] = [one, other].map(({ toolCalls }) => {
    return JSON.stringify(toolCalls.map(({ name, rawArguments }) => [name, rawArguments]));
  });
  return ours === theirs;
}

/** True for a check that needs a model. */
function asksModel({ assertion, children = [] }: CheckSpec): boolean {
  const declared = lookupAssertion(assertion);
  const asks = declared !== undefined && ('asks' in declared || declared.family === 'judge');
  return asks || children.some(asksModel);
}

function isBudget(check: CheckSpec | undefined): boolean {
  return check !== undefined && lookupAssertion(check.assertion)?.family === 'budget';
}

function mayBeRight(kind: MutationKind): boolean {
  return kind === 'swapped' || trajectoryKinds.some((other) => other === kind);
}

interface Tally {
  open(cell: Cell, hasJudge: boolean): void;
  add(mutant: Mutant, checks: readonly CheckSpec[], judged: Judged): void;
  close(): void;
  read(): Omit<MutationResult, 'suite' | 'path' | 'source' | 'unmeasured'>;
}

function createTally(): Tally {
  const counts = { measured: 0, mutants: 0, caught: 0, leftToJudges: 0 };
  const kinds = mutationKinds.map((mutation) => ({ mutation, mutants: 0, caught: 0 }));
  const weakCases: WeakCase[] = [];
  const checks = new Map<string, { check: string; assertion: string; cases: Set<string>; hasFailed: boolean }>();
  let current: { cell: Cell; hasJudge: boolean; caughtKinds: Set<Mutant['kind']>; survivors: Survivor[] } | undefined;
  return {
    open(cell, hasJudge) {
      counts.measured += 1;
      current = { cell, hasJudge, caughtKinds: new Set(), survivors: [] };
    },
    add({ kind, detail }, specs, { passed, verdicts }) {
      if (current === undefined) return;
      for (const [index, { assertion, name = assertion }] of specs.entries()) {
        // Mutations change neither cost nor latency.
        if (isBudget(specs[index])) continue;
        const key = JSON.stringify([assertion, name]);
        const known = checks.get(key) ?? { check: name, assertion, cases: new Set<string>(), hasFailed: false };
        checks.set(key, known);
        known.cases.add(current.cell.key.caseId);
        if (verdicts[index]?.pass !== true) known.hasFailed = true;
      }
      if (kind === 'disturbed') return;
      for (const count of [counts, ...kinds.filter(({ mutation }) => mutation === kind)]) {
        count.mutants += 1;
        if (!passed) count.caught += 1;
      }
      if (passed && current.hasJudge) counts.leftToJudges += 1;
      else if (passed) current.survivors.push({ mutation: kind, detail });
      if (!passed) current.caughtKinds.add(kind);
    },
    close() {
      if (current === undefined) return;
      const { cell, caughtKinds, survivors } = current;
      // An answer or path of another case may be right here too. A case is weak only if it accepts all of a kind.
      const all = survivors.filter(({ mutation }) => !mayBeRight(mutation) || !caughtKinds.has(mutation));
      const { caseId, prompt, provider } = cell.key;
      if (all.length > 0) weakCases.push({ caseId, prompt, provider, at: cell.at, survivors: all });
      current = undefined;
    },
    read() {
      const weakChecks = [...checks.values()]
        .filter(({ hasFailed }) => !hasFailed)
        .map(({ check, assertion, cases }) => ({ check, assertion, cases: cases.size }));
      return { ...counts, kinds: kinds.filter(({ mutants }) => mutants > 0), weakCases, weakChecks };
    },
  };
}
