import { Buffer } from 'node:buffer';
import { stringify } from 'yaml';
import { findArgumentMismatch } from '../json/match-arguments.ts';
import { parseJson } from '../json/parse-json.ts';
import type { ArgumentMatch } from '../json/plain-path.ts';
import type { ToolCall, ToolResult } from '../model/run/completion.ts';
import {
  type AgentSettings,
  type McpServer,
  maxResultBytes,
  type RecordSource,
  type RecordTarget,
  type ToolStub,
  type ToolsCode,
} from '../model/suite/agent.ts';
import { quote, shortenText } from '../text/shorten.ts';
import { didYouMean } from '../text/words/did-you-mean.ts';
import type { ModuleTools, RealTools, UnknownTool } from './tool-sources.ts';
import {
  createServerTools,
  readArguments,
  refuseArguments,
  refuseLength,
  type StateOutcome,
  type ToolOutcome,
  type ToolServer,
} from './tool-sources.ts';

/** The tools of one cell, which answer the model's calls. */
export interface ToolSession {
  answer(call: ToolCall, signal: AbortSignal): Promise<ToolOutcome>;
  /** Judges a call that an agent of the user's own has answered itself; undefined if the stubs allow it. */
  judge(call: ToolCall): ToolOutcome | undefined;
  /** Returns the present state of the tools. */
  state(signal: AbortSignal): Promise<StateOutcome>;
  close(): void;
}

interface SessionPorts {
  /** Runs a synchronous function. Throws if it takes longer than a check may. */
  readonly deadline: <T>(run: () => T) => T;
  /** Starts a module of tools in a child of its own. */
  readonly startModule: (source: ToolsCode) => ModuleTools;
  /** Opens a connection to a server of tools for this cell. */
  readonly startServer: (server: McpServer) => ToolServer;
  /** Asks the real tools and records their answers, with `--record-tools`. */
  readonly recording?: RecordingPorts;
}

interface RecordingPorts {
  readonly startReal: (source: RecordSource) => RealTools;
  readonly record: RecordAnswer;
}

/** Gives the recorded answer of a call, which is asked for once; a result is masked as the stub is. */
export type RecordAnswer = (
  target: RecordTarget,
  call: ToolCall,
  ask: () => Promise<ToolOutcome | UnknownTool>,
) => Promise<ToolOutcome | UnknownTool>;

/**
 * Answers the calls of one cell from its stubs, then from its module, then from servers. Module and servers start with the
 * first call that needs them.
 */
export function openToolSession(settings: AgentSettings, ports: SessionPorts): ToolSession {
  const { stubs, module: source, record: target } = settings;
  const ofServers = settings.servers && createServerTools(settings.servers, ports.startServer);
  let started: ModuleTools | undefined;
  let real: RealTools | undefined;
  function startModule(): ModuleTools | undefined {
    if (source !== undefined) started ??= ports.startModule(source);
    return started;
  }
  /** Answers a call without a matching stub. */
  async function answerWithCode(call: ToolCall, signal: AbortSignal): Promise<ToolOutcome | UnknownTool | undefined> {
    const ofModule = await startModule()?.answer(call, signal);
    if (ofModule !== undefined && ofModule.kind !== 'unknown') return ofModule;
    const answered = (await ofServers?.answer(call, signal)) ?? ofModule;
    const { recording } = ports;
    if ((answered !== undefined && answered.kind !== 'unknown') || target === undefined || recording === undefined) {
      return answered;
    }
    const ask = () => {
      real ??= recording.startReal(target.source);
      return real.answer(call, signal);
    };
    return recording.record(target, call, ask);
  }
  return {
    async answer(call, signal) {
      const ofName = stubs.filter(({ name }) => name === call.name);
      // As with a real tool, the model may try again.
      if (ofName.some((stub) => !isForbidden(stub)) && !parseJson(call.rawArguments).ok) {
        return { kind: 'result', result: refuseArguments(call) };
      }
      const ofStubs = answerWithStubs(ofName, call, ports);
      if (ofStubs !== undefined) return ofStubs;
      const answered = await answerWithCode(call, signal);
      if (answered === undefined) {
        const recorded = target === undefined ? '' : ', or record it: llmcheck run --record-tools';
        return { kind: 'fails', reason: `${describeMissingStub(call, stubs)}${recorded}` };
      }
      if (answered.kind === 'result') return boundResult(call, answered.result);
      if (answered.kind !== 'unknown') return answered;
      return { kind: 'fails', reason: `${describeMissingStub(call, stubs)}, or ${answered.hint}` };
    },
    judge(call) {
      const ofName = stubs.filter(({ name }) => name === call.name);
      if (!ofName.some(isForbidden)) return undefined;
      const outcome = answerWithStubs(ofName, call, ports);
      return outcome?.kind === 'result' ? undefined : outcome;
    },
    async state(signal) {
      return (await startModule()?.state(signal)) ?? { state: undefined };
    },
    close() {
      started?.close();
      ofServers?.close();
      real?.close();
    },
  };
}

