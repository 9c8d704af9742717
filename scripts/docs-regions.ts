import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { parse } from 'yaml';
import * as z from 'zod';
import { assertions } from '../src/assertions/index.ts';
import { failurePolicies } from '../src/calls/failure-policies.ts';
import { commands } from '../src/cli/commands/index.ts';
import { githubWorkflow, gitlabPipeline } from '../src/cli/commands/suites/init-ci.ts';
import { envNameOf, runFlags } from '../src/cli/flags/run-flags.ts';
import { addCommands } from '../src/cli/main.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../src/json/json.ts';
import { describeAssertions } from '../src/listing/list-parts.ts';
import { installCommand } from '../src/model/optional-packages.ts';
import type { FailureKind } from '../src/model/run/completion.ts';
import type { AssertionDeclaration } from '../src/model/suite/assertion.ts';
import { adapters } from '../src/providers/index.ts';
import { presets } from '../src/providers/presets.ts';
import { reporters } from '../src/reports/index.ts';
import { type RuleKey, ruleFor, ruleIdOf, rules } from '../src/schema-diff/rules.ts';
import { runCli } from '../test/support/run-cli.ts';
import { runInCopy } from './docs-blocks.ts';
import { type EditEffect, runEdited } from './gate-sentences.ts';

/** The parts of the documentation that the program itself says best, by the name of their region. */
const regions: Readonly<Record<string, (root: string) => Promise<string> | string>> = {
  assertions: renderAssertions,
  'assertion-names': renderAssertionNames,
  commands: renderCommands,
  'run-flags': renderRunFlags,
  presets: renderPresets,
  adapters: renderAdapters,
  reporters: renderReporters,
  'failure-kinds': renderFailureKinds,
  'action-inputs': (root) => renderActionTable(root, 'inputs'),
  'action-outputs': (root) => renderActionTable(root, 'outputs'),
  'init-workflow': () => fence('yaml', githubWorkflow(plainProject)),
  'gitlab-job': () => fence('yaml', gitlabPipeline(plainProject)),
  'circleci-example': (root) => fence('yaml', readFileSync(join(root, 'examples/circleci/config.yml'), 'utf8')),
  'jenkins-example': (root) => fence('groovy', readFileSync(join(root, 'examples/jenkins/Jenkinsfile'), 'utf8')),
  'json-report': renderJsonReport,
  'contract-rules': renderContractRules,
  'gate-sentences': renderGateSentences,
};

/** As `llmcheck init` finds it in most repositories. */
const plainProject = { manager: { name: 'npm', folder: '' }, folder: '' } as const;

export function renderRegion(name: string, root: string): Promise<string> | string {
  const render = Object.hasOwn(regions, name) ? regions[name] : undefined;
  if (render === undefined) throw new Error(`no region is named "${name}": ${Object.keys(regions).join(', ')}`);
  return render(root);
}

function renderContractRules(): string {
  const rows = (Object.keys(rules) as RuleKey[]).map((key) => {
    const { input, output } = ruleFor(key);
    const [, context = ''] = key.split('/');
    return [`\`${ruleIdOf(key)}\``, context.replaceAll('-', ', '), input, output];
  });
  return table(['rule', 'where', 'input', 'output'], rows);
}

async function renderGateSentences(): Promise<string> {
  const effects: readonly EditEffect[] = ['nothing', 'breaks one case in ten', 'fails one trial in ten'];
  const rows: string[][] = [];
  for (const cases of [5, 20, 50, 100, 1000]) {
    const row = [String(cases)];
    for (const effect of effects) row.push(`\`${(await runEdited(cases, effect)).headline}\``);
    rows.push(row);
  }
  return table(['cases', 'all still pass', 'one case in ten breaks', 'every case fails one time in ten'], rows);
}

function renderAssertionNames(): string {
  const rows = [...groupByFamily()].map(([family, entries]) => [
    family,
    entries.map(([name]) => `[\`${name}\`](assertions.md#${name.toLowerCase()})`).join(', '),
  ]);
  return table(['family', 'assertions'], rows);
}

function groupByFamily(): Map<string, [string, AssertionDeclaration][]> {
  const families = new Map<string, [string, AssertionDeclaration][]>();
  for (const entry of Object.entries(assertions)) {
    const { family } = entry[1];
    families.set(family, [...(families.get(family) ?? []), entry]);
  }
  return families;
}

async function renderAssertions(root: string): Promise<string> {
  const failures = new Map((await describeAssertions(root)).map(({ assertion, failure }) => [assertion, failure]));
  const render = (entry: [string, AssertionDeclaration]) => renderAssertion(entry, failures.get(entry[0]) ?? undefined);
  return [...groupByFamily()]
    .map(([family, entries]) => `## ${capitalize(family)}\n\n${entries.map(render).join('\n\n')}`)
    .join('\n\n');
}

