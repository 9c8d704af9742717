import { defined } from '../../json/defined.ts';
import { UserError } from '../../model/problem.ts';
import type { CaseBlame, CaseReport, Report } from '../../model/report.ts';
import { caseLabel } from '../../model/suite.ts';
import type { BisectedCase } from '../../probing/bisect.ts';
import { describeBisected, hunksOf } from '../../probing/describe-findings.ts';
import { runBisect } from '../../probing/run-bisect.ts';
import { toSafeLine } from '../../text/sanitize.ts';
import type { RunFlags } from '../commands/run.ts';
import type { Io } from '../io.ts';
import { describeProblems } from '../output/problems.ts';
import { prepareRun } from './prepare-run.ts';

interface BlameOptions {
  readonly paths: readonly string[];
  readonly runFlags: RunFlags;
  readonly maxCostUsd: string;
}

/** The most cases of a run that are searched. One edit mostly breaks all of them. */
const maxBlamed = 10;

/** Searches for the edits that broke cases of a run, and adds what was found to its report. The verdict stays as it is. */
export async function blameCases(report: Report, options: BlameOptions, io: Io): Promise<Report> {
  const broken = listBroken(report);
  if (broken.size === 0) return report;
  try {
    const blames = await searchBroken([...broken].slice(0, maxBlamed), options, io);
    return addBlames(report, blames);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    io.stderr.write(
      `note: --blame: the edits were not searched\n${describeProblems(error.problems, { color: false })}`,
    );
    return report;
  }
}

/** The cases that are broken by the change, as `blameKey`. */
function listBroken({ suites }: Report): ReadonlySet<string> {
  return new Set(
    suites.flatMap(({ suite, variants }) =>
      variants.flatMap(({ prompt, provider, comparison }) =>
        (comparison?.cases.regressed ?? []).map((caseId) => blameKey({ suite, caseId, prompt, provider })),
      ),
    ),
  );
}

function blameKey({
  suite,
  caseId,
  prompt,
  provider,
}: Pick<BisectedCase, 'suite' | 'caseId' | 'prompt' | 'provider'>): string {
  return JSON.stringify([suite, caseId, prompt, provider]);
}

async function searchBroken(
  broken: readonly string[],
  { paths, runFlags, maxCostUsd }: BlameOptions,
  io: Io,
): Promise<ReadonlyMap<string, CaseBlame>> {
  const flags = { ...runFlags, maxCost: maxCostUsd };
  // The run has printed the warnings.
  const prepared = await prepareRun(paths, flags, { ...io, stderr: { ...io.stderr, write: () => {} } });
  const wanted = new Set(broken);
  const labels = broken.map((key) => {
    const [suite = '', caseId = ''] = JSON.parse(key) as readonly string[];
    return caseLabel(suite, caseId);
  });
  const outcome = await runBisect(
    {
      run: prepared.options,
      cases: [...new Set(labels)],
      isWanted: ({ suite, variant: { prompt, provider }, testCase }) =>
        wanted.has(blameKey({ suite: suite.id, caseId: testCase.id, prompt: prompt.id, provider: provider.id })),
      onCase: (found) => io.stderr.write(prepared.mask(`bisect: ${toSafeLine(describeBisected(found))}\n`)),
    },
    { ...prepared.ports, onProgress: () => {} },
  );
  return new Map(outcome.cases.map((found) => [blameKey(found), toBlame(found)]));
}

function toBlame(found: BisectedCase): CaseBlame {
  const { verdict, hunks } = found;
  const sets = 'change' in verdict ? (verdict.change?.sets ?? []) : [];
  // What was removed has no line of today.
  const place = hunksOf(
    sets.flatMap((set) => set.hunks),
    hunks,
  ).find(({ file, after }) => file !== undefined && after !== undefined)?.file;
  const at = place && { file: place.path, line: place.line, column: 1 };
  return { sentence: describeBisected(found), ...defined({ at }) };
}

/** Rows of cases are read on demand, and a copy of a case would read them all. */
function addBlames(report: Report, blames: ReadonlyMap<string, CaseBlame>): Report {
  return {
    ...report,
    suites: report.suites.map((suite) => ({
      ...suite,
      *cases(filter) {
        for (const entry of suite.cases(filter)) {
          const { caseId, prompt, provider } = entry;
          const blame = blames.get(blameKey({ suite: suite.suite, caseId, prompt, provider }));
          yield blame === undefined ? entry : (Object.create(entry, { blame: { value: blame } }) as CaseReport);
        }
      },
    })),
  };
}
