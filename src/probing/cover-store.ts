import * as z from 'zod';
import { readOrUndefined, replaceWhereChanged, withStorageErrors } from '../files/write-files.ts';
import { parseJson } from '../json/parse-json.ts';
import { UserError } from '../model/problem.ts';
import { compareText } from '../text/compare-text.ts';

/** What was found of an instruction, so that later runs ask only of what is new. */
export interface StoredCoverage {
  readonly prompt: string;
  readonly provider: string;
  readonly model: string;
  /** Hash of its kind, name and text. */
  readonly instruction: string;
  /** Its beginning, for readers of the file. */
  readonly text: string;
  readonly is: 'guarded' | 'unnoticed' | 'noEffect';
  readonly caseId?: string;
  /** Hashes of the cases that were looked at; of a guarded one, that of its case alone. */
  readonly cases: readonly string[];
  /** How many of them were asked without it: the others do not pass with the whole prompt. Unknown of a guarded one. */
  readonly asked?: number;
}

const fileSchema = z.object({
  format: z.literal(1),
  instructions: z.array(
    z
      .object({
        prompt: z.string(),
        provider: z.string(),
        model: z.string(),
        instruction: z.string(),
        text: z.string(),
        is: z.enum(['guarded', 'unnoticed', 'noEffect']),
        caseId: z.string().exactOptional(),
        cases: z.array(z.string()).min(1),
        asked: z.int().min(1).exactOptional(),
      })
      .refine(({ is, caseId }) => is === 'noEffect' || caseId !== undefined, { error: 'the case is missing' })
      .refine(({ is, asked }) => is === 'guarded' || asked !== undefined, { error: 'asked is missing' }),
  ),
});

/** What was found of a suite's instructions; empty where there is no file. Throws a `UserError` or a `StorageError`. */
export function readCoverage(path: string, shown: string): readonly StoredCoverage[] {
  const text = withStorageErrors('Reading', path, () => readOrUndefined(path));
  if (text === undefined) return [];
  const json = parseJson(text);
  const parsed = json.ok ? fileSchema.safeParse(json.value) : undefined;
  if (parsed?.success === true) return parsed.data.instructions;
  const [issue] = parsed?.error.issues ?? [];
  const fault = json.ok ? `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}` : `it is no JSON: ${json.reason}`;
  throw new UserError({
    code: 'record',
    message: `${shown} does not say what guards a prompt: ${fault}`,
    hint: 'restore it, or remove it and run llmcheck prompt cover',
  });
}

/** Replaces the whole file, sorted; true where it changed. */
export function writeCoverage(path: string, instructions: readonly StoredCoverage[]): boolean {
  const keyOf = ({ prompt, provider, model, text, instruction }: StoredCoverage) =>
    [prompt, provider, model, text, instruction].join('\u0000');
  const sorted = instructions.toSorted((a, b) => compareText(keyOf(a), keyOf(b)));
  return replaceWhereChanged(path, `${JSON.stringify({ format: 1, instructions: sorted }, undefined, 2)}\n`);
}
