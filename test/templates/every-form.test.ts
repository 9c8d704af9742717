import { beforeAll, expect, test } from 'vitest';
import { parseHandlebars } from '../../src/templates/handlebars.ts';
import { parseJinja } from '../../src/templates/jinja-template.ts';
import { bracesLanguage, handlebarsLanguage, jinjaLanguage, parseBraces } from '../../src/templates/languages.ts';
import { renderTree } from '../../src/templates/render-tree.ts';
import { surveyTree } from '../../src/templates/survey-tree.ts';
import { compileTemplate, loadTemplateEngine, splitPaths } from '../../src/templates/template.ts';
import { TemplateError } from '../../src/templates/template-error.ts';
import type { TemplateTree, TreeLanguage } from '../../src/templates/template-tree.ts';
import { SpelledNumber } from '../../src/text/yaml/exact-numbers.ts';

beforeAll(loadTemplateEngine);

const vars = {
  a: 'x',
  one: 1,
  zero: 0,
  no: false,
  yes: true,
  nil: null,
  blank: '',
  l: ['one', 'two', 'three'],
  nested: [
    { k: 'a', n: [1] },
    { k: 'b', n: [] },
  ],
  empty: [],
  map: {},
  o: { k: 'v', n: { m: 1 }, 'x y': 2 },
  date: '2024-01-02T23:30:00Z',
  html: '<b>&"\'</b>',
  dec: new SpelledNumber(1.1, '1.10'),
  noughts: new SpelledNumber(0, '0.00'),
  long: new SpelledNumber(1.2345678901234567e19, '12345678901234567890'),
  bools: [true, false],
  decs: [new SpelledNumber(1.1, '1.10'), new SpelledNumber(1.1, '1.10'), new SpelledNumber(2, '2.0')],
  '@state': { count: 3 },
};

const partials = {
  p: '[{{a}}{{k}}]',
  deep: 'x{{> p}}\n y {{gone}}',
  lines: 'one\n\n{{a}}\n',
  loop: '{{> loop}}',
  marked: 'x\n{{role "user"}}\ny{{role a}}z\n',
  broken: 'ab {{#if a}}\n{{json o b=gone}}{{/if}}',
};

