import { resolve } from 'node:path';
import { defined } from '../json/defined.ts';
import { UserError } from '../model/problem.ts';
import type { RenderedVariant } from '../model/run/plan.ts';
import type { RunPorts } from '../plan/run-options.ts';
import { type HistoryCommit, listCommits } from '../project/git/git-files.ts';
import { timesSpend } from '../run/asking/fresh-cells.ts';
import { askedBy, variantOf } from './asked-prompt.ts';
import {
  type BisectedCase,
  type BisectForecast,
  type BisectOptions,
  type BisectVerdict,
  bisectCase,
  mostProbes,
  mostTrialsOf,
  type OpenedSearch,
  openSearch,
  searchError,
} from './bisect.ts';
import { findEnd } from './find-breaking.ts';
import { type EarlierPrompt, type FindEarlier, openEarlier } from './find-earlier.ts';
import { mostSpend, sumSpends } from './limit-probes.ts';
import { nameProbed, type ProbedCase, type Prober } from './open-prober.ts';
import { leadFor, mostTrials, type ProbeAnswer, probeCase } from './probe-case.ts';

export interface CommitSearch {
  readonly probed: ProbedCase;
  /** The ref before the first commit. */
  readonly from: string;
  /** Oldest first. */
  readonly commits: readonly HistoryCommit[];
  /** Loads the prompt after the first `applied` commits; 0 loads the one before all of them. */
  readonly load: (applied: number) => Promise<EarlierPrompt | undefined>;
}

/** Finds the commit after which a case fails, and then the hunks of that commit. */
export async function bisectCommits(
  prober: Prober,
  { probed, from, commits, load }: CommitSearch,
  options: BisectOptions,
): Promise<BisectedCase> {
  const probes = createCommitProbes(prober, probed, { load, count: commits.length, cases: options.cases });
  const end = async (verdict: BisectVerdict): Promise<BisectedCase> => {
    const { at } = probed.testCase;
    return { ...nameProbed(probed), earlier: from, at, hunks: [], verdict, probes: probes.count() };
  };
  const now = await probes.probe(commits.length);
  if (now.is === 'passes') return end({ is: 'passes', now });
  if (now.is !== 'fails') return end(undecided(now));
  const before = await probes.probe(0);
  if (before.is === 'fails') return end({ is: 'failed-before', before });
  if (before.is !== 'passes') return end(undecided(before));
  const found = await findEnd(
    commits.map((_, index) => [index]),
    [],
    { probe: ({ size }) => probes.probe(size), isValid: () => true },
  );
  if ('open' in found)
    return end({ is: 'undecided', why: found.open.why, ...defined({ stopped: found.open.stopped }) });
  const [old, own] = await Promise.all([load(found.passing), load(found.failing)]);
  if (old?.is !== 'askable' || own?.is !== 'askable') return end({ is: 'undecided', why: 'its prompts can’t be read' });
  const search = openSearch(prober, { ...probed, variant: own.variant }, old);
  if ('why' in search) return end({ is: 'undecided', why: search.why });
  const bisected = await bisectCase(prober, search, options);
  const blamed = commits.slice(found.passing, found.failing);
  return { ...bisected, commits: blamed, probes: bisected.probes + probes.count() - 2 };
}

function undecided(answer: ProbeAnswer): BisectVerdict {
  if (answer.is === 'stopped') return { is: 'undecided', why: answer.why.message, stopped: answer.why };
  return { is: 'undecided', why: answer.is === 'unresolved' ? answer.why : '' };
}

