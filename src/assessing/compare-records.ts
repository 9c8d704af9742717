import { relative } from 'node:path';
import { openBaselines } from '../baseline/find-baselines.ts';
import { openBaselineFile, openBaselineText, recordOfBaselines } from '../baseline/open-baseline.ts';
import { noSides } from '../baseline/recorded-sides.ts';
import { defined } from '../json/defined.ts';
import { openJudgePorts } from '../judges/judge-answer.ts';
import type { FindBaseline } from '../model/comparison/baseline.ts';
import { UserError } from '../model/problem.ts';
import type { Report } from '../model/report/report.ts';
import type { RecordedSuite, RunHeader } from '../model/run/record.ts';
import { createRecordPricer } from '../plan/price-variants.ts';
import { openGitRef } from '../project/git/git-files.ts';
import { refuseLinkOutside } from '../project/project-paths.ts';
import { classifySource, findStoredRun, listStoredRuns, type RecordSource } from '../project/stored-runs.ts';
import { isRunRecord, openRecordHeads, readRunHeader, type StoredRecord } from '../record/read-run-record.ts';
import { summarizeRun } from '../record/summarize-run.ts';
import { assess, decideRecord } from '../verdict/decide-record.ts';
import { reportDecided } from './assess-run.ts';
import { judgeContracts } from './judge-contracts.ts';
import { judgeAccepted, openStoredCells } from './judge-stored.ts';

