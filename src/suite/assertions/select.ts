import * as z from 'zod';
import { defined } from '../../json/defined.ts';
import { compileJsonPath, JsonPathError } from '../../json/json-path.ts';
import type { SelectSpec } from '../../model/run/verdict.ts';
import { attempt } from '../../text/attempt.ts';
import { formatCount } from '../../text/format-amount.ts';
import { findFaultOfAnyMode } from '../../text/patterns/regex.ts';
import { didYouMean } from '../../text/words/did-you-mean.ts';
import { checkShape } from '../documents/check-shape.ts';
import { describeValue } from '../documents/describe-issue.ts';
import { childOf, itemsOf, type Located, locate, type Problems } from '../documents/locate.ts';
import { inputs, words, workspacePath } from '../schema/fields.ts';
import type { ReadCode } from './own-code.ts';

/** The map forms of `select`, by the key that tells them apart. */
const forms = {
  json: z
    .strictObject({ json: z.literal(true).describe('The answer, parsed as JSON.') })
    .transform(() => ({ kind: 'json' as const })),
  jsonPath: z
    .strictObject({ jsonPath: words.superRefine(checkPath).describe('What a JSONPath (RFC 9535) selects.') })
    .transform(({ jsonPath }) => ({ kind: 'jsonPath' as const, path: jsonPath })),
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
    .superRefine(checkRegex)
    .transform(({ regex: pattern, flags = '', group = 0, match = 'first' }) => {
      return { kind: 'regex' as const, pattern, flags, group, match };
    }),
  codeBlock: z
    .strictObject({ codeBlock: z.string().describe('A fenced code block of that language; "" is any.') })
    .transform(({ codeBlock }) => ({ kind: 'codeBlock' as const, language: codeBlock })),
  xmlTag: z
    .strictObject({ xmlTag: words.describe('The text between <tag> and </tag>.') })
    .transform(({ xmlTag }) => ({ kind: 'xmlTag' as const, tag: xmlTag })),
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
    .superRefine(({ replace, flags }, context) => checkRegex({ regex: replace, flags }, context))
    .transform(({ replace: pattern, flags = '', match = 'all', ...rest }) => {
      return { kind: 'replace' as const, pattern, flags, with: rest.with, match };
    }),
  file: z
    .strictObject({ file: workspacePath.describe('A file of the workspace, as the program left it.') })
    .transform(({ file }) => ({ kind: 'file' as const, path: file })),
};

/** The form for the user's own function. */
const moduleForm = z.strictObject({
  module: words.describe('What a function that this file exports makes of the answer.'),
  export: words.optional().describe('The export; default "default".'),
  files: z.array(words).optional().describe('Further files that decide what it makes of the answer.'),
  inputs: inputs.optional(),
});

const names = ['text', 'trim', 'json', 'toolCalls', 'reasoning', 'state', 'skill'] as const;

const oneSelect = z.union([z.enum(names), ...Object.values(forms), moduleForm]);

/** The schema of `select` in the JSON Schema of suites. */
export const selectSchema = z.union([...oneSelect.options, z.array(oneSelect).min(1)]);

/** Steps that select from a text, and so from the result of another step. */
const textSteps: ReadonlySet<string> = new Set(['json', 'jsonPath', 'regex', 'codeBlock', 'xmlTag', 'trim', 'replace']);

interface Selecting {
  /** The name of the parsed text in messages. */
  readonly label?: string;
  /** Absent if code may not select. */
  readonly readCode?: ReadCode;
}

