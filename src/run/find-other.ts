import type { AcceptedAnswer, JudgedInput } from '../assertions/define.ts';
import type { FindBaseline } from '../baseline/find-baselines.ts';
import { defined } from '../json/defined.ts';
import type { ComparedCell, FindOther } from '../judges/judge-answer.ts';
import type { BaselineTrial } from '../model/baseline.ts';
import type { CellKey, CellResult } from '../model/cell.ts';
import type { CellRow } from '../model/record.ts';
import type { PromptVersion, Suite } from '../model/suite.ts';
import type { FindCell } from '../plan/find-cells.ts';
import type { StoredRecord } from '../record/open-stored-record.ts';

export interface OtherAnswers {
  readonly find: FindOther;
  /** Told of every cell that has ended, so that those which wait for its answer go on. */
  readonly post: (key: CellKey, result: CellResult | undefined) => void;
}

export interface OtherOptions {
  readonly suites: readonly Suite[];
  /** `--compare`: the first is the baseline of the others. */
  readonly compare?: readonly string[];
  readonly findBaseline: FindBaseline;
  readonly cellOf: FindCell;
  /** The row of a cell that an earlier part of the run finished. */
  readonly findDone: (key: CellKey) => CellRow | undefined;
  readonly signal: AbortSignal;
}

/**
 * In the order in which the gate looks for the other side: the versions that were asked for side by side, the baseline's own
 * rows, those of the version that this one replaces, and that version within the run. The plan starts a version after the one
 * it is compared with, so that waiting for its answer ends.
 */
export function createOtherAnswers(options: OtherOptions): OtherAnswers {
  const board = createBoard(options.signal);
  const suites = new Map(options.suites.map((suite) => [suite.id, suite]));
  const comparing = new Set(
    options.suites
      .filter(({ criteria }) => criteria.some(({ assertion }) => assertion === 'pairwise'))
      .map(({ id }) => id),
  );

  async function findInRun(cell: ComparedCell, prompt: string): Promise<JudgedInput['other']> {
    const { suite, provider, caseId } = cell.key;
    if ((await options.cellOf(suite, prompt, provider, caseId)) === undefined) return undefined;
    // A fresh trial has no counterpart of its number.
    const trial = cell.confirmation === true ? 0 : cell.key.trial;
    const key = { suite, prompt, provider, caseId, trial };
    const done = options.findDone(key);
    return done === undefined ? board.wait(key) : answerOf(done);
  }

  return {
    async find(cell) {
      const suite = suites.get(cell.key.suite);
      const prompt = suite?.prompts.find(({ id }) => id === cell.key.prompt);
      if (suite === undefined || prompt === undefined) return undefined;
      if (isReference(prompt, options.compare)) return 'reference';
      const beside = findBeside(prompt, suite, options.compare);
      if (beside !== undefined) return findInRun(cell, beside);
      const stored = findStored(cell, prompt, options.findBaseline(suite));
      if (stored !== undefined) return stored;
      const { replaces } = prompt;
      const inRun = replaces === undefined ? undefined : await findInRun(cell, replaces);
      if (inRun !== undefined) return inRun;
      return suite.prompts.some((other) => other.replaces === prompt.id) ? 'reference' : undefined;
    },
    post(key, result) {
      if (comparing.has(key.suite)) board.post(key, result === undefined ? undefined : answerOfResult(result));
    },
  };
}

function isReference(prompt: PromptVersion, compare: readonly string[] | undefined): boolean {
  return prompt.baselineOf !== undefined || compare?.[0] === prompt.id;
}

/** The version that was asked for beside this one: the baseline's prompt run again, or the first of `--compare`. */
function findBeside(
  prompt: PromptVersion,
  suite: Suite,
  [first, ...others]: readonly string[] = [],
): string | undefined {
  const again = suite.prompts.find(({ baselineOf }) => baselineOf === prompt.id)?.id;
  return again ?? (others.includes(prompt.id) ? first : undefined);
}

function findStored(
  { key: { suite, provider, caseId, trial } }: ComparedCell,
  { id, replaces }: PromptVersion,
  found: ReturnType<FindBaseline>,
): AcceptedAnswer | undefined {
  for (const prompt of [id, ...(replaces === undefined ? [] : [replaces])]) {
    const trials =
      found?.kind === 'file'
        ? found.baseline.readCase({ prompt, provider }, caseId)?.trials
        : found?.kind === 'record'
          ? rowsOf(found.record, { suite, prompt, provider, caseId })
          : undefined;
    const kept = (trials ?? []).filter(({ output }) => output !== undefined);
    const answer = kept.find((row) => row.trial === trial) ?? kept[trial % Math.max(1, kept.length)];
    if (answer !== undefined) return answerOf(answer);
  }
  return undefined;
}

function rowsOf(
  { summary, readRow }: StoredRecord,
  { suite, prompt, provider, caseId }: Omit<CellKey, 'trial'>,
): readonly CellRow[] {
  const variants = summary.suites.find(({ recorded }) => recorded.suite === suite)?.variants ?? [];
  const variant = variants.find(({ recorded }) => recorded.prompt === prompt && recorded.provider === provider);
  return (variant?.cases.get(caseId)?.trials ?? []).map(({ rowIndex }) => readRow(rowIndex));
}

function answerOf({ output, toolCalls = [], reasoning }: Pick<BaselineTrial, 'output' | 'toolCalls' | 'reasoning'>) {
  if (output === undefined) return undefined;
  return { text: output, toolCalls, ...defined({ reasoning }) };
}

function answerOfResult({ calls }: CellResult): AcceptedAnswer | undefined {
  const completion = calls.at(-1)?.completion;
  if (completion === undefined) return undefined;
  const { text, toolCalls, reasoning } = completion;
  return { text, toolCalls, ...defined({ reasoning }) };
}

interface Board {
  wait(key: CellKey): Promise<AcceptedAnswer | undefined>;
  post(key: CellKey, answer: AcceptedAnswer | undefined): void;
}

/** Answers of the run so far; waiting for one ends with the run. */
function createBoard(signal: AbortSignal): Board {
  const posted = new Map<string, AcceptedAnswer | undefined>();
  const waiting = new Map<string, ((answer: AcceptedAnswer | undefined) => void)[]>();
  const textOf = ({ suite, prompt, provider, caseId, trial }: CellKey) =>
    JSON.stringify([suite, prompt, provider, caseId, trial]);
  signal.addEventListener(
    'abort',
    () => {
      for (const wakeAll of waiting.values()) for (const wake of wakeAll) wake(undefined);
      waiting.clear();
    },
    { once: true },
  );
  return {
    wait(key) {
      const text = textOf(key);
      if (posted.has(text) || signal.aborted) return Promise.resolve(posted.get(text));
      return new Promise((resolve) => waiting.set(text, [...(waiting.get(text) ?? []), resolve]));
    },
    post(key, answer) {
      const text = textOf(key);
      posted.set(text, answer);
      for (const wake of waiting.get(text) ?? []) wake(answer);
      waiting.delete(text);
    },
  };
}
