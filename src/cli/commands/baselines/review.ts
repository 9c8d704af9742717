import { Option } from 'commander';
import { defined } from '../../../json/defined.ts';
import { exitCodes } from '../../../model/comparison/exit-code.ts';
import { usageError } from '../../../model/problem.ts';
import { describeStoredRun } from '../../../project/stored-runs.ts';
import { type OpenReview, openReview, type Place } from '../../../review/accept-change.ts';
import {
  type AnswerChange,
  describeChange,
  findChanges,
  isPromotable,
  matchChanges,
} from '../../../review/review-changes.ts';
import { formatCount } from '../../../text/format-amount.ts';
import { toSafeLine } from '../../../text/sanitize.ts';
import type { Io } from '../../io.ts';
import { loadSuites } from '../../load-suites.ts';
import { collect } from '../../output/reports.ts';
import { styleFor } from '../../output/style.ts';
import { printJson } from '../../output/table.ts';
import type { DefineCommand } from '../define.ts';

interface Flags {
  readonly run?: string;
  readonly filter: readonly string[];
  readonly accept: readonly string[];
  readonly into?: 'snapshot' | Place;
  readonly config?: string;
  readonly color: boolean;
  readonly json?: boolean;
  readonly plain?: boolean;
}

export const define: DefineCommand = (command, { io, exit }) => {
  command
    .argument('[paths...]', 'suite files, folders or globs (default: evals/**/*.eval.yaml)')
    .option('--run <id|file>', 'the run to review (default: the last)')
    .option('-t, --filter <glob>', 'suite/case (repeatable)', collect, [])
    .option('--accept <glob>', 'accept these without asking (repeatable); needs --into', collect, [])
    .addOption(
      new Option(
        '--into <place>',
        "where accepted answers go: the case's golden answer, the baseline, or by its old answer",
      ).choices(['expected', 'snapshot', 'baseline', 'recorded', 'wrong']),
    )
    .option('-c, --config <file>', 'config file')
    .option('--no-color', 'no colour')
    .option('--json', 'as JSON')
    .option('--plain', 'words instead of signs, and a line for each reply: for screen readers')
    .addHelpText(
      'after',
      `
On a terminal it asks for each change, and a single key answers; "?" explains them. Elsewhere, and without --accept, it
lists the changes.
A snapshot is compared with the baseline, so both names mean the same place. Rejecting changes no file.
A case under observe with an answer in "expected" becomes a judged case: "expected" takes the run's answer, "recorded"
keeps the answer that it has, and "wrong" adds a check that catches that answer.
Exit code 1 where an answer that was to be accepted could not be.

Examples:
  $ llmcheck review
  $ llmcheck review --accept 'triage/refund-*' --into expected
  $ llmcheck review --accept '*' --into baseline`,
    )
    .action(async (paths: string[], flags: Flags) => exit(await review(paths, flags, io)));
};

interface Reviewed {
  readonly change: AnswerChange;
  readonly action: 'listed' | 'accepted' | 'rejected' | 'refused';
  /** The file that was written, or why none was. */
  readonly detail?: string;
}

/** Why a review stopped before its last change. */
type Ended = 'quit' | 'input' | 'interrupt';

type Answer = Place | 'reject';

/** Acts on `--accept`, asks on a terminal, or lists the changes. */
async function review(paths: readonly string[], flags: Flags, io: Io): Promise<number> {
  const { accept, into, run, filter: filters, json } = flags;
  if (accept.length > 0 !== (into !== undefined)) {
    const hint = "write --accept '<suite/case>' --into expected, or --into baseline";
    throw usageError('--accept and --into go together', hint);
  }
  const project = await loadSuites(paths, flags.config, io);
  const { cwd, env } = io;
  const found = findChanges({ project, cwd, env, filters, ...defined({ run }) });
  if (json !== true) io.stderr.write(`reviewing ${describeStoredRun(found.record, io.now())}\n`);
  const open = openReview(found, { root: project.root, cwd, env, ...defined({ configPath: flags.config }) });
  try {
    const { reviewed, ended } = await step(found.changes, open, flags, io);
    const left = ended === undefined ? 0 : found.changes.length - reviewed.length;
    if (json === true) printJson(toJson(reviewed), io);
    else io.stdout.write(describeEnd(reviewed, left));
    if (ended === 'interrupt') return exitCodes.sigint;
    return reviewed.some(({ action }) => action === 'refused') ? exitCodes.failed : exitCodes.passed;
  } finally {
    open.close();
  }
}

