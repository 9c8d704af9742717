import type { AcceptedAnswer } from '../assertions/define.ts';
import type { BaselineTrial } from '../model/baseline.ts';
import type { CellKey } from '../model/cell.ts';
import type { Suite } from '../model/suite.ts';
import type { FindBaseline } from './find-baselines.ts';

/** Finds the accepted answer of a cell; undefined where there is none, or where only its hash was kept. */
export type FindAccepted = (key: CellKey) => AcceptedAnswer | undefined;

/** Looks answers up in the baseline files; each is indexed once, and only if a check asks. */
export function createFindAccepted(suites: readonly Suite[], findBaseline: FindBaseline): FindAccepted {
  const indexes = new Map<string, ReadonlyMap<string, BaselineTrial>>();

  function indexOf(suiteId: string): ReadonlyMap<string, BaselineTrial> {
    let index = indexes.get(suiteId);
    if (index === undefined) {
      const suite = suites.find(({ id }) => id === suiteId);
      const found = suite === undefined ? undefined : findBaseline(suite);
      const cases = found?.kind === 'file' ? found.baseline.cases : [];
      index = new Map(
        cases.flatMap((row) => row.trials.map((trial) => [keyText({ ...row, trial: trial.trial }), trial] as const)),
      );
      indexes.set(suiteId, index);
    }
    return index;
  }

  return (key) => {
    const trial = indexOf(key.suite).get(keyText(key));
    if (trial?.output === undefined) return undefined;
    const { output: text, toolCalls = [], reasoning } = trial;
    return { text, toolCalls, ...(reasoning === undefined ? {} : { reasoning }) };
  };
}

function keyText({ prompt, provider, caseId, trial }: Omit<CellKey, 'suite'>): string {
  return JSON.stringify([prompt, provider, caseId, trial]);
}
