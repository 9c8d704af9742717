import { recordingHash } from '../cache/cache-key.ts';
import { type RecordingLine, type Recordings, readRecordings, recordedRequestKey } from '../cache/recordings.ts';
import { writeRecordings } from '../cache/with-recordings.ts';
import { withFileLock } from '../files/file-lock.ts';
import { probeFile } from '../files/write-files.ts';
import { type Problem, UserError } from '../model/problem.ts';
import { firstFreshTrial } from '../model/run/cell.ts';
import type { Complete } from '../model/run/completion.ts';
import { refusalOf, withRefusal } from '../model/storage-problem.ts';
import type { Suite } from '../model/suite/suite.ts';
import type { RunPorts } from '../plan/run-options.ts';
import { type Mask, maskJson } from '../secrets/mask-secrets.ts';
import { displayPath } from '../suite/files/project-place.ts';
import type { Stop } from './stop.ts';

/** The recordings of suites, by suite id. Throws all mistakes in them at once. */
export function readSuiteRecordings(suites: readonly Suite[], cwd: string): ReadonlyMap<string, Recordings> {
  const found = new Map<string, Recordings>();
  const problems: Problem[] = [];
  for (const { id, recordings } of suites) {
    if (recordings === undefined) continue;
    try {
      found.set(id, readRecordings(recordings, displayPath(recordings, cwd)));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push(...error.problems);
    }
  }
  if (problems.length > 0) throw new UserError(problems);
  return found;
}

/** Collects the answers of a run for the suites' recordings. */
export interface Recorder {
  /** `isSameCode` is false after the code of the provider has changed: its answers have another hash. */
  wrap(next: Complete, isSameCode: () => boolean): Complete;
  /** Writes each suite's file; lines of cells that did not run stay. Throws a `StorageError`. */
  write(): void;
}

/** Opens the recorder. Throws a `UserError` if a file can't be written, or if its present content would be lost. */
export function createRecorder(suites: readonly Suite[], mask: Mask): Recorder {
  const fileOf = new Map(suites.map(({ id, recordings }) => [id, recordings]));
  // The outer key is the file, because suites may share one. The inner key is the request, because a judge may get a
  // second one.
  const files = new Map<string, Map<string, RecordingLine>>();
  for (const file of fileOf.values()) {
    if (file === undefined || files.has(file)) continue;
    readRecordings(file);
    withRefusal(() => probeFile(file));
    files.set(file, new Map());
  }
  return {
    wrap: (next, isSameCode) => async (request, signal) => {
      const outcome = await next(request, signal);
      // Recordings contain only answers to the suite's own prompts.
      const isOwn = outcome.status === 'completed' && request.trial < firstFreshTrial;
      if (isOwn && (outcome.cached || isSameCode())) {
        const { suite, prompt, provider, caseId } = request.origin;
        const line = {
          prompt,
          provider,
          caseId,
          trial: request.trial,
          requestHash: recordingHash(request),
          // A recording is committed, so a secret that a server echoed must not be in it.
          completion: maskJson(outcome.completion, mask),
        };
        files.get(fileOf.get(suite) ?? '')?.set(recordedRequestKey(line), line);
      }
      return outcome;
    },
    write() {
      for (const [file, lines] of files) {
        if (lines.size > 0) withFileLock(file, () => writeRecordings(file, [...lines.values()]));
      }
    },
  };
}

/**
 * Writes the recordings after the last call. A disk that became full ends the run with a report, as when it refuses the
 * record.
 */
export function keepRecordings(
  { writeRecordings }: { readonly writeRecordings: () => void },
  stop: Pick<Stop, 'hard'>,
  { onProgress }: Pick<RunPorts, 'onProgress'>,
): void {
  try {
    writeRecordings();
  } catch (error) {
    onProgress({ type: 'note', message: refusalOf(error).message });
    stop.hard('storage');
  }
}
