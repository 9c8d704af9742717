import { defined } from '../json/defined.ts';
import { UserError } from '../model/errors.ts';
import { exitCodes } from '../model/exit-code.ts';
import { calibrate } from '../planning/calibrate.ts';
import { loadProject } from '../project/load-project.ts';
import { createRandom } from '../text/random.ts';
import { describeCalibration, describeUnsplit } from './describe-calibration.ts';
import { describeProblems } from './describe-problems.ts';
import type { Io } from './io.ts';
import { openNumberFlags } from './number-flags.ts';
import { wantsColor } from './style.ts';
import { warnOfNothing } from './warn-of-nothing.ts';

export interface CalibrateFlags {
  readonly runs: string;
  readonly seed: string;
  readonly config?: string;
  readonly json?: boolean;
}

/** `llmcheck calibrate`: text for people, `--json` for scripts; 4 where there was nothing to split. */
export async function calibrateCommand(paths: readonly string[], flags: CalibrateFlags, io: Io): Promise<number> {
  const numbers = openNumberFlags();
  const comparisons = numbers.readCount('--runs', flags.runs, { min: 1, max: 1_000_000 });
  const seed = numbers.readCount('--seed', flags.seed, { min: 0, max: Number.MAX_SAFE_INTEGER });
  if (numbers.problems.length > 0) throw new UserError(numbers.problems);
  const { project, warnings: loadWarnings } = await loadProject({
    paths,
    cwd: io.cwd,
    ...defined({ configPath: flags.config }),
  });
  warnOfNothing(loadWarnings, io);
  const random = createRandom(seed);
  const { warnings, ...calibration } = await calibrate({ project, cwd: io.cwd, comparisons, random });
  if (warnings.length > 0) io.stderr.write(describeProblems(warnings, { color: wantsColor(io.stderr, io.env, true) }));
  const report = { format: calibrationFormat, comparisons, seed, ...calibration };
  if (flags.json === true) io.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  else io.stdout.write(describeCalibration(calibration, { comparisons, seed }));
  io.stderr.write(describeUnsplit(calibration));
  return calibration.run === null ? exitCodes.incomplete : exitCodes.passed;
}

const calibrationFormat = 1;