/** Parses `select`. Returns undefined and reports a problem if it has no known form. */
export function parseSelect(located: Located, problems: Problems, selecting: Selecting = {}): SelectSpec | undefined {
  const { value } = located;
  const { label = 'select' } = selecting;
  if (Array.isArray(value)) return parseSteps(located, problems, { ...selecting, label });
  if (typeof value === 'string') {
    const kind = names.find((name) => name === value);
    if (kind !== undefined) return { kind };
    return problems.refuse(
      located,
      `${label} must be one of ${names.join(', ')} or a map, not ${describeValue(value)}`,
      didYouMean(value, names) ?? formsHint,
    );
  }
  const form = Object.entries(forms).find(([key]) => Object.hasOwn(Object(value), key))?.[1];
  if (form !== undefined) return checkShape<z.ZodType<SelectSpec>>(form, located, { label, problems });
  if (Object.hasOwn(Object(value), 'module')) return parseModule(located, problems, { ...selecting, label });
  return refuseForm(located, problems, label);
}

type LabelledSelecting = Selecting & { readonly label: string };

function parseModule(located: Located, problems: Problems, { label, readCode }: LabelledSelecting) {
  const found = checkShape(moduleForm, located, { label, problems });
  if (found === undefined) return undefined;
  if (readCode === undefined) return problems.refuse(located, `${label} is never made by code`);
  const files = found.files === undefined ? undefined : childOf(located, 'files');
  const patterns = found.inputs === undefined ? undefined : childOf(located, 'inputs');
  const code = readCode('module', { value: childOf(located, 'module'), ...defined({ files, inputs: patterns }) });
  return code && { kind: 'module' as const, name: found.module, exportName: found.export ?? 'default', code };
}

function parseSteps(located: Located, problems: Problems, selecting: LabelledSelecting): SelectSpec | undefined {
  const { label } = selecting;
  const parts = itemsOf(located);
  if (parts.length === 0) return problems.refuse(located, `${label} is an empty list`);
  const steps: SelectSpec[] = [];
  for (const part of parts) {
    const step = parseSelect(part, problems, { ...selecting, label: `a step of ${label}` });
    if (step === undefined) return undefined;
    if (step.kind === 'steps') return problems.refuse(part, `a step of ${label} is a list of its own`);
    if (steps.length > 0 && !textSteps.has(step.kind))
      return problems.refuse(part, `${step.kind} can only be the first step of ${label}: it is no part of a text`);
    steps.push(step);
  }
  return { kind: 'steps', steps };
}

/** Refuses an unknown form. A key that is close to a known one is probably meant as that. */
function refuseForm(located: Located, problems: Problems, label: string): undefined {
  for (const key of Object.keys(Object(located.value))) {
    const hint = didYouMean(key, [...Object.keys(forms), 'module']);
    if (hint === undefined) continue;
    const message = `unknown key "${key}" in ${label}`;
    problems.report({ code: 'unknown-key', message, hint, at: locate(childOf(located, key), 'key') });
    return;
  }
  problems.refuse(located, `${label} has a form that is not known: ${describeValue(located.value)}`, formsHint);
}

const formsHint =
  'known: text, trim, toolCalls, reasoning, state, skill, {json: true}, {jsonPath: $.a}, {regex: …}, {codeBlock: json}, {xmlTag: answer}, {replace: …, with: …}, {file: src/cart.js}, or a list of these';

function checkPath(path: string, context: z.RefinementCtx): void {
  const compiled = attempt(() => compileJsonPath(path), JsonPathError);
  if (!(compiled instanceof JsonPathError)) return;
  context.addIssue({ code: 'custom', message: compiled.message, params: { code: 'invalid-json-path' } });
}

/** Checked here too, because zod skips refinements of a map with an unknown key. */
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
    // With an empty alternative, the pattern matches any text. The match shows the number of groups.
    const groups = (new RegExp(`${select.regex}|`, select.flags ?? '').exec('')?.length ?? 1) - 1;
    if ((select.group ?? 0) > groups) refuse('group', `is too high: the pattern has ${formatCount(groups, 'group')}`);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const isFlags = /flags/.test(error.message);
    if (!isFlags && findFaultOfAnyMode(select.regex) !== undefined) return;
    refuse(isFlags ? 'flags' : 'regex', error.message.replace(`${select.regex}|`, select.regex));
  }
}
