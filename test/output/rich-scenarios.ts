import type { Scenario, Step } from './scenarios.ts';

const run = (...argv: string[]): Step => ({ run: ['run', '-j', '1', ...argv] });
const cli = (...argv: string[]): Step => ({ run: argv });
const answers = (changed: Readonly<Record<string, string | number>>): Step => ({ answers: changed });
const edit = (file: string, from: string, to: string): Step => ({ edit: file, from, to });
/** Reports of a run as files. Without that of GitLab: it clips its texts, and so where latencies have more digits. */
const reporters = ['json', 'junit', 'markdown', 'html', 'ctrf', 'tap', 'github', 'jsonl'];
const allReports = reporters.flatMap((name) => ['-r', `${name}=out/report.${name}`]);

const mini = 'providers: [{ id: mini, use: "openai:gpt-4o-mini", params: { max_tokens: 20 } }]';

const desk = `suite: desk
prompts:
  - { id: v1, text: "Say: {{ word }}" }
providers:
  - { id: mini, use: "openai:gpt-4o-mini", params: { max_tokens: 20 } }
  - { id: big, use: "openai:gpt-4o", params: { max_tokens: 20, temperature: 0.2 } }
gate:
  scope: suite
  passRate: { min: 0.2, maxDrop: 0.1 }
  score: { min: 0.3, maxDrop: 0.2 }
  cost: { max: 1, maxIncrease: 50% }
  latency: { p95Max: 60s }
  cases: { added: warn }
  slices:
    colour: { passRate: { min: 0.9, maxDrop: 0.05 } }
    number: { passRate: { min: 0.1 } }
cases:
  - { id: red, vars: { word: red }, tags: [colour], mustPass: true, assert: [{ equals: red }] }
  - { id: green, vars: { word: green }, tags: [colour], description: the second one, threshold: 0.6, assert: [{ equals: green, weight: 2 }, { length: { max: 3, unit: words } }] }
  - { id: blue, vars: { word: blue }, tags: [colour], assert: [{ equals: blue }] }
  - { id: one, vars: { word: one }, tags: [number], group: numbers, trials: 2, assert: [{ oneOf: [one, "1"] }] }
  - { id: two, vars: { word: two }, tags: [number], group: numbers, assert: [{ anyOf: [{ equals: two }, { equals: "2" }] }] }
  - { id: three, vars: { word: three }, tags: [number], observe: true, assert: [{ equals: "3" }] }
  - { id: later, vars: { word: later }, skip: not yet, assert: [{ equals: later }] }
  - { id: kept, vars: { word: kept }, assert: [{ snapshot: exact }] }
  - id: talk
    vars: { word: hello }
    turns:
      - { user: and now, assert: [{ contains: now }] }
      - { user: bye }
    assert: [{ equals: bye }]
`;

const queues = `suite: queues
prompts: [{ id: v1, text: "Say: {{ word }}" }]
${mini}
classes:
  truth: "{{ kind }}"
  found: text
  names: [billing, account, other]
  gate:
    recall: { billing: { min: 0.9, maxDrop: 0.1 }, account: { min: 0.1 } }
    precision: { billing: { min: 0.2 } }
    f1: { min: 0.8, maxDrop: 0.1 }
cases:
${['billing', 'account', 'other']
  .flatMap((kind) =>
    [1, 2, 3, 4].map(
      (n) =>
        `  - { id: ${kind}-${n}, vars: { word: ${kind}-${n}, kind: ${kind} }, assert: [{ oneOf: [billing, account, other] }] }\n`,
    ),
  )
  .join('')}`;
const queueAnswers = (kinds: string) =>
  Object.fromEntries(
    ['billing', 'account', 'other'].flatMap((kind, row) =>
      [1, 2, 3, 4].map((n, index) => {
        const letter = kinds[row * 4 + index];
        return [
          `${kind}-${n}`,
          letter === 'b' ? 'billing' : letter === 'a' ? 'account' : letter === 'o' ? 'other' : '',
        ];
      }),
    ),
  );

