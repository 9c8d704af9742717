import { canonicalJson } from '../json/canonical-json.ts';
import type { JsonObject, JsonValue } from '../json/json.ts';
import { appendPointer } from '../json/json-pointer.ts';
import type { Direction, Finding } from '../model/comparison/finding.ts';
import { type Change, change, show } from '../schema-diff/compare/change.ts';
import { compareSchemas, type SchemaComparisonOptions } from '../schema-diff/compare-schemas.ts';
import { gradeChanges } from '../schema-diff/grade-changes.ts';
import { SchemaProblem } from '../schema-diff/schema/schema-document.ts';
import { rootOf } from '../templates/template-values.ts';
import { attempt } from '../text/attempt.ts';
import { compareStrict, compareTools } from './compare-tools.ts';
import type { PromptContract, PromptVariable } from './describe-contract.ts';

/** The findings of one prompt. A removed prompt has its old id. */
export interface PromptSetFindings {
  readonly promptId: string;
  readonly findings: readonly Finding[];
}

/**
 * Compares the prompts of two states of a project, paired by id. A new prompt that replaces an old one is compared with
 * it. `optionsOf` gives each prompt's own policy.
 */
export function comparePromptSets(
  old: readonly PromptContract[],
  replacement: readonly PromptContract[],
  optionsOf: (promptId: string) => PromptComparisonOptions = () => ({}),
): readonly PromptSetFindings[] {
  const before = new Map(old.map((prompt) => [prompt.promptId, prompt]));
  const after = new Set(replacement.map(({ promptId }) => promptId));
  const compared = replacement.flatMap((prompt): readonly PromptSetFindings[] => {
    const { promptId, replaces } = prompt;
    const known = before.get(promptId) ?? (replaces === undefined ? undefined : before.get(replaces));
    if (known === undefined) return [];
    return [{ promptId, findings: comparePair(known, prompt, optionsOf(promptId)) }];
  });
  const added = replacement.filter(({ promptId }) => !before.has(promptId));
  const removed = old
    .filter(({ promptId }) => !after.has(promptId))
    .map((lost) => {
      const { promptId } = lost;
      const heir = added.find(({ replaces }) => replaces === promptId) ?? findTwin(lost, added);
      const path = appendPointer('/prompts', promptId);
      const found =
        heir === undefined
          ? change('prompt-removed', path, `The prompt "${promptId}" was removed.`, { old: promptId })
          : change('prompt-renamed', path, `The prompt "${promptId}" seems to be renamed to "${heir.promptId}".`, {
              old: promptId,
              new: heir.promptId,
            });
      const options = { ...optionsOf(heir?.promptId ?? promptId), direction: 'output', promptId } as const;
      return { promptId, findings: gradeChanges([found], options) };
    });
  return [...removed, ...compared];
}

/** The only new prompt with the same contract. It is most likely the old prompt under another name. */
function findTwin(lost: PromptContract, added: readonly PromptContract[]): PromptContract | undefined {
  const [twin, another] = added.filter(
    (prompt) => prompt.replaces === undefined && comparePair(lost, prompt, {}).length === 0,
  );
  return another === undefined ? twin : undefined;
}

/** A schema that can't be read is reported with its prompt, under the id that it has on its side. */
function comparePair(old: PromptContract, replacement: PromptContract, options: PromptComparisonOptions) {
  const compared = attempt(() => comparePromptContracts(old, replacement, options), SchemaProblem);
  if (!(compared instanceof SchemaProblem)) return compared;
  const { side, pointer, message, hint } = compared;
  const { promptId } = side === 'old' ? old : replacement;
  throw new SchemaProblem(pointer, message, { side, hint, promptId });
}

export type PromptComparisonOptions = Omit<SchemaComparisonOptions, 'defaulted' | 'direction' | 'promptId'>;

/**
 * Compares two versions of one prompt: schemas by their polarity, and all else that callers and consumers rely on.
 * A `SchemaProblem` names the schema in its pointer: /inputSchema, /outputSchema, /tools/NAME/parameters.
 */
