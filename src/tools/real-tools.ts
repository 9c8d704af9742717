import { maxResultBytes } from '../model/agent.ts';
import type { ToolCall } from '../model/completion.ts';
import { lastWords, quote } from '../text/shorten.ts';
import type { ModuleTools, UnknownTool } from './module-tools.ts';
import type { ToolOutcome } from './tool-outcome.ts';

/** Real tools of one cell: they answer calls, and what they answer is recorded. A further kind of source has the same form. */
export type RealTools = Pick<ModuleTools, 'answer' | 'close'>;

/** How a program ended that was started for one call. */
export type ToolProgramResult =
  | { readonly exitCode: number; readonly stdout: string; readonly stderr: string; readonly latencyMs: number }
  /** Why it has no result, as the end of a sentence about it. */
  | { readonly fault: string };

/** Starts a program for one call, with JSON on its stdin. */
export type StartToolProgram = (input: string, signal: AbortSignal) => Promise<ToolProgramResult>;

/** As EX_TEMPFAIL of sysexits.h: the program could not do its work now, which is no answer of the tool. */
const temporaryFailure = 75;

/** Of a shell: what it should run can't be run, or does not exist. */
const notRun: ReadonlySet<number> = new Set([126, 127]);

/**
 * A program as real tools: `{ tool, arguments }` on stdin, the result on stdout. An exit code other than 0 is the tool's
 * error, with the end of stderr.
 */
export function createExecTools(shown: string, start: StartToolProgram): RealTools {
  return {
    async answer(call: ToolCall, signal: AbortSignal): Promise<ToolOutcome | UnknownTool> {
      const ended = await start(writeInput(call), signal);
      const named = `, called for ${quote(call.name, 60)}`;
      if ('fault' in ended) return { kind: 'errored', message: `tools: ${shown} ${ended.fault}${named}` };
      const { exitCode, latencyMs } = ended;
      const said = lastWords(ended.stderr.trim(), maxErrorChars);
      if (exitCode === temporaryFailure || notRun.has(exitCode)) {
        return {
          kind: 'errored',
          message: `tools: ${shown} ended with exit code ${exitCode}${named}${said === '' ? '' : `: ${said}`}`,
        };
      }
      if (exitCode !== 0) {
        const content = said === '' ? `ended with exit code ${exitCode}` : said;
        return { kind: 'result', result: { content, isError: true, latencyMs } };
      }
      // The newline that ends a program's output is no part of the result.
      return { kind: 'result', result: { content: ended.stdout.replace(/\r?\n$/, ''), latencyMs } };
    },
    close: () => undefined,
  };
}

function writeInput({ name, rawArguments }: ToolCall): string {
  // The text of the arguments, so that every digit of a number arrives.
  return `{"tool":${JSON.stringify(name)},"arguments":${rawArguments.trim() === '' ? '{}' : rawArguments}}\n`;
}

const maxErrorChars = 2000;

/** What a program may write: more can't be a result. */
export const maxProgramBytes = maxResultBytes * 4;
