import { expect, test } from 'vitest';
import { parseXml } from '../../src/assertions/structure/xml.ts';
import { describeAssertion, findProblems } from './judge-one.ts';

const order =
  '<?xml version="1.0"?>\n<!-- o --><order id="1"><item sku=\'a\'>A &amp; B &#x20ac;</item><note/></order>\n';

describeAssertion('xml', [
  ...['<?xml ?><a/>', '<?xml version="1.0" bogus?><a/>', '<?xml encoding="utf-8" version="1.0"?><a/>'].map(
    (answer) => ({
      when: `its declaration is none: ${answer}`,
      params: {},
      answer,
      is: 'fail' as const,
      reason: /^is not XML, line 1, column \d+: .*(?:declaration|expected)/,
    }),
  ),
  {
    when: 'its declaration is whole',
    params: {},
    answer: "<?xml version='1.1' encoding='UTF-8' standalone='yes' ?><a/>",
    is: 'pass',
  },
  { when: 'it is well-formed', params: {}, answer: order, is: 'pass', reason: /is XML with the root <order>/ },
  {
    when: 'it is text',
    params: {},
    answer: 'Hello',
    is: 'fail',
    reason: /^is not XML, line 1, column \d+: text data outside of root node/,
  },
  { when: 'it must not be XML', params: { value: false }, answer: order, is: 'fail' },
  { when: 'it is none, as wanted', params: { value: false }, answer: 'Hello', is: 'pass' },
  { when: 'the root is right', params: { root: 'order' }, answer: order, is: 'pass' },
  { when: 'the root is another', params: { root: 'orders' }, answer: order, is: 'fail', reason: /the root is <order>/ },
  {
    when: 'paths lead somewhere',
    params: { contains: ['order/item', '//note', 'order/*', '/order/item/@sku', '//@id'] },
    answer: order,
    is: 'pass',
  },
  {
    when: 'one of two paths leads nowhere',
    params: { contains: ['order/item', 'item'] },
    answer: order,
    is: 'fail',
    score: 0.5,
    reason: /^has no item: found/,
  },
  {
    when: 'it stands in a fence',
    params: {},
    answer: '```xml\n<a/>\n```',
    is: 'fail',
    reason: /selected by \{codeBlock: xml\}/,
  },
  {
    when: 'a fenced block is selected',
    params: {},
    answer: 'Here:\n```xml\n<a/>\n```',
    select: { kind: 'codeBlock', language: 'xml' },
    is: 'pass',
  },
]);

test.each([
  ['<a>', 'unclosed tag: a'],
  ['<a></b>', 'unexpected close tag'],
  ['<a></a></b>', 'unmatched closing tag: b'],
  ['<a/><b/>', 'documents may contain only one root'],
  ['<a b=1/>', 'unquoted attribute value'],
  ['<a b/>', 'disallowed character in attribute name'],
  ['<a b="1" b="2"/>', 'duplicate attribute: b'],
  ['<a b="1"c="2"/>', 'no whitespace between attributes'],
  ['<a b="<"/>', 'disallowed character'],
  ['<a b="1/>', 'unexpected end'],
  ['<a>&nbsp;</a>', 'undefined entity'],
  ['<a>a & b</a>', 'unclosed tag: a'],
  ['<a>&#0;</a>', 'malformed character entity'],
  ['<a>&#9999999999;</a>', 'malformed character entity'],
  ['<a>]]></a>', 'is disallowed in char data'],
  ['<a>\u0001</a>', 'disallowed character'],
  ['<a><!-- a -- b --></a>', 'malformed comment'],
  ['<a><!-- a', 'unclosed tag: a'],
  ['<a><![CDATA[ a', 'unclosed tag: a'],
  ['<![CDATA[ a ]]>', 'text data outside of root node'],
  ['<a><?b', 'unclosed tag: a'],
  [' <?xml version="1.0"?><a/>', 'an XML declaration must be at the start of the document'],
  ['<!DOCTYPE a [', 'must contain a root element'],
  ['<a/><!DOCTYPE a>', 'inappropriately located doctype declaration'],
  ['<a', 'must contain a root element'],
  ['<a></a', 'unclosed tag: a'],
  ['<1/>', 'disallowed character in tag name'],
  ['<a/>b', 'text data outside of root node'],
  ['', 'must contain a root element'],
])('%s is not XML: %s', (text, message) => {
  const parsed = parseXml(text);
  expect([parsed.ok, parsed.ok ? '' : parsed.message]).toEqual([false, expect.stringContaining(message)]);
});

