import { defined } from '../json/defined.ts';
import { UserError } from '../model/errors.ts';
import { exitCodes } from '../model/exit-code.ts';
import type { ReportStyle } from '../model/report.ts';
import { loadProject } from '../project/load-project.ts';
import { describeStoredRun } from '../project/stored-runs.ts';
import { type OpenReview, openReview, type Place } from '../review/open-review.ts';
import { type AnswerChange, describeChange, findChanges, matchChanges } from '../review/review-changes.ts';
import { toSafeLine } from '../text/sanitize.ts';
import type { Io } from './io.ts';
import { styleFor } from './style.ts';
import { warnOfNothing } from './warn-of-nothing.ts';

export interface ReviewFlags {
  readonly run?: string;
  readonly filter: readonly string[];
  readonly accept: readonly string[];
  readonly into?: 'expected' | 'snapshot' | 'baseline';
  readonly config?: string;
  readonly color: boolean;
  readonly json?: boolean;
}

interface Reviewed {
  readonly change: AnswerChange;
  readonly action: 'listed' | 'accepted' | 'rejected' | 'refused';
  /** The file that was written, or why none was. */
  readonly detail?: string;
}

/** `llmcheck review`: asks on a terminal, acts on `--accept`, else lists. */
export async function reviewCommand(paths: readonly string[], flags: ReviewFlags, io: Io): Promise<number> {
  const { accept, into, run, filter: filters } = flags;
  if (accept.length > 0 !== (into !== undefined)) {
    throw usage('--accept and --into go together', "write --accept '<suite/case>' --into expected, or --into baseline");
  }
  const config = flags.config === undefined ? {} : { configPath: flags.config };
  const { project, warnings } = await loadProject({ paths, cwd: io.cwd, ...config });
  warnOfNothing(warnings, io);
  const { cwd, env } = io;
  const review = findChanges({ project, cwd, env, filters, ...defined({ run }) });
  if (flags.json !== true) io.stderr.write(`reviewing ${describeStoredRun(review.record, io.now())}\n`);
  const open = openReview(review, { root: project.root, cwd, env, ...config });
  const style = styleFor(io, { color: flags.color, quiet: false, verbose: false }, false);
  try {
    const { reviewed, ended } = await step(review.changes, open, flags, style, io);
    if (flags.json === true) io.stdout.write(`${JSON.stringify(toJson(reviewed), undefined, 2)}\n`);
    else io.stdout.write(describeEnd(reviewed, ended === undefined ? 0 : review.changes.length - reviewed.length));
    if (ended === 'interrupt') return exitCodes.sigint;
    return reviewed.some(({ action }) => action === 'refused') ? exitCodes.failed : exitCodes.passed;
  } finally {
    open.close();
  }
}

async function step(
  changes: readonly AnswerChange[],
  open: OpenReview,
  { accept, into, json }: ReviewFlags,
  style: ReportStyle,
  io: Io,
): Promise<{ readonly reviewed: readonly Reviewed[]; readonly ended?: Ended }> {
  const reviewed: Reviewed[] = [];
  const isAsking = io.ask !== undefined && into === undefined && json !== true;
  const wanted = matchChanges(changes, accept);
  if (into !== undefined && wanted.size === 0) throw usage(`--accept ${accept.join(',')} matches no changed answer`);
  for (const change of changes) {
    const isActing = into !== undefined;
    if (isActing && !wanted.has(change)) continue;
    if (json !== true) io.stdout.write(`${describeChange(change, style).join('\n')}\n`);
    const answer = isActing ? into : isAsking ? await askFor(change, io) : undefined;
    if (typeof answer === 'object') {
      // The question's line has no end of its own then.
      if (answer.ended !== 'quit') io.stdout.write('\n');
      return { reviewed, ended: answer.ended };
    }
    const result = answer === undefined || answer === 'reject' ? undefined : await open.accept(change, placeOf(answer));
    const one: Reviewed =
      result === undefined
        ? { change, action: answer === undefined ? 'listed' : 'rejected' }
        : 'file' in result
          ? { change, action: 'accepted', detail: result.file }
          : { change, action: 'refused', detail: result.refused };
    reviewed.push(one);
    if (json !== true) io.stdout.write(describeAction(one));
  }
  return { reviewed };
}

function placeOf(into: 'expected' | 'snapshot' | 'baseline'): Place {
  return into === 'expected' ? 'expected' : 'baseline';
}

const answers = { e: 'expected', b: 'baseline', r: 'reject' } as const;

/** Why a review stopped before its last change. */
type Ended = 'quit' | 'input' | 'interrupt';

/** Asks until one of the letters is given; the end of the input is a quit. */
async function askFor(
  { testCase }: AnswerChange,
  io: Io,
): Promise<'expected' | 'baseline' | 'reject' | { readonly ended: Ended }> {
  const golden = testCase.expected === undefined ? '' : '[e]xpected, ';
  for (;;) {
    const typed = (await io.ask?.(`accept into ${golden}[b]aseline, or [r]eject, [q]uit? `)) ?? { ended: 'input' };
    if ('ended' in typed) return typed;
    const letter = typed.line.trim().toLowerCase().slice(0, 1);
    if ((letter === 'e' && golden !== '') || letter === 'b' || letter === 'r') return answers[letter];
    if (letter === 'q') return { ended: 'quit' };
  }
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
  return `${reviewed.length} changed answer${reviewed.length === 1 ? '' : 's'}: ${counts.join(', ')}${rest}\n`;
}

const reviewFormat = 1;

function toJson(reviewed: readonly Reviewed[]): object {
  return {
    format: reviewFormat,
    changes: reviewed.map(({ change, action, detail }) => {
      const { suite, testCase, prompt, provider, row, before, after } = change;
      return {
        suite: suite.id,
        caseId: testCase.id,
        prompt,
        provider,
        status: row.status,
        at: testCase.at,
        before: before ?? null,
        after,
        action,
        ...defined({ detail }),
      };
    }),
  };
}

function usage(message: string, hint?: string): UserError {
  return new UserError([{ code: 'usage', severity: 'error', message, ...defined({ hint }) }]);
}
