// @module-tag slow
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { breakTen, openPullRequest, openTickets } from '../cli/verdict/tickets-project.ts';
import { chromiumPath, findBarriers, openBrowser, openWatched } from '../support/open-browser.ts';

if (chromiumPath === undefined) console.warn('skipped: there is no Chromium here (apt-get install chromium)');

/** Ten cases broke on four variants: the page of a real run. */
describe.skipIf(chromiumPath === undefined)('the page of a run in which ten cases broke', () => {
  const folder = mkdtempSync(join(tmpdir(), 'llmcheck-broke-'));
  const path = join(folder, 'report.html');
  const url = pathToFileURL(path).href;
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(route: string, width = 1280): Promise<Page> {
    const { page } = await openWatched(browser, { width, colorScheme: 'light' });
    await page.goto(`${url}#/${route}`);
    await page.locator('h1').first().waitFor();
    return page;
  }

  const active = (page: Page) => page.evaluate<string>('document.activeElement.textContent');

  test('says once what broke, the must-pass case first, with both answers', async () => {
    const project = await openTickets({ providers: ['mini', 'big', 'old', 'new'] });
    await project.accept();
    project.editPrompt();
    breakTen(project);
    await project.llmcheck(['run', '-q']);
    writeFileSync(path, (await project.llmcheck(['report', '-r', 'html'])).stdout);
    const page = await open('');
    const entries = await page.locator('.entry').allInnerTexts();
    expect(entries).toEqual([
      expect.stringMatching(/^locked-out-3\s+must-pass/),
      expect.stringContaining('shipping-1 … shipping-8 (5 cases)'),
      expect.stringMatching(/shipping-3 … shipping-9 \(4 cases\)[^]*not confirmed/),
    ]);
    expect(entries.every((text) => text.includes('all 4 variants'))).toBe(true);
    expect(entries[1]).toMatch(/Before\s+shipping\s+Now\s+other\s+.*equals: expected "shipping"/s);
    const text = await page.locator('main').innerText();
    expect(text).toContain('10 of 42 tickets cases broke');
    expect(text).not.toMatch(/case-broken|must-pass ·|pass-rate-regressed/);
    // One prompt pair, whatever the number of providers.
    expect(await page.locator('.prompt-change').count()).toBe(1);
    expect(await page.evaluate<number>('document.documentElement.scrollHeight')).toBeLessThan(2700);
    await page.close();
  });

  test.each([1280, 400])('shows every column and whole ids in the table of cases at %d px', async (width) => {
    const page = await open('cases?change=regressed', width);
    const box = await page.evaluate<readonly number[]>(
      "[document.querySelector('.matrix').scrollWidth, document.querySelector('.matrix').clientWidth]",
    );
    expect(box[0]).toBe(box[1]);
    const cut = await page.evaluate<readonly string[]>(
      "[...document.querySelectorAll('.matrix tbody th .line')].filter((line) => line.scrollWidth > line.clientWidth).map((line) => line.textContent)",
    );
    expect(cut).toEqual([]);
    await page.close();
  });

  test.each([1280, 400])('shows whole answers, a column for each variant, at %d px', async (width) => {
    const page = await open('cases', width);
    await page.getByRole('button', { name: 'Answers' }).click();
    const cells = page.locator('.answer-row').first().locator('.answer-cell');
    await expect
      .poll(() => cells.allInnerTexts())
      .toEqual(
        ['mini', 'big', 'old', 'new'].map((name) => {
          return expect.stringMatching(new RegExp(`passed\\s+v2 × ${name}\\s+.*account`, 's'));
        }),
      );
    expect(await page.locator('.answer-row').count()).toBe(15);
    await page.getByRole('button', { name: 'Later →' }).click();
    await page.getByText('16–30 of 42').waitFor();
    expect(new URL(page.url()).hash).toBe('#/cases?layout=answers');
    expect(await findBarriers(page)).toEqual([]);
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBe(width);
    await page.close();
  });

  test('is read by single keys, which never act while someone types', async () => {
    const page = await open('');
    await page.locator('.entry').first().waitFor();
    await page.keyboard.press('j');
    expect(await active(page)).toBe('locked-out-3');
    await page.keyboard.press('j');
    expect(await active(page)).toContain('shipping-1');
    await page.keyboard.press('k');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'locked-out-3' }).waitFor();
    expect(page.url()).toContain('change=regressed');
    await page.keyboard.press('j');
    await page.getByRole('heading', { level: 1, name: 'shipping-1' }).waitFor();
    await page.keyboard.press('k');
    await page.getByRole('heading', { level: 1, name: 'locked-out-3' }).waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    expect(await findBarriers(page)).toEqual([]);
    // The page behind the dialog does not move.
    await page.keyboard.press('j');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor({ state: 'hidden' });
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('locked-out-3');
    await page.keyboard.press('/');
    await expect.poll(() => page.evaluate<string>('document.activeElement.type')).toBe('search');
    await page.keyboard.type('j?/k');
    expect(await page.getByRole('searchbox').inputValue()).toBe('j?/k');
    expect(await page.getByRole('dialog').count()).toBe(0);
    await page.close();
  });

  test('shows what a change accepts in a section of its own, and does not look as if nothing happened', async () => {
    const project = await openPullRequest();
    project.editPrompt();
    project.broken.set('locked-out-3', 'shipping');
    for (const number of [1, 2, 3, 4]) project.broken.set(`shipping-${number}`, 'other');
    await project.accept();
    await project.llmcheck(['run', '-q', '--baseline', 'git:main']);
    const file = join(folder, 'accepted.html');
    writeFileSync(file, (await project.llmcheck(['report', '-r', 'html'])).stdout);
    const { page } = await openWatched(browser, { width: 1280, colorScheme: 'light' });
    await page.goto(`${pathToFileURL(file).href}#/`);
    await page.getByRole('heading', { level: 2, name: 'What this change accepts' }).waitFor();
    expect(await page.locator('.verdict').getAttribute('class')).toBe('verdict warn');
    expect(await page.locator('.verdict').innerText()).toContain('This change accepts 5 regressions (1 must-pass)');
    expect(await page.locator('.entry').allInnerTexts()).toEqual([
      expect.stringMatching(/^locked-out-3\s+must-pass.*accepted in this change.*Before\s+account\s+Now\s+shipping/s),
      expect.stringMatching(/^shipping-1 … shipping-4 \(4 cases\).*Before\s+shipping\s+Now\s+other/s),
    ]);
    expect(await page.getByText('What broke').count()).toBe(0);
    await page.close();
  });
});
