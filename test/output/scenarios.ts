export type Step =
  | { readonly run: readonly string[] }
  | { readonly answers: Readonly<Record<string, string | number>> }
  | { readonly edit: string; readonly from: string; readonly to: string }
  | { readonly write: string; readonly text: string };

export interface Scenario {
  /** Also the name of its snapshot. */
  readonly name: string;
  /** A folder of fixtures/cli; none for an empty project. */
  readonly fixture?: string;
  readonly files?: Readonly<Record<string, string>>;
  /** What the server answers to a word or to a whole prompt: a text, or a status code. Any other word is answered with itself. */
  readonly answers?: Readonly<Record<string, string | number>>;
  /** What a model answers to a prompt; undefined: as `answers` says. */
  readonly reply?: (text: string, model: string) => string | undefined;
  readonly env?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

const run = (...argv: string[]): Step => ({ run: ['run', '-j', '1', ...argv] });
const cli = (...argv: string[]): Step => ({ run: argv });
const answers = (changed: Readonly<Record<string, string | number>>): Step => ({ answers: changed });
const edit = (file: string, from: string, to: string): Step => ({ edit: file, from, to });

const words = 'evals/words.eval.yaml';
const acceptWords = [run('-q'), cli('baseline', 'accept')];
/** The prompt is edited, and what its answers are then; the accepted prompt is answered as before. */
const editPrompt = (changed: Readonly<Record<string, string | number>> = {}): Step[] => [
  edit(words, 'text: "Say: {{ word }}"', 'text: "Please say: {{ word }}"'),
  answers(Object.fromEntries(Object.entries(changed).map(([word, answer]) => [`Please say: ${word}`, answer]))),
];
const addVersion = edit(
  words,
  'text: "Say: {{ word }}"',
  'text: "Say: {{ word }}"\n  - { id: v2, text: "Say: {{ word }}!", replaces: v1 }',
);
const reporters = ['terminal', 'json', 'jsonl', 'junit', 'markdown', 'github', 'ctrf', 'tap'];

const judged = `suite: judged
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: [{ id: mini, use: "openai:gpt-4o-mini", params: { max_tokens: 20 } }]
judges: [{ id: strict, use: "openai:gpt-4o" }]
cases:
  - { id: red, vars: { word: red }, assert: [{ rubric: { value: names a colour, judge: strict } }] }
`;

const structured = `suite: structured
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: ["openai:gpt-4o-mini"]
contract:
  input: { type: object, required: [word], properties: { word: { type: string } } }
  output: { type: object, required: [queue], properties: { queue: { enum: [billing, account] } } }
cases:
  - { id: one, vars: { word: '{"queue":"billing"}' }, assert: [{ equals: billing, select: { jsonPath: $.queue } }] }
  - { id: two, vars: { word: '{"queue":"other"}' }, assert: [{ contains: queue }] }
`;

const checks = `suite: checks
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: ["openai:gpt-4o-mini"]
cases:
  - id: text
    vars: { word: "The answer is 42, says <b>Ada</b>." }
    assert:
      - contains: "42"
      - containsAll: [answer, Ada]
      - containsAny: [x, Ada]
      - startsWith: The
      - endsWith: "."
      - regex: "\\\\d+"
      - length: { max: 10, unit: words }
      - number: { value: 42, tolerance: 1 }
      - not: { contains: forty }
      - anyOf: [{ contains: x }, { contains: Ada }]
      - levenshtein: { value: "The answer is 42, says Ada.", min: 0.5 }
      - rouge: { value: "answer is 42", min: 0.3 }
      - bleu: { value: "The answer is 42, says <b>Ada</b>.", min: 0.3 }
      - language: en
      - refusal: false
      - finishReason: stop
      - tokens: { max: 100 }
      - cost: { max: 1 }
  - id: structures
    vars: { word: '{"a":[1,2,{"b":"x"}],"c":null}' }
    assert:
      - json: true
      - jsonSchema: { type: object, required: [a] }
      - jsonPath: { path: "$.a[0]", value: 1 }
      - jsonPath: { path: "$.a[*]", count: 3 }
      - list: { value: [1, 2, { b: x }], ordered: true }
        select: { jsonPath: $.a }
      - oneOf: [x, y]
        select: { jsonPath: "$.a[2].b" }
  - id: markup
    vars: { word: "# Title\\n\\n- one\\n- two\\n\\n<answer>yes</answer>" }
    assert:
      - markdown: { headings: 1 }
      - equals: "yes"
        select: { xmlTag: answer }
  - id: failing
    vars: { word: "nothing of it" }
    assert:
      - equals: "42"
      - json: true
      - jsonPath: { path: "$.a", value: 1 }
      - regex: "^\\\\d+$"
      - number: { value: 42 }
      - xml: true
      - language: de
`;

export const scenarios: readonly Scenario[] = [
  { name: 'first-run-passes', fixture: 'echo', steps: [run()] },
  { name: 'first-run-fails', fixture: 'echo', answers: { green: 'blue' }, steps: [run()] },
  { name: 'verbose-failure', fixture: 'echo', answers: { green: 'blue\nand more' }, steps: [run('--verbose')] },
  { name: 'quiet', fixture: 'echo', answers: { green: 'blue' }, steps: [run('-q')] },
  { name: 'second-run-from-the-cache', fixture: 'echo', steps: [run('-q'), run()] },
  {
    name: 'cache-modes',
    fixture: 'echo',
    steps: [
      run('-q', '--cache', 'replay'),
      run('-q', '--cache', 'off'),
      run('-q'),
      run('-q', '--cache', 'replay'),
      run('-q', '--cache', 'refresh'),
    ],
  },
  {
    name: 'cache-commands',
    fixture: 'echo',
    steps: [run('-q', '-t', 'red'), cli('cache', 'list'), cli('cache', 'verify'), cli('cache', 'clear'), run('-q')],
  },
  ...reporters.map(
    (name): Scenario => ({
      name: `reporter-${name}`,
      fixture: 'baseline',
      steps: [...acceptWords, ...editPrompt({ w03: 'sorry', w05: 400 }), run('-r', name, '--max-errors', '1')],
    }),
  ),
  {
    name: 'report-files',
    fixture: 'echo',
    answers: { green: 'blue' },
    steps: [run('-r', 'junit=out/junit.xml', '-r', 'json=out/report.json', '-r', 'markdown=out/summary.md')],
  },
  {
    name: 'report-of-a-stored-run',
    fixture: 'echo',
    answers: { green: 'blue' },
    steps: [run('-q'), cli('report'), cli('report', '-r', 'tap')],
  },
  { name: 'provider-error', fixture: 'two-providers', answers: { w3: 400, w4: 400 }, steps: [run('--sample', '6')] },
  {
    name: 'auth-error-stops-a-provider',
    fixture: 'echo',
    answers: { red: 401, green: 401, seven: 401 },
    steps: [run()],
  },
  { name: 'max-errors', fixture: 'two-providers', answers: { w3: 400 }, steps: [run('--max-errors', '2', '-q')] },
  { name: 'bail', fixture: 'baseline', answers: { w02: 'x', w04: 'x' }, steps: [run('--bail')] },
  { name: 'max-cost', fixture: 'baseline', steps: [run('--max-cost', '0.0001')] },
  { name: 'dry-run', fixture: 'baseline', steps: [run('--dry-run'), run('-q', '-t', 'case-0*'), run('--dry-run')] },
  { name: 'mistakes', fixture: 'mistakes', steps: [run(), cli('validate')] },
  {
    name: 'usage-errors',
    fixture: 'echo',
    steps: [run('--trials', 'many'), run('nowhere.eval.yaml'), run('--no-such-flag'), cli('rum')],
  },
  { name: 'validate', fixture: 'echo', steps: [cli('validate')] },
  {
    name: 'filters',
    fixture: 'echo',
    steps: [run('-q', '-t', 'e*'), run('-t', 'see'), run('--tag', 'colour'), run('-t', 'none')],
  },
  { name: 'allow-empty', fixture: 'echo', steps: [run('-t', 'none', '--allow-empty')] },
  { name: 'last-failed', fixture: 'echo', answers: { green: 'blue' }, steps: [run('-q'), run('--last-failed')] },
  { name: 'sample', fixture: 'baseline', steps: [run('--sample', '5', '--seed', '3')] },
  {
    name: 'shards-and-merge',
    fixture: 'baseline',
    answers: { w07: 'x' },
    steps: [run('-q', '--shard', '1/2'), run('-q', '--shard', '2/2'), cli('list', 'runs')],
  },
  { name: 'trials-flaky-case', fixture: 'baseline', steps: [run('--trials', '3', '--sample', '4')] },
  { name: 'no-baseline-yet', fixture: 'baseline', answers: { w01: 'x' }, steps: [run()] },
  {
    name: 'accept-and-unchanged',
    fixture: 'baseline',
    steps: [...acceptWords, run(), cli('baseline', 'show'), cli('baseline', 'list')],
  },
  {
    name: 'accept-twice-changes-nothing',
    fixture: 'baseline',
    steps: [...acceptWords, run('-q'), cli('baseline', 'accept')],
  },
  {
    name: 'one-case-broke',
    fixture: 'baseline',
    steps: [...acceptWords, ...editPrompt({ w03: 'sorry' }), run()],
  },
  {
    name: 'drift-beside-an-edit',
    fixture: 'baseline',
    steps: [...acceptWords, answers({ w03: 'sorry' }), ...editPrompt({ w03: 'sorry' }), run(), run('-q', '--drift')],
  },
  {
    name: 'drift-without-an-edit',
    fixture: 'baseline',
    steps: [
      ...acceptWords,
      answers({ w03: 'sorry' }),
      run('--cache', 'refresh'),
      run('-q', '--cache', 'refresh', '--drift'),
    ],
  },
  {
    name: 'many-cases-broke',
    fixture: 'baseline',
    steps: [
      ...acceptWords,
      ...editPrompt({ w01: 'x', w02: 'x', w03: 'x', w04: 'x', w05: 'x', w06: 'x', w07: 'x' }),
      run(),
    ],
  },
  { name: 'known-failure', fixture: 'baseline', answers: { w03: 'sorry' }, steps: [...acceptWords, run()] },
  {
    name: 'fixed',
    fixture: 'baseline',
    answers: { w03: 'sorry' },
    steps: [...acceptWords, answers({ w03: 'w03' }), run('--cache', 'refresh')],
  },
  {
    name: 'added-and-removed-cases',
    fixture: 'baseline',
    steps: [...acceptWords, edit('evals/words.jsonl', '"id":"case-02"', '"id":"new"'), run()],
  },
  {
    name: 'redefined-case',
    fixture: 'baseline',
    steps: [...acceptWords, edit('evals/words.jsonl', '"expected":"w02"', '"expected":"other"'), run()],
  },
  {
    name: 'edited-check',
    fixture: 'baseline',
    steps: [...acceptWords, edit(words, 'equals: "{{expected}}"', 'contains: "nothing"'), run()],
  },
  {
    name: 'must-pass-broke',
    fixture: 'baseline',
    steps: [
      edit('evals/words.jsonl', '"id":"case-07"', '"id":"case-07","mustPass":true'),
      ...acceptWords,
      answers({ w07: 'x' }),
      run('--cache', 'refresh'),
    ],
  },
  { name: 'two-versions', fixture: 'baseline', answers: { 'w01!': 'w01', 'w02!': 'x' }, steps: [addVersion, run()] },
  {
    name: 'replacing-version-against-a-baseline',
    fixture: 'baseline',
    steps: [...acceptWords, addVersion, run('--no-baseline', '-q'), run()],
  },
  { name: 'compare-two-versions', fixture: 'baseline', steps: [addVersion, run('--compare', 'v1,v2')] },
  {
    name: 'compare-two-runs',
    fixture: 'baseline',
    steps: [
      run('-q', '--no-baseline'),
      answers({ w03: 'x' }),
      run('-q', '--cache', 'refresh'),
      cli('list', 'runs'),
      cli('compare', 'evals/words.eval.yaml', 'nowhere'),
    ],
  },
  { name: 'update-baseline', fixture: 'baseline', steps: [run('-q', '--update-baseline')] },
  {
    name: 'update-baseline-of-a-failed-run',
    fixture: 'baseline',
    steps: [
      ...acceptWords,
      ...editPrompt({ w01: 'x', w02: 'x', w03: 'x', w04: 'x', w05: 'x', w06: 'x', w07: 'x' }),
      run('-q', '--update-baseline'),
    ],
  },
  {
    name: 'require-conclusive',
    fixture: 'baseline',
    steps: [
      ...acceptWords,
      ...editPrompt({ w03: 'sorry' }),
      run('--require-conclusive'),
      answers({ 'Please say: w03': 'w03' }),
      run('-q', '--cache', 'refresh'),
      run('-q', '--require-conclusive'),
    ],
  },
  {
    name: 'record-and-replay',
    fixture: 'recordings',
    steps: [run('--record'), run(), edit('evals/echo.eval.yaml', 'Say: ', 'Please say: '), run()],
  },
  {
    name: 'observed-and-skipped-cases',
    fixture: 'echo',
    steps: [edit('evals/echo.eval.yaml', 'tags: [number]', 'tags: [number]\n    skip: not today'), run('-r', 'json')],
  },
  { name: 'weights-and-thresholds', fixture: 'judging', steps: [run()] },
  {
    name: 'required-without-a-weight',
    fixture: 'echo',
    steps: [
      edit('evals/echo.eval.yaml', 'assert: [', 'assert: [{ contains: zebra, weight: 0, required: true }, '),
      run('-q'),
    ],
  },
  { name: 'case-files', fixture: 'case-files', steps: [run(), cli('list', 'cases')] },
  { name: 'conversation', fixture: 'conversation', steps: [run()] },
  { name: 'own-program', fixture: 'exec', steps: [run('--timeout', '60s', '-t', 'plain')] },
  { name: 'checks', files: { 'evals/checks.eval.yaml': checks }, steps: [run('--verbose')] },
  {
    name: 'contract',
    files: { 'evals/structured.eval.yaml': structured },
    steps: [
      run('-q'),
      cli('baseline', 'accept', '--force'),
      edit('evals/structured.eval.yaml', 'billing, account]', 'billing]'),
      cli('contract', 'check'),
      run('-q'),
    ],
  },
  {
    name: 'contract-diff',
    files: {
      'old.json': '{"type":"object","properties":{"a":{"enum":["x","y"]}}}',
      'new.json': '{"type":"object","properties":{"a":{"enum":["x"]}}}',
    },
    steps: [
      cli('contract', 'diff', 'old.json', 'new.json', '--direction', 'input'),
      cli('contract', 'diff', 'old.json', 'new.json', '--direction', 'output', '-r', 'json'),
    ],
  },
  { name: 'judge', files: { 'evals/judged.eval.yaml': judged }, steps: [run(), run('--dry-run')] },
  {
    name: 'lists',
    fixture: 'echo',
    steps: [
      cli('list', 'suites'),
      cli('list', 'cases'),
      cli('list', 'providers'),
      cli('list', 'reporters'),
      cli('list', 'assertions'),
    ],
  },
  {
    name: 'history',
    fixture: 'baseline',
    steps: [run('-q'), answers({ w03: 'x' }), run('-q', '--cache', 'refresh'), cli('history')],
  },
  { name: 'plan-size', fixture: 'baseline', steps: [cli('plan-size')] },
  { name: 'assertions-check', fixture: 'baseline', steps: [run('-q'), cli('assertions', 'check')] },
  { name: 'init', steps: [cli('init'), cli('validate'), cli('run', '-j', '1')] },
  {
    name: 'settings-from-env',
    fixture: 'echo',
    env: { LLMCHECK_FILTER: 'red', LLMCHECK_NO_SUCH: '1' },
    steps: [run()],
  },
  {
    name: 'config-defaults',
    fixture: 'echo',
    files: {
      'llmcheck.config.yaml': 'suites: [evals/*.eval.yaml]\nrun: { trials: 2 }\ngate: { passRate: { min: 0.5 } }\n',
    },
    answers: { green: 'blue' },
    steps: [run()],
  },
  {
    name: 'price-unknown',
    fixture: 'echo',
    steps: [edit('evals/echo.eval.yaml', 'openai:gpt-4o-mini', 'openai:house-model'), run(), run('--max-cost', '1')],
  },
];
