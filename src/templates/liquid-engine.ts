import { Drop, Liquid, type Template as LiquidNode, TagToken, Token, Tokenizer, TypeGuards } from 'liquidjs';
import { openContext } from './liquid-context.ts';
import { NoText, refuseOtherLanguages, translate, translateErrors, undefinedFilter } from './liquid-errors.ts';
import { comparable, registerFilters, SpelledDrop } from './liquid-filters.ts';
import {
  joinErrors,
  maxTemplateLength,
  positionIn,
  type ReadableTemplate,
  TemplateError,
  tooMany,
} from './template-error.ts';
import { describeLongLiteral, findLongLiteral, longLiteralHint, plainText, rootOf } from './template-values.ts';

/** The part of a compiled template that needs Liquid. */
export interface TemplateEngine {
  compile(source: string): ReadableTemplate;
}

const fileTags = 'include render layout block';
const maxNestedTags = 100;
/** Liquid takes each token from the front of a list, which is slow for long lists. */
const maxTags = 20_000;

/** Creates a Liquid engine without code, files, environment, clock or chance. Limits stop endless loops. */
export function createTemplateEngine(): TemplateEngine {
  const liquid = createLiquid();
  return { compile: (source) => compile(liquid, source) };
}

function createLiquid(): Liquid {
  const liquid = new Liquid({
    strictVariables: true,
    strictFilters: true,
    lenientIf: true,
    ownPropertyOnly: true,
    cache: false,
    templates: {},
    memoryLimit: 5e6,
    renderLimit: 2000,
    parseLimit: maxTemplateLength,
    // Fix the time zone: a date must not depend on the machine.
    timezoneOffset: 0,
    outputEscape: outputText,
  });
  registerFilters(liquid);
  for (const name of fileTags.split(' ')) refuseTag(liquid, name);
  return liquid;
}

function compile(liquid: Liquid, source: string): ReadableTemplate {
  refuseManyTags(source);
  refuseOtherLanguages(source);
  try {
    return compileNodes(liquid, source);
  } catch (error) {
    throw error instanceof TemplateError ? readOn(error, source) : error;
  }
}