export function comparePromptContracts(
  old: PromptContract,
  replacement: PromptContract,
  options: PromptComparisonOptions = {},
): readonly Finding[] {
  const grade = (changes: readonly Change[], direction: Direction): readonly Finding[] =>
    gradeChanges(changes, { ...options, direction, promptId: replacement.promptId });
  const schemas = compareInput(old, replacement, options, grade);
  return [
    ...schemas,
    ...grade(compareVariables(old, replacement, schemas), 'input'),
    ...compareOutput(old, replacement, options, grade),
    ...compareTools(old.tools, replacement.tools, { ...options, promptId: replacement.promptId }),
    ...grade(
      [
        ...compareModel(old, replacement),
        ...compareParams(old.params, replacement.params),
        ...compareRoles(old, replacement),
      ],
      'output',
    ),
  ];
}

type Grade = (changes: readonly Change[], direction: Direction) => readonly Finding[];

function compareInput(
  old: PromptContract,
  replacement: PromptContract,
  options: PromptComparisonOptions,
  grade: Grade,
): readonly Finding[] {
  const path = '/inputSchema';
  if (old.inputSchema === undefined && replacement.inputSchema === undefined) return [];
  if (old.inputSchema === undefined) {
    return grade([change('input-schema-added', path, 'An input schema was added; callers may be refused.')], 'input');
  }
  if (replacement.inputSchema === undefined) {
    return grade(
      [change('input-schema-removed', path, 'The input schema was removed; everything is accepted.')],
      'input',
    );
  }
  return compareSchemas(old.inputSchema, replacement.inputSchema, {
    ...options,
    direction: 'input',
    promptId: replacement.promptId,
    defaulted: [...byRoot(replacement.variables)].filter(([, { hasDefault }]) => hasDefault).map(([name]) => name),
    at: path,
  });
}

function compareOutput(
  old: PromptContract,
  replacement: PromptContract,
  options: PromptComparisonOptions,
  grade: Grade,
): readonly Finding[] {
  const findings: Finding[] = [];
  const sides = { old: formatOf(old), new: formatOf(replacement) };
  // A schema on one side alone is reported as added or removed, and says nothing of the other side's answers.
  const isDeclared = old.outputFormat !== undefined || replacement.outputFormat !== undefined;
  if (isDeclared && sides.old !== sides.new) {
    const message = `The output changed from ${sides.old} to ${sides.new}; parsers break.`;
    findings.push(...grade([change('output-format-changed', '/outputFormat', message, sides)], 'output'));
  }
  const path = '/outputSchema';
  const [before, after] = [old.outputSchema, replacement.outputSchema];
  if (before !== undefined && after !== undefined) {
    const comparison = { ...options, direction: 'output', promptId: replacement.promptId, at: path } as const;
    findings.push(...compareSchemas(before, after, comparison));
    const strict = compareStrict('The answers', '/outputFormat/strict', old.isOutputStrict, replacement.isOutputStrict);
    findings.push(...grade(strict, 'output'));
  } else if (after !== undefined) {
    findings.push(...grade([change('output-schema-added', path, 'An output schema was added.')], 'output'));
  } else if (before !== undefined) {
    const message = 'The output schema was removed; nothing is promised any more.';
    findings.push(...grade([change('output-schema-removed', path, message)], 'output'));
  }
  return findings;
}

function formatOf({ outputFormat, outputSchema }: PromptContract): 'json' | 'text' {
  return outputFormat ?? (outputSchema === undefined ? 'text' : 'json');
}

function compareModel(old: PromptContract, replacement: PromptContract): readonly Change[] {
  return (['provider', 'model'] as const).flatMap((field) => {
    const sides = { old: old[field], new: replacement[field] };
    if (sides.old === sides.new) return [];
    const message = `The ${field} changed from ${sides.old} to ${sides.new}; run the cases again.`;
    return [change(`${field}-changed`, `/${field}`, message, sides)];
  });
}

const tokenLimits = new Set([
  'max_tokens',
  'max_output_tokens',
  'max_completion_tokens',
  'max_new_tokens',
  'maxTokens',
  'maxOutputTokens',
  'num_predict',
]);

