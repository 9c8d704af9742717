import { defined } from '../json/defined.ts';
import type { Report } from '../model/report.ts';
import { type ApiContext, contextKeys, openContext } from './api-context.ts';
import { type Keys, refuseUnknown } from './refuse-unknown.ts';

export interface CompareRecordsOptions extends ApiContext {
  /** `git:REF`, a baseline or record file, a run id, or a prompt version of the latest run. */
  readonly baseline: string;
  /** The same; a prompt version where the baseline is one. */
  readonly candidate: string;
  /** Only these suites, by id; default: all that both hold. */
  readonly suites?: readonly string[];
  /** The run that holds the prompt versions; default: the latest. */
  readonly run?: string;
  readonly requireConclusive?: boolean;
}

const compareRecordsKeys: Keys<CompareRecordsOptions> = {
  ...contextKeys,
  baseline: true,
  candidate: true,
  suites: true,
  run: true,
  requireConclusive: true,
};

/** Compares two stored runs, baselines or prompt versions as `llmcheck compare` does, without a call. */
export async function compareRecords(options: CompareRecordsOptions): Promise<Report> {
  refuseUnknown(options, compareRecordsKeys, 'compareRecords');
  const [{ compareRecords: compare }, { findProjectRoot }] = await Promise.all([
    import('../verdict/compare-records.ts'),
    import('../project/project-paths.ts'),
  ]);
  const context = openContext(options);
  return compare({
    ...context,
    sides: [options.baseline, options.candidate],
    suites: options.suites ?? [],
    ...defined({ run: options.run }),
    requireConclusive: options.requireConclusive === true,
    root: findProjectRoot(context.cwd, options.config),
  });
}
