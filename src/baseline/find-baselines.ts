import { relative } from 'node:path';
import type { FindAccepted } from '../assertions/define.ts';
import { readOrUndefined } from '../files/write-files.ts';
import { defined } from '../json/defined.ts';
import {
  type Baseline,
  comparedKeys,
  type FindBaseline,
  type FindReference,
  isReplacedBy,
  type Reference,
  type StandIn,
  type SuiteBaseline,
  type VariantKey,
} from '../model/comparison/baseline.ts';
import { UserError } from '../model/problem.ts';
import type { PlannedSuite, PlannedVariant } from '../model/run/plan.ts';
import type { RunSettings } from '../model/run/record.ts';
import type { Suite } from '../model/suite/suite.ts';
import { type GitRef, openGitRef } from '../project/git/git-files.ts';
import { baselinePathOf, referencePathOf, refuseLinkOutside, refuseOutside } from '../project/project-paths.ts';
import { classifySource, findStoredRun, listStoredRuns, type RecordSource } from '../project/stored-runs.ts';
import { isRunRecord, openRecordHeads, type StoredRecord } from '../record/read-run-record.ts';
import { attempt, attemptOr } from '../text/attempt.ts';
import { toSlashes } from '../text/to-slashes.ts';
import { readCases } from './baseline-cases.ts';
import { createFindMissing } from './first-baseline.ts';
import { asBaseline, openBaselineBeside, openBaselineFile, openBaselineText } from './open-baseline.ts';

export interface FindBaselineOptions {
  readonly root: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Called with why a baseline that a change adds is not taken as the first one of its suite. */
  readonly onRefused?: (why: string) => void;
  /** The commit of `--baseline git:REF`, if it is open already. */
  readonly ref?: GitRef;
}

/** The commit of `--baseline git:REF`. Git starts several times to find it, so it is found once for all who read it. */
export function openComparedRef(
  wanted: RunSettings['baseline'],
  { root, env }: Pick<FindBaselineOptions, 'root' | 'env'>,
): GitRef | undefined {
  const source = typeof wanted === 'object' ? wanted.source : '';
  return source.startsWith(gitScheme) ? openGitRef(root, source.slice(gitScheme.length), env) : undefined;
}

const gitScheme = 'git:';

/** Resolves `--baseline` once, before anything is sent. Throws a UserError for a missing source. */
export function openBaselines(
  wanted: RunSettings['baseline'],
  options: FindBaselineOptions & {
    /** True if the source comes from a record, which may come from anywhere. */
    readonly isRecorded?: boolean;
    /** The prompt ids of the suites. Prompts are compared by another flag, which the hint names. */
    readonly promptIds?: ReadonlySet<string>;
  },
): FindBaseline {
  if (wanted === undefined || wanted === 'none') return () => undefined;
  if (wanted === 'auto') return remember((suite) => fileBeside(suite, options));
  const { root, cwd, promptIds = new Set() } = options;
  const isPromptId = (id: string): boolean => promptIds.has(id);
  const source = classifySource(wanted.source, { cwd, runs: listStoredRuns({ root }), isPromptId });
  if (source.kind === 'file') {
    if (options.isRecorded === true) refuseOutside(source.path, options, recordedHint);
    else refuseLinkOutside(source.path, options);
  }
  return remember(openSource(source, wanted.source, options));
}

const recordedHint = 'put that file into the project, or name both sides: llmcheck compare BASELINE RUN';

/** The ids of all prompts, so that one that is given as a baseline is recognised. */
export function promptIdsOf(suites: readonly Pick<Suite, 'prompts'>[]): ReadonlySet<string> {
  return new Set(suites.flatMap(({ prompts }) => prompts.map(({ id }) => id)));
}

/** Opens the baseline of every suite, and its reference. Throws one `UserError` with the problems of all. */
export function checkBaselines(
  suites: readonly Pick<Suite, 'id' | 'path'>[],
  ...finders: readonly ((suite: Pick<Suite, 'id' | 'path'>) => unknown)[]
): void {
  const failures = suites.flatMap((suite) => finders.map((find) => attempt(() => find(suite), UserError)));
  const problems = failures.flatMap((failure) => (failure instanceof UserError ? failure.problems : []));
  if (problems.length > 0) throw new UserError(problems);
}

/** Reads the file of each suite once. */
function remember<Found>(find: (suite: { readonly id: string; readonly path: string }) => Found): typeof find {
  const found = new Map<string, Found>();
  return (suite) => {
    if (!found.has(suite.id)) found.set(suite.id, find(suite));
    return found.get(suite.id) as Found;
  };
}

