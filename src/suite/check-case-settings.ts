import { didYouMean } from '../text/did-you-mean.ts';
import type { Naming } from './case-checks.ts';
import type { Settings } from './case-rows.ts';
import { childOf, locate } from './locate.ts';
import type { Problems } from './problems.ts';

interface SettingsContext {
  readonly problems: Problems;
  readonly promptIds: readonly string[];
  readonly providerIds: readonly string[];
}

/** Reports settings that name what the suite does not have, and settings that contradict each other. */
export function checkCaseSettings(naming: Naming, settings: Settings, context: SettingsContext): void {
  checkReferences(naming, settings, context);
  checkMustPass(naming, settings, context.problems);
}

function checkReferences(
  { row }: Naming,
  { prompts, providers }: Settings,
  { promptIds, providerIds, problems }: SettingsContext,
): void {
  if (prompts === undefined && providers === undefined) return;
  const check = (key: string, ids: readonly string[] | undefined, known: readonly string[]) => {
    for (const [index, id] of (ids ?? []).entries()) {
      if (known.includes(id)) continue;
      problems.report({
        code: 'unknown-id',
        message: `"${id}" is no ${key.slice(0, -1)} of this suite`,
        hint: didYouMean(id, known) ?? `known: ${known.join(', ')}`,
        at: locate(childOf(childOf(row, key), index)),
      });
    }
  };
  check('prompts', prompts, promptIds);
  check('providers', providers, providerIds);
}

/** A case that must pass has to be run and judged: what says otherwise would switch the contract off. */
function checkMustPass({ row, id }: Naming, settings: Settings, problems: Problems): void {
  if (settings.mustPass !== true) return;
  const refuse = (key: 'observe' | 'skip', why: string) => {
    const own = [childOf(row, key), childOf(row, 'mustPass')].find(({ value }) => value !== undefined);
    problems.report({
      code: 'invalid-value',
      message: `case "${id}" has mustPass and ${key}: a case that must pass ${why}`,
      hint: `leave ${key} out, or write mustPass: false`,
      at: own === undefined ? locate(row) : locate(own, 'key'),
    });
  };
  if (settings.observe === true) refuse('observe', 'has to be judged');
  if (settings.skip !== undefined) refuse('skip', 'has to be run');
}
