import { expect, test } from 'vitest';
import { detectLanguage } from '../../src/assertions/text/language.ts';
import { languageCodes } from '../../src/assertions/text/language-profiles.ts';
import { describeAssertion, findProblems } from './judge-one.ts';

describeAssertion('language', [
  {
    when: 'the text is in it',
    params: { value: 'en' },
    answer: 'Your refund has been sent to the bank.',
    is: 'pass',
    reason: /^looks like en/,
  },
  {
    when: 'the text is in another',
    params: { value: 'en' },
    answer: 'Ihre Erstattung ist auf dem Weg zur Bank.',
    is: 'fail',
    reason: /looks like de .*, wanted en/,
  },
  { when: 'one of two will do', params: { value: ['en', 'de'] }, answer: 'Das ist nicht mehr da.', is: 'pass' },
  {
    when: 'nothing tells a language',
    params: { value: 'en' },
    answer: '42 €',
    is: 'missing',
    reason: /^nothing in the text tells/,
  },
  { when: 'the answer is empty', params: { value: 'en' }, answer: '', is: 'missing' },
  {
    when: 'the half of the text is in another and little is wanted',
    params: { value: 'ja', min: 0.2 },
    answer: 'The name of the shop is しながわのおみせ',
    is: 'pass',
  },
  {
    when: 'that is not enough',
    params: { value: 'ja', min: 0.9 },
    answer: 'The name of the shop is しながわのおみせ',
    is: 'fail',
  },
  {
    when: 'code and addresses are in English',
    params: { value: 'de', min: 0.9 },
    answer:
      'Das ist der Code, den Sie haben wollten:\n```js\n// the of and to in is you that it for\n```\nSiehe https://the.of/and/to/in/is.',
    is: 'pass',
  },
]);

test.each([
  ['da', 'Hej, hvor kan jeg se min ordre?'],
  ['no', 'Refusjonen er utstedt, og du vil se den på kontoutskriften din innen fem dager.'],
  ['sv', 'Hej, var kan jag se min beställning?'],
  ['de', 'Ja, natürlich.'],
  ['nl', 'Ja, natuurlijk.'],
  ['es', '¿Dónde puedo ver mi pedido?'],
  ['en', 'Yes, of course.'],
] as const)('a short text in %s passes by default: %s', (code, text) => {
  const share = detectLanguage(text).find((guess) => guess.code === code)?.share ?? 0;
  expect(share).toBeGreaterThanOrEqual(0.5);
});

test.each([
  ['ar', 'تم إرسال المبلغ المسترد إلى البنك الخاص بك'],
  ['bg', 'Сумата е изпратена към вашата банка и ще я получите след пет дни, тъй като е събота.'],
  ['bn', 'আপনার টাকা ব্যাংকে পাঠানো হয়েছে'],
  ['cs', 'Peníze byly odeslány na váš účet a dorazí během pěti dnů.'],
  ['da', 'Pengene er sendt til din bank, og du kan se dem efter fem dage, hvis der ikke er noget galt.'],
  ['de', 'Das Geld wurde an Ihre Bank geschickt und ist in fünf Tagen da.'],
  ['el', 'Τα χρήματα στάλθηκαν στην τράπεζά σας.'],
  ['en', 'The money has been sent to your bank and will be there in five days.'],
  ['es', 'El dinero se ha enviado a su banco y estará disponible en cinco días.'],
  ['fa', 'پول به بانک شما فرستاده شد و پنج روز دیگر می‌رسد'],
  ['fi', 'Rahat on lähetetty pankkiisi, ja ne ovat siellä viiden päivän kuluttua.'],
  ['fr', 'L’argent a été envoyé à votre banque et sera disponible dans cinq jours.'],
  ['he', 'הכסף נשלח לבנק שלך'],
  ['hi', 'पैसा आपके बैंक को भेज दिया गया है'],
  ['hu', 'A pénzt elküldtük az ön bankjának, és öt nap múlva lesz ott.'],
  ['id', 'Uang itu sudah dikirim ke bank Anda dan akan tiba dalam lima hari.'],
  ['it', 'Il denaro è stato inviato alla tua banca e sarà disponibile tra cinque giorni.'],
  ['ja', '返金は銀行に送られました。五日後に届きます。'],
  ['ko', '환불 금액이 은행으로 송금되었습니다.'],
  ['nl', 'Het geld is naar uw bank gestuurd en staat er over vijf dagen op.'],
  ['no', 'Pengene er sendt til banken din, og du kan se dem etter fem dager, hvis det ikke er noe galt.'],
  ['pl', 'Pieniądze zostały wysłane do banku i będą tam za pięć dni.'],
  ['pt', 'O dinheiro foi enviado para o seu banco e não vai demorar mais de cinco dias.'],
  ['ro', 'Banii au fost trimiși la banca dumneavoastră și vor ajunge în cinci zile.'],
  ['ru', 'Деньги отправлены в ваш банк и будут там через пять дней.'],
  ['sv', 'Pengarna har skickats till din bank och är där efter fem dagar, om inget är fel.'],
  ['ta', 'பணம் உங்கள் வங்கிக்கு அனுப்பப்பட்டது'],
  ['th', 'เงินถูกส่งไปยังธนาคารของคุณแล้ว'],
  ['tr', 'Para bankanıza gönderildi ve beş gün sonra orada olacak.'],
  ['uk', 'Гроші надіслано до вашого банку, і вони будуть там за п’ять днів.'],
  ['vi', 'Tiền đã được gửi đến ngân hàng của bạn và sẽ có sau năm ngày.'],
  ['zh', '退款已经汇到您的银行，五天后到账。'],
])('tells %s', (code, text) => {
  const [best] = detectLanguage(text);
  expect(best).toMatchObject({ code });
  expect(best?.share).toBeGreaterThan(0.5);
});

test('the codes are sorted, each once', () => {
  expect([...new Set(languageCodes)].sort()).toEqual([...languageCodes]);
});

test.each([
  [{ value: 'eng' }, /^value(?:\.0)?: must be one of ar, bg/],
  [{ value: [] }, /^value: /],
  [{ value: 'en', min: 0 }, /^min: must be more than 0/],
])('language refuses %j', (params, problem) => {
  expect(findProblems('language', params).join('\n')).toMatch(problem);
});
