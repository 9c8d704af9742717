import * as z from 'zod';
import { defined } from '../../json/defined.ts';
import { compileJsonPath, JsonPathError } from '../../json/json-path.ts';
import type { SelectSpec } from '../../model/verdict.ts';
import { didYouMean } from '../../text/did-you-mean.ts';
import { findFaultOfAnyMode } from '../../text/regex.ts';
import { checkShape } from '../documents/check-shape.ts';
import { describeValue } from '../documents/describe-issue.ts';
import { childOf, type Located, locate, type Problems } from '../documents/locate.ts';
import { words, workspacePath } from '../schema/fields.ts';
import type { ReadCode } from './own-code.ts';

/** The map forms of `select`, by the key that tells them apart. */
const forms = {
  json: z.strictObject({ json: z.literal(true).describe('The answer, parsed as JSON.') }),
  jsonPath: z.strictObject({ jsonPath: words.superRefine(checkPath).describe('What a JSONPath (RFC 9535) selects.') }),
  regex: z
    .strictObject({
      regex: words.superRefine(checkPattern).describe('What a regular expression matches, in JavaScript syntax.'),
      flags: z.string().optional().describe('Its flags, such as "i".'),
      group: z
        .int({ error: 'must be a whole number' })
        .min(0, { error: 'must be 0 or more' })
        .optional()
        .describe('A capture group; default 0, the whole match.'),
      match: z
        .enum(['first', 'last'], { error: 'must be first or last' })
        .optional()
        .describe('Which match; default first.'),
    })
    .superRefine(checkRegex),
  codeBlock: z.strictObject({ codeBlock: z.string().describe('A fenced code block of that language; "" is any.') }),
  xmlTag: z.strictObject({ xmlTag: words.describe('The text between <tag> and </tag>.') }),
  replace: z
    .strictObject({
      replace: words.superRefine(checkPattern).describe('What a regular expression matches is replaced.'),
      with: z.string().meta({ description: 'The text in its place; $1 is the first group.', examples: [''] }),
      flags: z.string().optional().describe('Flags of the expression, such as "i".'),
      match: z
        .enum(['first', 'all'], { error: 'must be first or all' })
        .optional()
        .describe('Which matches; default all.'),
    })
    .superRefine(({ replace, flags }, context) => checkRegex({ regex: replace, flags }, context)),
  file: z.strictObject({
    file: workspacePath.describe('A file of the workspace, as the program left it.'),
  }),
  module: z.strictObject({
    module: words.describe('What a function that this file exports makes of the answer.'),
    export: words.optional().describe('The export; default "default".'),
    files: z.array(words).optional().describe('Further files that decide what it makes of the answer.'),
  }),
};

const names = ['text', 'trim', 'json', 'toolCalls', 'reasoning', 'state', 'skill'] as const;

const oneSelect = z.union([z.enum(names), ...Object.values(forms)]);

/** For the JSON Schema of suites. */
export const selectSchema = z.union([...oneSelect.options, z.array(oneSelect).min(1)]);

/** Steps that select from a text, and so from what another step found. */
const textSteps: ReadonlySet<string> = new Set(['json', 'jsonPath', 'regex', 'codeBlock', 'xmlTag', 'trim', 'replace']);

/** Parses `select`; undefined and a problem where it has no form that is known. */
export function parseSelect(
  located: Located,
  problems: Problems,
  { label = 'select', readCode }: { readonly label?: string; readonly readCode?: ReadCode } = {},
): SelectSpec | undefined {
  const { value } = located;
  if (Array.isArray(value)) return parseSteps(located, value.length, problems, { label, ...defined({ readCode }) });
  if (typeof value === 'string') {
    const kind = names.find((name) => name === value);
    if (kind !== undefined) return { kind };
    problems.report({
      code: 'invalid-value',
      message: `${label} must be one of ${names.join(', ')} or a map, not ${describeValue(value)}`,
      hint: didYouMean(value, names) ?? formsHint,
      at: locate(located),
    });
    return undefined;
  }
  const key =
    typeof value === 'object' && value !== null
      ? Object.keys(forms).find((form) => Object.hasOwn(value, form))
      : undefined;
  const checking = { label, problems };
  switch (key ?? '') {
    case 'json':
      return checkShape(forms.json, located, checking) && { kind: 'json' };
    case 'jsonPath': {
      const found = checkShape(forms.jsonPath, located, checking);
      return found && { kind: 'jsonPath', path: found.jsonPath };
    }
    case 'regex': {
      const found = checkShape(forms.regex, located, checking);
      return (
        found && {
          kind: 'regex',
          pattern: found.regex,
          flags: found.flags ?? '',
          group: found.group ?? 0,
          match: found.match ?? 'first',
        }
      );
    }
    case 'codeBlock': {
      const found = checkShape(forms.codeBlock, located, checking);
      return found && { kind: 'codeBlock', language: found.codeBlock };
    }
    case 'xmlTag': {
      const found = checkShape(forms.xmlTag, located, checking);
      return found && { kind: 'xmlTag', tag: found.xmlTag };
    }
    case 'replace': {
      const found = checkShape(forms.replace, located, checking);
      if (found === undefined) return undefined;
      const { replace: pattern, flags = '', match = 'all' } = found;
      return { kind: 'replace', pattern, flags, with: found.with, match };
    }
    case 'file': {
      const found = checkShape(forms.file, located, checking);
      return found && { kind: 'file', path: found.file };
    }
    case 'module': {
      const found = checkShape(forms.module, located, checking);
      if (found === undefined) return undefined;
      if (readCode === undefined) {
        problems.report({ code: 'invalid-value', message: `${label} is never made by code`, at: locate(located) });
        return undefined;
      }
      const files = found.files === undefined ? undefined : childOf(located, 'files');
      const code = readCode('module', { value: childOf(located, 'module'), ...defined({ files }) });
      return code && { kind: 'module', name: found.module, exportName: found.export ?? 'default', code };
    }
    default:
      reportUnknownForm(located, problems, label);
      return undefined;
  }
}

