import { z } from 'zod';
import { statsMethods } from './stats-methods.ts';

const referenceSchema = z.object({
  cases: z
    .array(
      z.object({
        id: z.string(),
        method: z.string(),
        input: z.unknown(),
        expected: z.record(z.string(), z.unknown()),
        tol: z.number().nonnegative().default(1e-9),
      }),
    )
    // A file without cases must not pass.
    .min(1),
});

export type ReferenceCase = z.output<typeof referenceSchema>['cases'][number];

export interface ReferenceFailure {
  readonly index: number;
  readonly id: string;
  readonly field: string;
  readonly expected: unknown;
  readonly got: unknown;
}

/** The cases of a reference file, or the sentence that says why it holds none. */
export function parseReference(text: string): readonly ReferenceCase[] | string {
  try {
    const parsed = referenceSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data.cases : z.prettifyError(parsed.error);
  } catch (error) {
    if (error instanceof SyntaxError) return `it is not JSON: ${error.message}`;
    throw error;
  }
}

/** Every value that src/stats answers differently. */
export function checkReference(cases: readonly ReferenceCase[]): ReferenceFailure[] {
  return cases.flatMap((one, index) => {
    const failures: ReferenceFailure[] = [];
    for (const { field, expected, got } of checkCase(one)) failures.push({ index, id: one.id, field, expected, got });
    return failures;
  });
}

function checkCase(one: ReferenceCase): Mismatch[] {
  const method = statsMethods.get(one.method);
  if (method === undefined) return [{ field: 'method', expected: 'a known method', got: one.method }];
  try {
    return compare('', one.expected, method(one.input), one.tol);
  } catch (error) {
    // A method that refuses its input is a failed case; the other cases still count.
    return [{ field: 'answer', expected: one.expected, got: String(error) }];
  }
}

type Mismatch = Pick<ReferenceFailure, 'field' | 'expected' | 'got'>;

function compare(field: string, expected: unknown, got: unknown, tolerance: number): Mismatch[] {
  if (Array.isArray(expected) && Array.isArray(got) && expected.length === got.length) {
    return expected.flatMap((item, index) => compare(`${field}[${index}]`, item, got[index], tolerance));
  }
  if (isRecord(expected) && isRecord(got)) {
    return Object.entries(expected).flatMap(([key, item]) =>
      compare(field === '' ? key : `${field}.${key}`, item, got[key], tolerance),
    );
  }
  if (typeof expected === 'number' && typeof got === 'number') {
    const isClose = Math.abs(got - expected) <= tolerance * Math.max(1, Math.abs(expected));
    return isClose ? [] : [{ field, expected, got }];
  }
  return expected === got ? [] : [{ field, expected, got: got ?? null }];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