/** Each version is asked once. */
function createCommitProbes(
  prober: Prober,
  probed: ProbedCase,
  { load, count, cases }: Pick<CommitSearch, 'load'> & { readonly count: number; readonly cases: number },
) {
  const lead = leadFor(mostCommitProbes(count) * cases, searchError / 2);
  const asked = new Map<number, Promise<ProbeAnswer>>();
  const prepare = (variant: RenderedVariant) => {
    const made = variantOf(probed.variant, askedBy(variant));
    const cell = prober.render(probed, made);
    return cell && { made, cell };
  };
  const ask = async (applied: number): Promise<ProbeAnswer> => {
    const version = await load(applied);
    const prepared = version?.is === 'askable' ? prepare(version.variant) : undefined;
    if (prepared === undefined) return { is: 'unresolved', why: 'a commit has no such prompt', passed: 0, failed: 0 };
    return probeCase(prober, prepared, { lead, left: mostTrials(lead) });
  };
  return {
    count: () => asked.size,
    probe(applied: number): Promise<ProbeAnswer> {
      const answer = asked.get(applied) ?? ask(applied);
      asked.set(applied, answer);
      return answer;
    },
  };
}

/** Commits without the prompt are skipped at no cost. */
function mostCommitProbes(commits: number): number {
  return Math.ceil(Math.log2(commits + 1)) + 2;
}

/** Returns a function that lists the commits of a case. The prompt of a commit is loaded when a trial needs it. */
export function createOpenHistory(
  from: string,
  prober: Prober,
  ports: Pick<RunPorts, 'cwd' | 'env'>,
): (probed: ProbedCase) => CommitSearch {
  const { root } = prober.options.project;
  const opened = new Map<string, Promise<FindEarlier>>();
  const openAt = (ref: string) => {
    const found = opened.get(ref) ?? openEarlier(ref, prober, ports);
    opened.set(ref, found);
    return found;
  };
  const openCommit = async (ref: string): Promise<FindEarlier> => {
    try {
      return await openAt(ref);
    } catch (error) {
      if (error instanceof UserError) return () => unloadable;
      throw error;
    }
  };
  return (probed) => {
    const { suite, variant } = probed;
    const paths = [suite.path, ...suite.sources.files, variant.prompt.file ?? suite.path].map((path) =>
      resolve(root, path),
    );
    const commits = [
      ...listCommits(root, from.slice('git:'.length), { env: ports.env, paths }),
      { hash: '', subject: 'changes that are not committed' },
    ];
    return {
      probed,
      from,
      commits,
      async load(applied) {
        if (applied === commits.length) return { is: 'askable', variant, name: 'today' };
        if (applied === 0) return (await openAt(from))(suite, variant);
        return (await openCommit(`git:${(commits[applied - 1]?.hash ?? '').slice(0, 12)}`))(suite, variant);
      },
    };
  };
}

/** A later commit fixed the suites, so the search skips this one like a commit without the prompt. */
const unloadable: EarlierPrompt = { is: 'unavailable', why: 'its suites can’t be loaded' };

/** Upper bound on what the search sends: first over the commits, then over the hunks of the largest one. */
export async function forecastCommits(
  prober: Prober,
  { probed, commits, load }: CommitSearch,
  cases: number,
): Promise<Pick<BisectForecast, 'hunks' | 'probes' | 'calls' | 'usd' | 'uncounted'>> {
  const searches: OpenedSearch[] = [];
  for (let applied = 1; applied <= commits.length; applied += 1) {
    const [old, own] = [await load(applied - 1), await load(applied)];
    if (old === undefined || own?.is !== 'askable') continue;
    const search = openSearch(prober, { ...probed, variant: own.variant }, old);
    if (!('why' in search)) searches.push(search);
  }
  const limits = searches.map(({ limit }) => limit);
  const probes = mostCommitProbes(commits.length);
  const trials = probes * mostTrials(leadFor(probes * cases, searchError / 2));
  const ofCommits = timesSpend(mostSpend(limits), trials);
  const ofHunks = searches.map(({ limit, hunks }) => timesSpend(limit, mostTrialsOf(hunks.length, cases)));
  const hunks = Math.max(0, ...searches.map((search) => search.hunks.length));
  return {
    hunks,
    probes: probes + mostProbes(hunks),
    ...sumSpends([mostSpend(ofHunks), ofCommits]),
    uncounted: [...new Set(limits.flatMap(({ uncounted }) => uncounted))],
  };
}
