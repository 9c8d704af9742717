import { canonicalJson, spell } from '../json/canonical-json.ts';
import { isRecord } from '../json/deep-equal.ts';
import { defined } from '../json/defined.ts';
import type { PromptModel, PromptTestRow, PromptTests } from '../model/suite/prompt-file.ts';
import { escapeTemplate, reservedNames } from '../templates/template.ts';
import { didYouMean } from '../text/words/did-you-mean.ts';
import { plainNumbers, SpelledNumber } from '../text/yaml/exact-numbers.ts';
import { findRating, ratingChoices, ratingJudge, ratingNames } from './github-ratings.ts';
import { findModel, type PromptDocument, reportUnknownKeys } from './prompt-document.ts';

/** Selects the reply without surrounding white space, like the format's own runner. */
const selectTrimmed = { regex: String.raw`\S(?:[\s\S]*\S)?` };

/** Keys by precedence: only one is used. */
const stringKeys = ['equals', 'contains', 'startsWith', 'endsWith'] as const;

/** Reads test data as cases and evaluators as equivalent assertions. */
export function readTests(
  document: PromptDocument,
  { testData, evaluators }: Readonly<Record<string, unknown>>,
): PromptTests | undefined {
  const judges: PromptModel[] = [];
  const assertions = readEvaluators(document, evaluators, judges);
  if (testData === undefined || testData === null) {
    if (assertions.length > 0) {
      document.warn(
        'invalid-value',
        'evaluators have nothing to judge without testData',
        document.at(['evaluators'], 'key'),
      );
    }
    return undefined;
  }
  if (!Array.isArray(testData)) {
    document.report('invalid-value', 'testData must be a list of maps', document.at(['testData']));
    return undefined;
  }
  if (assertions.length === 0 && testData.length > 0) {
    const hint = 'add evaluators; without them every answer would pass';
    document.warn(
      'no-assertion',
      'there are no evaluators: the answers are shown and not judged',
      document.at(['testData'], 'key'),
      hint,
    );
  }
  const seen = new Map<string, number>();
  const rows = testData.flatMap((item: unknown, index): readonly PromptTestRow[] => {
    const at = document.at(['testData', index]);
    if (!isRecord(item)) {
      document.report('invalid-value', 'an entry of testData is a map of variables', at);
      return [];
    }
    const key = canonicalJson(plainNumbers(item));
    const first = seen.get(key);
    if (first !== undefined) {
      document.warn('duplicate-id', `entry ${first + 1} has the same test data: it runs once`, at);
      return [];
    }
    seen.set(key, index);
    return [buildRow(document, item, index, assertions)];
  });
  return { rows, judges };
}

interface Evaluator {
  /** The assertion, as in a suite. */
  readonly assertion: Readonly<Record<string, unknown>>;
  /** Maps a path in the assertion to one in the file. */
  readonly path: (rest: readonly PropertyKey[]) => readonly PropertyKey[];
}

function buildRow(
  document: PromptDocument,
  item: Readonly<Record<string, unknown>>,
  index: number,
  assertions: readonly Evaluator[],
): PromptTestRow {
  return {
    value: {
      vars: item,
      ...defined({ expected: item['expected'] }),
      ...(assertions.length === 0 ? { observe: true } : { assert: assertions.map(({ assertion }) => assertion) }),
    },
    at: ([part, key, ...rest], kind) => {
      if (part === 'assert') {
        const evaluator = typeof key === 'number' ? assertions[key] : undefined;
        return document.at(evaluator?.path(rest) ?? ['evaluators'], kind);
      }
      const inner = part === 'vars' ? [key, ...rest] : [part, key, ...rest];
      return document.at(['testData', index, ...inner.filter((step) => step !== undefined)], kind);
    },
  };
}

function readEvaluators(document: PromptDocument, written: unknown, judges: PromptModel[]): readonly Evaluator[] {
  if (written === undefined || written === null) return [];
  if (!Array.isArray(written)) {
    document.report('invalid-value', 'evaluators must be a list', document.at(['evaluators']));
    return [];
  }
  return written.flatMap((item: unknown, index) => {
    const evaluator = readEvaluator(document, item, ['evaluators', index], judges);
    return evaluator === undefined ? [] : [evaluator];
  });
}

