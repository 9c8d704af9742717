import { isJsonObject, type JsonValue } from '../json/json.ts';
import { sha256Hex } from '../text/sha256.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** What tells the comment and the check of one job from those of the others. */
export interface JobIdentity {
  /** Letters, digits, dots, dashes and underscores. */
  readonly id: string;
  /** The same for people: `pull-request / prompts / packages/shop`. */
  readonly label: string;
}

/**
 * Workflow, job, matrix and folder. The runner sets no variable for the matrix: the action and the workflow pass it in
 * LLMCHECK_MATRIX.
 */
export function identifyJob(env: Env, folder: string): JobIdentity {
  const parts = [workflowOf(env), env['GITHUB_JOB'] ?? '', describeMatrix(env['LLMCHECK_MATRIX'] ?? ''), folder];
  const named = parts.filter((part) => part !== '');
  if (named.length === 0) return { id: 'default', label: '' };
  const slug = named.join('-').replaceAll(/[^\w.]+/g, '-');
  // Two jobs may differ only in signs that the slug replaces.
  return {
    id: `${slug.slice(0, maxSlugChars)}-${sha256Hex(JSON.stringify(parts)).slice(0, 8)}`,
    label: named.join(' / '),
  };
}

const maxSlugChars = 60;

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