const shop = `suite: shop
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers:
  - id: mini
    use: openai:gpt-4o-mini
    params:
      max_tokens: 20
      tools:
        - { name: find, parameters: { type: object, properties: { id: { type: integer } } } }
        - { name: refund, parameters: { type: object, properties: { id: { type: integer } } } }
gate: { steps: { max: 3, maxIncrease: 20% } }
cases:
  - { id: order, vars: { word: order 7 }, tools: &stubs { find: [{ when: { id: 7 }, returns: { state: late } }, { fails: no such order }], refund: [{ returns: done }] }, assert: [{ trajectory: { calls: [find, refund] } }, { contains: paid }] }
  - { id: lost, vars: { word: order 9 }, tools: *stubs, maxSteps: 5, assert: [{ trajectory: { never: refund } }, { toolCalls: { count: { min: 1 } } }] }
  - { id: twice, vars: { word: order 8 }, tools: *stubs, assert: [{ contains: ok }] }
`;
const shopAnswers = {
  'Say: order 7 #0': 'call find {"id":7}',
  'Say: order 7 #1': 'call refund {"id":7}',
  'Say: order 7 #2': 'paid back',
  'Say: order 9 #0': 'call find {"id":9}',
  'Say: order 9 #1': 'not found',
  'Say: order 8 #0': 'call find {"id":8}; find {"id":7}',
  'Say: order 8 #1': 'ok',
};
const otherPath = {
  'Say: order 7 #0': 'call refund {"id":8}',
  'Say: order 7 #1': 'call find {"id":7}',
  'Say: order 9 #1': 'call refund {"id":9}',
  'Say: order 9 #2': 'call find {"id":1}',
  'Say: order 9 #3': 'call find {"id":1}',
  'Say: order 9 #4': 'call find {"id":1}',
  'Say: order 8 #0': 'call find {"id":8}; broken {"id"',
};

const asked = `suite: asked
prompts:
  - id: v1
    text: |
      You sort mail.

      - Be brief.
      - Name one queue.
      - Never promise a refund.

      Say: {{ word }}
${mini}
cases:
  - { id: red, vars: { word: red }, assert: [{ equals: red }] }
  - { id: green, vars: { word: green }, assert: [{ equals: green }] }
  - { id: blue, vars: { word: blue }, assert: [{ contains: blue }] }
`;
/** What a model answers that follows a prompt: some rules of it decide some words. */
function sort(text: string): string | undefined {
  if (!text.startsWith('You sort mail')) return undefined;
  const word = /Say: (.*)/.exec(text)?.[1] ?? '';
  if (text.includes('two queues') && word === 'red') return 'red and blue';
  if (!text.includes('Be brief') && word === 'green') return 'It is green, I think.';
  return word;
}

const newPrompt = `    text: |
      You sort mail quickly.

      - Be brief.
      - Name two queues.
      - Never promise a refund. Be polite.

      Say: {{ word }}
`;

const contracted = `suite: desk
prompts:
  - id: v1
    text: "Say: {{ word }}"
${mini.replace('max_tokens: 20', 'max_tokens: 20, tools: [{ name: find, description: finds, parameters: { type: object, required: [id], properties: { id: { type: integer } } } }, { name: gone, parameters: { type: object } }]')}
contract:
  input: { type: object, required: [word], properties: { word: { type: string }, mood: { type: string, enum: [calm, angry] } } }
  output: { type: object, required: [queue, tags], properties: { queue: { enum: [billing, account] }, tags: { type: array, items: { type: string }, maxItems: 3 }, note: { type: [string, "null"] } } }
cases: [{ id: one, vars: { word: '{"queue":"billing","tags":[]}', mood: calm }, assert: [{ json: true }] }]
`;

const judgedSuite = `suite: judged
prompts: [{ id: v1, text: "Say: {{ word }}" }]
${mini}
judges:
  - { id: strict, use: "openai:gpt-4o", labels: labels.jsonl, minKappa: 0.3 }
  - { id: other, use: "openai:gpt-4.1" }
cases:
  - { id: red, vars: { word: red }, assert: [{ rubric: { value: names a colour, judge: strict } }] }
  - { id: rot, vars: { word: rot }, assert: [{ rubric: { value: names a colour, judge: strict } }] }
  - { id: both, vars: { word: both }, assert: [{ pairwise: { value: which is better, judge: other } }] }
`;
const labels = Array.from({ length: 36 }, (_, n) =>
  JSON.stringify({ id: `n${n}`, question: 'Which?', answer: `answer ${n}`, label: n % 3 === 0 ? 'fail' : 'pass' }),
).join('\n');

