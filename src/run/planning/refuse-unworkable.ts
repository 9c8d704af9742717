import { refuseUnwritableBaselines } from '../../baseline/accept-baseline.ts';
import { answersFromStoreOnly } from '../../calls/calls.ts';
import type { RunPorts } from '../../plan/run-options.ts';
import { refuseUnbatchable } from '../asking/collect-batches.ts';
import { refuseToolRecording } from '../cells/record-tools.ts';
import type { Planning } from './plan-with-baselines.ts';
import { refuseLiveTools } from './refuse-live-tools.ts';

/** Throws a `UserError` if a planned run can't work. Call it before anything is sent or stored. */
export function refuseUnworkable({ options, planned }: Planning, ports: RunPorts): void {
  if (options.updateBaseline) refuseUnwritableBaselines(planned.plan.suites, options.project.root);
  if (options.recordTools === true) refuseToolRecording(planned, options, ports);
  if (options.batch) refuseUnbatchable(planned);
  refuseLiveTools(planned, { answersFromStoreOnly: (suite) => answersFromStoreOnly(suite, options), env: ports.env });
}