function renderAssertion([name, declaration]: [string, AssertionDeclaration], failure: string | undefined): string {
  const { summary, example, params, main, wholeValue, children, defaultSelect } = declaration;
  const parts = [`### ${name}`, `${capitalize(summary)}.`, fence('yaml', `- ${example}`)];
  const schema = z.toJSONSchema(params, { io: 'input', unrepresentable: 'any' }) as JsonObject;
  const rows = Object.entries(propertiesOf(schema)).map(([key, property]) => {
    const isRequired = Array.isArray(schema['required']) && schema['required'].includes(key);
    const written = isJsonObject(property) ? property['default'] : undefined;
    return [
      `\`${key}\`${key === main ? ' (main)' : ''}`,
      describeType(property),
      isRequired ? 'required' : written === undefined ? '–' : `\`${JSON.stringify(written)}\``,
      isJsonObject(property) && typeof property['description'] === 'string' ? property['description'] : '',
    ];
  });
  if (rows.length > 0) parts.push(table(['parameter', 'type', 'default', 'meaning'], rows));
  if (children === 'one') parts.push('Takes one assertion.');
  if (children === 'many') parts.push('Takes a list of assertions.');
  if (wholeValue === true)
    parts.push(
      'The value is always the main parameter, even if it is a map. A text is the path of a JSON or YAML file.',
    );
  if (declaration.needsPackage !== undefined) parts.push(`Needs \`${installCommand([declaration.needsPackage])}\`.`);
  if (failure !== undefined) parts.push('Message for a wrong answer to the example:', fence('text', failure));
  if (declaration.definition !== undefined) parts.push(`Source: ${declaration.definition}.`);
  if (defaultSelect !== undefined) parts.push(`Without \`select\` it checks \`${defaultSelect}\`.`);
  return parts.join('\n\n');
}

function describeType(schema: JsonValue | undefined): string {
  return [...new Set(typeNames(schema))].join(' or ');
}

function typeNames(schema: JsonValue | undefined): string[] {
  if (!isJsonObject(schema)) return ['any value'];
  const { type, anyOf, items, properties } = schema;
  if (Array.isArray(schema['enum'])) return schema['enum'].map((value) => `\`${String(value)}\``);
  if (Array.isArray(anyOf)) {
    // A number may also be written as text, for the sake of templates.
    const open = anyOf.some((branch) => isJsonObject(branch) && branch['type'] === 'number')
      ? anyOf.filter((branch) => !(isJsonObject(branch) && branch['type'] === 'string' && !isShare(branch)))
      : anyOf;
    return open.flatMap(typeNames);
  }
  if (type === 'array') return [`list of ${describeType(items)}`];
  if (type === 'object') {
    const names = isJsonObject(properties) ? Object.keys(properties) : [];
    return [names.length === 0 ? 'map' : `map of ${names.map((name) => `\`${name}\``).join(', ')}`];
  }
  if (type === 'integer') return ['whole number'];
  if (type === 'string') return [isShare(schema) ? 'percentage' : 'text'];
  if (Array.isArray(type)) return type.includes('boolean') && type.includes('string') ? ['text'] : type.map(String);
  return [typeof type === 'string' ? type : 'any value'];
}

function isShare({ pattern }: JsonObject): boolean {
  return typeof pattern === 'string' && pattern.includes('%');
}

function propertiesOf({ properties }: JsonObject): JsonObject {
  return isJsonObject(properties) ? properties : {};
}

async function openProgram(): Promise<Command> {
  const program = new Command();
  const sink = { write: () => undefined, isTty: false, columns: () => undefined };
  const io = {
    stdout: sink,
    stderr: sink,
    env: {},
    cwd: '',
    now: () => new Date(0),
    random: () => 0,
    onSignal: () => () => undefined,
  };
  const names = Object.keys(commands);
  await addCommands(program, names, io, () => undefined);
  return program;
}

async function renderCommands(): Promise<string> {
  const program = await openProgram();
  const shown = program
    .createHelp()
    .visibleCommands(program)
    .filter((command) => command.name() !== 'help');
  const rows = shown.flatMap((command) =>
    command.commands.length === 0
      ? [[`llmcheck ${command.name()} ${argumentsOf(command)}`, command.description()]]
      : command.commands.map((child) => [
          `llmcheck ${command.name()} ${child.name()} ${argumentsOf(child)}`,
          `${capitalize(child.description()).replace(/\.$/, '')}.`,
        ]),
  );
  return table(
    ['command', 'does'],
    rows.map(([usage = '', description = '']) => [`\`${usage.trim()}\``, description]),
  );
}

function argumentsOf(command: Command): string {
  return command.registeredArguments
    .map((argument) => {
      const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
      return argument.required ? `<${name}>` : `[${name}]`;
    })
    .join(' ');
}

function renderRunFlags(): string {
  const rows = runFlags.map(({ flags, key, description, choices }) => [
    `\`${flags}\``,
    `\`${envNameOf(key)}\``,
    `\`${key}\``,
    `${capitalize(description)}${choices === undefined || description.includes(choices[0] ?? '') ? '' : `: ${choices.join(', ')}`}.`,
  ]);
  return table(['flag', 'environment', 'key of `run:`', 'meaning'], rows);
}

