import * as z from 'zod';
import { parseConfirmBudget } from '../../model/suite/confirm-budget.ts';
import type { ConfirmBudget } from '../../model/suite/gate-policy.ts';
import { maxAnswerBytes, mebibyte, showBytes } from '../../model/suite/limits.ts';
import { attempt } from '../../text/attempt.ts';
import { DurationError, parseDurationMs } from '../../text/duration.ts';
import { percentPattern, toFraction } from '../../text/fraction.ts';

// oxlint-disable-next-line no-control-regex -- a name with control characters can't be printed or typed
const untypeablePattern = /[\u0000-\u001f\u007f\u2028\u2029]/;

export const text = z.string();

export const words = z.string().min(1, { error: 'must not be empty' });

/** A path below the folder of a workspace, in its shortest form. */
export const workspacePath = words.refine(
  (path) => !/^[/\\]|^[a-z]:|\\/i.test(path) && path.split('/').every((name) => !['', '.', '..'].includes(name)),
  { error: 'must be a path within the workspace, such as src/cart.js' },
);

/** Patterns of files that belong to what own code makes. */
export const inputs = z
  .array(words)
  .min(1, { error: 'needs at least one pattern, or leave it out' })
  .describe("Patterns of further files that own code reads: data, and imports that can't be followed.");

export const placedFiles = z
  .record(words, words, { error: 'must be a map: PATH IN THE WORKSPACE: FILE' })
  .superRefine((files, context) => {
    for (const path of Object.keys(files)) {
      for (const { message } of workspacePath.safeParse(path).error?.issues ?? []) {
        context.addIssue({ code: 'custom', path: [path], message });
      }
    }
  });

export const count = z.int({ error: 'must be a whole number' }).min(1, { error: 'must be 1 or more' });

export const flag = z.boolean({ error: 'must be true or false' });

/** Ids appear in labels, file names and filters. */
export const id = words.refine(isId, { error: 'must be one line without blanks at its ends' });

/** True for a text that can name something in a label. */
export function isId(value: string): boolean {
  return value !== '' && value.length <= 300 && !untypeablePattern.test(value) && value.trim() === value;
}

export const caseId = z
  .unknown()
  .refine(isCaseId, { error: 'must be a text or a number, on one line, without blanks at its ends' })
  .meta({ type: ['string', 'number'] });

function isCaseId(value: unknown): boolean {
  if (value === undefined) return true;
  return (
    (typeof value === 'string' && isId(value)) ||
    (Number.isFinite(Number(value)) && (typeof value === 'number' || typeof value === 'object') && value !== null)
  );
}

const shareForm = 'a fraction such as 0.05, or a percentage such as "5%"';

/** A fraction or a percentage, at least 0 and at most `max`. */
function shareUpTo(max: number) {
  return z
    .unknown()
    .superRefine((value, context) => {
      const fraction = toFraction(value);
      if (Number.isNaN(fraction)) context.addIssue({ code: 'custom', message: `must be ${shareForm}` });
      else if (fraction < 0) context.addIssue({ code: 'custom', message: 'must not be negative' });
      else if (fraction > max)
        context.addIssue({ code: 'custom', message: `must lie between 0 and 1: write ${shareForm}` });
    })
    .meta({
      anyOf: [
        { type: 'number', minimum: 0 },
        { type: 'string', pattern: percentPattern.source },
      ],
    })
    .transform((value) => toFraction(value));
}

export const rate = shareUpTo(1);

export const increase = shareUpTo(Number.POSITIVE_INFINITY);

/**
 * What fresh trials may cost: a share of the planned calls, as "200%" or a fraction below 1, or a number of calls.
 */
export const confirmBudget = z
  .unknown()
  .meta({
    anyOf: [
      { type: 'number', minimum: 0 },
      { type: 'string', pattern: percentPattern.source },
    ],
  })
  .transform((value, context): ConfirmBudget => {
    const budget = parseConfirmBudget(value);
    if (budget !== undefined) return budget;
    context.addIssue({ code: 'custom', message: 'must be a share such as "200%", or a whole number of calls' });
    return z.NEVER;
  });

export const amount = z.number({ error: 'must be a number' }).min(0, { error: 'must not be negative' });

/** A duration as it is written, such as "30s". */
export const duration = z
  .unknown()
  .meta({ type: 'string' })
  .superRefine((value, context) => {
    const ms = attempt(() => parseDurationMs(value), DurationError);
    if (ms instanceof DurationError) context.addIssue({ code: 'custom', message: ms.message });
    else if (ms <= 0) context.addIssue({ code: 'custom', message: `"${String(value)}" leaves no time` });
  });

const sizePattern = /^(\d{1,6}(?:\.\d{1,3})?)\s*(KiB|MiB)$/;

/** A number of bytes as it is written, such as "8 MiB". */
export const size = z
  .unknown()
  .meta({ type: 'string', pattern: sizePattern.source })
  .superRefine((value, context) => {
    const bytes = parseSize(value);
    const add = (message: string) => context.addIssue({ code: 'custom', message });
    if (Number.isNaN(bytes)) add('must be a size such as "8 MiB" or "512 KiB"');
    else if (bytes < 1024) add('must be at least 1 KiB');
    else if (bytes > maxAnswerBytes) add(`must be at most ${showBytes(maxAnswerBytes)}`);
  })
  .transform(parseSize);

function parseSize(value: unknown): number {
  const [, figure, unit] = (typeof value === 'string' ? sizePattern.exec(value.trim()) : null) ?? [];
  return figure === undefined ? Number.NaN : Math.round(Number(figure) * (unit === 'KiB' ? 1024 : mebibyte));
}
