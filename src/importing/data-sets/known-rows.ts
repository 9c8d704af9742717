import { isTemplate } from '../../templates/template.ts';
import { isMap } from '../draft.ts';

type Row = Readonly<Record<string, unknown>>;

/**
 * The input and the golden answer of a row that another tool wrote about a run: what its model answered, its scores and its
 * checks are no input. Any other row is itself; undefined is a row that repeats another.
 */
export function readKnownRow(row: Row): Row | undefined {
  return (
    readInspectSample(row) ?? readPromptfooResult(row) ?? readHelmInstance(row) ?? (isRepeated(row) ? undefined : row)
  );
}

function isRepeated({ epoch }: Row): boolean {
  return typeof epoch === 'number' && epoch > 1;
}

/** A sample of a log of Inspect, which repeats it in each epoch. */
function readInspectSample(row: Row): Row | undefined {
  const isSample = Object.hasOwn(row, 'input') && Object.hasOwn(row, 'target') && Object.hasOwn(row, 'epoch');
  return isSample && !isRepeated(row) ? pick(row, ['id', 'input', 'choices', 'target']) : undefined;
}

/** A result of promptfoo: its variables, and the value of its only `equals` check. */
function readPromptfooResult(row: Row): Row | undefined {
  const { vars, testCase } = row;
  if (!isMap(vars) || !(Object.hasOwn(row, 'promptIdx') || (isMap(testCase) && Object.hasOwn(row, 'response'))))
    return undefined;
  const checks = isMap(testCase) && Array.isArray(testCase['assert']) ? testCase['assert'].filter(isMap) : [];
  const [only, ...others] = checks.filter(({ type }) => type === 'equals');
  const { value } = only ?? {};
  const isGolden = others.length === 0 && value !== undefined && !(typeof value === 'string' && isTemplate(value));
  return { ...vars, ...(isGolden ? { expected: value } : {}) };
}

/** An instance of HELM, or the state of a request with one. Its references are choices where one is wrong. */
function readHelmInstance(row: Row): Row | undefined {
  const instance = isMap(row['instance']) ? row['instance'] : row;
  const { id, input, references } = instance;
  if (!isMap(input) || !Array.isArray(references) || !references.every(isReference)) return undefined;
  const texts = references.map(({ output }) => output.text);
  const right = references.flatMap(({ tags }, index) => (tags.includes('correct') ? [index] : []));
  const isChoice = right.length > 0 && right.length < references.length;
  const answers = right.map((index) => (isChoice ? String.fromCodePoint(65 + index) : texts[index]));
  const [answer, ...more] = answers;
  return {
    ...(typeof id === 'string' ? { id } : {}),
    ...(Array.isArray(input['messages']) ? { messages: input['messages'] } : { input: input['text'] }),
    ...(isChoice ? { choices: texts } : {}),
    ...(answer === undefined ? {} : { target: more.length === 0 ? answer : answers }),
  };
}

interface HelmReference {
  readonly output: { readonly text: string };
  readonly tags: readonly unknown[];
}

function isReference(value: unknown): value is HelmReference {
  return (
    isMap(value) &&
    isMap(value['output']) &&
    typeof value['output']['text'] === 'string' &&
    Array.isArray(value['tags'])
  );
}

function pick(row: Row, names: readonly string[]): Row {
  return Object.fromEntries(names.filter((name) => Object.hasOwn(row, name)).map((name) => [name, row[name]]));
}
