import { expect, test } from 'vitest';
import { parseXml } from '../../../src/assertions/structure/xml.ts';
import { buildSpec, judgeOne } from '../judge-one.ts';
import { readCorpus } from './read-corpus.ts';

interface XmlExample {
  readonly name: string;
  readonly isXml: boolean;
  readonly text: string;
}

const examples = readCorpus('xml') as readonly XmlExample[];

test('the examples of the W3C suite with a DOCTYPE are XML where the suite says so', { tags: ['slow'] }, () => {
  const wrong = examples.filter(({ text, isXml }) => parseXml(text).ok !== isXml).map(({ name }) => name);
  expect(wrong).toEqual([]);
  expect([examples.length, examples.filter(({ isXml }) => isXml).length]).toEqual([1171, 552]);
});

const lines = (declarations: string, rest = '<a/>') => `<!DOCTYPE a [${declarations}]>${rest}`;

test.each([
  [lines('<!ENTITY e "&f;"><!ENTITY f "&e;">', '<a>&e;</a>'), 'refers to itself'],
  [lines('<!ENTITY e "<b>">', '<a>&e;</a>'), 'the entity &e; is not well-formed'],
  [lines('<!ENTITY e "</a><a>">', '<a>&e;</a>'), 'the entity &e; is not well-formed'],
  [lines('<!ENTITY e "&#60;">', '<a b="&e;"/>'), 'the value of an attribute is not well-formed'],
  [lines('<!ENTITY e SYSTEM "e.xml">', '<a b="&e;"/>'), 'of another file'],
  [lines('<!NOTATION n SYSTEM "n"><!ENTITY e SYSTEM "e.gif" NDATA n>', '<a>&e;</a>'), 'is no text'],
  [lines('<!ENTITY e "x">', '<a>&f;</a>'), 'undefined entity'],
  ['<?xml version="1.0" standalone="yes"?><!DOCTYPE a SYSTEM "a.dtd"><a>&f;</a>', 'undefined entity'],
  [lines('<!ELEMENT a (b>'), 'the declaration "<!ELEMENT a" of the DOCTYPE is not well-formed'],
  [lines('<!ATTLIST a b CDATA "&e;"><!ENTITY e "x">'), 'the declaration "<!ATTLIST a"'],
  [lines('<!-- a -- b -->'), 'malformed comment'],
  [lines('<!ELEMENT a (b +)>'), 'the declaration "<!ELEMENT a"'],
  [lines('<!ELEMENT a (b,c|d)>'), 'the declaration "<!ELEMENT a"'],
  ['<a>&constructor;</a>', 'undefined entity'],
  ['<a b="&toString;"/>', 'undefined entity'],
  [lines('<!ENTITY e "&#0;">'), 'the declaration "<!ENTITY e"'],
  [lines('\u0001'), 'disallowed character'],
  ['<!DOCTYPE><a/>', 'the DOCTYPE has no name'],
  ['<!DOCTYPE a b><a/>', 'no address or declarations where they belong'],
])('%s is not XML: %s', (text, message) => {
  const parsed = parseXml(text);
  expect([parsed.ok, parsed.ok ? '' : parsed.message]).toEqual([false, expect.stringContaining(message)]);
});

test.each([
  '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd"><plist/>',
  '<!DOCTYPE html SYSTEM "about:legacy-compat"><html>&nbsp;</html>',
  lines('<!ENTITY e "<b/>"><!ELEMENT a (b|(c,d?)+)*><!ATTLIST a x (y|z) "y">', '<a>&e;&e;</a>'),
  lines('<!ENTITY % e SYSTEM "e.dtd">%e;', '<a>&f;</a>'),
  lines('<!ENTITY lt "&#38;#60;"><!ENTITY constructor "a">', '<a b="&lt;">&lt;&constructor;</a>'),
])('%s is XML', (text) => {
  expect(parseXml(text)).toMatchObject({ ok: true });
});

test('entities that grow in each other are each read once', () => {
  const grown = Array.from({ length: 90 }, (_, index) => `<!ENTITY e${index + 1} "${`&e${index};`.repeat(10)}">`);
  expect(parseXml(lines(`<!ENTITY e0 "x">${grown.join('')}`, '<a>&e90;</a>'))).toMatchObject({ ok: true });
  const deep = Array.from({ length: 5000 }, (_, index) => `<!ENTITY e${index + 1} "&e${index};">`);
  expect(parseXml(lines(`<!ENTITY e0 "x">${deep.join('')}`, '<a>&e5000;</a>'))).toMatchObject({
    ok: false,
    message: expect.stringContaining('nested more than 100 deep'),
  });
});

test('a megabyte of entities is left at the deadline', async () => {
  const names = Array.from({ length: 40_000 }, (_, index) => `e${index}`);
  const declarations = names.map((name) => `<!ENTITY ${name} "<b/>">`).join('');
  const answer = lines(declarations, `<a>${names.map((name) => `&${name};`).join('')}</a>`);
  const { error } = await judgeOne(buildSpec('xml', {}), answer, { isHasty: true });
  expect(error).toMatch(/took longer than 500 ms/);
});

test.each([
  ['<!ELEMENT a ((', '(', 'x'],
  ['<!ELEMENT a (b', '|b', ')>'],
  ['<!ATTLIST a', ' b CDATA "&#32;"', '>'],
  ['<!ENTITY e "', '&e;', '">'],
  ['<!ENTITY e "', '&#32;', '">'],
  ['<!--', '- ', '-->'],
  ['', '<!ENTITY e "&e;">', ''],
  ['<!ATTLIST a b (c', '|c', ') "c">'],
  ['', '%e; ', ''],
  ['<!NOTATION n', ' ', 'SYSTEM "n">'],
  ['<!ENTITY e "x"><!ATTLIST a', ' b CDATA "&e;"', '>'],
  ['<!ELEMENT a (#PCDATA', ' ', '|b'],
])('declarations of %s and many %s are read in linear time', (first, part, last) => {
  const measure = (count: number) => {
    const text = lines(`${first}${part.repeat(count)}${last}`);
    const before = process.cpuUsage().user;
    parseXml(text);
    return (process.cpuUsage().user - before) / 1000;
  };
  measure(1000);
  expect(measure(30_000)).toBeLessThan(1000);
});
