import { isJsonObject, type JsonValue } from '../json/json.ts';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Workflow, job and matrix. The runner sets no variable for the matrix: the action and the workflow pass it in
 * LLMCHECK_MATRIX. `values` are what is known of it without.
 */
export function listJobParts(env: Env, values: readonly string[] = []): readonly string[] {
  const matrix = describeMatrix(env['LLMCHECK_MATRIX'] ?? '');
  return [workflowOf(env), env['GITHUB_JOB'] ?? '', matrix === '' ? values.join(', ') : matrix];
}

/** The file of the workflow: two workflows may have the same name. */
function workflowOf(env: Env): string {
  const file = /\/([^/@]+?)(?:\.ya?ml)?@/.exec(env['GITHUB_WORKFLOW_REF'] ?? '')?.[1];
  return file ?? env['GITHUB_WORKFLOW'] ?? '';
}

/** The values of the matrix in words: `mini, 3`. A text that is no JSON is taken as it is. */
function describeMatrix(text: string): string {
  const values = listValues(parseMatrix(text));
  return values.join(', ');
}

function parseMatrix(text: string): JsonValue {
  try {
    return text.trim() === '' ? null : (JSON.parse(text) as JsonValue);
  } catch (error) {
    if (error instanceof SyntaxError) return text.trim();
    throw error;
  }
}

function listValues(value: JsonValue): readonly string[] {
  if (value === null) return [];
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(listValues);
  return isJsonObject(value) ? Object.values(value).flatMap(listValues) : [JSON.stringify(value)];
}