const handlebars = [
  'a {{a}} {{{a}}} {{&a}} {{~ a ~}} b',
  '{{one}} {{zero}} {{no}} {{yes}} {{blank}} {{dec}} {{long}}',
  '{{#if a}}1{{/if}}{{#if zero}}2{{/if}}{{#if blank}}3{{/if}}{{#if empty}}4{{/if}}{{#if map}}5{{/if}}{{#if nil}}6{{/if}}{{#if dec}}7{{/if}}{{#if noughts}}8{{/if}}{{#if l}}9{{/if}}',
  '{{#if gone}}1{{else if a}}2{{else}}3{{/if}}{{#if gone}}1{{else if gone}}2{{else}}3{{/if}}',
  '{{#unless a}}1{{else}}2{{/unless}}{{#unless gone}}3{{/unless}}{{^if a}}4{{/if}}{{^if gone}}5{{/if}}',
  '{{^a}}4{{/a}}',
  '{{#each l}}{{@index}}{{@key}}{{@first}}{{@last}}{{@length}}{{this}}{{../a}} {{/each}}',
  '{{#each o}}{{@key}} {{/each}}{{#each empty}}1{{else}}2{{/each}}{{#each map}}1{{else}}3{{/each}}',
  '{{#each nested}}{{k}}{{#each n}}{{this}}{{../k}}{{../../a}}{{@root.a}}{{/each}}{{/each}}',
  '{{#each nested as |item i|}}{{i}}{{item.k}}{{../a}}{{k}}{{/each}}',
  '{{#each nested as |item i|}}{{a}}{{/each}}',
  '{{#each l as |item|}}{{item}}{{/each}}',
  '{{#with o}}{{k}}{{n.m}}{{../a}}{{this.k}}{{/with}}{{#with gone}}1{{else}}2{{/with}}{{#with o as |p|}}{{p.k}}{{n.m}}{{/with}}',
  '{{l.[0]}} {{l.[1]}} {{o.[x y]}} {{l.length}} {{@root.o.k}} {{this.a}} {{./a}} {{@state.count}}',
  '{{l.1}}',
  '{{lookup o "k"}} {{lookup l 1}} {{lookup o a}} {{lookup (lookup o "n") "m"}} {{lookup a 0}}',
  '{{json o}} {{json o indent=2}} {{json a}} {{json nil}} {{json long}} {{json l indent="x"}}',
  '{{#ifEquals a "x"}}1{{else}}2{{/ifEquals}}{{#ifEquals one 1}}3{{/ifEquals}}{{#ifEquals dec 1.1}}4{{/ifEquals}}{{#unlessEquals a "y"}}5{{/unlessEquals}}{{#unlessEquals a a}}6{{else}}7{{/unlessEquals}}',
  '{{"text"}} {{12}} {{true}} {{null}} {{undefined}} {{#if true}}1{{/if}}{{#if null}}2{{/if}}',
  'a{{! c }}b{{!-- {{c}} --}}d \\{{e}} \\\\{{a}}',
  '{{role "system"}}a{{role "user"}}{{history}}{{section "s"}}{{section a}}{{media url=a}}{{media url="b" contentType=a}}',
  '{{> p k="K"}} {{> p o a="A"}} {{> p o a=one k=a}}',
  'x {{> p}} {{> p o}} {{> p k="K"}} {{> p o k="K"}} {{>p a k=one}}',
  '{{#each nested}}{{> p a=../a}}{{/each}}',
  '{{#each nested}}{{> p}}{{/each}}',
  'a\n  {{> lines}}\nb',
  'a\n\t{{> lines}}b',
  'a\n {{> deep k="K"}}',
  '  {{> broken}}',
  '{{> none}}',
  '{{> toString}}',
  '{{> loop}}',
  '{{> p gone}}',
  '  {{> marked}}',
  '{{#each l}}1{{else}}2{{/each}}{{#each nested as |k|}}{{this.k}}{{../this.a}}{{/each}}{{#each o}}{{..}}{{/each}}',
  '{{#with a}}{{../../this}}{{/with}}',
  '{{',
  '{{{a',
  'a {{json (lookup',
  '{{> p',
  '{{gone}} {{o.gone}}\n{{ l.[9] }} {{gone}}',
  '{{o}}',
  '{{l}}',
  '{{nil}}',
  '{{o.n.m.x}} {{a.length}}',
  '{{#each a}}{{/each}}',
  '{{#each nil}}{{/each}}',
  '{{#each one}}{{/each}}',
  '{{#each gone}}{{/each}}',
  '{{#each (json l)}}{{/each}}',
  '{{#if}}1{{/if}}',
  '{{#if a one}}1{{/if}}',
  '{{#each}}1{{/each}}',
  '{{#with}}1{{/with}}',
  '{{#ifEquals a}}1{{/ifEquals}}',
  '{{#unlessEquals a one yes}}1{{/unlessEquals}}',
  '{{json}}',
  '{{json a one}}',
  '{{lookup o}}',
  '{{role}}',
  '{{role "a" "b"}}',
  '{{media}}',
  '{{media a}}',
  '{{if a}}',
  '{{each l}}',
  '{{jsn o}}',
  '{{zzz a}}',
  '{{a.b c}}',
  '{{a b=1}}',
  '{{#zzz a}}1{{/zzz}}',
  '{{#role "system"}}1{{/role}}',
  '{{#eachh l}}1{{/eachh}}',
  '{{#a}}1{{/a}}',
  '{{#if (not a)}}1{{/if}}',
  '{{#if (ifEquals a "x")}}1{{/if}}',
  '{{#if (json a)}}1{{/if}}',
  '{{#if a}}1',
  '1 {{#each l}}\n2\n',
  '{{#if a}}1{{/each}}',
  '{{/if}}',
  '{{a',
  'a\nb {{a}',
  '{{a b=}}',
  'a long text that comes before the fault {{a b=}}',
  '{{else}}',
  '{{#*inline "a"}}{{/inline}}',
  'x {{#> layout}}{{/layout}}',
  '{{> (lookup . "x")}}',
  '{{* decorator}}',
  '{{12345678901234567890}}',
  'x {{json a indent=12345678901234567890}}',
  '{{a.[12345678901234567890]}}',
  '{{! 12345678901234567890 }}\\{{12345678901234567890}}{{~!12345678901234567890}}',
  '{{#if a}}'.repeat(50) + '{{/if}}'.repeat(50),
  '{{#if a}}'.repeat(51) + '{{/if}}'.repeat(51),
  `{{json ${'(lookup o '.repeat(31)}a${')'.repeat(31)}}}`,
  `{{json ${'(lookup '.repeat(30)}o "x"${')'.repeat(30)}}}`,
  `{{json ${'(lookup '.repeat(29)}o "x"${')'.repeat(29)}}}`,
];

