import { defined } from '../json/defined.ts';
import type { Suite } from '../model/suite.ts';
import type { FindAccepted } from '../plan/identify.ts';
import type { FindBaseline } from './find-baselines.ts';

/** Looks answers up in the baseline files; a file is read again only if a check asks. */
export function createFindAccepted(suites: readonly Suite[], findBaseline: FindBaseline): FindAccepted {
  const bySuite = new Map(suites.map((suite) => [suite.id, suite]));
  return ({ suite: suiteId, prompt, provider, caseId, trial: index }) => {
    const suite = bySuite.get(suiteId);
    const found = suite === undefined ? undefined : findBaseline(suite);
    const trials = found?.kind === 'file' ? (found.baseline.readCase({ prompt, provider }, caseId)?.trials ?? []) : [];
    const trial = trials.find((other) => other.trial === index) ?? trials[0];
    if (trial?.output === undefined) return undefined;
    const { output: text, toolCalls = [], reasoning } = trial;
    return { text, toolCalls, ...defined({ reasoning }) };
  };
}
