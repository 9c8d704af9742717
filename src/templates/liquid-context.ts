import { Context, Drop, type Liquid } from 'liquidjs';
import { withoutInherited } from '../json/without-inherited.ts';

/** What a loop says of itself. Every other member of its object is Liquid's own. */
const loopMembers: ReadonlySet<unknown> = new Set(
  'length name index index0 first last rindex rindex0 row col col0 col_first col_last cols'.split(' '),
);

/**
 * Reads own members alone. Liquid (10.30) makes an exception for its own objects, such as `forloop`, and finds inherited names
 * such as `toString` in the scope of a filter.
 */
class OwnMemberContext extends Context {
  override push(scope: object): number {
    return super.push(Object.setPrototypeOf(scope, null) as object);
  }

  override readProperty(object: Parameters<Context['readProperty']>[0], key: Parameters<Context['readProperty']>[1]) {
    if (object instanceof Drop && !loopMembers.has(key)) return undefined;
    return super.readProperty(object, key) as unknown;
  }

  override spawn(scope: object = {}): OwnMemberContext {
    const { opts, sync, globals, strictVariables, ownPropertyOnly, renderLimit, memoryLimit, liquid } = this;
    const options = { sync, globals, strictVariables, ownPropertyOnly };
    return new OwnMemberContext(scope, opts, options, { renderLimit, memoryLimit, liquid: liquid as unknown });
  }
}

/** Opens the variables of a rendering. A name in them may be any, `__proto__` too. */
export function openContext(liquid: Liquid, vars: object): Context {
  return new OwnMemberContext(withoutInherited(vars), liquid.options, { sync: true }, { liquid });
}