const jinja = [
  'a {{ a }} {{- a -}} b {{ one }}{{ zero }}{{ no }}{{ yes }}{{ blank }}{{ dec }}{{ long }}',
  'a {%- if a -%} b {%- endif %} c {#- d -#} e {# f #} g',
  '{% if a %}1{% endif %}{% if zero %}2{% endif %}{% if blank %}3{% endif %}{% if empty %}4{% endif %}{% if map %}5{% endif %}{% if nil %}6{% endif %}{% if noughts %}7{% endif %}{% if gone %}8{% endif %}{% if o %}9{% endif %}',
  '{% if gone %}1{% elif a %}2{% else %}3{% endif %}{% if gone %}1{% elif gone %}2{% else %}3{% endif %}',
  '{% for x in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ x }} {% endfor %}',
  '{% for x in empty %}1{% else %}2{% endfor %}{% for x in nested %}{{ x.k }}{% for y in x.n %}{{ y }}{{ x.k }}{{ a }}{% endfor %}{% endfor %}',
  '{% for x in o %}{{ x }}{% endfor %}',
  '{{ l[0] }}{{ l[one] }}{{ o.k }}{{ o["k"] }}{{ o["x y"] }}{{ o[\'k\'] }}{{ l | length }}{{ l.length }}',
  '{{ a == "x" }}{{ a != "x" }}{{ one < 1 }}{{ one <= 1 }}{{ one > 1 }}{{ one >= 1 }}{{ one < 2 }}{{ dec > 1 }}{{ dec == 1.1 }}{{ "a" < "b" }}{{ nil == none }}{{ long > 1 }}{{ long == 12 }}',
  '{{ "x" in a }}{{ "one" in l }}{{ "k" in o }}{{ "z" in l }}{{ "z" not in l }}{{ "one" not in l }}{{ 1.1 in l }}{{ dec in a }}',
  '{{ a and "y" }}{{ zero or "z" }}{{ not a }}{{ not zero }}{{ nil or a }}{{ a and not zero and one }}{{ (a or zero) and one }}{{ not not a }}',
  '{{ gone is defined }}{{ a is defined }}{{ nil is none }}{{ a is none }}{{ a is string }}{{ one is string }}{{ one is number }}{{ dec is number }}{{ a is number }}{{ gone is not defined }}{{ a is not none }}',
  '{{ gone is undefined }}',
  '{{ a | upper }}{{ "AB" | lower }}{{ " x " | trim }}{{ "aBC dE" | capitalize }}{{ "aba" | replace("a", "c") }}{{ "aba" | replace("", "c") }}{{ "ab" | replace("a") }}',
  '{{ l | join(", ") }}{{ l | join }}{{ bools | join("-") }}{{ nil | join }}{{ l | first }}{{ l | last }}{{ a | first }}{{ "abc" | last }}{{ blank | last }}',
  '{{ "añ😀" | length }}{{ o | length }}{{ nil | length }}{{ l | count }}{{ gone | default("d") }}{{ nil | d("e") }}{{ blank | default("f", true) }}{{ blank | default("g") }}{{ no | default("h", true) }}{{ no | default("i", false) }}{{ zero | default("j", true) }}{{ gone | default }}',
  '{{ o | tojson }} {{ o | dump }} {{ o | tojson(indent=2) }} {{ nil | tojson }} {{ long | tojson }} {{ gone | default(l) | tojson }} {{ o | tojson(2) }}',
  '{% raw %}{{ x }} {% y %}{% endraw %}{%- raw -%} z {%- endraw -%} w',
  '{{ "}}" }}{{ \'%}\' }}{{ "a\\"b" }}{{ "a\\nb" }}{# }} #}',
  '{{ true }}{{ false }}{{ True }}{{ False }}{{ none is none }}{{ None is none }}{{ null is none }}{{ 1.5 }}{{ -1 }}',
  'system:\nS\nuser:\nU\nassistant:\nA\ndeveloper:\nD',
  '# user :\na\n  #  Assistant[x=1]:  \nb\nuser: c\n{% if a %}user:{% endif %}\nd\nuser:',
  '{{ o.k }}:\na',
  '{% for x in nested %}\n {{ x.k }} :\n{{ x.k }}\n{% endfor %}',
  'x {{ o.k }}:\na\n{{ o.k }}: b',
  '{{ gone }} {{ o.gone }}\n{{ l[9] }} {{ o["gone"].x }} {{ gone }}',
  '{{ o }}',
  '{{ l }}',
  '{{ nil }}',
  '{{ o.n }}',
  '{{ o | upper }}',
  '{{ one | length }}',
  '{{ a | join }}',
  '{{ nested | join }}',
  '{{ l | zzz }}',
  '{{ l | jion }}',
  '{{ a is zzz }}',
  '{{ a.b() }}',
  '{{ f(a) }}',
  '{{ a + one }}',
  '{{ a ~ one }}',
  '{{ a if one else zero }}',
  '{{ [1, 2] }}',
  '{{ {"a": 1} }}',
  '{{ a b }}',
  '{{ }}',
  '{{ (a }}',
  '{{ l[0 }}',
  '{{ o. }}',
  '{{ o.1x }}',
  '{{ a | }}',
  '{{ a | 1 }}',
  '{{ o.gone[gone.x] }}',
  '{% for x in l %}1{% else %}2{% endfor %}',
  '{% if a %}1{% endif %}'.repeat(51),
  '{{ a | upper( }}',
  '{{ a | upper(one two) }}',
  '{{ a | tojson(indent) }}',
  '{{ "abc }}',
  '{{ a < }}',
  '{{ not }}',
  '{{ a ? b }}',
  '{{ 12345678901234567890 }}',
  'x {{ a | replace("1", 12345678901234567890) }}',
  '{{ "12345678901234567890" }}',
  '{{ a',
  'b {% if a',
  '{# a',
  '{% raw %}a',
  '{% if a %}1',
  '{% if a %}{% else %}1',
  '{% if a %}{% endfor %}',
  '{% if a %}{% else %}{% elif a %}{% endif %}',
  '{% if a %}{% else %}{% else %}{% endif %}',
  '{% if %}{% endif %}',
  '{% for x in l %}',
  '{% for x in l %}{% else %}',
  '{% for x in l %}{% endif %}',
  '{% for x of l %}{% endfor %}',
  '{% for x, y in o %}{% endfor %}',
  '{% for x in a %}{% endfor %}',
  '{% for x in nil %}{% endfor %}',
  '{% for x in gone %}{% endfor %}',
  'a {% endif %}',
  '{% else %}',
  '{% set x = 1 %}',
  '{% fro x in l %}',
  '{% %}',
  '{% if a %}'.repeat(49) + '{% endif %}'.repeat(49),
  '{% if a %}'.repeat(50) + '{% endif %}'.repeat(50),
  `{{ ${'('.repeat(49)}a${')'.repeat(49)} }}`,
  `{{ ${'('.repeat(50)}a${')'.repeat(50)} }}`,
  '{{ a and not (one or zero) and l[0] in l or o["k"] | upper == "V" }}',
  '{{ "a" ~ }}',
  '{{ a % one }} {{ a }}',
];

