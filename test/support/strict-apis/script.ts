import { createHash } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { type ScriptedServer, startServer } from '../http-server.ts';

export type Json = Readonly<Record<string, unknown>>;

interface ScriptedCall {
  readonly id: string;
  readonly name: string;
  readonly args: Json;
}

/** What the model says in one step: reasoning, a text, and calls; without calls the loop ends. */
export interface Step {
  readonly reasoning: string;
  readonly text: string;
  readonly calls: readonly ScriptedCall[];
}

/** Two tools, two steps of two calls each, one error; then a text, and another one after the user's next turn. */
const script: readonly Step[] = [
  {
    reasoning: 'The customer names two orders.',
    text: 'I look them up.',
    calls: [
      // Not in the order of the alphabet: APIs that take an object show it to the model as it comes.
      { id: 'call_a', name: 'find_order', args: { verbose: true, order_id: '7731' } },
      { id: 'call_b', name: 'find_order', args: { order_id: '9' } },
    ],
  },
  {
    reasoning: 'One is unknown, so the policy decides.',
    text: '',
    calls: [
      { id: 'call_c', name: 'get_policy', args: { topic: 'lost parcels' } },
      { id: 'call_d', name: 'find_order', args: { order_id: '7731' } },
    ],
  },
  { reasoning: 'All is known.', text: 'DHL has order 7731, and there is no order 9.', calls: [] },
  { reasoning: 'Only thanks.', text: 'You are welcome.', calls: [] },
];

/** An API as its documentation describes it: a request that breaks a rule is refused in the API's own form. */
export interface StrictApi {
  readonly name: string;
  readonly adapter: string;
  readonly model: string;
  readonly params: Json;
  readonly options?: Json;
  env(url: string): Readonly<Record<string, string>>;
  /** The answers of the model that a request holds. */
  countAnswers(body: Json): number;
  /** The rule that a request breaks. */
  findFault(body: Json): string | undefined;
  refuse(fault: string): object;
  answer(step: number): object;
  /** What the API is told of a tool's error, in the whole request. */
  readonly toldOfError: RegExp;
}

/** Serves an API. Closed with the test. */
export async function startStrictApi(api: StrictApi): Promise<ScriptedServer> {
  const server = await startServer(({ body: text }) => {
    const body = JSON.parse(text) as Json;
    const fault = api.findFault(body);
    return fault === undefined
      ? { body: api.answer(api.countAnswers(body)) }
      : { status: 400, body: api.refuse(fault) };
  });
  onTestFinished(() => server.close());
  return server;
}

/** The signature of a reasoning, which nobody but the API can make. */
export function sign(reasoning: string): string {
  return `SIGNED-${createHash('sha256').update(`key ${reasoning}`).digest('base64')}`;
}

export function objects(value: unknown): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

export function stepAt(index: number): Step {
  return script[index] ?? { reasoning: '', text: '', calls: [] };
}

/** True where two JSON values are equal, whatever the order of their members. */
export function isSame(a: unknown, b: unknown): boolean {
  return spell(a) === spell(b);
}

function spell(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

/** The first fault that a check finds among values. */
export function firstFault<T>(values: readonly T[], check: (value: T, index: number) => string | undefined) {
  return values.map(check).find((fault) => fault !== undefined);
}
