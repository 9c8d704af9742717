import { defined } from '../../json/defined.ts';
import { isJsonObject, type JsonObject } from '../../json/json.ts';
import { appendPointer } from '../../json/json-pointer.ts';
import { compileJsonSchema } from '../../json/json-schema.ts';
import { JsonSchemaError } from '../../json/schema-errors.ts';
import type { ContractPolicy, SeverityOverride } from '../../model/suite/recorded-settings.ts';
import { type Contract } from '../../model/suite/recorded-settings.ts';
import { mergeContracts } from '../../model/suite/suite.ts';
import { type RuleKey, ruleIdOf, rules } from '../../schema-diff/rules.ts';
import { definitionKeywords, findMisspeltKeywords, findWrapper } from '../../schema-diff/schema/check-document.ts';
import { findSchemaFaults } from '../../schema-diff/schema/schema-document.ts';
import { docsUrl } from '../../text/addresses/docs-url.ts';
import { attempt } from '../../text/attempt.ts';
import { didYouMean } from '../../text/words/did-you-mean.ts';
import { plainNumbers } from '../../text/yaml/exact-numbers.ts';
import { childOf, itemsOf, type Located, locate, type Problems } from '../documents/locate.ts';
import { type ContractPlace, locateInSchema, placeOf } from './contract-places.ts';

interface ContractContext {
  readonly problems: Problems;
  /** The content of a JSON or YAML file that a value names. */
  readonly readFile: (namedBy: Located<string>) => Promise<Located | undefined>;
}

/** A contract with the places of its schemas. */
export interface ParsedContract {
  readonly contract: Contract;
  readonly places: { readonly input?: ContractPlace; readonly output?: ContractPlace };
}

export const emptyContract: ParsedContract = { contract: {}, places: {} };

/** The part that is nearer to the prompt wins, key by key. */
export function joinContracts(general: ParsedContract, own: ParsedContract | undefined): ParsedContract {
  if (own === undefined) return general;
  return {
    contract: mergeContracts(general.contract, own.contract),
    places: { ...general.places, ...own.places },
  };
}

/** Reads a contract whose shape is already checked: its schemas, inline or from files, and its policy for changes. */
export async function parseContract(located: Located, context: ContractContext): Promise<ParsedContract> {
  const input = await parseSchema(childOf(located, 'input'), context);
  const output = await parseSchema(childOf(located, 'output'), context);
  // A number keeps its zeros.
  const approved = itemsOf(childOf(located, 'approved')).map(({ value }) => String(value));
  const { policy, strictConsumers, ignore, removed } = Object(plainNumbers(located.value)) as {
    readonly policy?: ContractPolicy;
    readonly strictConsumers?: boolean;
  } & Readonly<Record<string, unknown>>;
  const overrides = parseOverrides(childOf(located, 'overrides'), context);
  return {
    contract: defined({
      input: input?.schema,
      output: output?.schema,
      approved: approved.length > 0 ? approved : undefined,
      policy,
      overrides,
      ignore: Array.isArray(ignore) ? ignore.map(String) : undefined,
      strictConsumers,
      removed: Array.isArray(removed) ? removed.map(String) : undefined,
    }),
    places: {
      ...defined({ input: input?.place, output: output?.place }),
    },
  };
}

/** The rule ids without the prefix of rules on the parameters and results of tools. */
const ruleIds = [...new Set(Object.keys(rules).map((key) => ruleIdOf(key as RuleKey)))];

function parseOverrides(located: Located, { problems }: ContractContext): readonly SeverityOverride[] | undefined {
  const { value } = located;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const rule of Object.keys(value)) {
    if (ruleIds.includes(rule.replace(/^tool-(?:parameter|result)-/, ''))) continue;
    problems.report({
      code: 'unknown-id',
      message: `there is no contract rule "${rule}"`,
      hint: didYouMean(rule, ruleIds) ?? `${docsUrl('contracts.md')} lists the rules`,
      at: locate(childOf(located, rule), 'key'),
    });
  }
  return Object.entries(value).map(([rule, severity]) => ({
    rule,
    severity: severity as SeverityOverride['severity'],
  }));
}

interface ParsedSchema {
  readonly schema: JsonObject | boolean;
  readonly place: ContractPlace;
}

async function parseSchema(named: Located, { problems, readFile }: ContractContext): Promise<ParsedSchema | undefined> {
  const { value } = named;
  if (value === undefined) return undefined;
  const located = typeof value === 'string' ? await readFile({ ...named, value }) : named;
  if (located === undefined) return undefined;
  const schema = plainNumbers(located.value);
  if (!checkSchema(located, '', problems)) return undefined;
  const compiled = attempt(() => compileJsonSchema(schema), JsonSchemaError);
  if (compiled instanceof JsonSchemaError) {
    for (const { message, place, hint } of [compiled, ...compiled.others]) {
      const at = place.length === 0 ? locate(located) : locateInSchema(located, appendPointer('', ...place));
      problems.report({ code: 'invalid-schema', message, ...defined({ hint }), at });
    }
    return undefined;
  }
  if (typeof schema !== 'boolean' && !isJsonObject(schema)) return undefined;
  warnOfKeywords(located, problems);
  return { schema, place: placeOf(located) };
}

/** Returns true if a value is a JSON Schema; else reports the mistakes, each after a prefix that names the value. */
export function checkSchema(schema: Located, prefix: string, problems: Problems): boolean {
  const faults = findSchemaFaults(plainNumbers(schema.value));
  for (const { pointer, message, hint } of faults) {
    const at = locateInSchema(schema, pointer);
    problems.report({ code: 'invalid-schema', message: `${prefix}${message}`, ...defined({ hint }), at });
  }
  return faults.length === 0;
}

/** Warns of unknown keywords in a schema that look like known ones, or wrap it: validators ignore them. */
export function warnOfKeywords(schema: Located, problems: Pick<Problems, 'warn'>): void {
  // OpenAI's `response_format` has the schema beside a name. It may also have other keywords beside it.
  const hasSchema = isJsonObject(schema.value) && isJsonObject(schema.value['schema']);
  const wrapper = hasSchema ? 'schema' : findWrapper(plainNumbers(schema.value));
  if (wrapper !== undefined) {
    const isOfDefinitions = definitionKeywords.includes(wrapper);
    problems.warn({
      code: 'unknown-key',
      message: isOfDefinitions
        ? `the schema refers to none of its "${wrapper}", so what it holds checks nothing`
        : `"${wrapper}" is not a keyword of JSON Schema, so what it holds checks nothing`,
      hint: isOfDefinitions
        ? `refer to the one that counts: $ref: "#/${wrapper}/NAME"`
        : `write the schema itself, without ${wrapper === 'schema' ? 'name and strict' : 'what is'} around it`,
      at: locateInSchema(schema, `/${wrapper}`),
    });
  }
  for (const { pointer, keyword, meant } of findMisspeltKeywords(plainNumbers(schema.value))) {
    problems.warn({
      code: 'unknown-key',
      message: `"${keyword}" is not a keyword of JSON Schema, so it checks nothing`,
      hint: `did you mean "${meant}"?`,
      at: locateInSchema(schema, pointer),
    });
  }
}