/** A judge that agrees with the labels but for one; words are answered as they are. */
function judge(text: string, model: string): string | undefined {
  if (model === 'gpt-4o-mini') return undefined;
  const n = Number(/^answer (\d+)$/m.exec(text)?.[1] ?? '1');
  const pass = text.includes('\nrot\n') ? false : n % 3 !== 0 || n === 9;
  return JSON.stringify(text.includes('answer B') ? { reason: 'longer', winner: 'A' } : { reason: 'seen', pass });
}

const word = 'prompts: [{ id: v1, text: "Say: {{ word }}" }]\n';
const one = 'cases: [{ id: one, vars: { word: one }, assert: [{ equals: one }] }]\n';

/** Suites that are each wrong in their own way, without their first line. */
const mistakes: Readonly<Record<string, string>> = {
  prompts: `prompts:
  - { id: v1, text: "" }
  - { id: v1, text: "{{ word" }
  - { id: v2, replaces: none, messages: [{ role: boss, content: x }, { role: user }] }
  - { id: v3, replaces: v3, text: x, file: y.md }
  - { id: "bad id!", text: "{{ other }}", params: { stream: yes } }
  - 7
${mini}
${one}`,
  providers: `${word}providers:
  - openai
  - nowhere:model
  - "openai:"
  - { id: a, use: "openai:gpt-4o-mini", apiKey: sk-0123456789abcdef0123456789abcdef, params: { n: 3, temprature: 1, tools: 4 } }
  - { id: a, use: "openai:gpt-4o-mini", timeout: soon, concurrency: 0, baseURL: "ftp://x" }
  - { id: b, use: "exec:node 'x", env: [A B], cwd: ../.. }
  - { id: c, use: "http:POST nowhere", request: { url: 3 }, response: { text: 4 } }
${one}`,
  cases: `${word}${mini}
defaults: { trials: 0, vars: 3 }
cases:
  - { id: one, vars: { word: one } }
  - { id: one, vars: { wrd: one }, assert: [{ equals: x }], tags: colour, skip: 3 }
  - { vars: [1], assert: { equals: x }, mustPass: true, observe: true }
  - { id: two, vars: { word: x }, prompts: [v9], providers: [none], assert: [{ equals: x }], trials: many }
  - { id: three, vars: { word: x }, turns: [], assert: [{ equals: x }] }
  - { id: four, vars: { word: x }, turns: [{ user: 3 }, { toolResult: x }], assert: [{ equals: x }], threshold: 7 }
  - { file: none.jsonl }
  - { file: "*.txt", id: five }
  - text
`,
  assertions: `${word}${mini}
cases:
  - id: one
    vars: { word: one }
    assert:
      - { equals: x, contains: y }
      - { contians: x }
      - { equals: { value: x, ignorecase: true } }
      - { regex: "(a" }
      - { length: { unit: lines, max: few } }
      - { length: {} }
      - { jsonSchema: { type: strng, requird: [a] } }
      - { jsonPath: { path: "$.[", value: 1 } }
      - { equals: "{{ missing }}", weight: -1, required: maybe }
      - { similar: { value: x } }
      - { rubric: is good }
      - { number: { min: 3, max: 1 } }
      - { not: { nothing: 3 } }
      - { anyOf: 3 }
      - { trajectory: { calls: [] } }
      - { toolCalls: { name: 3 } }
      - { equals: x, select: { jsonPath: $.a, xmlTag: b } }
      - { oneOf: [] }
      - { cost: { max: -1 } }
      - 3
`,
  gates: `${word}${mini}
gate:
  alpha: 0.7
  scope: all
  passRate: { min: 2, maxDrp: 1 }
  cases: { broken: never }
  confirm: { budget: -1, cases: 0 }
  cost: { maxIncrease: much }
  latency: { p95Max: long }
  slices: { nothing: { passRate: { min: 0.5 } }, colour: {} }
  steps: {}
classes: { truth: none, found: toolCalls, gate: { recall: { x: {} }, f1: 3 } }
${one}`,
  contracts: `${word}${mini}
contract:
  policy: strict
  input: { type: object, required: [mood], properties: { word: { type: integer } } }
  output: { type: objct, properties: { a: { minimum: x, unknown: 3 } } }
  approved: [3]
  ignore: [a]
  overrides: { nothing: warn, enum-value-added: maybe }
  strictConsumers: 1
${one}`,
  tools: `${word}providers: [{ id: mini, use: "openai:gpt-4o-mini", params: { tools: [{ name: find, parameters: { type: strng } }, { name: find }, {}] } }]
judges: [{ id: mini, use: "openai:gpt-4o-mini" }, { id: strict }, 3]
cases:
  - { id: one, vars: { word: one }, tools: { lost: [{ returns: 1 }], find: [{ when: 3, returns: 1, fails: x }, {}] }, maxSteps: 0, assert: [{ equals: one }] }
  - { id: two, vars: { word: two }, tools: { file: none.yaml, record: {} }, assert: [{ equals: two }] }
  - { id: three, vars: { word: two }, tools: { mcp: never }, assert: [{ rubric: { value: good, judge: nobody } }] }
`,
};