export interface CompareRecordsOptions {
  /** A and B, or prompt versions of which the first is the baseline. */
  readonly sides: readonly string[];
  readonly suites: readonly string[];
  /** The run that holds the prompt versions; the latest where undefined. */
  readonly run?: string;
  readonly requireConclusive: boolean;
  readonly root: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Compares two stored runs, baselines or versions without a call. Fresh trials in the second one decide. What looks worse
 * and was not asked again is not settled.
 */
export async function compareRecords(options: CompareRecordsOptions): Promise<Report> {
  const { sides, root, cwd } = options;
  const runs = listStoredRuns({ root });
  const promptIds = findPromptIds(options, runs.length > 0);
  const sources = sides.map((text) =>
    classifySource(text, { cwd, runs, isPromptId: (id) => promptIds.has(id), promptIds }),
  );
  const prompts = sources.flatMap((source) => (source.kind === 'prompt' ? [source.id] : []));
  if (prompts.length > 0 && prompts.length < sources.length) throw mixed(sides);
  if (prompts.length === 0 && sides.length > 2) throw mixed(sides);
  const [first, second] = sources;
  if (first === undefined || second === undefined) throw mixed(sides);
  const opened = prompts.length > 0 ? openPrompts(prompts, options) : openSides(first, second, options);
  const record = keepSuites(opened.record, options);
  const findBaseline = opened.findBaseline;
  const costOf = await createRecordPricer(record.header.suites);
  const judge = openJudgePorts(options);
  const judged = await judgeAccepted({
    record,
    findBaseline,
    costOf,
    cellOf: openStoredCells(record),
    ports: judge.ports,
  });
  judge.close();
  const assessment = assess({ record, findBaseline, judged, costOf, isOfRecords: true, isPairWanted: true });
  const contracts = await judgeContracts(assessment);
  const warnings = options.suites.length > 0 ? [] : describeMissing(opened);
  return reportDecided(decideRecord(assessment, { ...noSides, contracts, warnings }), { contracts, root });
}

/** Suites of the first side that the second lacks: nothing of them is compared. */
function describeMissing({ record, first }: OpenedSides): readonly string[] {
  const held = new Set(record.header.suites.map(({ suite }) => suite));
  const missing = (first?.suites ?? []).filter((suite) => !held.has(suite));
  if (first === undefined || missing.length === 0) return [];
  return [`${record.shownPath} lacks suites of ${first.source}, which are not compared: ${missing.join(', ')}`];
}

interface OpenedSides {
  readonly record: StoredRecord;
  readonly findBaseline: FindBaseline;
  /** The first side and its suites, if it is a run. */
  readonly first?: { readonly source: string; readonly suites: readonly string[] };
}

function openSides(a: RecordSource, b: RecordSource, options: CompareRecordsOptions): OpenedSides {
  const [text = ''] = options.sides;
  const source = a.kind === 'run' ? a.id : text;
  const find = openBaselines({ source }, options);
  return {
    record: openCandidate(b, options),
    findBaseline: (suite) => {
      const found = find(suite);
      if (found === undefined) return undefined;
      // The working tree's own baseline does not matter where both sides are named.
      const { own: _own, ...named } = found;
      return named;
    },
    ...defined({ first: describeRun(a, options) }),
  };
}

function describeRun(source: RecordSource, { root }: CompareRecordsOptions): OpenedSides['first'] {
  if (source.kind === 'run') {
    const { suites } = readRunHeader(findStoredRun({ root }, source.id).path);
    return { source: `run ${source.id}`, suites: suites.map(({ suite }) => suite) };
  }
  if (source.kind !== 'file' || !isRunRecord(source.path)) return undefined;
  const { id, suites } = readRunHeader(source.path);
  return { source: `run ${id}`, suites: suites.map(({ suite }) => suite) };
}

function openCandidate(source: RecordSource, { root, cwd, env, sides }: CompareRecordsOptions): StoredRecord {
  const [, text = ''] = sides;
  switch (source.kind) {
    case 'run':
      return openRecordHeads(findStoredRun({ root }, source.id).path, cwd);
    case 'file': {
      refuseLinkOutside(source.path, { root, cwd });
      if (isRunRecord(source.path)) return openRecordHeads(source.path, cwd);
      const baseline = openBaselineFile(source.path, text);
      if (baseline === undefined) throw new Error(`${source.path} was removed while it was read`);
      return recordOfBaselines([{ baseline, suitePath: suitePathOf(relative(root, source.path)) }], text);
    }
    case 'git': {
      const ref = openGitRef(root, source.ref, env);
      const files = ref.listFiles(root).filter((file) => file.endsWith('.baseline.jsonl'));
      const baselines = files.flatMap((file) => {
        const content = ref.readFile(file);
        const name = relative(root, file);
        return content === undefined
          ? []
          : [{ baseline: openBaselineText(content, `${text}:${name}`), suitePath: suitePathOf(name) }];
      });
      return recordOfBaselines(baselines, text);
    }
    case 'prompt':
      throw new Error('prompt versions are opened together');
  }
}

function suitePathOf(baselinePath: string): string {
  return baselinePath.replace(/\.baseline\.jsonl$/, '.eval.yaml');
}

/** The versions of one run: the others are compared with the first. */
function openPrompts(prompts: readonly string[], options: CompareRecordsOptions): OpenedSides {
  const { root, cwd, run } = options;
  const record = openRecordHeads(findStoredRun({ root }, run, cwd).path, cwd);
  const [first, ...others] = prompts;
  const wanted = new Set(prompts);
  const suites = record.header.suites
    .filter(({ variants }) => prompts.every((id) => variants.some(({ prompt }) => prompt === id)))
    .map(
      (suite): RecordedSuite => ({
        ...suite,
        variants: suite.variants
          .filter(({ prompt }) => wanted.has(prompt))
          .map(({ replaces: _replaces, ...variant }) => ({
            ...variant,
            ...defined({ replaces: first !== undefined && others.includes(variant.prompt) ? first : undefined }),
          })),
      }),
    );
  if (suites.length === 0) {
    const message = `no suite of ${record.shownPath} ran all of ${prompts.join(', ')}`;
    throw new UserError({ code: 'unknown-id', message, hint: 'run them first: llmcheck run --compare v1,v2' });
  }
  const settings = { ...record.header.settings, compare: prompts };
  return { record: withHeader(record, { ...record.header, settings, suites }), findBaseline: () => undefined };
}

function keepSuites(record: StoredRecord, { suites, requireConclusive }: CompareRecordsOptions): StoredRecord {
  const unknown = suites.filter((id) => !record.header.suites.some(({ suite }) => suite === id));
  if (unknown.length > 0) {
    const message = `${record.shownPath} has no suite ${unknown.join(', ')}`;
    const hint = `there are: ${record.header.suites.map(({ suite }) => suite).join(', ') || 'none'}`;
    throw new UserError({ code: 'unknown-id', message, hint });
  }
  const kept = record.header.suites.filter(({ suite }) => suites.length === 0 || suites.includes(suite));
  const header = { ...record.header, settings: { ...record.header.settings, requireConclusive }, suites: kept };
  // Counting the rows of a large record again takes long.
  return kept.length === record.header.suites.length ? { ...record, header } : withHeader(record, header);
}

/** Counts the rows of a record again, under another header. */
function withHeader(record: StoredRecord, header: RunHeader): StoredRecord {
  const rows = record.summary.suites.flatMap(({ variants }) =>
    variants.flatMap(({ cases }) =>
      [...cases.values()].flatMap(({ trials, confirmations, accepted }) => [...trials, ...confirmations, ...accepted]),
    ),
  );
  return { ...record, header, summary: summarizeRun(header, rows, record.end) };
}

function findPromptIds({ root, cwd, run }: CompareRecordsOptions, hasRuns: boolean): ReadonlySet<string> {
  if (!hasRuns && run === undefined) return new Set();
  const { suites } = readRunHeader(findStoredRun({ root }, run, cwd).path);
  return new Set(suites.flatMap(({ variants }) => variants.map(({ prompt }) => prompt)));
}

function mixed(sides: readonly string[]): UserError {
  const message = `${sides.join(' and ')} can't be compared with each other: prompt versions are compared within one run, anything else in pairs`;
  return new UserError({ code: 'usage', message, hint: 'name two prompt versions, or two of: git:REF, file, run id' });
}