async function step(
  changes: readonly AnswerChange[],
  open: OpenReview,
  { accept, into, json, color, plain }: Flags,
  io: Io,
): Promise<{ readonly reviewed: readonly Reviewed[]; readonly ended?: Ended }> {
  const isPrinting = json !== true;
  const style = styleFor(io, { color: color && plain !== true }, false);
  const matched = into === undefined ? new Set(changes) : matchChanges(changes, accept);
  if (into !== undefined && matched.size === 0)
    throw usageError(`--accept ${accept.join(',')} matches no changed answer`);
  const answer = into === 'snapshot' ? 'baseline' : into;
  const isAsking = io.ask !== undefined && answer === undefined && isPrinting;
  const wanted = changes.filter((change) => matched.has(change));
  const reviewed: Reviewed[] = [];
  /** The reviewer's answer for all further changes of a suite, by suite. */
  const ofSuites = new Map<string, Answer>();
  for (const [place, change] of wanted.entries()) {
    const position = isAsking ? `${place + 1} of ${wanted.length}` : '';
    const text = describeChange(change, { ...style, position, isPlain: plain === true });
    if (isPrinting) io.stdout.write(`${text.join('\n')}\n`);
    const suite = change.suite.id;
    const left = wanted.slice(place).filter((other) => other.suite.id === suite);
    const given = ofSuites.get(suite) ?? (isAsking ? await askFor(change, left, plain === true, io) : answer);
    if (typeof given === 'object' && 'ended' in given) {
      // The cursor is still on the line of the question.
      if (given.ended !== 'quit') io.stdout.write('\n');
      return { reviewed, ended: given.ended };
    }
    if (typeof given === 'object') ofSuites.set(suite, given.ofSuite);
    const one = await act(change, typeof given === 'object' ? given.ofSuite : given, open);
    reviewed.push(one);
    if (isPrinting) io.stdout.write(describeAction(one));
  }
  return { reviewed };
}

async function act(change: AnswerChange, answer: Answer | undefined, open: OpenReview): Promise<Reviewed> {
  if (answer === undefined) return { change, action: 'listed' };
  if (answer === 'reject') return { change, action: 'rejected' };
  const result = await open.accept(change, answer);
  return 'file' in result
    ? { change, action: 'accepted', detail: result.file }
    : { change, action: 'refused', detail: result.refused };
}

const answers = { e: 'expected', b: 'baseline', o: 'recorded', w: 'wrong', r: 'reject' } as const;

type Reply = Answer | { readonly ofSuite: Answer } | { readonly ended: Ended };

/** Asks until one of the letters is given. The end of the input quits. `left` are the suite's changes from this one on. */
async function askFor(
  { testCase, suite }: AnswerChange,
  left: readonly AnswerChange[],
  isPlain: boolean,
  io: Io,
): Promise<Reply> {
  const hasExpected = testCase.expected !== undefined;
  const isObserved = isPromotable(testCase);
  const golden = hasExpected ? '[e]xpected, ' : '';
  const old = isObserved ? '[o]ld answer as expected, old answer is [w]rong, ' : '';
  const all = left.length > 1 ? ', [a]ll of the suite' : '';
  for (;;) {
    const typed = await askKey(`accept into ${golden}${old}[b]aseline${all}, or [r]eject, [q]uit, [?]: `, isPlain, io);
    if ('ended' in typed) return typed;
    const { letter } = typed;
    if ((letter === 'e' && hasExpected) || letter === 'b' || letter === 'r') return answers[letter];
    if (isObserved && (letter === 'o' || letter === 'w')) return answers[letter];
    if (letter === 'q') return { ended: 'quit' };
    if (letter === '?') io.stdout.write(helpText);
    if (letter !== 'a' || left.length < 2) continue;
    const question = `all ${left.length} of ${toSafeLine(suite.id)}: into [e]xpected, [b]aseline, or [n]one of this? `;
    const chosen = await askKey(question, isPlain, io);
    if ('ended' in chosen) return chosen;
    if (chosen.letter === 'e' || chosen.letter === 'b') return { ofSuite: answers[chosen.letter] };
  }
}

const helpText = `  e  write the new answer into the case, as its golden answer ("expected")
  b  accept it in the baseline, which a snapshot is compared with
  o  of a case under observe: the old answer is right, judge the case by it
  w  of a case under observe: the old answer is wrong, add a check that catches it
  a  accept this and the rest of its suite, after one more question
  r  reject it: no file changes, and the case stays as it is
  q  end here; what was accepted stays accepted
`;

/** The first letter of a reply. In plain mode a reply is a line, which a screen reader reads back. */
async function askKey(
  question: string,
  isPlain: boolean,
  io: Io,
): Promise<{ readonly letter: string } | { readonly ended: Ended }> {
  const ask = isPlain ? io.ask : (io.askKey ?? io.ask);
  const typed = (await ask?.(question)) ?? { ended: 'input' };
  return 'ended' in typed ? typed : { letter: typed.line.trim().toLowerCase().slice(0, 1) };
}

function describeAction({ action, detail = '' }: Reviewed): string {
  if (action === 'listed') return '\n';
  const where = detail === '' ? '' : action === 'accepted' ? ` into ${detail}` : `: ${detail}`;
  return `  ${action}${toSafeLine(where)}\n\n`;
}

function describeEnd(reviewed: readonly Reviewed[], left: number): string {
  const rest = left === 0 ? '' : `, ${left} left`;
  if (reviewed.length === 0) return left === 0 ? 'no changed answer\n' : `nothing reviewed${rest}\n`;
  const counts = (['accepted', 'rejected', 'refused', 'listed'] as const).flatMap((action) => {
    const count = reviewed.filter((one) => one.action === action).length;
    return count === 0 ? [] : [`${count} ${action}`];
  });
  return `${formatCount(reviewed.length, 'changed answer')}: ${counts.join(', ')}${rest}\n`;
}

const format = 1;

function toJson(reviewed: readonly Reviewed[]): object {
  return {
    format,
    changes: reviewed.map(({ change, action, detail }) => {
      const { suite, testCase, prompt, provider, row, before = null, after } = change;
      return {
        suite: suite.id,
        caseId: testCase.id,
        prompt,
        provider,
        status: row.status,
        at: testCase.at,
        before,
        after,
        action,
        ...defined({ detail }),
      };
    }),
  };
}
