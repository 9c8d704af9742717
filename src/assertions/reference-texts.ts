import * as z from 'zod';
import { textParam } from './param-schemas.ts';

/** One reference text or several, of which the nearest counts. */
export const referencesParam = z
  .union([textParam.transform((text) => [text]), z.array(textParam).min(1, { error: 'needs at least one text' })], {
    error: 'must be a text or a list of texts',
  })
  .refine((texts) => texts.every((text) => text.trim() !== ''), { error: 'must not be empty' });

/** The least score that passes. */
export const minScoreParam = z.number().gt(0, { error: 'must be more than 0' }).max(1, { error: 'must be at most 1' });

/** Whether a computed score reaches a minimum, rounding aside. */
export function reaches(score: number, min: number): boolean {
  return score >= min - 1e-9;
}
