import type { Draft, LeftOut } from './draft.ts';
import { type Check, convertTransform } from './promptfoo-checks.ts';
import type { Written } from './written.ts';

/** What the options of a test say of its assertions, the nearest last. */
export function readOptions(layers: readonly Written[], draft: Draft): { readonly select?: Check } | LeftOut {
  let select: Check | undefined;
  for (const [index, layer] of layers.entries()) {
    const options = layer.child('options');
    for (const key of Object.keys(Object(options.value))) {
      const part = options.child(key);
      if (key === 'transform' || key === 'postprocess') {
        select = convertTransform(part.value);
        if (select === undefined)
          return draft.refuse(
            part,
            'a transform is code, which has no equal here',
            'select takes members of JSON and matches of a regex',
          );
      } else if (
        !['provider', 'runSerially', 'disableVarExpansion'].includes(key) &&
        !(index === 0 && (key === 'prefix' || key === 'suffix'))
      ) {
        return draft.refuse(part, `"${key}" of a test's options has no equal here`);
      }
      if (key === 'disableVarExpansion' && part.value === true)
        return draft.refuse(part, 'disableVarExpansion has no equal here');
    }
  }
  return select === undefined ? {} : { select };
}