/** Reads an evaluator. `string` wins over `llm`, and `llm` over `uses`. */
function readEvaluator(
  document: PromptDocument,
  item: unknown,
  path: readonly PropertyKey[],
  judges: PromptModel[],
): Evaluator | undefined {
  if (!isRecord(item)) {
    document.report('invalid-value', 'an evaluator is a map of a name and string, llm or uses', document.at(path));
    return undefined;
  }
  reportUnknownKeys(document, path, item, 'an evaluator', ['name', 'string', 'llm', 'uses']);
  const { name, string, llm, uses } = item;
  const named = typeof name === 'string' && name !== '' ? { name } : {};
  if (string !== undefined) return readString(document, string, [...path, 'string'], named);
  if (llm !== undefined) return readLlm(document, llm, [...path, 'llm'], named, judges);
  if (uses !== undefined) return readUses(document, uses, [...path, 'uses'], named, judges);
  document.report('invalid-value', 'an evaluator needs one of string, llm and uses', document.at(path));
  return undefined;
}

type NameOf = { readonly name?: string };

function readString(
  document: PromptDocument,
  written: unknown,
  path: readonly PropertyKey[],
  named: NameOf,
): Evaluator | undefined {
  const at = document.at(path);
  if (!isRecord(written)) {
    document.report('invalid-value', 'string must be a map of equals, contains, startsWith or endsWith', at);
    return undefined;
  }
  reportUnknownKeys(document, path, written, 'a string evaluator', stringKeys);
  const set = stringKeys.filter((key) => written[key] !== undefined && written[key] !== '' && written[key] !== null);
  const [key, ...ignored] = set;
  if (key === undefined) {
    document.report('invalid-value', 'a string evaluator needs equals, contains, startsWith or endsWith', at);
    return undefined;
  }
  for (const other of ignored) {
    document.warn(
      'invalid-value',
      `${other} is ignored beside ${key}: only one of them is used`,
      document.at([...path, other], 'key'),
    );
  }
  const value = written[key];
  const text = typeof value === 'object' && !(value instanceof SpelledNumber) ? undefined : spell(value);
  if (text === undefined) {
    document.report('invalid-value', `${key} must be a text`, document.at([...path, key]));
    return undefined;
  }
  const template = translate(document, text, [...path, key]);
  if (template === undefined) return undefined;
  const params = key === 'equals' ? { value: template } : { value: template, ignoreCase: true };
  return { assertion: { [key]: params, select: selectTrimmed, ...named }, path: (rest) => [...path, ...rest] };
}

function readLlm(
  document: PromptDocument,
  written: unknown,
  path: readonly PropertyKey[],
  named: NameOf,
  judges: PromptModel[],
): Evaluator | undefined {
  if (!isRecord(written)) {
    document.report('invalid-value', 'llm must be a map of modelId, prompt and choices', document.at(path));
    return undefined;
  }
  const { modelId, prompt, systemPrompt } = written;
  const texts = { modelId, prompt };
  for (const [key, value] of Object.entries(texts)) {
    if (typeof value === 'string' && value !== '') continue;
    document.report('invalid-value', `llm needs a ${key}, a text`, document.at([...path, key]));
  }
  const choices = readChoices(document, written['choices'], [...path, 'choices']);
  if (typeof modelId !== 'string' || typeof prompt !== 'string') return undefined;
  document.warn(
    'invalid-value',
    "the first choice found anywhere in the judge's reply counts, and its prompt does not mark the answer it judges",
    document.at([...path, 'choices'], 'key'),
    'as its own runner has it; the assertion rubric is stricter',
  );
  const value = translate(document, prompt, [...path, 'prompt']);
  // The format's own runner fills in no variables here.
  const system =
    typeof systemPrompt === 'string' && systemPrompt !== '' ? { system: escapeTemplate(systemPrompt) } : {};
  if (value === undefined) return undefined;
  addJudge(judges, findModel(modelId, document.at([...path, 'modelId'])));
  return {
    assertion: { choice: { value, ...system, choices, judge: modelId }, ...named },
    path: (rest) => [...path, ...rest.slice(1)],
  };
}

