import type { Draft, LeftOut, Written } from '../draft.ts';

const READ = new Set(
  'prompts providers targets tests defaultTest scenarios evaluateOptions description $schema'.split(' '),
);
/** Keys that change what is sent or judged, and that a suite can't say. */
const MEANT = new Set('redteam extensions nunjucksFilters assertScoringFunction'.split(' '));

/** Notes or refuses the keys of a config that are no part of a suite. */
export function readTopKeys(config: Written, draft: Draft): readonly LeftOut[] {
  return Object.keys(Object(config.value)).flatMap((key) => {
    const part = config.child(key);
    if (READ.has(key)) return [];
    // It is read by commands of its own, which make tests; the tests that are here are asked without it.
    if (key === 'redteam' && config.child('tests').value !== undefined) {
      draft.note(part, '"redteam" is left out: promptfoo eval does not read it');
      return [];
    }
    if (MEANT.has(key)) return [draft.refuse(part, `"${key}" has no equivalent here`)];
    if (key === 'env') return readEnv(part, draft);
    draft.note(part, `"${key}" is left out: it does not affect verdicts`);
    return [];
  });
}

/** Variables that hold keys are set where llmcheck runs; others may change what promptfoo sends. */
function readEnv(part: Written, draft: Draft): readonly LeftOut[] {
  return Object.keys(Object(part.value)).flatMap((name) => {
    const entry = { ...part.child(name), value: '…' };
    // Variables that providers read are in capitals.
    if (/^[A-Z][A-Z0-9_]*$/.test(name) && !/(?:KEY|TOKEN|SECRET)$|^PROMPTFOO_/.test(name))
      return [draft.refuse(entry, `"env.${name}" is left out: it may change what is sent`)];
    draft.note(entry, `"env.${name}" is left out: set the variable where llmcheck runs`);
    return [];
  });
}
