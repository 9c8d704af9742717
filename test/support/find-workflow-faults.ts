import { parse } from 'yaml';

/** A workflow, or an action made of steps, as far as the rules read it. */
interface Workflow {
  readonly on?: unknown;
  readonly permissions?: unknown;
  readonly concurrency?: unknown;
  readonly jobs?: Readonly<Record<string, Job>>;
  readonly runs?: { readonly steps: readonly Step[] };
}

interface Job {
  readonly permissions?: unknown;
  readonly 'timeout-minutes'?: unknown;
  readonly secrets?: unknown;
  readonly steps?: readonly Step[];
}

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

/** The rules of security checkers for workflows that matter here: what is wrong, one sentence each. */
export function findWorkflowFaults(text: string): readonly string[] {
  const workflow = parse(text) as Workflow;
  const jobs = Object.entries(workflow.jobs ?? {});
  const steps = [...jobs.flatMap(([, { steps = [] }]) => steps), ...(workflow.runs?.steps ?? [])];
  return [
    ...(workflow.jobs === undefined ? [] : findTopFaults(workflow)),
    ...jobs.flatMap(([name, job]) => findJobFaults(name, job)),
    ...steps.flatMap(findStepFaults),
    ...findUnsafeCheckouts(workflow, steps),
    ...(/toJSON\(\s*secrets/i.test(text) ? ['all secrets are handed over'] : []),
    ...(/github\.(actor|triggering_actor)\s*[!=]=/.test(text)
      ? ['a condition trusts an actor, which can be forged']
      : []),
  ];
}

function findTopFaults({ permissions, concurrency }: Workflow): readonly string[] {
  const granted = permissions === undefined ? undefined : Object.values(permissions as object);
  const isLeast = granted?.every((value) => value === 'read' || value === 'none') === true;
  return [
    ...(isLeast && typeof permissions === 'object'
      ? []
      : ['the whole workflow may write, or its permissions are not set']),
    ...(concurrency === undefined ? ['nothing limits what runs at the same time'] : []),
  ];
}

function findJobFaults(name: string, { permissions, secrets, ...job }: Job): readonly string[] {
  return [
    ...(job['timeout-minutes'] === undefined ? [`job ${name} has no timeout`] : []),
    ...(typeof permissions === 'string' ? [`job ${name} has permissions for everything`] : []),
    ...(secrets === 'inherit' ? [`job ${name} hands all secrets over`] : []),
  ];
}

/** A tag of this repository's own action is named in examples, with the advice to pin a commit. */
const pinned = /^(?:\.\/|docker:\/\/.+@sha256:|[\w.-]+\/[\w./-]+@[0-9a-f]{40}$|llmcheck\/llmcheck@v\d+\.\d+\.\d+$)/;

function findStepFaults({ uses, run = '', with: given = {} }: Step): readonly string[] {
  const isCheckout = uses?.startsWith('actions/checkout@') === true;
  return [
    ...(uses !== undefined && !pinned.test(uses) ? [`${uses} is not pinned by a commit`] : []),
    ...(run.includes('${{') ? ['a script has an expression, which may inject commands'] : []),
    ...(isCheckout && given['persist-credentials'] !== false ? ['the checkout keeps the token in .git/config'] : []),
  ];
}

/** Events with secrets and a token that may write, about code of anybody. */
function findUnsafeCheckouts({ on }: Workflow, steps: readonly Step[]): readonly string[] {
  const events = typeof on === 'string' ? [on] : Array.isArray(on) ? on : Object.keys((on as object | undefined) ?? {});
  if (events.includes('pull_request_target')) return ['pull_request_target gives secrets to the code of anybody'];
  if (!events.includes('workflow_run')) return [];
  const isOther = ({ uses, with: given = {} }: Step): boolean =>
    uses?.startsWith('actions/checkout@') === true && (given['ref'] !== undefined || given['repository'] !== undefined);
  const installs = steps.filter(
    ({ run = '' }) => /npm (ci|install|i)\b/.test(run) && !run.includes('--ignore-scripts'),
  );
  return [
    ...(steps.some(isOther) ? ['workflow_run checks out another commit than that of the default branch'] : []),
    ...(installs.length > 0 ? ['workflow_run runs the scripts of packages'] : []),
  ];
}
