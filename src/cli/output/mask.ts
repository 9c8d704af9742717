import { UserError } from '../model/errors.ts';
import { createMask, type Mask } from '../secrets/mask-secrets.ts';
import type { TextSink } from './io.ts';

/** A stream that shows no secret; what is written in one piece is masked as one. */
export function maskSink(sink: TextSink, mask: Mask): TextSink {
  return { write: (text) => sink.write(mask(text)), isTty: sink.isTty, columns: () => sink.columns() };
}

export function maskUserError(error: UserError, mask: Mask): UserError {
  const problems = error.problems.map((problem) => ({
    ...problem,
    message: mask(problem.message),
    ...(problem.hint === undefined ? {} : { hint: mask(problem.hint) }),
  }));
  return new UserError(problems, { cause: error });
}

const secretName = /(^|_)(API_?KEY|KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)(_|$)/i;

/** For what is printed before, or without, any knowledge of which variables the project names. */
export function maskByName(env: Readonly<Record<string, string | undefined>>): Mask {
  return createMask(Object.entries(env).flatMap(([name, value]) => (secretName.test(name) ? (value ?? []) : [])));
}
