import type { AcceptedAnswer } from '../assertions/define.ts';
import type { BaselineTrial } from '../model/baseline.ts';
import type { CellKey } from '../model/cell.ts';
import type { Suite } from '../model/suite.ts';
import type { FindBaseline } from './find-baselines.ts';

/**
 * Finds the accepted answer of a cell; undefined where there is none, or where only its hash was kept. A trial that the
 * baseline does not have, such as a fresh one, is held to the case's first answer: it asks the same question again.
 */
export type FindAccepted = (key: CellKey) => AcceptedAnswer | undefined;

/** Looks answers up in the baseline files; each is indexed once, and only if a check asks. */
export function createFindAccepted(suites: readonly Suite[], findBaseline: FindBaseline): FindAccepted {
  const indexes = new Map<string, ReadonlyMap<string, readonly BaselineTrial[]>>();

  function indexOf(suiteId: string): ReadonlyMap<string, readonly BaselineTrial[]> {
    let index = indexes.get(suiteId);
    if (index === undefined) {
      const suite = suites.find(({ id }) => id === suiteId);
      const found = suite === undefined ? undefined : findBaseline(suite);
      const cases = found?.kind === 'file' ? found.baseline.cases : [];
      index = new Map(cases.map((row) => [keyText(row), row.trials]));
      indexes.set(suiteId, index);
    }
    return index;
  }

  return (key) => {
    const trials = indexOf(key.suite).get(keyText(key)) ?? [];
    const trial = trials.find(({ trial: index }) => index === key.trial) ?? trials[0];
    if (trial?.output === undefined) return undefined;
    const { output: text, toolCalls = [], reasoning } = trial;
    return { text, toolCalls, ...(reasoning === undefined ? {} : { reasoning }) };
  };
}

function keyText({ prompt, provider, caseId }: Pick<CellKey, 'prompt' | 'provider' | 'caseId'>): string {
  return JSON.stringify([prompt, provider, caseId]);
}
