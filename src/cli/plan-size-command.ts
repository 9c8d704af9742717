import { defined } from '../json/defined.ts';
import { UserError } from '../model/errors.ts';
import { exitCodes } from '../model/exit-code.ts';
import { planSize } from '../planning/plan-size.ts';
import { loadProject } from '../project/load-project.ts';
import { describePlanSize } from './describe-plan-size.ts';
import { describeProblems } from './describe-problems.ts';
import type { Io } from './io.ts';
import { openNumberFlags } from './number-flags.ts';
import { wantsColor } from './style.ts';
import { warnOfNothing } from './warn-of-nothing.ts';

export interface PlanSizeFlags {
  readonly drop?: string;
  readonly power: string;
  readonly run?: string;
  readonly config?: string;
  readonly json?: boolean;
}

/** `llmcheck plan-size`: text for people, `--json` for scripts. */
export async function planSizeCommand(paths: readonly string[], flags: PlanSizeFlags, io: Io): Promise<number> {
  const numbers = openNumberFlags();
  const drop = flags.drop === undefined ? undefined : numbers.readShare('--drop', flags.drop);
  const power = numbers.readShare('--power', flags.power);
  if (numbers.problems.length > 0) throw new UserError(numbers.problems);
  const { project, warnings: loadWarnings } = await loadProject({
    paths,
    cwd: io.cwd,
    ...defined({ configPath: flags.config }),
  });
  warnOfNothing(loadWarnings, io);
  const { variants, warnings } = await planSize({
    project,
    cwd: io.cwd,
    power,
    ...defined({ drop, run: flags.run }),
  });
  if (warnings.length > 0) io.stderr.write(describeProblems(warnings, { color: wantsColor(io.stderr, io.env, true) }));
  if (flags.json === true) io.stdout.write(`${JSON.stringify({ format: planSizeFormat, variants }, undefined, 2)}\n`);
  else io.stdout.write(describePlanSize(variants));
  if (variants.length > 0) return exitCodes.passed;
  io.stderr.write('no suite with a gated case was found: `llmcheck init` writes one\n');
  return exitCodes.incomplete;
}

const planSizeFormat = 1;
