import { UserError } from '../model/errors.ts';
import type { Report } from '../model/report.ts';
import { formatCount } from '../text/format-amount.ts';
import {
  type AcceptedBaseline,
  type AcceptOptions,
  acceptBaseline,
  acceptCommand,
  openAcceptable,
} from './accept-baseline.ts';
import { findNewKnownFailures } from './known-failures.ts';

/** Accepts a run that has just ended. Throws a `UserError` with the next step where it failed or is incomplete: nothing is written then. */
export async function updateBaseline(
  { decision }: Report,
  options: Omit<AcceptOptions, 'force'>,
): Promise<readonly AcceptedBaseline[]> {
  const isEnded = decision.interrupted === undefined;
  if (isEnded && decision.outcome !== 'failed' && decision.outcome !== 'incomplete') {
    return acceptBaseline({ ...options, force: false });
  }
  const { record, suites, objections } = await openAcceptable({ ...options, force: false });
  const failures = suites.flatMap(({ suite, readRow }) => findNewKnownFailures(suite, undefined, readRow));
  const what = isEnded ? (decision.outcome === 'failed' ? 'failed' : 'is incomplete') : 'was interrupted';
  const flags = [...(failures.length > 0 ? ['--known-failures'] : []), ...(objections.length > 0 ? ['--force'] : [])];
  const hint = `to accept it as it is: ${acceptCommand(record, flags, options)}`;
  throw new UserError([
    ...objections,
    {
      code: 'record',
      severity: 'error',
      message: `the run ${what}, and --update-baseline writes nothing of such a run${describeFailures(failures.length)}`,
      hint,
    },
  ]);
}

function describeFailures(count: number): string {
  if (count === 0) return '';
  return `; ${formatCount(count, 'failing case')} would become known failures`;
}