const braces = [
  '{{a}} {{ a }} {a} {{{a}}} {{ a b }} {{#if a}} }}',
  '{{one}}{{zero}}{{yes}}{{nil}}{{blank}}{{dec}}{{long}}',
  '{{l}} {{o}} {{nested}} {{empty}} {{map}} {{bools}}',
  '{{gone}} {{o.k}} {{x-y}}\n{{gone}}',
];

const liquid = [
  'a {{ a }} {{ o.k }} {{ l[1] }} {{ l.0 }} {{ o["x y"] }} {{ one }}{{ zero }}{{ no }}{{ dec }}{{ long }}{{ blank }}',
  '{{ gone }} {{ o.gone }}\n {{ gone }}',
  '{{ o }} {{ l }}',
  '{{ nil }}',
  '{{ o.n }}{% if a %}{% endif %}',
  '{{ nil }}{% if a %}{% endif %}',
  '{{ l }}{{ gone }}{% if gone %}{% endif %}',
  '{% for x in nested %}{{ x.k }}{{ forloop.index }}{% endfor %}{% assign y = a %}{{ y }}',
  '{% for x in nested %}{{ x.z }}{% endfor %}\n{{ gone.b }}',
  '{{ l | join: "-" }} {{ l | first }} {{ l | size }} {{ a | upcase }} {{ o | json }} {{ html | escape }}',
  '{{ l[one] }} {{ o[a] }} {{ o.n["m"] }} {{ nested[0].n[0] }}{% if a %}{% endif %}',
  '{{ o | upcase }}',
  '{{ nested | join }}',
  '{{ a | append: o }}',
  '{{ "now" | date: "%Y" }}',
  '{{ " Today " | date: "%Y" }}',
  '{{ date | date: "%Y-%m-%d %H" }}{{ l | sample }}',
  '{{ a | zzz }}',
  '{{ a | upcse }}',
  '{{ a | zzz }} {{ gone }} {{ a | yyy: 1 }} {{ o }}',
  '{% zzz %}',
  '{% fro x in l %}',
  '{% include "x" %}',
  '{% if a %}',
  '{% endif %}',
  '{{ a',
  '{# c #}',
  'a\n{{{ a }}}',
  '{{#if a}}x{{/if}}',
  '{{- #each l }}',
  '{{> p}}',
  '{{!c}}',
  '{{^a}}',
  '{% elif a %}',
  '{%- set x = 1 %}',
  '{{ a | default("x") }}',
  '{{ a | truncate(5) }}',
  '{{ decs | uniq | size }} {{ decs | join: ", " }} {% if decs[0] > 1 and decs[2] == 2 %}1{% endif %}{{ decs[1] | plus: 1 }}',
  '{{ a b }}',
  '{{ a "b" }}',
  '{{ a and one }}{{ a contains "x" }}{{ not a }}',
  '{{ a if a else b which makes a text that is longer than forty characters }}',
  '{% raw %}{{#if}}{% endraw %}{% comment %}{{{a}}}{% endcomment %}',
  '{{ long | plus: 1 }}',
  '{{ one | plus: 9007199254740992 }}',
  '{{ 9007199254740991 | plus: 1 }}',
  '{{ 0.5 | plus: 1 }} {{ dec | times: 2 }} {{ dec | round }} {{ "1.5" | plus: 1 }}',
  '{{ "12345678901234567890" | plus: 1 }}',
  '{{ l | where_exp: "x", "x == 12345678901234567890" }}',
  '{{ 12345678901234567890 }}',
  '{% comment %}12345678901234567890{% endcomment %}{% # 12345678901234567890 %}12345678901234567890{% if a %}{% endif %}',
  '{% if one == 12345678901234567890 %}{% endif %}',
  '{% if long == 12345678901234567890.0 %}1{% endif %}',
  '{% if long > one and one < long and long >= long and long <= long %}1{% endif %}{% if dec == 1.1 and dec >= 1.1 and dec <= 1.1 and dec != 1.2 %}2{% endif %}{% if dec > 1.1 or dec < 1.1 %}3{% endif %}',
  '{{ long | default: "x" }}{{ nil | default: "y" }}{{ gone | default: "z" }}{{ long | append: "!" }}{{ l | concat: l | uniq | size }}',
  '{% if a %}'.repeat(100) + '{% endif %}'.repeat(100),
  '{% if a %}'.repeat(101) + '{% endif %}'.repeat(101),
];

