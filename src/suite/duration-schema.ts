import * as z from 'zod';
import { DurationError, parseDurationMs } from '../text/duration.ts';

/** A duration as it is written, such as "30s". */
export const duration = z
  .unknown()
  .meta({ type: 'string' })
  .superRefine((value, context) => {
    try {
      parseDurationMs(value);
    } catch (error) {
      if (!(error instanceof DurationError)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
    }
  });
