import { defined } from '../../json/defined.ts';
import { LeftOut, type Written } from '../draft.ts';
import { buildArgs, type CodeContext } from './javascript.ts';
import type { ProgramFile, ProgramSource } from './program-file.ts';

/** A check by a program that is written beside the suite. */
export function buildProgramCheck(
  program: ProgramFile,
  source: ProgramSource,
  {
    files,
    env,
    names,
  }: {
    readonly files: readonly string[];
    readonly env: readonly string[];
    /** The variables that the code reads; undefined where that is not known. */
    readonly names: readonly string[] | undefined;
  },
  written: Written,
  context: CodeContext,
): Readonly<Record<string, unknown>> | LeftOut {
  const { code, draft, inverse, threshold, isSelected } = context;
  const part = written.child('value');
  if (code.answers === 'mixed') return draft.refuse(part, 'only some providers give their answer as JSON to code');
  const args = buildArgs(written, names, context);
  if (args instanceof LeftOut) return args;
  const isState = code.answers === 'state' && !isSelected;
  const options = defined({
    threshold: typeof threshold === 'number' ? threshold : undefined,
    inverse: inverse ? true : undefined,
    json: code.answers === 'json' ? true : undefined,
    state: isState ? true : undefined,
  });
  return {
    exec: {
      value: program.add('check', source, options, part.at().line),
      ...args,
      ...(files.length === 0 ? {} : { files: files.map((file) => program.fromSuite(file)), timeout: '5m' }),
      ...(env.length === 0 ? {} : { env }),
    },
    ...(isState ? { select: 'state' } : {}),
  };
}
