import type { AcceptedAnswer } from '../assertions/define.ts';
import type { CellKey } from '../model/cell.ts';
import type { Suite } from '../model/suite.ts';
import type { FindBaseline } from './find-baselines.ts';

/**
 * Finds the accepted answer of a cell; undefined where there is none, or where only its hash was kept. A trial that the
 * baseline does not have, such as a fresh one, is held to the case's first answer: it asks the same question again.
 */
export type FindAccepted = (key: CellKey) => AcceptedAnswer | undefined;

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
    return { text, toolCalls, ...(reasoning === undefined ? {} : { reasoning }) };
  };
}
