import { defined } from '../json/defined.ts';
import type { CaseBlame, CaseReport, Report } from '../model/report/report.ts';
import { caseKey } from '../model/run/cell.ts';
import { caseLabel } from '../model/suite/suite.ts';
import type { RunOptions, RunPorts } from '../plan/run-options.ts';
import type { BisectedCase } from './bisect.ts';
import { breakingHunks, describeBisected } from './describe-findings.ts';
import { runBisect } from './run-bisect.ts';

/** A search that follows a run: it uses the run's cells and an amount of its own. */
interface BlameSearch {
  readonly run: RunOptions;
  readonly ports: RunPorts;
  /** Called with a sentence for each finished case. */
  readonly onCase: (sentence: string) => void;
}

/** Most cases of a run that are searched. One edit usually breaks all of them. */
const maxBlamed = 10;

/** Searches for the edits that broke cases of a run, and adds them to its report. The verdict stays the same. */
export async function blameCases(report: Report, prepare: () => Promise<BlameSearch>): Promise<Report> {
  const broken = listBroken(report);
  if (broken.size === 0) return report;
  const blames = await searchBroken(new Map([...broken].slice(0, maxBlamed)), await prepare());
  return addBlames(report, blames);
}

/** Labels of the cases that the change broke, by `caseKey`. */
function listBroken({ suites }: Report): ReadonlyMap<string, string> {
  const labels = new Map<string, string>();
  for (const { suite, variants } of suites) {
    for (const { prompt, provider, comparison } of variants) {
      for (const caseId of comparison?.cases.regressed ?? [])
        labels.set(caseKey({ suite, caseId, prompt, provider }), caseLabel(suite, caseId));
    }
  }
  return labels;
}

async function searchBroken(
  broken: ReadonlyMap<string, string>,
  { run, ports, onCase }: BlameSearch,
): Promise<ReadonlyMap<string, CaseBlame>> {
  const outcome = await runBisect(
    {
      run,
      cases: [...new Set(broken.values())],
      isWanted: ({ suite, variant: { prompt, provider }, testCase }) =>
        broken.has(caseKey({ suite: suite.id, caseId: testCase.id, prompt: prompt.id, provider: provider.id })),
      onCase: (found) => onCase(describeBisected(found)),
    },
    ports,
  );
  return new Map(outcome.cases.map((found) => [caseKey(found), toBlame(found)]));
}

function toBlame(found: BisectedCase): CaseBlame {
  // Removed text has no line in today's files.
  const place = breakingHunks(found).find(({ file, after }) => file !== undefined && after !== undefined)?.file;
  const at = place && { file: place.path, line: place.line, column: 1 };
  return { sentence: describeBisected(found), ...defined({ at }) };
}

/** Wraps `cases()` instead of copying: rows are read on demand, and a copy of a case would read them all. */
function addBlames(report: Report, blames: ReadonlyMap<string, CaseBlame>): Report {
  return {
    ...report,
    suites: report.suites.map((suite) => ({
      ...suite,
      *cases(filter) {
        for (const entry of suite.cases(filter)) {
          const { caseId, prompt, provider } = entry;
          const blame = blames.get(caseKey({ suite: suite.suite, caseId, prompt, provider }));
          yield blame === undefined ? entry : (Object.create(entry, { blame: { value: blame } }) as CaseReport);
        }
      },
    })),
  };
}