test.each<[language: string, sources: readonly string[], show: (source: string) => string]>([
  ['handlebars', handlebars, (source) => showTree(parseHandlebars, handlebarsLanguage, source)],
  ['jinja', jinja, (source) => showTree(parseJinja, jinjaLanguage, source)],
  ['braces', braces, (source) => showTree(parseBraces, bracesLanguage, source)],
  ['liquid', liquid, showLiquid],
])('every form of %s is rendered or answered', { tags: ['slow'] }, async (language, sources, show) => {
  const entries = sources.map((source) => `${shorten(source)}\n${indent(attempt(() => show(source)))}\n`);
  await expect(entries.join('\n')).toMatchFileSnapshot(`snapshots/${language}.txt`);
});

function showTree(parse: (source: string) => TemplateTree, language: TreeLanguage, source: string): string {
  const tree = parse(source);
  const trees = Object.fromEntries(Object.entries(partials).map(([name, text]) => [name, parseHandlebars(text)]));
  const { marks, ...survey } = surveyTree(tree, trees);
  const render = (given: Readonly<Record<string, unknown>>, optional: readonly string[]) =>
    attempt(() =>
      renderTree(tree, given, { language, partials: trees, isOptional: (name) => optional.includes(name) })
        .map((piece) => (piece.kind === 'text' ? piece.text : JSON.stringify(piece)))
        .join(''),
    );
  const text = render(vars, []);
  const lenient = render(vars, ['gone', 'nil', '@state']);
  const reads = Object.entries({ ...survey, marks: marks.map(({ mark, offset }) => `${mark} ${offset}`) })
    .filter(([, names]) => names.length > 0)
    .map(([kind, names]) => `${kind}: ${names.join(' | ')}`);
  return [...reads, text, ...(lenient === text ? [] : [`optional: ${lenient}`])].join('\n');
}

function showLiquid(source: string): string {
  const template = compileTemplate(source);
  const { variables, only } = template;
  const parts = splitPaths(source)?.map((part) => (typeof part === 'string' ? part : part.segments));
  const reads = [
    ...(variables.length > 0 ? [`variables: ${variables.join(' | ')}`] : []),
    ...(parts === undefined ? [] : [`parts: ${JSON.stringify(parts)}`]),
    ...(only === undefined ? [] : [`only: ${only.path}`]),
  ];
  return [...reads, attempt(() => template.render(vars))].join('\n');
}

function attempt(step: () => string): string {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    const rest = error.rest === undefined ? [] : [`rest: ${attempt(() => error.rest?.render(vars) ?? '')}`];
    return [...[error, ...error.also].map(showError), ...rest].join('\n');
  }
}

function showError({ kind, line, column, variable, message, hint }: TemplateError): string {
  const place = `${line}:${column}`;
  return `! ${place} ${kind}${variable === undefined ? '' : ` of ${variable}`}: ${message}${hint === undefined ? '' : `; ${hint}`}`;
}

function shorten(source: string): string {
  return source.length > 400 ? `${source.slice(0, 60)}… ${source.length} characters` : source;
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}
