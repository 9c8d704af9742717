import { _, type Ajv, type CodeKeywordDefinition, type FuncKeywordDefinition, type KeywordCxt, Name, str } from 'ajv';
import { evaluatedPropsToName, Type } from 'ajv/dist/compile/util.js';
import type { DataValidateFunction } from 'ajv/dist/types/index.js';
import { isMultipleOf } from '../text/yaml/exact-numbers.ts';
import { canonicalJson } from './canonical-json.ts';
import { deepEqual, isRecord } from './deep-equal.ts';

type Defined<T> = T & { readonly keyword: string };

/**
 * Replaces the keywords that Ajv (8.20) decides by other rules than the specification's. The meta-schemas have several
 * `$id`s, and need Ajv's own dynamic references.
 */
export function correctKeywords(ajv: Ajv, hasMeta: boolean): void {
  const references = hasMeta ? [] : [dynamicReference];
  for (const keyword of [...valueKeywords, ...arrayKeywords, conditional, unevaluatedItems, ...references]) {
    const known = ajv.getKeyword(keyword.keyword);
    if (typeof known !== 'object') continue;
    const { error } = known;
    const isCode = 'code' in keyword && error !== undefined;
    ajv.removeKeyword(keyword.keyword).addKeyword(isCode ? { ...keyword, error } : keyword);
  }
  for (const keyword of ['anyOf', 'oneOf', 'dependentSchemas']) {
    const known = ajv.getKeyword(keyword);
    if (typeof known !== 'object' || !('code' in known)) continue;
    const { code } = known;
    known.code = (cxt, ruleType) => {
      const { it } = cxt;
      const { items } = it;
      declareEvaluated(cxt);
      code(cxt, ruleType);
      // What depends on properties is asked of objects alone, and says nothing of an array's items.
      if (keyword === 'dependentSchemas') Object.assign(it, { items });
    };
  }
}

/** Without these names, Ajv takes what the first branch evaluates as evaluated, even if the branch fails. */
function declareEvaluated({ gen, it }: KeywordCxt): void {
  if (it.opts.unevaluated !== true) return;
  if (it.props !== true && !(it.props instanceof Name)) it.props = evaluatedPropsToName(gen, it.props);
  if (it.items !== true && !(it.items instanceof Name)) it.items = gen.var('items', _`${it.items ?? 0}`);
}

/**
 * Ajv divides doubles, and 19.99 / 0.01 is not whole. It compares objects by calling their `valueOf` and `toString`, which
 * may be data.
 */
const valueKeywords: readonly Defined<FuncKeywordDefinition>[] = [
  {
    keyword: 'multipleOf',
    type: 'number',
    compile: (divisor: number) => (value: number) => isMultipleOf(value, divisor),
    error: { message: ({ schema }) => str`must be multiple of ${schema}` },
  },
  {
    keyword: 'const',
    compile: (wanted: unknown) => (value: unknown) => deepEqual(wanted, value),
    error: { message: 'must be equal to constant', params: ({ schemaCode }) => _`{allowedValue: ${schemaCode}}` },
  },
  {
    keyword: 'enum',
    compile: (wanted: readonly unknown[]) => (value: unknown) => wanted.some((one) => deepEqual(one, value)),
    error: {
      message: 'must be equal to one of the allowed values',
      params: ({ schemaCode }) => _`{allowedValues: ${schemaCode}}`,
    },
  },
];

/** Ajv decides nothing more about an array that is shorter than a list of its items' schemas, so these come first. */
const arrayKeywords: readonly Defined<FuncKeywordDefinition | CodeKeywordDefinition>[] = [
  {
    keyword: 'uniqueItems',
    type: 'array',
    before: 'minItems',
    errors: 'full',
    compile: (wanted: boolean) => expectUnique(wanted),
  },
  {
    keyword: 'contains',
    type: 'array',
    schemaType: ['object', 'boolean'],
    before: 'minItems',
    trackErrors: true,
    // Ajv lets an empty array pass if the array before it passed.
    code(cxt: KeywordCxt) {
      const { gen, parentSchema, data, it } = cxt;
      const counts = it.opts.next === true;
      const min = counts ? (parentSchema['minContains'] ?? 1) : 1;
      const max = counts ? parentSchema['maxContains'] : undefined;
      cxt.setParams({ min, max });
      const count = gen.let('count', 0);
      gen.forRange('i', 0, _`${data}.length`, (index) => {
        const isMatch = gen.name('valid');
        const at = { dataProp: index, dataPropType: Type.Num, compositeRule: true } as const;
        cxt.subschema({ keyword: 'contains', ...at }, isMatch);
        gen.if(isMatch, () => gen.code(_`${count}++`));
      });
      const isWithin = max === undefined ? _`${count} >= ${min}` : _`${count} >= ${min} && ${count} <= ${max}`;
      cxt.result(isWithin, () => cxt.reset());
    },
  },
];