function addJudge(judges: PromptModel[], judge: PromptModel): void {
  if (!judges.some(({ written }) => written === judge.written)) judges.push(judge);
}

interface Choice {
  readonly choice: string;
  readonly score: number;
}

function readChoices(document: PromptDocument, written: unknown, path: readonly PropertyKey[]): readonly Choice[] {
  if (!Array.isArray(written) || written.length === 0) {
    document.report('invalid-value', 'llm needs choices: a list of choice and score', document.at(path));
    return [];
  }
  const choices = written.flatMap((item: unknown, index): readonly Choice[] => {
    const { choice, score = 0 } = isRecord(item) ? (plainNumbers(item) as Readonly<Record<string, unknown>>) : {};
    const text = typeof choice === 'number' || typeof choice === 'boolean' ? String(choice) : choice;
    if (typeof text === 'string' && text !== '' && typeof score === 'number' && score >= 0 && score <= 1)
      return [{ choice: text, score }];
    document.report('invalid-value', 'a choice has a text and a score from 0 to 1', document.at([...path, index]));
    return [];
  });
  for (const [index, { choice }] of choices.entries()) {
    const hidden = choices.slice(index + 1).find((later) => later.choice.toLowerCase().includes(choice.toLowerCase()));
    if (hidden === undefined) continue;
    const message = `a reply of "${hidden.choice}" holds "${choice}", which comes first and counts`;
    document.warn('invalid-value', message, document.at([...path, index]), 'list the longer choice first');
  }
  return choices;
}

function readUses(
  document: PromptDocument,
  written: unknown,
  path: readonly PropertyKey[],
  named: NameOf,
  judges: PromptModel[],
): Evaluator | undefined {
  const at = document.at(path);
  const value = typeof written === 'string' ? findRating(written) : undefined;
  if (value === undefined) {
    const hint =
      (typeof written === 'string' ? didYouMean(written, ratingNames) : undefined) ??
      `known: ${ratingNames.join(', ')}`;
    document.report('invalid-value', `there is no evaluator ${JSON.stringify(written)}`, at, hint);
    return undefined;
  }
  document.warn(
    'invalid-value',
    `a rating of 2 of 5 passes ${String(written)}: every score above 0 does`,
    at,
    'as its own runner has it; its question to the judge is worded by llmcheck',
  );
  addJudge(judges, findModel(ratingJudge, at));
  return {
    assertion: { choice: { value, choices: ratingChoices, judge: ratingJudge }, ...named },
    path: () => path,
  };
}

const plainNamePattern = /^[A-Za-z_][\w-]*$/;

/** Translates a text to a suite's template. `{{completion}}` is the answer. */
function translate(document: PromptDocument, text: string, path: readonly PropertyKey[]): string | undefined {
  if (text.includes('{answer}')) {
    document.report(
      'invalid-template',
      '"{answer}" is the placeholder of the answer here, and can\'t be a text',
      document.at(path),
    );
    return undefined;
  }
  let translated = '';
  let from = 0;
  for (const match of text.matchAll(/\{\{\s*([\w.-]+)\s*\}\}/g)) {
    const [written, name = ''] = match;
    translated += escapeTemplate(text.slice(from, match.index));
    from = match.index + written.length;
    if (name === 'completion') translated += '{answer}';
    else if (plainNamePattern.test(name) && !reservedNames.has(name)) translated += `{{ ${name} }}`;
    else {
      const hint = 'give the variable a name of letters, digits, "_" and "-"';
      document.report('invalid-template', `an evaluator can't read the variable "${name}"`, document.at(path), hint);
      return undefined;
    }
  }
  return translated + escapeTemplate(text.slice(from));
}