/** The answer of the first stub that matches a call; undefined if none does. */
function answerWithStubs(stubs: readonly ToolStub[], call: ToolCall, ports: SessionPorts): ToolOutcome | undefined {
  for (const stub of stubs) {
    const mismatch = findMismatch(stub.when, call, ports);
    if (mismatch?.error !== undefined)
      return { kind: 'errored', message: `a stub of ${quote(call.name, 60)}: ${mismatch.error}` };
    if (mismatch === undefined) return answerWith(stub, call);
  }
  return undefined;
}

function isForbidden({ answer }: ToolStub): boolean {
  return answer.kind === 'never';
}

function findMismatch(when: ArgumentMatch | undefined, { rawArguments }: ToolCall, { deadline }: SessionPorts) {
  if (when === undefined) return undefined;
  return findArgumentMismatch(when, rawArguments, (cheap, run) => (cheap ? run() : deadline(run)));
}

function answerWith({ answer }: ToolStub, call: ToolCall): ToolOutcome {
  switch (answer.kind) {
    case 'returns':
      return boundResult(call, { content: answer.content });
    case 'fails':
      return boundResult(call, { content: answer.message, isError: true });
    case 'never':
      return {
        kind: 'fails',
        reason: `calls ${shortenText(call.name, 60)}(${shortenText(call.rawArguments, 200)}), which it must never call`,
      };
  }
}

function boundResult(call: ToolCall, result: ToolResult): ToolOutcome {
  const bytes = Buffer.byteLength(result.content);
  return bytes <= maxResultBytes ? { kind: 'result', result } : refuseLength(call, bytes);
}

/** Says that no stub answers a call, with the line of YAML that would. */
function describeMissingStub(call: ToolCall, stubs: readonly ToolStub[]): string {
  const names = [...new Set(stubs.map(({ name }) => name))];
  const isKnown = names.includes(call.name);
  const meant = isKnown ? undefined : didYouMean(call.name, names);
  const why = isKnown
    ? `no stub of ${quote(call.name, 60)} matches its call`
    : `no stub answers ${quote(call.name, 60)}`;
  return `${why}${meant === undefined ? '' : `, ${meant}`}; to answer it, add under tools: ${writeStub(call)}`;
}

/** `find_order: [{ when: { id: "7" }, returns: … }]`. */
function writeStub(call: ToolCall): string {
  const value = call.rawArguments.length > maxArguments ? undefined : readArguments(call);
  const isEmpty = typeof value !== 'object' || value === null || Object.keys(value).length === 0;
  const entry = isEmpty ? { returns: '…' } : { when: value, returns: '…' };
  return stringify({ [shortenText(call.name, 60)]: [entry] }, { collectionStyle: 'flow', lineWidth: 0 })
    .trim()
    .replace(/^\{ ?| ?\}$/g, '');
}

const maxArguments = 500;
