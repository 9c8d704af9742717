/** The check digit of card numbers (ISO/IEC 7812-1, Luhn). */
export function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let place = 0; place < digits.length; place += 1) {
    const digit = Number(digits[digits.length - 1 - place]);
    const doubled = place % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return digits !== '' && sum % 10 === 0;
}

/** The IBAN that starts at a place, single spaces between its groups allowed; undefined where none does (ISO 13616). */
export function readIban(text: string, start: number): string | undefined {
  const length = ibanLengths.get(text.slice(start, start + 2).toUpperCase());
  if (length === undefined) return undefined;
  let compact = '';
  let end = start;
  while (compact.length < length && end < text.length) {
    const character = text.charAt(end);
    if (/[A-Za-z0-9]/.test(character)) compact += character.toUpperCase();
    else if (character !== ' ' || text.charAt(end - 1) === ' ') return undefined;
    end += 1;
  }
  const endsWord = !/[\p{L}\p{N}]/u.test(text.charAt(end));
  return compact.length === length && endsWord && passesMod97(compact) ? text.slice(start, end) : undefined;
}

/** The remainder of ISO/IEC 7064 (MOD 97-10), a digit at a time. */
function passesMod97(iban: string): boolean {
  let remainder = 0;
  for (const character of iban.slice(4) + iban.slice(0, 4)) {
    const value = Number.parseInt(character, 36);
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
  }
  return remainder === 1;
}

/** Characters of an IBAN by country, as in the registry that SWIFT keeps. */
const ibanLengths: ReadonlyMap<string, number> = new Map(
  [
    'NO15 BE16 DK18 FI18 FO18 GL18 NL18 SD18 MK19 SI19 AT20 BA20 EE20 KZ20 LT20 LU20 XK20 CH21 HR21 LI21 LV21',
    'BG22 BH22 CR22 DE22 GB22 GE22 IE22 ME22 RS22 VA22 AE23 GI23 IL23 IQ23 OM23 TL23 SO23 AD24 CZ24 ES24 MD24 PK24',
    'RO24 SA24 SE24 SK24 TN24 VG24 LY25 PT25 ST25 IS26 TR26 AZ28 BY28 CY28 DO28 GT28 HU28 LB28 PL28 SV28 AL28 NI28',
    'FR27 GR27 IT27 MC27 MR27 SM27 DJ27 BI27 BR29 EG29 PS29 QA29 UA29 JO30 KW30 MU30 MT31 SC31 LC32 RU33 MN20 FK18 YE30 HN28',
  ].flatMap((line) => line.split(' ').map((entry): [string, number] => [entry.slice(0, 2), Number(entry.slice(2))])),
);
