import { recordingHash } from '../cache/cache-key.ts';
import type { RecordingLine } from '../cache/recordings.ts';
import { writeRecordings } from '../cache/write-recordings.ts';
import { maskJson } from '../lib/mask-json.ts';
import type { Mask } from '../lib/mask-secrets.ts';
import type { Complete } from '../model/completion.ts';
import type { Suite } from '../model/suite.ts';

/** Collects the answers of a run for the suites' recordings. */
export interface Recorder {
  wrap(next: Complete): Complete;
  /** Writes each suite's file; lines of cells that did not run stay. */
  write(): void;
}

export function createRecorder(suites: readonly Suite[], mask: Mask): Recorder {
  const rows = new Map<string, RecordingLine[]>(suites.map(({ id }) => [id, []]));
  return {
    wrap: (next) => async (request, signal) => {
      const outcome = await next(request, signal);
      if (outcome.status === 'completed') {
        const { suite, prompt, provider, caseId } = request.origin;
        rows.get(suite)?.push({
          prompt,
          provider,
          caseId,
          trial: request.trial,
          requestHash: recordingHash(request),
          // A recording is committed, so a secret that a server echoed must not be in it.
          completion: maskJson(outcome.completion, mask),
        });
      }
      return outcome;
    },
    write() {
      for (const { id, recordings } of suites) {
        const lines = rows.get(id) ?? [];
        if (recordings !== undefined && lines.length > 0) writeRecordings(recordings, lines);
      }
    },
  };
}
