import * as z from 'zod';
import { withStorageErrors } from '../files/storage-error.ts';
import { readOrUndefined, replaceWhereChanged } from '../files/write-files.ts';
import { parseJson } from '../json/parse-json.ts';
import { calibrationFormat, type JudgeCalibration } from '../model/calibration.ts';
import { UserError } from '../model/errors.ts';

const share = z.number().nullable();

const fileSchema = z.object({
  format: z.literal(calibrationFormat),
  calibrations: z.array(
    z.object({
      judge: z.string(),
      assertion: z.string(),
      name: z.string().exactOptional(),
      stamp: z.string(),
      labels: z.string().exactOptional(),
      cases: z.int().nonnegative(),
      agreement: share,
      kappa: share,
      low: share,
      high: share,
    }),
  ),
});

/** What was measured of a suite's judges; nothing where there is no file. Throws a `UserError` for one that can't be used, a `StorageError` for one that can't be read. */
export function readCalibrations(path: string, shown: string): readonly JudgeCalibration[] {
  const text = withStorageErrors('Reading', path, () => readOrUndefined(path));
  if (text === undefined) return [];
  const json = parseJson(text);
  const parsed = json.ok ? fileSchema.safeParse(json.value) : undefined;
  if (parsed?.success === true) return parsed.data.calibrations;
  throw new UserError([
    {
      code: 'record',
      severity: 'error',
      message: `${shown} holds no calibrations of judges: ${describeFault(json, parsed?.error)}`,
      hint: 'restore it, or write it anew with llmcheck judge check',
    },
  ]);
}

/** Replaces the file as a whole, sorted; true where it changed. */
export function writeCalibrations(path: string, calibrations: readonly JudgeCalibration[]): boolean {
  const sorted = calibrations.toSorted((a, b) => compareText(keyOf(a), keyOf(b)));
  const text = `${JSON.stringify({ format: calibrationFormat, calibrations: sorted }, undefined, 2)}\n`;
  return replaceWhereChanged(path, text);
}

function describeFault(json: ReturnType<typeof parseJson>, error: z.ZodError | undefined): string {
  if (!json.ok) return `it is no JSON: ${json.reason}`;
  const [issue] = error?.issues ?? [];
  return `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`;
}

function keyOf({ judge, assertion, name = '', stamp }: JudgeCalibration): string {
  return [judge, assertion, name, stamp].join('\u0000');
}

/** By code unit: the same order on every machine. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