test.each([
  '<a><![CDATA[ <b> & ]]></a>',
  '<!DOCTYPE a [<!ENTITY e "x>">]><a>&e;</a>',
  '\ufeff<ns:é a.b-c="&lt;"></ns:é >',
  '<a>\n<?php echo ?>\n<!-- - --></a>\n<!-- after -->',
])('%s is XML', (text) => {
  expect(parseXml(text)).toMatchObject({ ok: true });
});

describeAssertion('html', [
  {
    when: 'all is closed',
    params: {},
    answer: '<p class=a>Hi <b>you</b><br></p>',
    is: 'pass',
    reason: /1 <p>, 1 <b>, 1 <br>/,
  },
  { when: 'it is text', params: {}, answer: 'a < b and c > d', is: 'fail', reason: /^holds no HTML element/ },
  { when: 'it must be none', params: { value: false }, answer: 'a < b', is: 'pass' },
  { when: 'it must be none and is', params: { value: false }, answer: '<p>a</p>', is: 'fail' },
  {
    when: 'the elements are there',
    params: { contains: ['table', 'TD'] },
    answer: '<table><tr><td>1<td>2</table>',
    is: 'pass',
  },
  {
    when: 'one of two is not there',
    params: { contains: ['p', 'table'] },
    answer: '<p>a',
    is: 'fail',
    score: 0.5,
    reason: /^has no <table>/,
  },
  {
    when: 'an element is never closed',
    params: {},
    answer: '<p>a</p>\n<div>b',
    is: 'fail',
    reason: /^line 2, column 1: <div> is never closed/,
  },
  {
    when: 'two are misnested',
    params: {},
    answer: '<b><i>a</b></i>',
    is: 'fail',
    reason: /<\/b> is found where <\/i> is expected/,
  },
  { when: 'an end tag has no start', params: {}, answer: '<p>a</p></div>', is: 'fail', reason: /never opened/ },
  { when: 'a void element is closed', params: {}, answer: '<br></br>', is: 'fail', reason: /without content/ },
  {
    when: 'a tag is cut off',
    params: {},
    answer: '<p>a</p><a href="x',
    is: 'fail',
    reason: /the tag <a is never closed/,
  },
  {
    when: 'a comment is cut off',
    params: {},
    answer: '<p>a</p><!-- x',
    is: 'fail',
    reason: /a comment is never closed/,
  },
  {
    when: 'a script is cut off',
    params: {},
    answer: '<script>if (a < b)',
    is: 'fail',
    reason: /<script> is never closed/,
  },
  {
    when: 'script and comment hold tags',
    params: {},
    answer: '<!doctype html><!-- <b> --><script>"<i>"</script>',
    is: 'pass',
  },
  { when: 'svg closes by a slash', params: {}, answer: '<svg><path d="M0>0"/></svg>', is: 'pass' },
  { when: 'a slash closes no div', params: {}, answer: '<div/>', is: 'fail' },
  {
    when: 'a page leaves out the start of head and body',
    params: {},
    answer: '<html><title>a</title></head><p>b</body></html>',
    is: 'pass',
  },
  { when: 'a page has its end alone', params: {}, answer: '<p>a</body></html>', is: 'pass' },
  {
    when: 'a body whose start is left out has an open element',
    params: {},
    answer: '<div>a</body>',
    is: 'fail',
    reason: /<\/body> is found where <\/div> is expected/,
  },
  {
    when: 'a body ends twice',
    params: {},
    answer: '<p>a</body></body>',
    is: 'fail',
    reason: /<\/body> closes what was never opened/,
  },
  {
    when: 'the content of a frame is text',
    params: { contains: ['iframe'] },
    answer: '<iframe>a <b> <!-- c</iframe>',
    is: 'pass',
  },
  {
    when: 'the content of a frame holds no element',
    params: { contains: ['b'] },
    answer: '<iframe><b>a</b></iframe>',
    is: 'fail',
    reason: /has no <b>/,
  },
  {
    when: 'obsolete elements have no content',
    params: {},
    answer: '<object><param name=a></object><frameset><frame></frameset>',
    is: 'pass',
  },
  {
    when: 'the parts of a ruby leave out their ends',
    params: {},
    answer: '<ruby>a<rb>b<rtc>c<rt>d</ruby>',
    is: 'pass',
  },
  {
    when: 'a page leaves out what it may',
    params: {},
    answer: '<!DOCTYPE html><title>a</title><ul><li>a<li>b</ul><p>c',
    is: 'pass',
  },
]);

