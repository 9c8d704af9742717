import { isKeptByDouble } from './decimal.ts';
import { SpelledNumber } from './spelled-number.ts';

const sign = /^[+\-−]/;
const unit = String.raw`(?:[\p{Sc}%‰°]|[A-Z]{3}(?![A-Z]))`;
const withUnits = new RegExp(
  String.raw`^([+\-−]?)\s*(?:${unit})?\s*([+\-−]?)\s*([\d.,'’_\s]*\d[\d.,'’_\s]*?(?:[eE][+\-−]?\d+)?)\s*(?:${unit}){0,2}$`,
  'u',
);
const maxLength = 100;

/**
 * Reads a text that is one number, as people and models write it: "$1,234.50", "1 234,5 €", "−12 %", "1.5e3".
 * A unit is passed over: "45 %" is 45. A lone comma before three digits groups thousands; undefined where it is no number.
 * One that no double keeps has all of its digits.
 */
export function readNumber(text: string): number | SpelledNumber | undefined {
  const trimmed = text.trim();
  if (trimmed.length > maxLength) return undefined;
  const found = withUnits.exec(trimmed);
  if (found === null) return undefined;
  const [, outer = '', inner = '', digits = ''] = found;
  if (outer !== '' && inner !== '') return undefined;
  const value = readDigits(digits.trim());
  if (value === undefined || !Number.isFinite(Number(value))) return undefined;
  const source = sign.test(outer + inner) && outer + inner !== '+' ? `-${value}` : value;
  return isKeptByDouble(source) ? Number(source) : new SpelledNumber(Number(source), source);
}

function readDigits(text: string): string | undefined {
  const [mantissa = '', exponent] = text.split(/e/i);
  const plain = removeGroups(mantissa);
  if (plain === undefined) return undefined;
  return exponent === undefined ? plain : `${plain}e${exponent.replace('−', '-')}`;
}

/** Digits with a dot as decimal mark; undefined where the marks are in no order that a number has. */
function removeGroups(text: string): string | undefined {
  if (/^(?:\d+\.?\d*|\.\d+)$/.test(text)) return text;
  // One kind of mark between groups of three, then the other kind as the decimal mark.
  const grouped = /^\d{1,3}(?:([,'’_\s])\d{3})(?:\1\d{3})*(?:\.\d+)?$/u;
  if (grouped.test(text)) return text.replaceAll(/[,'’_\s]/gu, '');
  // India groups by two above the thousands: 12,34,567.
  if (/^\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d+)?$/.test(text)) return text.replaceAll(',', '');
  const groupedByDots = /^\d{1,3}(?:([.'’_\s])\d{3})(?:\1\d{3})*,\d+$|^\d{1,3}(?:\.\d{3}){2,}$/u;
  if (groupedByDots.test(text)) return text.replaceAll(/[.'’_\s]/gu, '').replace(',', '.');
  return /^\d+,\d+$/.test(text) ? text.replace(',', '.') : undefined;
}
