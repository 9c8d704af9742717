import { defined } from '../../json/defined.ts';
import { LeftOut, quote } from '../draft.ts';

type Vars = Readonly<Record<string, unknown>>;

/** Empty values of the variables that some test does not set, as promptfoo renders them. */
export function findMissingVars(
  checked: ReadonlySet<string>,
  prompts: readonly (LeftOut | { readonly variables: readonly string[] })[],
  cases: readonly unknown[],
): Readonly<Record<string, string>> {
  const read = new Set([
    ...checked,
    ...prompts.flatMap((prompt) => (prompt instanceof LeftOut ? [] : prompt.variables)),
  ]);
  const given = cases.filter((one) => !(one instanceof LeftOut));
  const isMissing = (name: string) => given.some((one) => !Object.hasOwn(Object(Object(one)['vars']), name));
  return Object.fromEntries([...read].filter(isMissing).map((name) => [name, '']));
}

/** A prompt that reads members which some test lacks: promptfoo renders them empty. */
export function allowMissing(
  prompt: Readonly<Record<string, unknown>>,
  variables: readonly string[],
  cases: readonly unknown[],
): Readonly<Record<string, unknown>> {
  const given = cases.flatMap((one) => (one instanceof LeftOut ? [] : [Object(Object(one)['vars']) as Vars]));
  const isMissing = (path: string) => {
    const [root = '', ...members] = path.split(/[.[\]]+/).filter((part) => part !== '');
    const read = (vars: unknown, name: string) =>
      Object.hasOwn(Object(vars), name) ? (vars as Vars)[name] : undefined;
    return (
      variables.includes(root) && given.some((vars) => [root, ...members].reduce<unknown>(read, vars) === undefined)
    );
  };
  const allow = (text: string) =>
    text.replaceAll(/(\{\{-? )([A-Za-z_][\w-]*(?:\.\w+|\[\d+\])+)(?= )/g, (whole, _open, path: string) =>
      isMissing(path) ? `${whole} | default: "", allow_false: true` : whole,
    );
  const { text, messages } = prompt as { readonly text?: string; readonly messages?: readonly { content: string }[] };
  return {
    ...prompt,
    ...defined({ text: text && allow(text) }),
    ...defined({ messages: messages?.map((one) => ({ ...one, content: allow(one.content) })) }),
  };
}

/** Notes defaults of variables that some test leaves empty: promptfoo's default is for undefined ones alone. */
export function noteEmptyDefaults(
  prompts: readonly (LeftOut | { readonly prompt: Readonly<Record<string, unknown>> })[],
  cases: readonly unknown[],
  note: (message: string) => void,
): void {
  const given = cases.flatMap((one) => (one instanceof LeftOut ? [] : [Object(Object(one)['vars']) as Vars]));
  const empty = new Set<unknown>(['', false, null]);
  const read = prompts.flatMap((one) => {
    if (one instanceof LeftOut) return [];
    const written = `${String(one.prompt['text'])}\n${JSON.stringify(one.prompt['messages'])}`;
    const defaults = written.matchAll(/\{\{-? ([\w-]+) \| default: (?!\\?["']\\?["']|[^}]*, true)/g);
    return Array.from(defaults, ([, name = '']) => name);
  });
  for (const name of new Set(read)) {
    if (given.some((vars) => Object.hasOwn(vars, name) && empty.has(vars[name])))
      note(`the default of ${quote(name)} is for empty values too here, not only for missing ones`);
  }
}

/** A prompt in code may do without a variable that some test lacks: a contract has to say so. */
export function findOptionalVars(
  prompts: readonly (LeftOut | { readonly prompt: Readonly<Record<string, unknown>> })[],
  cases: readonly unknown[],
): object | undefined {
  const isCode = prompts.some(
    (prompt) => !(prompt instanceof LeftOut) && (prompt.prompt['module'] ?? prompt.prompt['exec']) !== undefined,
  );
  const given = cases.filter((one) => !(one instanceof LeftOut)).map((one) => Object(Object(one)['vars']) as Vars);
  const names = [...new Set(given.flatMap((vars) => Object.keys(vars)))];
  if (!isCode || names.every((name) => given.every((vars) => Object.hasOwn(vars, name)))) return undefined;
  return { type: 'object', properties: Object.fromEntries(names.map((name) => [name, {}])) };
}