function refuseManyTags(source: string): void {
  const tags = source.match(/\{[{%]/g)?.length ?? 0;
  if (tags <= maxTags) return;
  const hint = 'pass a list as a variable, and go through it with {% for x in list %}…{% endfor %}';
  throw tooMany(tags, 'outputs and tags', maxTags, hint);
}

function compileNodes(liquid: Liquid, source: string): ReadableTemplate {
  const nodes = translateErrors(liquid, () => parse(liquid, source));
  const segments = translateErrors(liquid, () => withoutPositions(() => liquid.globalVariableSegmentsSync(nodes)));
  const variables = [...new Set(segments.map(writePath))];
  return {
    source,
    variables,
    render(vars) {
      try {
        return String(liquid.renderSync(nodes, openContext(liquid, comparable(vars))));
      } catch (error) {
        throw findOthers(translate(liquid, error), { liquid, nodes, vars, variables });
      }
    },
  };
}

/**
 * Liquid finds the line of each variable by reading the template from its start. They are not used here, and for a template of
 * 100,000 variables they take minutes.
 */
function withoutPositions<T>(analyze: () => T): T {
  const { prototype } = Token;
  const known = Object.getOwnPropertyDescriptor(prototype, 'getPosition');
  prototype.getPosition = () => [1, 1];
  try {
    return analyze();
  } finally {
    if (known !== undefined) Object.defineProperty(prototype, 'getPosition', known);
  }
}

const maxUnknownFilters = 50;

/** Finds the template's other errors, past unknown filters. */
function readOn(first: TemplateError, source: string): TemplateError {
  // Use a separate engine that accepts the unknown filters, so the rest can be parsed.
  const liquid = createLiquid();
  const others: TemplateError[] = [];
  let name = undefinedFilter.exec(first.message)?.[1];
  while (name !== undefined && others.length < maxUnknownFilters) {
    liquid.registerFilter(name, (value: unknown) => value);
    name = undefined;
    try {
      const template = compileNodes(liquid, source);
      first.rest = {
        ...template,
        render(vars) {
          try {
            return template.render(vars);
          } catch (error) {
            // An unknown filter's result is unknown, so only missing variables are reported.
            const missing = error instanceof TemplateError ? [error, ...error.also].filter(isMissing) : [];
            const [one, ...more] = missing;
            if (one === undefined) return '';
            throw joinErrors(one, more);
          }
        },
      };
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      others.push(error);
      name = undefinedFilter.exec(error.message)?.[1];
    }
  }
  return joinErrors(first, others);
}

function isMissing({ kind }: TemplateError): boolean {
  return kind === 'missing-variable';
}

interface Rendering {
  readonly liquid: Liquid;
  readonly nodes: LiquidNode[];
  readonly vars: Readonly<Record<string, unknown>>;
  readonly variables: readonly string[];
}

/** Renders again, past the first failure, to find all others. */
function findOthers(first: unknown, { liquid, nodes, vars, variables }: Rendering): unknown {
  if (!(first instanceof TemplateError) || first.kind === 'limit') return first;
  const roots = new Set(variables.map(rootOf));
  // Skip stack traces: they are never shown, and recording them takes longer than rendering.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    const collector = collectorOf(liquid);
    collector.renderSync(nodes, openContext(collector, comparable(vars)));
    return first;
  } catch (error) {
    const others = flatten(error)
      .map((one) => translate(liquid, one))
      .filter((one) => one instanceof TemplateError)
      // Ignore variables that the template itself would have set later.
      .filter(({ kind, variable }) => kind !== 'limit' && (variable === undefined || roots.has(rootOf(variable))));
    return joinErrors(first, others);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

// Cached: ten thousand cases may fail in one template.
const collectors = new WeakMap<Liquid, Liquid>();

function collectorOf(liquid: Liquid): Liquid {
  const known = collectors.get(liquid);
  if (known !== undefined) return known;
  const collecting = new Liquid({ ...liquid.options, catchAllErrors: true });
  collectors.set(liquid, collecting);
  return collecting;
}

function flatten(error: unknown): readonly unknown[] {
  if (typeof error !== 'object' || error === null || !('errors' in error) || !Array.isArray(error.errors))
    return [error];
  return error.errors.flatMap(flatten);
}

function parse(liquid: Liquid, source: string): LiquidNode[] {
  if (isNestedTooDeep(source)) {
    throw new TemplateError(`tags are nested deeper than ${maxNestedTags} levels`, { kind: 'limit' });
  }
  const nodes = liquid.parse(source);
  refuseLongLiteralsIn(source);
  return nodes;
}

/** Refuses long numbers: Liquid reads them as doubles and would print another number. */
function refuseLongLiteralsIn(source: string): void {
  let isComment = false;
  for (const token of new Tokenizer(source).readTopLevelTokens()) {
    if (token instanceof TagToken) {
      if (token.name === 'comment' || token.name === 'endcomment') isComment = token.name === 'comment';
      if (token.name === '#') continue;
    } else if (!TypeGuards.isOutputToken(token)) continue;
    const found = isComment ? undefined : findLongLiteral(token.getText());
    if (found === undefined) continue;
    const at = positionIn(source, token.begin + found.offset);
    throw new TemplateError(describeLongLiteral(found.text), { kind: 'syntax', hint: longLiteralHint, ...at });
  }
}

function isNestedTooDeep(source: string): boolean {
  let depth = 0;
  for (const [, closing] of source.matchAll(/\{%-?\s*(end)?(?:if|unless|for|case|capture|tablerow)\b/g)) {
    depth += closing === undefined ? 1 : -1;
    if (depth > maxNestedTags) return true;
  }
  return false;
}

/** Converts an output to text. `translateErrors` adds position and path to its error. */
function outputText(value: unknown): string {
  const plain = value instanceof Drop && !(value instanceof SpelledDrop) ? value.valueOf() : value;
  const text = plain instanceof SpelledDrop ? plain.toString() : plainText(plain);
  if (text === undefined) throw new NoText(plain);
  return text;
}

function refuseTag(liquid: Liquid, name: string): void {
  liquid.registerTag(name, {
    parse() {
      throw new TemplateError(`the tag "${name}" reads files, which a template may not`, {
        kind: 'syntax',
        hint: 'write the text here, or pass it as a variable',
      });
    },
    render() {
      return '';
    },
  });
}

type Segment = string | number | readonly Segment[];

function writePath(segments: readonly Segment[]): string {
  const [head, ...rest] = segments;
  return String(head) + rest.map(writeSegment).join('');
}

function writeSegment(segment: Segment): string {
  if (typeof segment === 'number') return `[${segment}]`;
  if (typeof segment !== 'string') return `[${writePath(segment)}]`;
  return /^[\p{L}_\d][\p{L}\p{N}_-]*$/u.test(segment) ? `.${segment}` : `[${JSON.stringify(segment)}]`;
}
