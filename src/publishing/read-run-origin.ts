import { defined } from '../json/defined.ts';
import type { RecordedShard } from '../model/record.ts';
import { readRunHeader } from '../record/read-run-record.ts';

/** What decides whether and where a stored run may be published. */
export interface RunOrigin {
  readonly shard?: RecordedShard;
  /** The commit that was checked out. */
  readonly testedSha?: string;
  /** True where stored answers alone were used. */
  readonly isReplay?: boolean;
}

export function readRunOrigin(path: string): RunOrigin {
  const { settings, provenance } = readRunHeader(path);
  const isReplay = settings.cacheMode === 'replay';
  return defined({ shard: settings.shard, testedSha: provenance?.commit, isReplay });
}