function renderPresets(): string {
  const rows = Object.entries(presets).map(([name, preset]) => {
    const { title, exampleModel, baseUrl, baseUrlEnv, apiKeyEnv } = preset;
    const fromEnv =
      baseUrlEnv === undefined
        ? []
        : [`\`${baseUrlEnv.name}\`${baseUrlEnv.path === '' ? '' : ` + \`${baseUrlEnv.path}\``}`];
    const address = [...fromEnv, ...(baseUrl === undefined ? [] : [`\`${baseUrl}\``])].join(', else ');
    return [`\`${name}:${exampleModel}\``, title, address, apiKeyEnv === undefined ? 'none' : `\`${apiKeyEnv}\``];
  });
  return table(['for example', 'service', 'base URL', 'key variable'], rows);
}

function renderAdapters(): string {
  const rows = Object.entries(adapters)
    .filter(([name]) => !Object.hasOwn(presets, name))
    .map(([, { summary, example }]) => [`\`${example}\``, `${capitalize(summary)}.`]);
  return table(['for example', 'means'], rows);
}

function renderReporters(): string {
  const rows = Object.entries(reporters).map(([name, { summary, extension }]) => [
    `\`${name}\``,
    `${capitalize(summary)}.`,
    `\`-r ${name}=report.${extension}\``,
  ]);
  return table(['name', 'format', 'to a file'], rows);
}

const failureMeanings: Readonly<Record<FailureKind, string>> = {
  auth: 'the key is missing or refused (401, 403)',
  notFound: 'the model, path (404) or program does not exist',
  quota: 'the account has no credit left',
  badRequest: 'the service refuses the request (400)',
  contextLength: 'the prompt is too long for the model',
  contentFilter: "the service's content filter refused",
  stepLimit: 'an agent of your own stopped before its answer',
  tooLarge: 'the answer is larger than `limits.maxAnswer`',
  rateLimit: 'too many requests (429)',
  overloaded: 'the service is overloaded (503, 529)',
  server: 'the service failed (5xx), or the program did',
  network: 'no connection, or a broken one',
  timeout: 'no answer within the time limit',
  malformed: 'an invalid reply: not JSON, a key twice in one object, not UTF-8, no choices, an error with status 200',
  recording: 'a recorded answer is missing or stale',
  cacheMiss: '`--cache replay` without an entry',
  check: 'the answer arrived, but a check could not be made',
  budget: 'the request exceeds the budget',
  aborted: 'the run was stopped',
};

function renderFailureKinds(): string {
  const rows = Object.entries(failureMeanings).map(([kind, meaning]) => {
    const { retry, stopsProvider, failsCell } = failurePolicies[kind as FailureKind];
    const isStop = kind === 'budget' || kind === 'aborted';
    const status = isStop ? 'skipped' : failsCell ? 'failed' : 'errored';
    return [`\`${kind}\``, meaning, retry ? 'yes' : 'no', stopsProvider ? 'yes' : 'no', status];
  });
  return table(['kind', 'means', 'retried', 'stops the provider', 'cell'], rows);
}

/** A real report with the lists cut to their first element. */
async function renderJsonReport(root: string): Promise<string> {
  const stdout = await runInCopy(root, async (cwd, now) => {
    const argv = ['run', 'evals/support-triage.eval.yaml', '--prompt', 'v1', '-q', '-r', 'json'];
    return (await runCli(argv, { cwd, now })).stdout;
  });
  const report: unknown = JSON.parse(stdout);
  if (!isJsonObject(report)) throw new Error('the JSON report is no object');
  const { durationMs: _measured, ...run } = isJsonObject(report['run']) ? report['run'] : {};
  const { tool: _tool, ...rest } = report;
  return fence('json', JSON.stringify(cutLists({ ...rest, run }), undefined, 2));
}

function cutLists(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.slice(0, 1).map(cutLists);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter((entry): entry is [string, JsonValue] => entry[1] !== undefined)
      .map(([key, item]) => [key, cutLists(item)]),
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}

function fence(language: string, text: string): string {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
}

function capitalize(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function renderActionTable(root: string, part: 'inputs' | 'outputs'): string {
  const action = parse(readFileSync(join(root, 'action.yml'), 'utf8')) as ActionParts;
  const rows = Object.entries(action[part]).map(([name, { description, default: value }]) => [
    `\`${name}\``,
    description,
    ...(part === 'outputs' ? [] : [value === undefined || value === '' ? '–' : `\`${value}\``]),
  ]);
  return table(part === 'outputs' ? ['output', 'means'] : ['input', 'means', 'default'], rows);
}

interface ActionParts {
  readonly inputs: Readonly<Record<string, { readonly description: string; readonly default?: string }>>;
  readonly outputs: Readonly<Record<string, { readonly description: string; readonly default?: string }>>;
}