function compareParams(old: JsonObject, replacement: JsonObject): readonly Change[] {
  const changes: Change[] = [];
  for (const name of new Set([...Object.keys(old), ...Object.keys(replacement)])) {
    const before = Object.hasOwn(old, name) ? (old[name] ?? null) : undefined;
    const after = Object.hasOwn(replacement, name) ? (replacement[name] ?? null) : undefined;
    if (canonicalJson(before) === canonicalJson(after) && (before === undefined) === (after === undefined)) continue;
    const path = appendPointer('/params', name);
    const sides = { old: before ?? null, new: after ?? null };
    const [from, to] = [before, after].map((value) => (value === undefined ? 'none' : show(value)));
    const limit = typeof before === 'number' ? before : Infinity;
    if (tokenLimits.has(name) && typeof after === 'number' && after < limit) {
      const message = `"${name}" was lowered from ${from ?? ''} to ${to ?? ''}; longer answers are cut off, which breaks JSON.`;
      changes.push(change('max-output-tokens-lowered', path, message, sides));
    } else {
      changes.push(change('param-changed', path, `"${name}" changed from ${from ?? ''} to ${to ?? ''}.`, sides));
    }
  }
  return changes;
}

function compareRoles(old: PromptContract, replacement: PromptContract): readonly Change[] {
  const [before, after] = [old.messages, replacement.messages].map((messages) => messages.map(({ role }) => role));
  if (before === undefined || after === undefined || before.join() === after.join()) return [];
  const message = `The messages changed from ${before.join(', ') || 'none'} to ${after.join(', ') || 'none'}.`;
  return [change('role-structure-changed', '/messages', message, { old: before, new: after })];
}

/** Compares the variables of two templates. One that the input schema already reports as required is reported once. */
function compareVariables(
  old: PromptContract,
  replacement: PromptContract,
  schemas: readonly Finding[],
): readonly Change[] {
  const before = byRoot(old.variables);
  const after = byRoot(replacement.variables);
  const changes: Change[] = [];
  for (const [name, variable] of after) {
    const known = before.get(name);
    const path = appendPointer('/variables', name);
    if (known === undefined) {
      const property = appendPointer('/inputSchema/properties', name);
      if (schemas.some((finding) => finding.path === property && finding.severity === 'error')) continue;
      if (variable.hasDefault) {
        const sides = { new: variable.default ?? null };
        changes.push(
          change('input-variable-added/default', path, `The template reads "${name}", which has a default.`, sides),
        );
      } else if (!isRequired(old.inputSchema, name)) {
        changes.push(
          change('input-variable-added', path, `The template reads "${name}", which callers do not send.`, {
            new: name,
          }),
        );
      }
    } else if (canonicalJson(defaultOf(known)) !== canonicalJson(defaultOf(variable))) {
      const [from, to] = [known, variable].map((side) => (side.hasDefault ? show(side.default ?? null) : 'none'));
      const sides = { old: known.default ?? null, new: variable.default ?? null };
      changes.push(
        change(
          'input-default-changed',
          path,
          `The default of "${name}" changed from ${from ?? ''} to ${to ?? ''}.`,
          sides,
        ),
      );
    }
  }
  for (const name of before.keys()) {
    if (after.has(name)) continue;
    const message = `The template does not read "${name}" any more; what callers send there is lost.`;
    changes.push(change('input-variable-unused', appendPointer('/variables', name), message, { old: name }));
  }
  return changes;
}

/** A variable that one message reads without a default has none: callers must send it. */
function byRoot(variables: readonly PromptVariable[]): ReadonlyMap<string, PromptVariable> {
  const known = new Map<string, PromptVariable>();
  for (const variable of variables) {
    const root = rootOf(variable.name);
    if (!known.has(root) || !variable.hasDefault) known.set(root, variable);
  }
  return known;
}

function defaultOf(variable: PromptVariable): readonly JsonValue[] {
  return variable.hasDefault ? [variable.default ?? null] : [];
}

/** True if callers already had to send the variable. */
function isRequired(schema: PromptContract['inputSchema'], name: string): boolean {
  if (typeof schema !== 'object') return false;
  const { required } = schema;
  return Array.isArray(required) && required.includes(name);
}
