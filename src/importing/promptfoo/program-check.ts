import { LeftOut, type Written } from '../draft.ts';
import { type CodeContext, readCodeCall } from './javascript.ts';
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
  const call = readCodeCall(written, names, context);
  if (call instanceof LeftOut) return call;
  const { part, args, isState, options } = call;
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
