import type { Case } from '../model/suite.ts';

/** True for a case with an answer that judges nothing yet, as `import otel` writes it. */
export function isPromotable({ observe, expected }: Case): boolean {
  return observe && expected !== undefined;
}