function parseSteps(
  located: Located,
  count: number,
  problems: Problems,
  { label, ...code }: { readonly label: string; readonly readCode?: ReadCode },
): SelectSpec | undefined {
  const refuse = (at: Located, message: string): undefined => {
    problems.report({ code: 'invalid-value', message, at: locate(at) });
  };
  if (count === 0) return refuse(located, `${label} is an empty list`);
  const steps: SelectSpec[] = [];
  for (let index = 0; index < count; index += 1) {
    const part = childOf(located, index);
    const step = parseSelect(part, problems, { label: `a step of ${label}`, ...code });
    if (step === undefined) return undefined;
    if (step.kind === 'steps') return refuse(part, `a step of ${label} is a list of its own`);
    if (index > 0 && !textSteps.has(step.kind))
      return refuse(part, `${step.kind} can only be the first step of ${label}: it is no part of a text`);
    steps.push(step);
  }
  return { kind: 'steps', steps };
}

function reportUnknownForm(located: Located, problems: Problems, label: string): void {
  const mistyped = findMistyped(located.value);
  problems.report(
    mistyped === undefined
      ? {
          code: 'invalid-value',
          message: `${label} has a form that is not known: ${describeValue(located.value)}`,
          hint: formsHint,
          at: locate(located),
        }
      : {
          code: 'unknown-key',
          message: `unknown key "${mistyped.key}" in ${label}`,
          hint: mistyped.hint,
          at: locate(childOf(located, mistyped.key), 'key'),
        },
  );
}

const formsHint =
  'known: text, trim, toolCalls, reasoning, state, skill, {json: true}, {jsonPath: $.a}, {regex: …}, {codeBlock: json}, {xmlTag: answer}, {replace: …, with: …}, {file: src/cart.js}, or a list of these';

/** A key that is nearly one of a form. */
function findMistyped(value: unknown): { readonly key: string; readonly hint: string } | undefined {
  for (const key of typeof value === 'object' && value !== null ? Object.keys(value) : []) {
    const hint = didYouMean(key, Object.keys(forms));
    if (hint !== undefined) return { key, hint };
  }
  return undefined;
}

function checkPath(path: string, context: z.RefinementCtx): void {
  try {
    compileJsonPath(path);
  } catch (error) {
    if (!(error instanceof JsonPathError)) throw error;
    context.addIssue({ code: 'custom', message: error.message, params: { code: 'invalid-json-path' } });
  }
}

/** Here too, since nothing is asked of a map with a key that is unknown. */
function checkPattern(pattern: string, context: z.RefinementCtx): void {
  const message = findFaultOfAnyMode(pattern);
  if (message !== undefined) context.addIssue({ code: 'custom', message, params: { code: 'invalid-regex' } });
}

function checkRegex(
  select: { regex: string; flags?: string | undefined; group?: number | undefined },
  context: z.RefinementCtx,
): void {
  const refuse = (key: string, message: string) =>
    context.addIssue({ code: 'custom', path: [key], message, params: { code: 'invalid-regex' } });
  try {
    // With an empty alternative the pattern matches anything, and so tells how many groups it has.
    const groups = (new RegExp(`${select.regex}|`, select.flags ?? '').exec('')?.length ?? 1) - 1;
    if ((select.group ?? 0) > groups)
      refuse('group', `must be at most ${groups}: the pattern has ${groups === 1 ? '1 group' : `${groups} groups`}`);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const isFlags = /flags/.test(error.message);
    if (!isFlags && findFaultOfAnyMode(select.regex) !== undefined) return;
    refuse(isFlags ? 'flags' : 'regex', error.message.replace(`${select.regex}|`, select.regex));
  }
}