function openSource(source: RecordSource, text: string, options: FindBaselineOptions): FindBaseline {
  const { root, cwd, env } = options;
  switch (source.kind) {
    case 'git':
      return fromGit(options.ref ?? openGitRef(root, source.ref, env), options);
    case 'run': {
      const record = openRecordHeads(findStoredRun({ root }, source.id).path, cwd);
      return ({ id }) => baselineOfRecord(record, id, `run ${source.id}`);
    }
    case 'file': {
      const shown = relative(cwd, source.path);
      if (isRunRecord(source.path)) {
        const record = openRecordHeads(source.path, cwd);
        return ({ id }) => baselineOfRecord(record, id, shown);
      }
      const baseline = openBaselineFile(source.path, shown);
      return (suite) => (baseline?.suite === suite.id ? { source: shown, baseline } : undefined);
    }
    case 'prompt': {
      const message = `--baseline ${text} is a prompt id: --compare compares two prompt versions`;
      throw new UserError({
        code: 'usage',
        message,
        hint: `write --compare ${text},OTHER, or the ref of a commit as git:REF`,
      });
    }
  }
}

function fileBeside(
  suite: { readonly id: string; readonly path: string },
  options: FindBaselineOptions,
): SuiteBaseline | undefined {
  const { path, file: source, baseline } = openBaselineBeside(suite, options);
  if (baseline === undefined) return undefined;
  checkSuite(baseline, suite.id, source);
  const acceptedAt = findCommitDate(path, options.root, options.env);
  return { source, baseline, ...defined({ acceptedAt }) };
}

/** A stored run in place of a baseline; undefined if it has no such suite. */
export function baselineOfRecord(record: StoredRecord, suiteId: string, source: string): SuiteBaseline | undefined {
  const suite = record.summary.suites.find(({ recorded }) => recorded.suite === suiteId);
  if (suite === undefined) return undefined;
  return { source, baseline: asBaseline(suite, record), acceptedAt: record.header.startedAt };
}

/** Only in CI: git takes longer than many a run, and a developer's file may not be committed yet. */
function findCommitDate(file: string, root: string, env: FindBaselineOptions['env']): string | undefined {
  if (env['CI'] === undefined || env['CI'] === '') return undefined;
  const readDate = () => {
    const head = openGitRef(root, 'HEAD', env);
    return head.readFile(file) === readOrUndefined(file) ? head.lastCommitDate(file) : undefined;
  };
  return attemptOr(readDate, UserError, undefined);
}

/** The baseline at the ref, and the working tree's as `own` if it differs. */
function fromGit(ref: GitRef, options: FindBaselineOptions): FindBaseline {
  const { root, cwd } = options;
  const findMissing = createFindMissing(ref);
  return ({ id, path }) => {
    const file = baselinePathOf(root, path);
    const shown = relative(cwd, file);
    const text = ref.readFile(file);
    if (text !== undefined) return openAtRef(ref, { id, file, text }, options);
    const missing = findMissing({ id, file, env: options.env });
    if (missing.is === 'moved') {
      const moved = { id, file, text: ref.readFile(missing.from) ?? '', from: missing.from };
      return openAtRef(ref, moved, options);
    }
    const own = openBaselineFile(file, shown);
    if (own === undefined) return undefined;
    checkSuite(own, id, shown);
    if (missing.is === 'first') {
      return { source: 'the first baseline, which this change adds', baseline: own, isFirst: true };
    }
    options.onRefused?.(`${id}: ${shown} is not taken as a first baseline, so every case must pass: ${missing.why}`);
    return undefined;
  };
}

interface FileAtRef {
  readonly id: string;
  /** The path of the suite's baseline in the working tree. */
  readonly file: string;
  readonly text: string;
  /** Its path at the ref, if it differs. */
  readonly from?: string;
}

/** A suite that was renamed or moved keeps its baseline. */
function openAtRef(
  ref: GitRef,
  { id, file, text, from = file }: FileAtRef,
  { root, cwd }: FindBaselineOptions,
): SuiteBaseline {
  const shown = relative(cwd, file);
  const baseline = openBaselineText(text, `git:${ref.name}:${relative(cwd, from)}`);
  const own = openBaselineFile(file, shown);
  const isOther = own !== undefined && !isSameBaseline(own, baseline);
  const former = [
    ...(baseline.suite === id ? [] : [`suite ${baseline.suite}`]),
    ...(from === file ? [] : [toSlashes(relative(root, from))]),
  ];
  return {
    source: `git:${ref.name} (${[ref.commit.slice(0, 8), ...former].join(', ')})`,
    baseline,
    ...defined({ acceptedAt: ref.lastCommitDate(from), own: isOther ? own : undefined }),
  };
}

/** Compares line by line, because the files may be too large for memory. */
function isSameBaseline(a: Baseline, b: Baseline): boolean {
  if (a.suite !== b.suite || JSON.stringify(a.variants) !== JSON.stringify(b.variants)) return false;
  const others = readCases(b);
  for (const row of readCases(a)) {
    const other = others.next();
    if (other.done === true || JSON.stringify(row) !== JSON.stringify(other.value)) return false;
  }
  return others.next().done === true;
}

function checkSuite(baseline: Baseline, id: string, file: string): void {
  if (baseline.suite === id) return;
  const message = `${file} is the baseline of suite ${baseline.suite}, not of ${id}`;
  const hint = 'remove the file, and accept a run again with llmcheck baseline accept';
  throw new UserError({ code: 'record', message, hint, at: { file, line: 1, column: 1 } });
}

