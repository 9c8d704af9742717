import { defined } from '../../json/defined.ts';
import { UserError } from '../../model/problem.ts';
import { createMask, type Mask } from '../../secrets/mask-secrets.ts';
import type { TextSink } from '../io.ts';

/** A stream that shows no secret; what is written in one piece is masked as one. */
export function maskSink(sink: TextSink, mask: Mask): TextSink {
  return { write: (text) => sink.write(mask(text)), isTty: sink.isTty, columns: () => sink.columns() };
}

/** A `UserError` with its texts masked; any other error as it is. */
export function maskError(error: unknown, mask: Mask): unknown {
  if (!(error instanceof UserError)) return error;
  const problems = error.problems.map(({ message, hint, ...problem }) => ({
    ...problem,
    message: mask(message),
    ...defined({ hint: hint && mask(hint) }),
  }));
  return new UserError(problems, { cause: error });
}

const secretName = /(^|_)(API_?KEY|KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)(_|$)/i;

/** For what is printed before it is known which variables the project names. */
export function maskByName(env: Readonly<Record<string, string | undefined>>): Mask {
  return createMask(Object.entries(env).flatMap(([name, value]) => (secretName.test(name) ? (value ?? []) : [])));
}
