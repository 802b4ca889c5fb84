// Visits the pages of sign-in with Chromium and prints what it saw as one JSON object; tests/login/pages.rs judges.
//
// usage: node visit.mjs CACHE '{"base": URL, "pages": [PATH], "sign_in": PATH}'
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const require = createRequire(`${process.argv[2]}/`);
const puppeteer = require('puppeteer-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const { base, pages, sign_in } = JSON.parse(process.argv[3]);

const browser = await puppeteer.launch({
  executablePath: '/usr/bin/chromium', headless: true, args: ['--no-sandbox', '--disable-gpu'], timeout: 60000,
});

// A page whose complaints are kept: the console's, those of the content security policy, requests that failed.
async function open() {
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

// What Tab reaches, in order, and whether one can see where one is.
async function keyboard(page) {
  const stops = [];
  for (let stop = 0; stop < 20; stop += 1) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return null;
      return { text: element.textContent.trim(), seen: getComputedStyle(element).outlineStyle !== 'none' };
    });
    if (!at || stops.some((other) => other.text === at.text)) break;
    stops.push(at);
  }
  return stops;
}

async function look(path) {
  const { page, complaints } = await open();
  const answer = await page.goto(base + path, { waitUntil: 'networkidle0' });
  const seen = {
    path, status: answer.status(), title: await page.title(), policy: answer.headers()['content-security-policy'],
    language: await page.evaluate(() => document.documentElement.lang),
    scripts: await page.evaluate(() => document.scripts.length),
    controls: await page.evaluate(() => [...document.querySelectorAll('a[href], button')].map((one) => one.textContent.trim())),
    keyboard: await keyboard(page), violations: [], narrow: null,
  };
  for (const scheme of ['light', 'dark']) {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    await page.evaluate(axe);
    const found = await page.evaluate(() => window.axe.run());
    seen.violations.push(...found.violations.map((one) => `${scheme}: ${one.id}: ${one.nodes[0].html}`));
  }
  await page.setViewport({ width: 320, height: 480 });
  seen.narrow = await page.evaluate(() => document.documentElement.scrollWidth <= 320);
  seen.complaints = complaints;
  await page.browserContext().close();
  return seen;
}

// By keyboard alone: the first way to sign in, the provider's forms, the button that signs out.
async function signInAndOut() {
  const { page, complaints } = await open();
  const moved = async (action) => {
    await Promise.all([page.waitForNavigation({ waitUntil: 'networkidle0' }), action()]);
    return page.url();
  };
  const visited = [];
  await page.goto(base + sign_in, { waitUntil: 'networkidle0' });
  await page.keyboard.press('Tab');
  visited.push(await moved(() => page.keyboard.press('Enter')));
  for (let form = 0; form < 4 && !page.url().startsWith(base); form += 1) {
    const login = await page.$('input[name=login]');
    if (login) {
      await login.type('user1');
      await page.type('input[name=password]', 'x');
    }
    visited.push(await moved(() => page.click('button[type=submit]')));
  }
  const cookies = (await page.browserContext().cookies()).filter((one) => base.includes(one.domain));
  await page.keyboard.press('Tab');
  visited.push(await moved(() => page.keyboard.press('Enter')));
  await page.browserContext().close();
  return { visited, complaints: complaints.filter((one) => one.startsWith(base)), cookies };
}

try {
  const looks = [];
  for (const path of pages) looks.push(await look(path));
  const flow = sign_in ? await signInAndOut() : null;
  console.log(JSON.stringify({ looks, flow }));
} finally {
  await browser.close();
}
