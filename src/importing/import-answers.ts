import { relative } from 'node:path';
import { openBaselines } from '../baseline/find-baselines.ts';
import { isCacheExportLine } from '../cache/cache-entry.ts';
import { recordingHash } from '../cache/cache-key.ts';
import { CacheMaintenance } from '../cache/maintain-cache.ts';
import { answersFolder } from '../cache/project-cache.ts';
import { type NumberedRecording, readRecordings, recordedCellKey, renderRecording } from '../cache/recordings.ts';
import { writeRecordings } from '../cache/with-recordings.ts';
import { withFileLock } from '../files/file-lock.ts';
import { defined } from '../json/defined.ts';
import { createOpenAsker } from '../judges/ask-models.ts';
import { asksModel, type FindOther, judgeAnswer } from '../judges/judge-answer.ts';
import type { FindBaseline } from '../model/comparison/baseline.ts';
import { UserError } from '../model/problem.ts';
import { type Cell, type CellResult, caseKey, firstFreshTrial } from '../model/run/cell.ts';
import type { Complete, CompletionRequest } from '../model/run/completion.ts';
import type { Suite } from '../model/suite/suite.ts';
import { indexCells } from '../plan/find-cells.ts';
import { type PlannedRun, planRun } from '../plan/plan-run.ts';
import { createRenderer, hashCell } from '../plan/render-cells.ts';
import { emptySelection } from '../plan/select-cases.ts';
import { loadProject } from '../project/load-project.ts';
import { findProjectRoot } from '../project/project-paths.ts';
import { runCell } from '../run/cells/cell-runner.ts';
import { createComparedAnswers } from '../run/cells/compared-answers.ts';
import { createToolOpener } from '../run/cells/start-tools.ts';
import { groupBy } from '../text/group-by.ts';

export interface ImportOptions {
  /** Absolute path. */
  readonly path: string;
  readonly text: string;
  readonly cwd: string;
  readonly configPath?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => Date;
}

export interface ImportedAnswers {
  readonly summary: string;
  readonly remarks: readonly string[];
  /** False if part of the file was not usable. */
  readonly isWhole: boolean;
}

/** Imports exported cache entries into the cache, or fills the hashes of a recordings file. */
export async function importAnswers(options: ImportOptions): Promise<ImportedAnswers> {
  const { path, text, cwd, configPath, env, now } = options;
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const [first] = lines;
  if (first === undefined || isCacheExportLine(first)) {
    const result = await openCacheMaintenance(findProjectRoot(cwd, configPath), now).importLines(lines);
    return {
      summary: `imported ${result.imported} entries, ${result.skipped} were there already, ${result.rejected} rejected`,
      remarks: result.problems.map(({ line, reason }) => `${relative(cwd, path)}:${line}: ${reason}`),
      isWhole: result.rejected === 0,
    };
  }
  const { project } = await loadProject({ paths: [], cwd, ...defined({ configPath }) });
  const suites = project.suites.filter(({ recordings }) => recordings === path);
  if (suites.length === 0) {
    const message = `no suite names ${relative(cwd, path)} as its recordings`;
    throw new UserError({ code: 'recording', message, hint: 'add recordings: to the suite first' });
  }
  const settings = { cacheMode: 'use', maxErrors: { count: 0 }, allowEmpty: true, requireConclusive: false } as const;
  const planned = await planRun(
    { project: { ...project, suites }, selection: emptySelection, settings, record: false },
    { env },
  );
  const findBaseline = openBaselines('auto', { root: project.root, cwd, env });
  const result = await importRecordings(path, planned, { suites, findBaseline });
  return {
    summary: `filled ${result.filled} of ${result.lines} recorded answers`,
    remarks: result.unmatched.map(
      (place) => `${place}: answers no request of ${suites.map(({ id }) => id).join(', ')}`,
    ),
    isWhole: result.unmatched.length === 0,
  };
}

export function openCacheMaintenance(root: string, now: () => Date): CacheMaintenance {
  return new CacheMaintenance(answersFolder(root), { now });
}

interface ImportedRecordings {
  readonly lines: number;
  /** Number of lines whose hash was added or replaced. */
  readonly filled: number;
  /** Lines that match no cell of the suites, as `file:line`. */
  readonly unmatched: readonly string[];
}

/**
 * Fills the request hashes of a recordings file by replaying each cell from its own lines. This also yields later
 * requests of a conversation and requests to judges. Lines of unplanned cells stay unchanged.
 */
