import { defined } from '../../json/defined.ts';
import { UserError } from '../../model/problem.ts';
import type { Mask } from '../../secrets/mask-secrets.ts';
import type { TextSink } from '../io.ts';

/** A stream that masks secrets. Each write is masked by itself, so a secret must not span two writes. */
export function maskSink(sink: TextSink, mask: Mask): TextSink {
  return { write: (text) => sink.write(mask(text)), isTty: sink.isTty, columns: () => sink.columns() };
}

/** A `UserError` with masked texts; returns any other error unchanged. */
export function maskError(error: unknown, mask: Mask): unknown {
  if (!(error instanceof UserError)) return error;
  const problems = error.problems.map(({ message, hint, ...problem }) => ({
    ...problem,
    message: mask(message),
    ...defined({ hint: hint && mask(hint) }),
  }));
  return new UserError(problems, { cause: error });
}