function expectUnique(isWanted: boolean): DataValidateFunction {
  const validate: DataValidateFunction = (items: readonly unknown[]) => {
    const places = new Map<string, number>();
    for (const [i, item] of isWanted ? items.entries() : []) {
      const text = canonicalJson(item);
      const j = places.get(text);
      if (j !== undefined) {
        const message = `must NOT have duplicate items (items ## ${j} and ${i} are identical)`;
        validate.errors = [{ keyword: 'uniqueItems', params: { i, j }, message }];
        return false;
      }
      places.set(text, i);
    }
    return true;
  };
  return validate;
}

/** Ajv takes the properties and items of `if` as evaluated even if it fails, and never if `then` and `else` are missing. */
const conditional: Defined<CodeKeywordDefinition> = {
  keyword: 'if',
  schemaType: ['object', 'boolean'],
  trackErrors: true,
  code(cxt: KeywordCxt) {
    const { gen, it } = cxt;
    declareEvaluated(cxt);
    const isValid = gen.let('valid', true);
    const isMatch = gen.name('_valid');
    const clause = gen.let('ifClause');
    cxt.setParams({ ifClause: clause });
    const tried = cxt.subschema({ keyword: 'if', compositeRule: true, createErrors: false, allErrors: false }, isMatch);
    cxt.mergeValidEvaluated(tried, isMatch);
    cxt.reset();
    const apply = (keyword: 'then' | 'else') => () => {
      if (it.schema[keyword] === undefined) return;
      const passes = gen.name('_valid');
      const branch = cxt.subschema({ keyword }, passes);
      gen.assign(isValid, passes);
      cxt.mergeValidEvaluated(branch, isValid);
      gen.assign(clause, _`${keyword}`);
    };
    gen.if(isMatch, apply('then'), apply('else'));
    cxt.pass(isValid, () => cxt.error(true));
  },
};

/** Ajv compares a length with the number of evaluated items, although it may be `true` or not known. */
const unevaluatedItems: Defined<CodeKeywordDefinition> = {
  keyword: 'unevaluatedItems',
  type: 'array',
  schemaType: ['boolean', 'object'],
  code(cxt: KeywordCxt) {
    const { gen, data, it } = cxt;
    const known = it.items ?? 0;
    if (known === true) return;
    const length = gen.const('len', _`${data}.length`);
    const from = gen.const(
      'from',
      known instanceof Name ? _`${known} === true ? ${length} : ${known} || 0` : _`${known}`,
    );
    cxt.setParams({ len: from });
    it.items = true;
    if (cxt.schema === false) return cxt.fail(_`${length} > ${from}`);
    const isValid = gen.let('valid', true);
    gen.forRange('i', from, length, (index) => {
      const passes = gen.name('valid');
      cxt.subschema({ keyword: 'unevaluatedItems', dataProp: index, dataPropType: Type.Num }, passes);
      gen.if(_`!${passes}`, () => {
        gen.assign(isValid, false);
        if (it.allErrors !== true) gen.break();
      });
    });
    cxt.ok(isValid);
  },
};

/** Where a schema has one `$id`, the reference leads where `$ref` does. Ajv always leads it to the schema's root. */
const dynamicReference: Defined<CodeKeywordDefinition> = {
  keyword: '$dynamicRef',
  schemaType: 'string',
  code(cxt: KeywordCxt) {
    const reference = cxt.it.self.getKeyword('$ref');
    if (typeof reference !== 'object' || !('code' in reference)) return;
    const root: unknown = cxt.it.schemaEnv.root.schema;
    // Ajv does not resolve an anchor of the root.
    const isRoot = isRecord(root) && cxt.schema === `#${String(root['$dynamicAnchor'] ?? root['$anchor'])}`;
    const target: KeywordCxt = isRoot ? Object.assign(Object.create(cxt), { schema: '#' }) : cxt;
    reference.code?.(target);
  },
};
