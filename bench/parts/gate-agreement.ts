import { isDeepStrictEqual } from 'node:util';
import type { GateProject, Side } from './gate-project.ts';
import { openReplay } from './gate-replay.ts';
import { drawReplicate, type Scenario, shapesOf } from './gate-scenario.ts';

/** Whole runs beside their replicates in memory. */
export interface Agreement {
  readonly runs: number;
  /** Runs that decided like their replicate and sent as much. */
  readonly equal: number;
  /** Runs that sent more than a dry run had said. */
  readonly aboveMost: number;
  /** What differs, a line each. */
  readonly differences: readonly string[];
}

/** Makes whole runs of a scenario through `runSuites`, and compares each with its replicate. */
export async function checkAgreement(
  project: GateProject,
  scenario: Scenario,
  seeds: readonly number[],
): Promise<Agreement> {
  const replay = await openReplay(project, scenario);
  const differences: string[] = [];
  let [equal, aboveMost] = [0, 0];
  for (const seed of seeds) {
    const { report, calls, most } = await runWhole(project, scenario, seed);
    const replicate = replay.simulate(seed);
    const isSame =
      report.exitCode === replicate.exitCode &&
      calls === replicate.planned + replicate.fresh &&
      isDeepStrictEqual(plain(report.decision), plain(replicate.decision));
    if (isSame) equal += 1;
    else {
      const sides = [
        { exitCode: report.exitCode, calls, decision: report.decision },
        { exitCode: replicate.exitCode, calls: replicate.planned + replicate.fresh, decision: replicate.decision },
      ];
      differences.push(`seed ${seed}: ${sides.map((side) => JSON.stringify(side)).join('\n  ')}`);
    }
    if (calls > most) aboveMost += 1;
  }
  return { runs: seeds.length, equal, aboveMost, differences };
}

async function runWhole(project: GateProject, scenario: Scenario, seed: number) {
  const draw = drawReplicate(scenario, seed);
  const runAs = (run: 'accepting' | 'candidate') => {
    const counts = new Map<string, number>();
    return project.run((suite, caseIndex, side: Side, provider) => {
      const key = [suite, caseIndex, side, provider].join(' ');
      const count = counts.get(key) ?? 0;
      counts.set(key, count + 1);
      return draw({ run, suite, caseIndex, side, provider, count });
    });
  };
  project.clear();
  if (scenario.isFirst !== true) {
    project.write(shapesOf(scenario, 'accepted'), 'accepted');
    await project.accept(await runAs('accepting'));
    project.forgetRuns();
  }
  project.write(shapesOf(scenario, 'candidate'), 'candidate');
  const most = await project.forecastCalls();
  return { ...(await runAs('candidate')), most };
}

/** Without members that are set to undefined. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