/** A config of which nothing holds. */
const wrongConfig = `suites: evals
run: { trials: 0, maxErrors: 200%, filter: 3, cache: never, baseline: [], nothing: 1, concurrency: many, envFile: ../x.env, drift: yes }
gate: { passRate: { min: high }, slices: { none: { passRate: { min: 2 } } } }
judges: [{ id: a, use: "nowhere:x" }, { id: a, use: "openai:gpt-4o" }]
providers: [openai, { id: b, use: "openai:gpt-4o", params: [] }]
cache: { url: "ftp://x", maxSize: big }
prices: { "openai:gpt-4o": { input: -1, output: cheap }, house: 3 }
telemetry: 3
policy: hard
`;

/** A suite of two models over the cases of a file. */
function manyCases(name: string, gate: string): string {
  return `suite: ${name}
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers:
  - { id: mini, use: "openai:gpt-4o-mini", params: { max_tokens: 20 } }
  - { id: big, use: "openai:gpt-4o", params: { max_tokens: 20 } }
${gate}
defaults: { assert: [{ equals: "{{ expected }}" }] }
cases: [{ file: ${name}.jsonl }]
`;
}

function caseLines(count: number): string {
  return Array.from({ length: count }, (_, n) => {
    const more = {
      ...(n === 9 && { mustPass: true }),
      ...(n % 25 === 1 && { tags: ['rare'] }),
      ...(n === 5 && { skip: 'no' }),
    };
    return `${JSON.stringify({ id: `c${n}`, vars: { word: `w${n}` }, expected: `w${n}`, ...more })}\n`;
  }).join('');
}

/** Commands that are each refused before anything is sent, or that find nothing. */
const wrongCommands = [
  'run --shard 5/4',
  'run --shard one',
  'run --filter {a,b',
  'run --concurrency 0 --trials 0 --bail=0 --sample 0',
  'run --concurrency -1',
  'run --max-errors 120%',
  'run --max-errors few --max-cost cheap --timeout soon --deadline 1x',
  'run --cache sometimes',
  'run --compare v1',
  'run --compare v1,v2',
  'run --compare mini,big',
  'run --compare v1,v1 --prompt v1',
  'run --prompt v9 --provider none --tag nothing',
  'run --swap mini',
  'run --swap none=openai:gpt-4o',
  'run --swap mini=openai:gpt-4o --no-baseline --update-baseline',
  'run --queue http://x',
  'run --seed 3',
  'run --changed --resume',
  'run --last-failed --shard 1/2',
  'run --last-failed',
  'run --record --cache replay',
  'run --record',
  'run --record-tools',
  'run --record-tools --cache replay --watch',
  'run --no-baseline --baseline git:main',
  'run --baseline nowhere.jsonl',
  'run --no-baseline --rerun-baseline',
  'run --rerun-baseline',
  'run --early --shard 1/2 --sample 2 --bail --batch',
  'run --early --update-baseline --no-baseline',
  'run --resume nowhere',
  'run --batch --watch',
  'run --batch --dry-run --provider mini',
  'run -r none',
  'run -r json -r tap',
  'run -c nowhere.yaml',
  'run --env-file nowhere.env',
  'run evals evals/none',
  'run ../outside.eval.yaml',
  'swap',
  'swap mini=',
  'swap mini=openai:gpt-4o-mini,openai:gpt-4o-mini --dry-run',
  'compare',
  'compare latest',
  'compare latest latest',
  'bisect',
  'bisect --case none',
  'bisect --case red --commits',
  'bisect --case red --from nowhere',
  'prompt cover --prompt none',
  'prompt',
  'baseline',
  'baseline accept --run nowhere',
  'baseline show',
  'baseline pin',
  'baseline unpin',
  'review --accept red',
  'review --into expected',
  'review',
  'history --limit none',
  'history --suite none',
  'history --recent 0',
  'calibrate --runs 0',
  'calibrate',
  'plan-size --drop 0 --power 2',
  'plan-size --drop 5%',
  'judge check',
  'judge label',
  'assertions check --skip none',
  'assertions check',
  'contract check',
  'contract diff none.json evals/echo.eval.yaml',
  'cache prune',
  'cache prune --older-than soon',
  'cache clear --older-than 1h',
  'list nothing',
  'list runs',
  'import none x',
  'import promptfoo none.yaml',
  'import openai-evals none.jsonl',
  'import otel none.jsonl',
  'ci github --issue --run latest',
  'ci github --merge x --run y',
  'ci gitlab --comment --id a/b',
  'ci github --args "open',
  'ci nothing',
  'init evals/echo.eval.yaml',
  'completion none',
  'report nowhere',
  'report -r none',
  'worker',
  'mcp snapshot',
  'mcp none',
];

