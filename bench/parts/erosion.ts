import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineProvider } from '../../src/api/define.ts';
import { runSuites } from '../../src/api/run-suites.ts';
import { acceptBaseline } from '../../src/baseline/accept-baseline.ts';
import { pinReferences } from '../../src/baseline/pin-reference.ts';
import { createRandom } from '../../src/text/random.ts';

export interface ErosionScenario {
  readonly seed: number;
  readonly cases: number;
  readonly trials: number;
  /** How much of the pass rate each pull request costs: 0.005 is half a point. */
  readonly drop: number;
  readonly pullRequests: number;
  /** Ends the simulation once erosion was named. */
  readonly isFirstOnly: boolean;
}

export interface ErosionResult {
  /** Pull requests, from 1, whose run named erosion. */
  readonly named: readonly number[];
  /** Pull requests whose run failed against the rolling baseline. */
  readonly failed: readonly number[];
  /** Runs since the pin that the last finding listed. */
  readonly listed: number;
}

const pooledRuns = 5;
const accepted = 'yes';
const suitePath = 'evals/eroding.eval.yaml';

/**
 * Pull requests that each change the prompt, and take a little from some cases' chance to pass. Every run is made by
 * `runSuites`, and accepted as the rolling baseline; the reference was pinned over five runs before the first change.
 */
export async function simulateErosion(scenario: ErosionScenario): Promise<ErosionResult> {
  const folder = mkdtempSync(join(tmpdir(), 'llmcheck-erosion-'));
  try {
    return await simulate(scenario, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function simulate(scenario: ErosionScenario, cwd: string): Promise<ErosionResult> {
  const { seed, cases, trials, pullRequests, isFirstOnly } = scenario;
  const random = createRandom(seed);
  const chances = drawChances(cases, random);
  const provider = defineProvider({
    name: 'coin',
    summary: 'passes by chance',
    version: '1',
    complete: ({ messages }) => {
      const index = Number(/case (\d+)/.exec(messages.at(-1)?.content ?? '')?.[1]);
      return random() < (chances[index] ?? 0) ? accepted : 'no';
    },
  });
  mkdirSync(join(cwd, 'evals'));
  const run = async (change: number) => {
    writeSuite(cwd, { change, cases, trials });
    const report = await runSuites({ cwd, env: {}, plugins: [provider], cache: 'off', concurrency: 1 });
    const suites = [{ id: 'eroding', path: suitePath }];
    const places = { root: cwd, cwd, env: {}, projectSuites: suites };
    const recordPath = join(cwd, report.run.recordPath ?? '');
    await acceptBaseline({ ...places, recordPath, force: true });
    return { report, ...places, suites };
  };
  for (let pooled = 1; pooled < pooledRuns; pooled += 1) await run(0);
  await pinReferences({ ...(await run(0)), recordPaths: [], now: new Date() });
  const result = { named: [] as number[], failed: [] as number[], listed: 0 };
  for (let change = 1; change <= pullRequests; change += 1) {
    erode(chances, scenario.drop, random);
    const { report } = await run(change);
    if (report.decision.outcome === 'failed') result.failed.push(change);
    const finding = report.erosion?.find(({ outcome }) => outcome === 'eroded');
    if (finding === undefined) continue;
    result.named.push(change);
    result.listed = finding.since.length;
    if (isFirstOnly) break;
  }
  return result;
}

/** Of real suites most cases never fail, and some fail at times: 30 % with a chance of up to 30 %. */
function drawChances(cases: number, random: () => number): number[] {
  return Array.from({ length: cases }, () => (random() < 0.7 ? 1 : 1 - 0.3 * random()));
}

/** Takes so much of the mean from cases in turn, each of which loses all of its chance. */
function erode(chances: number[], drop: number, random: () => number): void {
  let rest = drop * chances.length;
  while (rest > 1e-9 && chances.some((chance) => chance > 0)) {
    const index = Math.floor(random() * chances.length);
    const taken = Math.min(rest, chances[index] ?? 0);
    chances[index] = (chances[index] ?? 0) - taken;
    rest -= taken;
  }
}

function writeSuite(cwd: string, { change, cases, trials }: { change: number; cases: number; trials: number }): void {
  const rows = Array.from({ length: cases }, (_, index) => ({ id: `c${index}`, vars: { number: index } }));
  const suite = {
    suite: 'eroding',
    prompts: [{ id: 'v1', text: `Change ${change}: case {{ number }}` }],
    providers: ['coin:fair'],
    defaults: { trials, assert: [{ equals: accepted }] },
    cases: rows,
  };
  writeFileSync(join(cwd, suitePath), JSON.stringify(suite));
}
