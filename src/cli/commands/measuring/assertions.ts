import { Option } from 'commander';
import { defined } from '../../../json/defined.ts';
import type { AnswerSource } from '../../../measuring/known-answers.ts';
import {
  isMutationKind,
  type MutationResult,
  mutationKindNames,
  runMutationTest,
  type WeakCase,
} from '../../../measuring/mutation-test.ts';
import { exitCodes } from '../../../model/comparison/exit-code.ts';
import { usageError } from '../../../model/problem.ts';
import { wrapLines } from '../../../terminal/display-width.ts';
import { formatCount, listFirst } from '../../../text/format-amount.ts';
import { toSafeLine } from '../../../text/sanitize.ts';
import type { Io } from '../../io.ts';
import { loadSuites } from '../../load-suites.ts';
import { printJson } from '../../output/table.ts';
import type { DefineCommand } from '../define.ts';

interface Flags {
  readonly from?: Exclude<AnswerSource, 'auto'>;
  readonly run?: string;
  readonly skip?: string;
  readonly config?: string;
  readonly json?: boolean;
}

export const define: DefineCommand = (assertions, { io, exit }) => {
  assertions.addHelpText('after', '\nExample:\n  $ llmcheck assertions check evals/triage.eval.yaml');
  assertions
    .command('check')
    .description('Make stored right answers wrong, and list cases and checks that still pass.')
    .argument('[paths...]', 'suite files, folders or globs (default: evals/**/*.eval.yaml)')
    .addOption(
      new Option('--from <source>', 'where answers are taken from (default: the first that has the suite)').choices([
        'run',
        'baseline',
        'recordings',
      ]),
    )
    .option('--run <id|file>', "a run's answers (default: the latest that has the suite)")
    .option('--skip <kinds>', `wrong answers not to try, by comma: ${mutationKindNames.join(', ')}`)
    .option('-c, --config <file>', 'config file')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
No model is asked. Exit code 1 where a case or a check is weak, 4 where no stored answer passes.

Examples:
  $ llmcheck assertions check
  $ llmcheck assertions check --from recordings --skip number-changed
  $ llmcheck assertions check --run artifact/run.jsonl --json`,
    )
    .action(async (paths: string[], flags: Flags) => exit(await check(paths, flags, io)));
};

const format = 1;

async function check(paths: readonly string[], flags: Flags, io: Io): Promise<number> {
  const { run, from = run === undefined ? 'auto' : 'run' } = flags;
  const skipped = (flags.skip ?? '').split(',').flatMap((kind) => (kind.trim() === '' ? [] : [kind.trim()]));
  const unknown = skipped.filter((kind) => !isMutationKind(kind));
  if (unknown.length > 0)
    throw usageError(`--skip: there is no ${unknown.join(', ')}`, `there are: ${mutationKindNames.join(', ')}`);
  if (run !== undefined && from !== 'run') throw usageError(`--run goes with --from run, not with --from ${from}`);
  const project = await loadSuites(paths, flags.config, io);
  const suites = await runMutationTest({
    project,
    root: project.root,
    cwd: io.cwd,
    env: io.env,
    from,
    skipped: new Set(skipped.filter(isMutationKind)),
    ...defined({ run }),
  });
  const exitCode = decide(suites);
  if (flags.json === true) printJson({ format, exitCode, suites }, io);
  else io.stdout.write(wrapLines(describe(suites), io.stdout.columns()));
  return exitCode;
}

function decide(suites: readonly MutationResult[]): number {
  if (suites.some(({ weakCases, weakChecks }) => weakCases.length + weakChecks.length > 0)) return exitCodes.failed;
  return suites.every(({ measured }) => measured === 0) ? exitCodes.incomplete : exitCodes.passed;
}

/** Each suite with its weak cases and checks, and a last line with the verdict. */
function describe(suites: readonly MutationResult[]): string {
  const sum = (count: (suite: MutationResult) => number) => suites.reduce((total, suite) => total + count(suite), 0);
  const caught = `${sum((suite) => suite.caught)} of ${sum((suite) => suite.mutants)} wrong answers caught`;
  const left = sum(({ leftToJudges }) => leftToJudges);
  const toJudges = left === 0 ? '' : `, ${left} that only a judge could catch (no judge is called here)`;
  const tried = new Set<string>(suites.flatMap(({ kinds }) => kinds.map(({ mutation }) => mutation)));
  const verdict = describeVerdict({
    kinds: mutationKindNames.filter((kind) => tried.has(kind)),
    cases: sum(({ weakCases }) => weakCases.length),
    checks: sum(({ weakChecks }) => weakChecks.length),
    measured: sum(({ measured }) => measured),
    unmeasured: sum(({ unmeasured }) => unmeasured.length),
  });
  return `${suites.map(describeSuite).join('\n')}\n${caught}${toJudges}\n${verdict}\n`;
}

function describeVerdict(found: {
  /** The kinds of wrong answers that were tried. */
  readonly kinds: readonly string[];
  readonly cases: number;
  readonly checks: number;
  readonly measured: number;
  readonly unmeasured: number;
}): string {
  const { kinds, cases, checks, measured, unmeasured } = found;
  if (cases + checks > 0)
    return `WEAK: ${formatCount(cases, 'case')} and ${formatCount(checks, 'check')} (exit code 1)`;
  if (measured === 0) return 'NOTHING MEASURED: no stored answer passes (exit code 4)';
  const against = `against wrong answers (${kinds.join(', ')})`;
  if (unmeasured === 0) return `STRONG ${against}: every case and every check noticed (exit code 0)`;
  return `STRONG ${against}: every case and every check that was measured noticed; ${unmeasured} not measured (exit code 0)`;
}

const maxUnmeasured = 5;

function describeSuite(result: MutationResult): string {
  const { suite, source, measured, weakCases, weakChecks, unmeasured } = result;
  const from = source === null ? 'no stored answers' : `answers of ${source}`;
  const lines = [`${suite}: ${formatCount(measured, 'right answer')} made wrong (${from})`];
  for (const weak of weakCases) lines.push(...describeCase(weak));
  for (const { check: name, assertion, cases } of weakChecks) {
    const shown = name === assertion ? assertion : `${name} (${assertion})`;
    lines.push(`  weak check ${shown}: failed for no wrong answer of the ${formatCount(cases, 'case')} that has it`);
  }
  if (unmeasured.length > 0) {
    const names = unmeasured.map(({ caseId, reason }) => `${caseId} (${reason})`);
    lines.push(`  not measured: ${listFirst(names, maxUnmeasured)}`);
  }
  return `${lines.map((line) => toSafeLine(line)).join('\n')}\n`;
}

const maxSurvivors = 6;

function describeCase({ caseId, prompt, provider, at, survivors }: WeakCase): readonly string[] {
  return [
    `  weak case ${caseId} · ${prompt} × ${provider} (${at.file}:${at.line}) still passes with`,
    ...survivors.slice(0, maxSurvivors).map(({ mutation, detail }) => `    ${mutation}: ${detail}`),
    ...(survivors.length > maxSurvivors ? [`    and ${survivors.length - maxSurvivors} more`] : []),
  ];
}