export const richScenarios: readonly Scenario[] = [
  {
    name: 'rich-desk',
    files: { 'evals/desk.eval.yaml': desk },
    answers: { two: 'zwei', 'and now': 'now', bye: 'bye' },
    steps: [
      run('-q', '--max-errors', '25%'),
      cli('baseline', 'accept', '--known-failures'),
      cli('baseline', 'show', '--json'),
      edit('evals/desk.eval.yaml', 'text: "Say:', 'text: "Please say:'),
      edit(
        'evals/desk.eval.yaml',
        '  - { id: later,',
        '  - { id: added, vars: { word: added }, assert: [{ equals: x }] }\n  - { id: later,',
      ),
      answers({ 'Please say: red': 'rot', 'Please say: green': 'gr\u00fcn', 'gpt-4o Please say: blue': 'blau' }),
      answers({ 'Please say: kept': 'kept no more', 'Please say: one': 'won', bye: 'see you' }),
      run('--verbose', ...allReports),
      cli('review'),
      cli('review', '--json'),
      cli('review', '--accept', 'desk/green', '--into', 'expected'),
      cli('review', '--accept', 'desk/kept', '--into', 'baseline'),
      cli('compare', 'evals/desk.baseline.jsonl', 'latest', '-r', 'json'),
      cli('compare', 'evals/desk.baseline.jsonl', 'latest'),
      cli('list', 'cases', '--json'),
      cli('list', 'runs', '--json'),
      cli('history', '--cases'),
      cli('history', '-r', 'json=out/history.json', '--recent', '1'),
      cli('plan-size', '--json'),
      cli('assertions', 'check', '--json'),
    ],
  },
  {
    name: 'rich-queues',
    files: { 'evals/queues.eval.yaml': queues },
    answers: queueAnswers('bbbbaaaaooob'),
    steps: [
      run('-q'),
      cli('baseline', 'accept', '--force'),
      edit('evals/queues.eval.yaml', 'Say: {{', 'Say:  {{'),
      answers(
        Object.fromEntries(Object.entries(queueAnswers('bbao-aabooob')).map(([word, text]) => [`Say:  ${word}`, text])),
      ),
      run('--verbose', ...allReports),
    ],
  },
  {
    name: 'rich-shop',
    files: { 'evals/shop.eval.yaml': shop },
    answers: shopAnswers,
    steps: [
      run('-q'),
      cli('baseline', 'accept'),
      run('--dry-run'),
      answers(otherPath),
      run('--verbose', '--cache', 'refresh', ...allReports),
      cli('assertions', 'check'),
    ],
  },
  {
    name: 'rich-swap',
    fixture: 'baseline',
    answers: { 'gpt-4.1-nano w03': 'x' },
    steps: [
      run('-q'),
      cli('baseline', 'accept'),
      { run: ['swap', '-j', '1', 'mini=openai:gpt-4.1-nano,openai:gpt-4o', ...allReports.slice(0, 8)] },
    ],
  },
  {
    name: 'rich-swap-worse',
    fixture: 'baseline',
    answers: {
      ...Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8].map((n) => [`gpt-4.1-nano w0${n}`, 'x'])),
      'gpt-4.1-mini w03': 400,
      'gpt-4.1-mini w09': 400,
      'house-model w05': 'x',
    },
    steps: [
      run('-q', '--update-baseline'),
      cli('swap', '-j', '1', 'mini=openai:gpt-4.1-nano,openai:gpt-4.1-mini,openai:house-model'),
      cli('swap', '-j', '1', 'mini=openai:gpt-4.1-nano', '--max-errors', '2', '--json', '-t', 'case-0*'),
      cli('swap', '--dry-run', 'mini=openai:gpt-4.1-nano,openai:house-model'),
    ],
  },
  {
    name: 'rich-bisect',
    files: { 'evals/asked.eval.yaml': asked },
    reply: sort,
    steps: [
      run('-q'),
      cli('baseline', 'accept', '--force'),
      {
        edit: 'evals/asked.eval.yaml',
        from: asked.slice(asked.indexOf('    text: |'), asked.indexOf('providers')),
        to: newPrompt,
      },
      run('-q'),
      cli('bisect', '--dry-run'),
      cli('bisect', '--dry-run', '--json'),
      cli('bisect', '-q', '-j', '1'),
      cli('bisect', '-q', '-j', '1', '--json', '--case', 'red'),
    ],
  },
  {
    name: 'rich-cover',
    files: { 'evals/asked.eval.yaml': asked },
    reply: sort,
    steps: [
      run('-q'),
      cli('baseline', 'accept', '--force'),
      cli('prompt', 'cover', '--dry-run'),
      cli('prompt', 'cover', '-q', '-j', '1'),
    ],
  },
  {
    name: 'rich-contract',
    files: { 'evals/desk.eval.yaml': contracted },
    steps: [
      run('-q'),
      cli('baseline', 'accept', '--force'),
      edit('evals/desk.eval.yaml', 'required: [word]', 'required: [word, mood]'),
      edit('evals/desk.eval.yaml', '[billing, account]', '[billing, other]'),
      edit('evals/desk.eval.yaml', 'maxItems: 3', 'maxItems: 5, minItems: 1'),
      edit('evals/desk.eval.yaml', 'required: [queue, tags]', 'required: [queue]'),
      edit(
        'evals/desk.eval.yaml',
        ', { name: gone, parameters: { type: object } }',
        ', { name: fresh, parameters: { type: object } }',
      ),
      edit('evals/desk.eval.yaml', 'id: { type: integer }', 'id: { type: string }, more: { type: boolean }'),
      cli('contract', 'check'),
      cli('contract', 'check', '-r', 'json'),
      run('-q', ...allReports.slice(0, 8)),
    ],
  },
  {
    name: 'rich-judges',
    files: { 'evals/judged.eval.yaml': judgedSuite, 'evals/labels.jsonl': labels },
    reply: judge,
    steps: [
      cli('judge', 'check'),
      cli('judge', 'check', '--no-keep', '--json'),
      run('-q'),
      cli('baseline', 'accept', '--force'),
      edit('evals/judged.eval.yaml', '"Say: ', '"Say:  '),
      run('--verbose', ...allReports),
      run('--dry-run'),
    ],
  },
  {
    name: 'rich-erosion',
    fixture: 'baseline',
    answers: { w01: 'x' },
    steps: [
      run('-q'),
      cli('baseline', 'accept', '--known-failures'),
      cli('baseline', 'pin'),
      ...[
        { w02: 'x', w03: 'x' },
        { w04: 'x', w05: 'x' },
      ].flatMap((changed) => [answers(changed), run('-q', '--cache', 'refresh'), cli('baseline', 'accept', '--force')]),
      run('-r', 'json'),
      cli('baseline', 'list', '--json'),
      cli('baseline', 'show', '--pinned'),
      cli('history'),
      cli('baseline', 'unpin'),
    ],
  },
  {
    name: 'rich-early-ends',
    files: {
      'evals/many.eval.yaml': manyCases(
        'many',
        'gate: { passRate: { maxDrop: 30% }, slices: { rare: { passRate: { min: 0.1 } } } }',
      ),
      'evals/many.jsonl': caseLines(70),
      'evals/few.eval.yaml': manyCases('few', 'gate: { passRate: { maxDrop: 20% } }'),
      'evals/few.jsonl': caseLines(26),
    },
    answers: { w3: 'x', w40: 'x' },
    steps: [
      run('-q'),
      cli('baseline', 'accept', '--force'),
      edit('evals/many.jsonl', '"id":"c12"', '"id":"new"'),
      edit('evals/many.jsonl', '"expected":"w20"', '"expected":"w21"'),
      ...['many', 'few'].map((name) => edit(`evals/${name}.eval.yaml`, '"Say: ', '"Please say: ')),
      answers({ 'Please say: w3': 'x', 'Please say: w40': 'x', 'Please say: w7': 'x', 'Please say: w20': 'w21' }),
      run('--early', '-q', '-r', 'json=out/report.json', '-r', 'markdown=out/report.markdown'),
      run('--early', '--seed', '3', '-q', '-t', 'many/*'),
      answers(Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`gpt-4o Please say: w${n}`, 'x']))),
      run('--early', '--seed', '4', '--cache', 'refresh'),
    ],
  },
  {
    name: 'rich-mistakes',
    files: Object.fromEntries(
      Object.entries(mistakes).map(([name, text]) => [`evals/${name}.eval.yaml`, `suite: ${name}\n${text}`]),
    ),
    steps: Object.keys(mistakes).map((name) => cli('validate', `evals/${name}.eval.yaml`)),
  },
  {
    name: 'rich-calibrate',
    fixture: 'baseline',
    answers: { w02: 'x' },
    steps: [
      run('-q', '--trials', '3'),
      cli('baseline', 'accept', '--force'),
      answers({ w02: 'w02', w05: 'x' }),
      run('-q', '--trials', '3', '--cache', 'refresh'),
      cli('calibrate', '--runs', '40', '--seed', '2'),
      cli('calibrate', '--runs', '40', '--seed', '2', '--json'),
      cli('plan-size', '--drop', '0.1'),
      cli('history'),
    ],
  },
  {
    name: 'rich-config-mistakes',
    files: {
      'llmcheck.config.yaml': wrongConfig,
      'evals/rows.eval.yaml': `suite: rows\n${word}${mini}\ncases: [{ file: rows.csv, assert: [{ equals: x }] }, { file: rows.jsonl }, { file: rows.yaml }, { file: rows.json }]\n`,
      'evals/rows.csv': 'id,word,word\na,"x\nb,y,z,more\n',
      'evals/rows.jsonl':
        '{"id":"a","vars":{"word":1}}\n{"id":\n[]\n{"id":"b","vars":{"word":"x"},"id":"c"}\n{"id":"n","vars":{"word":12345678901234567890}}\n',
      'evals/rows.yaml': '- id: y\n  vars: {word: x}\n  asserts: []\n- 3\n',
      'evals/rows.json': '{"id": "no list"}',
      'evals/syntax.eval.yaml': 'suite: syntax\nprompts: [\n  - { id: v1\n\tcases: x\n',
      'evals/double.eval.yaml': 'suite: double\nsuite: again\nprompts: &p [*p]\ncases: *none\n? [a]\n: b\n',
      'evals/list.eval.yaml': '- suite\n',
      'evals/empty.eval.yaml': '',
      'evals/prompts.eval.yaml': `suite: prompts\nprompts: [{ id: a, file: a.md }, { id: b, file: b.prompty }, { id: c, file: c.prompt }, { id: d, file: d.json }, { file: none.md }, { id: e, file: "*.none" }]\n${mini}\n${one}`,
      'evals/a.md': '---\nid: [\n---\nSay {{ word }',
      'evals/b.prompty': '---\nname: b\nmodel: { api: none }\n---\nsystem:\n{% for x in y %}\n',
      'evals/c.prompt': '---\nmodel: x\ninput: { schema: { word: strng } }\n---\n{{#if word}}{{/unless}}',
      'evals/d.json': '[{"role":"boss","content":3}]',
    },
    steps: [
      cli('validate'),
      { write: 'llmcheck.config.yaml', text: 'plugins: [./none.mjs, { package: x }]\n' },
      cli('validate'),
      { write: 'llmcheck.config.yaml', text: '{}\n' },
      ...['rows', 'syntax', 'double', 'list', 'empty', 'prompts'].map((name) =>
        cli('validate', `evals/${name}.eval.yaml`),
      ),
    ],
  },
  { name: 'rich-usage', fixture: 'echo', steps: wrongCommands.map((command) => cli(...command.split(' '))) },
];