const report =
  '# Report\n\n## Summary ##\nAll *well*: [a](https://a.example/x_(y)) and https://b.example.\n\n- one\n- two\n  - three\n\nRisks\n-----\n| a | b |\n|---|:-:|\n| 1 | 2 |\n\n```js\n# no heading\n- no item\n```\n';

describeAssertion('markdown', [
  {
    when: 'another bullet starts another list',
    params: { lists: 2, listItems: 3 },
    answer: '- a\n- b\n* c',
    is: 'pass',
  },
  { when: 'a list within a list has another bullet', params: { lists: 1 }, answer: '- a\n  * b\n- c', is: 'pass' },
  { when: 'numbers follow bullets', params: { lists: 2 }, answer: '- a\n1. b\n2. c', is: 'pass' },
  { when: 'a heading stands in a quotation', params: { sections: ['A'] }, answer: '> # A\n> text', is: 'pass' },
  {
    when: 'a number other than 1 stands in a paragraph',
    params: { lists: 0 },
    answer: 'born in\n1986. A year',
    is: 'pass',
  },
  { when: 'a 1 cuts a paragraph short', params: { lists: 1 }, answer: 'Do this:\n1. first\n2. second', is: 'pass' },
  { when: 'the sections are there', params: { sections: ['summary', 'Risks'] }, answer: report, is: 'pass' },
  {
    when: 'one of two wishes is met',
    params: { sections: ['Costs'], maxLevel: 6 },
    answer: '# A',
    is: 'fail',
    score: 0.5,
  },
  {
    when: 'their order is another',
    params: { sections: ['Risks', 'Summary'] },
    answer: report,
    is: 'fail',
    reason: /the headings "Report", "Summary", "Risks", wanted "Summary" in the given order/,
  },
  {
    when: 'a section is missing',
    params: { sections: ['Costs'] },
    answer: report,
    is: 'fail',
    reason: /wanted "Costs": found/,
  },
  { when: 'there is no heading', params: { sections: ['Costs'] }, answer: 'Costs', is: 'fail', reason: /no headings/ },
  {
    when: 'all is counted',
    params: { headings: 3, lists: 1, listItems: 3, codeBlocks: 1, tables: 1, links: 2 },
    answer: report,
    is: 'pass',
  },
  {
    when: 'one of two counts is missed',
    params: { tables: { min: 2 }, lists: 1 },
    answer: report,
    is: 'fail',
    score: 0.5,
    reason: /^has 1 tables, wanted at least 2/,
  },
  {
    when: 'a heading is too deep',
    params: { maxLevel: 1 },
    answer: report,
    is: 'fail',
    score: 0,
    reason: /level 2, "Summary", wanted at most 1/,
  },
  {
    when: 'a fence is never closed',
    params: { lists: 0 },
    answer: 'a\n```js\nb',
    is: 'fail',
    reason: /line 2 is never closed/,
  },
  {
    when: 'a rule is no list and no heading',
    params: { lists: 0, headings: 0 },
    answer: 'a\n\n---\n\n* * *\n',
    is: 'pass',
  },
  { when: 'a hashtag is no heading', params: { headings: 0 }, answer: '#tag', is: 'pass' },
  { when: 'an image is no link', params: { links: 0 }, answer: '![a](https://a.example/b.png)', is: 'pass' },
  { when: 'text parts two lists', params: { lists: 2 }, answer: '1. a\n2. b\n\ntext\n\n1. c', is: 'pass' },
  { when: 'the answer is empty', params: { lists: { min: 1 } }, answer: '', is: 'fail' },
]);

test.each([
  ['xml', { contains: ['a b'] }, /must be a path/],
  ['xml', { contains: ['@id'] }, /must be a path/],
  ['xml', { contains: ['a/@id/b'] }, /must be a path/],
  ['xml', { value: false, root: 'a' }, /takes neither root nor contains/],
  ['html', { contains: ['<p>'] }, /must be the name of an element/],
  ['html', { value: false, contains: ['p'] }, /takes no contains/],
  ['markdown', {}, /needs one of sections, maxLevel, headings/],
  ['markdown', { lists: -1 }, /^lists: must be a whole number, or a map of min and max/],
  ['markdown', { maxLevel: 7 }, /^maxLevel: /],
])('%s refuses %j', (assertion, params, problem) => {
  expect(findProblems(assertion, params).join('\n')).toMatch(problem);
});
