import { defined } from '../json/defined.ts';
import { type CheckedJudges, checkJudges } from '../measuring/check-judges.ts';
import { systemClock } from '../model/clock.ts';
import { UserError } from '../model/errors.ts';
import { exitCodes } from '../model/exit-code.ts';
import type { Problem } from '../model/problem.ts';
import { findForeignKeys } from '../plan/find-foreign-keys.ts';
import { loadProject } from '../project/load-project.ts';
import { maskFor } from '../project/mask-for.ts';
import { DurationError, parseDurationMs } from '../text/duration.ts';
import { buildJudgeJson, describeJudges } from './describe-judges.ts';
import { describeProblems } from './describe-problems.ts';
import type { Io } from './io.ts';
import { openNumberFlags } from './number-flags.ts';
import { wantsColor } from './style.ts';

export interface JudgeFlags {
  readonly judge?: string;
  readonly cache: string;
  readonly record?: boolean;
  readonly maxCost?: string;
  readonly concurrency?: string;
  readonly timeout: string;
  readonly keep: boolean;
  readonly config?: string;
  readonly json?: boolean;
}

const cacheModes = ['use', 'refresh', 'replay', 'off'] as const;

/** `llmcheck judge check`: text for people, `--json` for scripts; 4 where a judge may not decide, 3 where it gave no word. */
export async function judgeCheckCommand(paths: readonly string[], flags: JudgeFlags, io: Io): Promise<number> {
  const { project, warnings: loadWarnings } = await loadProject({
    paths,
    cwd: io.cwd,
    ...defined({ configPath: flags.config }),
  });
  const judges = flags.judge?.split(',') ?? [];
  const known = new Set(project.suites.flatMap(({ criteria }) => criteria.map(({ judge }) => judge.id)));
  const { settings, problems } = readFlags(flags);
  for (const id of judges) {
    if (!known.has(id)) problems.push(usage(`--judge ${id}: no check asks it`, `there are: ${[...known].join(', ')}`));
  }
  if (problems.length > 0) throw new UserError(problems);
  const color = wantsColor(io.stderr, io.env, true);
  const warnings = [...loadWarnings, ...findForeignKeys(project, { env: io.env, fileVariables: new Set() })];
  if (warnings.length > 0) io.stderr.write(describeProblems(warnings, { color }));
  const mask = maskFor(project, io.env);
  const checked = await checkJudges(
    {
      project,
      judges,
      keep: flags.keep,
      record: flags.record === true,
      isCacheModeChosen: flags.cache !== 'use',
      ...settings,
    },
    {
      env: io.env,
      cwd: io.cwd,
      clock: systemClock,
      now: io.now,
      random: io.random,
      mask,
      onProgress: (event) => {
        if (event.type === 'note') io.stderr.write(`${mask(event.message)}\n`);
      },
      onSignal: io.onSignal,
    },
  );
  const text = flags.json === true ? buildJudgeJson(checked) : describeJudges(checked);
  io.stdout.write(mask(text));
  if (checked.suites.length === 0) {
    io.stderr.write('no answer is labelled: a judge names them with labels: FILE, see docs/judges.md\n');
  }
  return exitCodeOf(checked);
}

function exitCodeOf({ suites, interrupted }: CheckedJudges): number {
  if (interrupted !== undefined) return interrupted === 'SIGINT' ? exitCodes.sigint : exitCodes.sigterm;
  const criteria = suites.flatMap((suite) => suite.criteria);
  if (criteria.some(({ errored }) => errored > 0)) return exitCodes.provider;
  if (criteria.length === 0 || criteria.some(({ lack }) => lack !== undefined)) return exitCodes.incomplete;
  return exitCodes.passed;
}

function readFlags(flags: JudgeFlags) {
  const numbers = openNumberFlags();
  const problems: Problem[] = [];
  const cacheMode = cacheModes.find((mode) => mode === flags.cache);
  if (cacheMode === undefined) problems.push(usage(`--cache ${flags.cache}: no such mode`, cacheModes.join(', ')));
  const maxCostUsd = flags.maxCost === undefined ? undefined : Number(flags.maxCost);
  if (maxCostUsd !== undefined && !(maxCostUsd > 0)) {
    problems.push(usage(`--max-cost: "${flags.maxCost ?? ''}" is not an amount above 0`, 'write --max-cost 0.50'));
  }
  const concurrency =
    flags.concurrency === undefined ? undefined : numbers.readCount('-j', flags.concurrency, { min: 1, max: 10_000 });
  const timeoutMs = readTimeout(flags.timeout, problems);
  return {
    problems: [...problems, ...numbers.problems],
    settings: {
      settings: { cacheMode: cacheMode ?? 'use', ...defined({ maxCostUsd }) },
      timeoutMs,
      ...defined({ concurrency }),
    },
  };
}

function readTimeout(text: string, problems: Problem[]): number {
  try {
    return parseDurationMs(text);
  } catch (error) {
    if (!(error instanceof DurationError)) throw error;
    problems.push(usage(`--timeout: ${error.message}`, 'write --timeout 60s'));
    return 0;
  }
}

function usage(message: string, hint: string): Problem {
  return { code: 'usage', severity: 'error', message, hint };
}
