import type { McpPorts } from '../../src/mcp/connect-server.ts';
import { systemClock } from '../../src/model/clock.ts';

export interface ScriptedPorts extends McpPorts {
  /** What was started, asked and ended, in order. */
  readonly log: string[];
  /** Ends the program, with the reason. */
  end(why: string): void;
  /** Writes a line as the program. */
  say(line: string): void;
}

/** The result that answers a request; undefined leaves it without an answer. */
type Answer = (method: string, params: Readonly<Record<string, unknown>>) => object | undefined;

/** Ports whose programs answer in this process, with the real SDK. A result with `code` is sent as an error. */
export function scriptedPorts(answer: Answer, { env = {}, stderr = '' } = {}): ScriptedPorts {
  const log: string[] = [];
  let on: { onLine: (line: string) => void; onEnd: (why: string) => void } | undefined;
  return {
    log,
    clock: systemClock,
    env,
    end: (why) => on?.onEnd(why),
    say: (line) => on?.onLine(line),
    packageVersion: () => '1.24.0',
    importPackage: (path) => import(path) as Promise<unknown>,
    selectEnv: (names) => Object.fromEntries(names.map((name) => [name, 'seen'])),
    startProgram({ onLine, onEnd, ...call }) {
      on = { onLine, onEnd };
      log.push(`start ${JSON.stringify(call)}`);
      return {
        write(line) {
          const { id, method, params = {} } = JSON.parse(line) as { id?: number; method: string; params?: object };
          log.push(method);
          const result = answer(method, { ...params }) ?? (method === 'initialize' ? greeting : undefined);
          if (id === undefined || result === undefined) return;
          const outcome = 'code' in result ? { error: result } : { result };
          queueMicrotask(() => onLine(JSON.stringify({ jsonrpc: '2.0', id, ...outcome })));
        },
        stderr: () => stderr,
        close: () => Promise.resolve(void log.push('close')),
      };
    },
  };
}

export const greeting = {
  protocolVersion: '2025-06-18',
  capabilities: { tools: {} },
  serverInfo: { name: 'shop', version: '1.2' },
};
