import { defined } from '../json/defined.ts';
import { findUncalibrated } from '../judges/find-uncalibrated.ts';
import type { RecordedVariant, RunHeader, RunSettings } from '../model/record.ts';
import { describeRecordedSuites } from '../plan/describe-suites.ts';
import type { PlannedRun } from '../plan/plan-run.ts';
import type { RunOptions, RunPorts } from '../plan/run-options.ts';
import type { Mask } from '../secrets/mask-secrets.ts';
import { maskJson } from '../secrets/mask-secrets.ts';

/** What a record says before its first row: settings, suites and variants, without secrets. */
export function buildHeader(
  options: RunOptions,
  { plan, describeProvider, isEmptyShard, emptySelections, shard }: PlannedRun,
  ports: RunPorts,
): Omit<RunHeader, 'id'> {
  return {
    type: 'run',
    format: 1,
    startedAt: ports.now().toISOString(),
    tool: { name: 'llmcheck', version: options.toolVersion },
    // An empty shard is nobody's mistake, a selection that matches nothing is one in every shard.
    settings: {
      ...(plan.cellCount === 0 && !isEmptyShard
        ? withoutShard(options.settings)
        : { ...options.settings, ...defined({ shard }) }),
      ...(emptySelections.length === 0 ? {} : { emptySelections }),
    },
    invocation: options.invocation,
    suites: describeRecordedSuites(plan, describeProvider, options.settings.compare, (suite) =>
      findUncalibrated(suite, options.project.root, ports.cwd),
    ).map((suite) => ({
      ...suite,
      variants: suite.variants.map((variant) => maskVariant(variant, ports.mask)),
    })),
  };
}

/** Ids stay as they are: they are what rows are found by. */
function maskVariant(variant: RecordedVariant, mask: Mask): RecordedVariant {
  const { params, messages, contract, baseUrl } = variant;
  return {
    ...variant,
    params: maskJson(params, mask),
    messages: maskJson(messages, mask),
    contract: maskJson(contract, mask),
    ...(baseUrl === undefined ? {} : { baseUrl: mask(baseUrl) }),
  };
}

function withoutShard({ shard: _shard, ...settings }: RunSettings): RunSettings {
  return settings;
}