async function importRecordings(
  path: string,
  planned: PlannedRun,
  { suites, findBaseline }: { readonly suites: readonly Suite[]; readonly findBaseline: FindBaseline },
): Promise<ImportedRecordings> {
  const { lines, file } = readRecordings(path);
  const byCell = groupBy(lines, recordedCellKey);
  const hashes = new Map<NumberedRecording, string>();
  const { signal } = new AbortController();
  const openTools = createToolOpener(planned.providerEnv.env);
  const answers = createComparedAnswers({
    suites,
    findBaseline,
    cellOf: indexCells(planned.plan),
    findDone: () => undefined,
  });
  for (const cell of cellsOf(planned, suites, lines)) {
    const suite = suites.find(({ id }) => id === cell.key.suite);
    const linesOf = ({ origin, trial }: CompletionRequest) => byCell.get(recordedCellKey({ ...origin, trial })) ?? [];
    const replay = {
      suite,
      linesOf,
      hashes,
      endpointOf: planned.endpointOf,
      findOther: answers.find,
      openTools,
      signal,
    };
    // Post cells without an answer too, or other cells would wait for them.
    answers.post(cell.key, await replayCell(cell, replay));
  }
  const filled = lines.filter((line) => hashes.has(line) && hashes.get(line) !== line.requestHash);
  if (filled.length > 0) fillHashes(path, filled, hashes);
  return {
    lines: lines.length,
    filled: filled.length,
    unmatched: lines.filter((line) => !hashes.has(line)).map(({ lineNumber }) => `${file}:${lineNumber}`),
  };
}

/** Writes the hashes. Another process may have changed the file, so only lines still in it are updated. */
function fillHashes(
  path: string,
  filled: readonly NumberedRecording[],
  hashes: ReadonlyMap<NumberedRecording, string>,
): void {
  const hashOf = new Map(filled.map((line) => [renderRecording(line), hashes.get(line)]));
  withFileLock(path, () => {
    const rows = readRecordings(path).lines.map((line) => {
      const requestHash = hashOf.get(renderRecording(line));
      return requestHash === undefined ? line : { ...line, requestHash };
    });
    writeRecordings(path, rows);
  });
}

/** The planned cells, each version after the one it is compared with, then fresh trials that have lines. */
function* cellsOf(planned: PlannedRun, suites: readonly Suite[], lines: readonly NumberedRecording[]): Iterable<Cell> {
  const suiteIds = new Set(suites.map(({ id }) => id));
  const lastTrials = new Map<string, number>();
  for (const { prompt, provider, caseId, trial } of lines) {
    if (trial >= firstFreshTrial) continue;
    const key = JSON.stringify([prompt, provider, caseId]);
    lastTrials.set(key, Math.max(trial, lastTrials.get(key) ?? 0));
  }
  const nextTrials = new Map<string, number>();
  for (const providerKey of planned.plan.providerKeys) {
    for (const cell of planned.plan.cells(providerKey)) {
      if (!suiteIds.has(cell.key.suite)) continue;
      yield cell;
      const key = caseKey(cell.key);
      nextTrials.set(key, Math.max(nextTrials.get(key) ?? 0, cell.key.trial + 1));
    }
  }
  for (const { suite, variants } of planned.plan.suites) {
    for (const testCase of suite.cases()) {
      for (const variant of variants) {
        const { prompt, provider } = variant;
        const key = caseKey({ suite: suite.id, prompt: prompt.id, provider: provider.id, caseId: testCase.id });
        const first = nextTrials.get(key);
        const last = lastTrials.get(JSON.stringify([prompt.id, provider.id, testCase.id])) ?? -1;
        if (first === undefined || last < first) continue;
        const cells = createRenderer(suite, variant, planned.rendering)(testCase, last + 1 - first, first);
        for (const cell of cells) yield { ...cell, confirmation: true };
      }
    }
  }
}

interface Replay {
  readonly suite: Suite | undefined;
  readonly linesOf: (request: CompletionRequest) => readonly NumberedRecording[];
  readonly hashes: Map<NumberedRecording, string>;
  readonly endpointOf: PlannedRun['endpointOf'];
  readonly findOther: FindOther;
  readonly openTools: ReturnType<typeof createToolOpener>;
  readonly signal: AbortSignal;
}

/** Replays a cell. A line with the request's hash answers it; otherwise lines answer in order. */
async function replayCell(
  cell: Cell,
  { suite, linesOf, hashes, endpointOf, findOther, openTools, signal }: Replay,
): Promise<CellResult | undefined> {
  if (linesOf(cell.request).length === 0) return undefined;
  const complete: Complete = async (request) => {
    const hash = recordingHash(request);
    const free = linesOf(request).filter((line) => !hashes.has(line));
    const line = free.find(({ requestHash }) => requestHash === hash) ?? free[0];
    if (line === undefined)
      return {
        status: 'failed',
        failure: { kind: 'recording', message: 'all its recorded lines were used' },
        attempts: 0,
      };
    hashes.set(line, hash);
    return { status: 'completed', completion: line.completion, cached: true, attempts: 0 };
  };
  const openAsker = createOpenAsker({
    calls: { completeFor: () => complete, refreshFor: () => undefined, costOf: () => undefined },
    endpointOf,
    findSuite: () => suite,
    signal,
  });
  // Only checks that ask a model send requests.
  const asking = { ...cell, checks: cell.checks.filter(asksModel) };
  return runCell(
    asking,
    {
      complete,
      requestKey: () => hashCell(cell, () => undefined),
      costOf: () => undefined,
      judge: (checks, answer) =>
        judgeAnswer(checks === asking.checks ? checks : checks.filter(asksModel), answer, { openAsker, findOther }),
      decide: () => ({ status: 'decided', passed: true, score: 1 }),
      classify: () => null,
      hidesCalls: false,
      openTools,
      stopReason: () => undefined,
    },
    signal,
  );
}
