// Chromium as the tests drive it: what a page complains of, what the keyboard reaches, what axe finds.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

export async function start(cache) {
  const require = createRequire(`${cache}/`);
  const puppeteer = require('puppeteer-core');
  const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
  const browser = await puppeteer.launch({
    executablePath: '/usr/bin/chromium', headless: true, args: ['--no-sandbox', '--disable-gpu'], timeout: 60000,
  });
  return { browser, axe };
}

// A page whose complaints are kept: the console's, those of the content security policy, requests that failed.
export async function open(browser) {
  const page = await (await browser.createBrowserContext()).newPage();
  page.setDefaultTimeout(30000);
  const complaints = [];
  page.on('console', (message) => {
    // Chromium calls every page with a status of refusal one that failed to load.
    const refused = message.location().url === page.url() && message.text().startsWith('Failed to load resource');
    if (!refused && (message.type() === 'error' || message.type() === 'warn')) complaints.push(`${page.url()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`${page.url()}: ${error.message}`));
  page.on('requestfailed', (request) => {
    // A redirect that another navigation overtakes is no failure of ours.
    if (request.failure().errorText !== 'net::ERR_ABORTED') complaints.push(`${request.url()}: ${request.failure().errorText}`);
  });
  return { page, complaints };
}

// What Tab reaches, in order, at most `most` places, and whether one can see where one is.
export async function keyboard(page, most) {
  const stops = [];
  for (let stop = 0; stop < most; stop += 1) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body || element.dataset.reached) return null;
      element.dataset.reached = 'yes';
      return { text: element.textContent.trim(), seen: getComputedStyle(element).outlineStyle !== 'none' };
    });
    if (!at) break;
    stops.push(at);
  }
  return stops;
}

// What axe finds, in light and in dark.
export async function violations(page, axe) {
  const all = [];
  for (const scheme of ['light', 'dark']) {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    await page.evaluate(axe);
    const found = await page.evaluate(() => window.axe.run());
    all.push(...found.violations.map((one) => `${scheme}: ${one.id} (${one.impact}): ${one.nodes[0].html}`));
  }
  return all;
}

// Goes through the forms of a provider as user1 until the browser is back at `base`.
export async function throughProvider(page, base, moved) {
  const visited = [];
  for (let form = 0; form < 4 && !page.url().startsWith(base); form += 1) {
    const login = await page.$('input[name=login]');
    if (login) {
      await login.type('user1');
      await page.type('input[name=password]', 'x');
    }
    visited.push(await moved(() => page.click('button[type=submit]')));
  }
  return visited;
}

// Does something that leads to another page, and says to which.
export const mover = (page) => async (action) => {
  await Promise.all([page.waitForNavigation({ waitUntil: 'networkidle0' }), action()]);
  return page.url();
};