/** Finds accepted answers in the baseline files. A file is read only when a check asks for one of its answers. */
export function createFindAccepted(suites: readonly Suite[], findBaseline: FindBaseline): FindAccepted {
  const bySuite = new Map(suites.map((suite) => [suite.id, suite]));
  return ({ suite: suiteId, prompt, provider, caseId, trial: index }) => {
    const suite = bySuite.get(suiteId);
    const found = suite === undefined ? undefined : findBaseline(suite);
    const trials = found?.baseline.readCase({ prompt, provider }, caseId)?.trials ?? [];
    const trial = trials.find((other) => other.trial === index) ?? trials[0];
    if (trial?.output === undefined) return undefined;
    const { output: text, toolCalls = [], reasoning } = trial;
    return { text, toolCalls, ...defined({ reasoning }) };
  };
}

/**
 * Names each variant without cases in the baseline, under its own id or the replaced one's. Otherwise an empty or wrong
 * baseline file would pass without a comparison or a remark.
 */
export function describeUnaccepted(
  { suites }: { readonly suites: readonly PlannedSuite[] },
  findBaseline: FindBaseline,
  wanted: RunSettings['baseline'],
): readonly string[] {
  // A suite may be new since a commit.
  const named = typeof wanted === 'object' && !wanted.source.startsWith(gitScheme) ? wanted.source : undefined;
  return suites.flatMap((planned) => {
    const found = findBaseline(planned.suite);
    const source = found?.source ?? named;
    if (source === undefined) return [];
    const [suite, until] = named === undefined ? ['', ' until a run is accepted'] : [`${planned.suite.id} with `, ''];
    return planned.variants
      .filter((variant) => isComparedWithFile(variant, planned))
      .filter((variant) => !comparedKeys(standInOf(variant)).some((key) => hasCase(found, key)))
      .map(
        ({ prompt, provider }) =>
          `the baseline ${source} has no case of ${suite}${prompt.id} on ${provider.id}: nothing there is compared${until}`,
      );
  });
}

function hasCase(found: SuiteBaseline | undefined, key: VariantKey): boolean {
  return found !== undefined && found.baseline.casesOf(key).size > 0;
}

/** False if the variant is compared with another one of the same run. */
function isComparedWithFile({ prompt, provider, planned }: PlannedVariant, { variants }: PlannedSuite): boolean {
  if (planned === 0 || prompt.baselineOf !== undefined) return false;
  const own = standInOf({ prompt, provider });
  return !variants.some((other) => {
    if (other.planned === 0) return false;
    const key = standInOf(other);
    const isRerun = other.prompt.baselineOf === prompt.id && other.provider.id === provider.id;
    return isRerun || isReplacedBy(own, key) || isReplacedBy(key, own);
  });
}

function standInOf({ prompt, provider }: Pick<PlannedVariant, 'prompt' | 'provider'>): StandIn {
  return {
    prompt: prompt.id,
    provider: provider.id,
    replaces: prompt.replaces,
    replacesProvider: provider.replaces,
  };
}

/**
 * Finds the pinned references of a run. With `--baseline git:REF` the reference at the ref takes precedence over the
 * working tree's. So a change can neither remove nor replace its own reference.
 */
export function openReferences(wanted: RunSettings['baseline'], options: FindBaselineOptions): FindReference {
  const { root, cwd } = options;
  if (wanted === undefined || wanted === 'none') return () => undefined;
  const ref = options.ref ?? openComparedRef(wanted, options);
  return remember((suite) => {
    const path = referencePathOf(root, suite.path);
    const atRef = ref?.readFile(path);
    if (ref === undefined || atRef === undefined) return openReferenceBeside(suite, options);
    const name = `git:${ref.name}:${relative(cwd, path)}`;
    return toReference(openBaselineText(atRef, name), name, suite.id);
  });
}

/** The reference beside a suite. */
export function openReferenceBeside(
  suite: { readonly id: string; readonly path: string },
  { root, cwd }: Pick<FindBaselineOptions, 'root' | 'cwd'>,
): Reference | undefined {
  const path = referencePathOf(root, suite.path);
  const shown = relative(cwd, path);
  return toReference(openBaselineFile(path, shown), shown, suite.id);
}

function toReference(baseline: Baseline | undefined, source: string, suite: string): Reference | undefined {
  if (baseline === undefined) return undefined;
  const refuse = (message: string) => {
    const hint = 'remove the file, or pin again with `llmcheck baseline pin`';
    const at = { file: source, line: 1, column: 1 };
    return new UserError({ code: 'record', message, hint, at });
  };
  if (baseline.suite !== suite) throw refuse(`${source} is the reference of suite ${baseline.suite}, not of ${suite}`);
  if (baseline.pin === undefined) throw refuse(`${source} is not a pinned reference: its header has no "pin"`);
  return { source, baseline, pin: baseline.pin };
}
