import { openTempProject, type TempProject } from '../../support/temp-project.ts';

export interface ShopParts {
  /** The provider, in place of one of OpenAI. */
  readonly provider?: object;
  /** Further keys of the suite, as YAML. */
  readonly suite?: string;
  readonly question?: string;
  /** What answers the tool calls, as YAML behind `tools:`. */
  readonly tools?: string;
  /** Further keys of the case, indented by four. */
  readonly keys?: string;
}

const orders = `
      find_order:
        - { when: { order_id: "7731" }, returns: { state: shipped, carrier: DHL } }
        - { fails: "no such order" }
      issue_refund: { never: true }
      get_policy: { returns: "Wait 14 days." }`;

/** A suite of one case: an agent that is asked for order 7731, and stubs that answer its calls. */
export function openShop(parts: ShopParts = {}): TempProject {
  const { provider = { id: 'mini', use: 'openai:gpt-4o-mini' }, suite = '', tools = orders } = parts;
  const { question = 'Where is order 7731?', keys = '    assert: [{ contains: DHL }]' } = parts;
  const project = openTempProject();
  project.write('llmcheck.config.yaml', 'suites: [shop.eval.yaml]\n');
  project.write(
    'shop.eval.yaml',
    `suite: shop
prompts: [{ id: v1, text: "{{ question }}" }]
providers: [${JSON.stringify(provider)}]
${suite}
cases:
  - id: late
    vars: { question: "${question}" }
    tools:${tools}
${keys}
`,
  );
  return project;
}
