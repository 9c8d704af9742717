import type { AcceptedAnswer, JudgedInput } from '../../assertions/define.ts';
import { defined } from '../../json/defined.ts';
import type { ComparedCell, FindOther } from '../../judges/judge-answer.ts';
import type { FindBaseline, SuiteBaseline } from '../../model/comparison/baseline.ts';
import type { CellKey, CellResult, FindCell } from '../../model/run/cell.ts';
import type { CellRow } from '../../model/run/record.ts';
import type { PromptVersion, Suite } from '../../model/suite/suite.ts';
import { cellKeyText } from '../../record/read-run-record.ts';

/** The answers that pairwise checks compare a cell's answer with. */
export interface ComparedAnswers {
  readonly find: FindOther;
  /** Call it for every finished cell. Cells that wait for its answer then continue. */
  readonly post: (key: CellKey, result: CellResult | undefined) => void;
}

export interface ComparedAnswersOptions {
  readonly suites: readonly Suite[];
  /** `--compare`: the first is the baseline of the others. */
  readonly compare?: readonly string[];
  readonly findBaseline: FindBaseline;
  readonly cellOf: FindCell;
  /** The row of a cell that an earlier part of the run finished. */
  readonly findDone: (key: CellKey) => CellRow | undefined;
}

/**
 * Finds the other side of a comparison, in the same order as the gate. The first choice is the version that runs beside
 * this one, then the baseline's rows of this version. Rows of the replaced version come next, and last the replaced
 * version in this run. Waiting always ends, because the plan starts a version after the one it is compared with.
 */
export function createComparedAnswers(options: ComparedAnswersOptions): ComparedAnswers {
  const answers = createAnswerBoard();
  const suites = new Map(options.suites.map((suite) => [suite.id, suite]));
  const comparing = new Set(options.suites.filter(hasPairwiseCheck).map(({ id }) => id));

  async function findInRun(cell: ComparedCell, prompt: string): Promise<AcceptedAnswer | undefined> {
    const { suite, provider, caseId } = cell.key;
    if ((await options.cellOf(suite, prompt, provider, caseId)) === undefined) return undefined;
    // The other version has no fresh trial of this number.
    const trial = cell.confirmation === true ? 0 : cell.key.trial;
    const key = { suite, prompt, provider, caseId, trial };
    const done = options.findDone(key);
    return done === undefined ? answers.wait(key) : answerOf(done);
  }

  return {
    async find(cell): Promise<JudgedInput['other']> {
      const suite = suites.get(cell.key.suite);
      const prompt = suite?.prompts.find(({ id }) => id === cell.key.prompt);
      if (suite === undefined || prompt === undefined) return undefined;
      if (prompt.baselineOf !== undefined || options.compare?.[0] === prompt.id) return 'reference';
      const beside = findBeside(prompt, suite, options.compare);
      if (beside !== undefined) return findInRun(cell, beside);
      const stored = findStored(cell, prompt, options.findBaseline(suite));
      if (stored !== undefined) return stored;
      const inRun = prompt.replaces === undefined ? undefined : await findInRun(cell, prompt.replaces);
      if (inRun !== undefined) return inRun;
      return suite.prompts.some((other) => other.replaces === prompt.id) ? 'reference' : undefined;
    },
    post(key, result) {
      if (comparing.has(key.suite)) answers.post(key, result === undefined ? undefined : answerOfResult(result));
    },
  };
}

function hasPairwiseCheck({ criteria }: Suite): boolean {
  return criteria.some(({ assertion }) => assertion === 'pairwise');
}

/** Finds the version that runs for comparison with this one: the baseline's own prompt, or the first of `--compare`. */
function findBeside(
  prompt: PromptVersion,
  suite: Suite,
  [first, ...others]: readonly string[] = [],
): string | undefined {
  const ofBaseline = suite.prompts.find(({ baselineOf }) => baselineOf === prompt.id)?.id;
  return ofBaseline ?? (others.includes(prompt.id) ? first : undefined);
}

function findStored(
  { key: { provider, caseId, trial } }: ComparedCell,
  { id, replaces }: PromptVersion,
  found: SuiteBaseline | undefined,
): AcceptedAnswer | undefined {
  for (const prompt of replaces === undefined ? [id] : [id, replaces]) {
    const trials = found?.baseline.readCase({ prompt, provider }, caseId)?.trials ?? [];
    const kept = trials.filter(({ output }) => output !== undefined);
    const answer = kept.find((row) => row.trial === trial) ?? kept[trial % Math.max(1, kept.length)];
    if (answer !== undefined) return answerOf(answer);
  }
  return undefined;
}

function answerOf({ output, toolCalls = [], reasoning }: Pick<CellRow, 'output' | 'toolCalls' | 'reasoning'>) {
  return output === undefined ? undefined : { text: output, toolCalls, ...defined({ reasoning }) };
}

function answerOfResult({ calls }: CellResult): AcceptedAnswer | undefined {
  const completion = calls.at(-1)?.completion;
  if (completion === undefined) return undefined;
  const { text, toolCalls, reasoning } = completion;
  return { text, toolCalls, ...defined({ reasoning }) };
}

interface AnswerBoard {
  wait(key: CellKey): Promise<AcceptedAnswer | undefined>;
  post(key: CellKey, answer: AcceptedAnswer | undefined): void;
}

/** The answers of the run so far. Every cell posts an answer or `undefined`, even if the run is stopped. */
function createAnswerBoard(): AnswerBoard {
  const posted = new Map<string, AcceptedAnswer | undefined>();
  const waiting = new Map<string, ((answer: AcceptedAnswer | undefined) => void)[]>();
  return {
    wait(key) {
      const text = cellKeyText(key);
      if (posted.has(text)) return Promise.resolve(posted.get(text));
      return new Promise((resolve) => waiting.set(text, [...(waiting.get(text) ?? []), resolve]));
    },
    post(key, answer) {
      const text = cellKeyText(key);
      posted.set(text, answer);
      for (const resolve of waiting.get(text) ?? []) resolve(answer);
      waiting.delete(text);
    },
  };
}
